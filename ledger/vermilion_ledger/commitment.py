"""What leaves the office: salted commitments, keyed tags, 65-byte entries.

FORMATS sections 3 and 5. Without the salt an entry says nothing about its
envelope; without the record key two entries of one record cannot be linked.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from vermilion_ledger.errors import InputError
from vermilion_ledger.limits import ENTRY_SIZE, TREE_SIZE_MAX

__all__ = [
    "commit",
    "encode_entry",
    "is_record_id",
    "make_record_id",
    "make_tag",
    "parse_entry",
    "parse_record_id",
]

_ENTRY_VERSION = b"\x01"
_KEY_SIZE = 32
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(first + second for first in _CROCKFORD for second in _CROCKFORD)  # ten bits each
_RECORD_ID = re.compile(rf"rec_[{_CROCKFORD}]{{32}}\Z")


def commit(salt: bytes, envelope_hash: bytes) -> bytes:
    """Return the commitment to an envelope, given its salt and ``H(envelope bytes)``."""
    _check_size(salt, "salt")
    _check_size(envelope_hash, "envelope hash")
    return hashlib.sha256(b"vermilion/commitment/v1\x00" + salt + envelope_hash).digest()


def make_tag(record_key: bytes, sequence: int) -> bytes:
    """Return the tag of the entry at ``sequence`` (0-based) in its record.

    Raises:
        InputError: The key is not 32 bytes, or no record gets that long.
    """
    _check_size(record_key, "record key")
    if not 0 <= sequence <= TREE_SIZE_MAX:
        raise InputError("entry.sequence", f"sequence {sequence} is not in 0 to 2^53-1")
    message = b"vermilion/tag/v1\x00" + sequence.to_bytes(8, "big")
    return hmac.digest(record_key, message, "sha256")


def encode_entry(commitment: bytes, tag: bytes) -> bytes:
    """Return the 65 bytes that the log holds."""
    _check_size(commitment, "commitment")
    _check_size(tag, "tag")
    return _ENTRY_VERSION + commitment + tag


def parse_entry(entry: bytes) -> tuple[bytes, bytes]:
    """Split an entry into its commitment and its tag.

    Raises:
        InputError: Not 65 bytes, or of another version.
    """
    if len(entry) != ENTRY_SIZE or entry[:1] != _ENTRY_VERSION:
        raise InputError(
            "entry.malformed", f"an entry of {len(entry)} bytes, version {entry[:1]!r}"
        )
    return entry[1:33], entry[33:]


def make_record_id(record_key: bytes) -> str:
    """Return the only record id that fits a record key (FORMATS section 3)."""
    _check_size(record_key, "record key")
    digest = hashlib.sha256(b"vermilion/record/v1\x00" + record_key).digest()[:20]
    number = int.from_bytes(digest, "big")
    return "rec_" + "".join([_PAIRS[number >> shift & 1023] for shift in range(150, -1, -10)])


def is_record_id(value: object) -> bool:
    """Tell whether a value has the form of a record id."""
    return isinstance(value, str) and _RECORD_ID.match(value) is not None


def parse_record_id(value: object) -> str:
    """Read a record id.

    Raises:
        InputError: Not ``rec_`` and 32 lower-case Crockford base32 characters.
    """
    if not isinstance(value, str) or not is_record_id(value):
        raise InputError("record.malformed-id", "a record id is rec_ and 32 base32 characters")
    return value


def _check_size(value: bytes, what: str) -> None:
    if len(value) != _KEY_SIZE:
        raise InputError("entry.size", f"{what} of {len(value)} bytes, not {_KEY_SIZE}")
