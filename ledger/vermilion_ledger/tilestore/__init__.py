"""Where the log's public files are kept: a folder, or an S3-compatible store."""
