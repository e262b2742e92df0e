"""A real S3 API server in a process of its own: prints its address, ends with its input."""

from __future__ import annotations

import sys

from integration.tilestore.s3_server import running_s3

if __name__ == "__main__":
    with running_s3() as server:
        print(server.endpoint, flush=True)
        sys.stdin.read()
