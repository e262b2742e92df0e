"""Eight bytes that find a row, where a whole hash would make the index four times as large.

Random keys are what makes a growing table slow: each costs a page of its
index. Two different values may share a prefix, so whoever reads by one
compares the whole value.
"""

from __future__ import annotations

import hashlib

__all__ = ["digest_prefix", "record_prefix"]

_SIZE = 8  # bytes: what a database column of integers holds


def digest_prefix(digest: bytes) -> int:
    """Return the first eight bytes of a digest as a signed number."""
    return int.from_bytes(digest[:_SIZE], "big", signed=True)


def record_prefix(record_id: str) -> int:
    """Return eight bytes of a record id's hash as a signed number."""
    return digest_prefix(hashlib.sha256(record_id.encode()).digest())
