"""X.509 certificates beside a registered key (docs/formats/certificates.md, RFC 5280)."""
