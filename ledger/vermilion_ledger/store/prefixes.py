"""Numbers that find a row by a random value, at a cost that does not grow with the log.

A random key touches a page of its index that nobody else needs, and the more
rows there are, the more pages: that is what makes a growing table slow. Here
each *run* of 65,536 entries has keys of its own, next to one another: the
number of the run, then five bytes of the value. Whatever the size, what is
inserted goes into one small warm part of the index; whoever looks something up
asks for it run by run. Two values may share their five bytes, so whoever reads
compares the whole value.
"""

from __future__ import annotations

import hashlib

__all__ = [
    "SIZE_MAX",
    "digest_prefix",
    "digest_prefixes",
    "record_prefix",
    "record_prefixes",
    "value_of",
]

_RUN_BITS = 16  # 65,536 entries
_VALUE_SIZE = 5  # bytes; with 2^23 runs that is what a signed column of eight bytes holds
_VALUE_BITS = 8 * _VALUE_SIZE
SIZE_MAX = 1 << (23 + _RUN_BITS)  # entries: what such a number can tell apart


def digest_prefix(digest: bytes, leaf_index: int) -> int:
    """Return the number of a digest for the entry at a leaf index."""
    return _run(leaf_index) | int.from_bytes(digest[:_VALUE_SIZE], "big")


def digest_prefixes(digest: bytes, size: int) -> list[int]:
    """Return the numbers of a digest in a log of ``size`` entries."""
    return _all(digest_prefix(digest, 0), size)


def record_prefix(record_id: str, leaf_index: int) -> int:
    """Return the number of a record for its entry at a leaf index."""
    return digest_prefix(hashlib.sha256(record_id.encode()).digest(), leaf_index)


def record_prefixes(record_id: str, size: int) -> list[int]:
    """Return the numbers of a record in a log of ``size`` entries."""
    return _all(record_prefix(record_id, 0), size)


def value_of(prefix: int) -> int:
    """Return the part of a number that is the same in every run."""
    return prefix & ((1 << _VALUE_BITS) - 1)


def _run(leaf_index: int) -> int:
    return leaf_index >> _RUN_BITS << _VALUE_BITS


def _all(value: int, size: int) -> list[int]:
    return [_run(start) | value for start in range(0, size, 1 << _RUN_BITS)]
