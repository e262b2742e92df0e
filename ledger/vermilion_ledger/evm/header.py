"""Raw block headers: what a bundle carries so that time can be read from a block.

A header is an RLP list whose Keccak-256 is the block hash. Later forks append
fields, so the raw bytes are kept and only the fields that matter are read, by
their fixed positions (FORMATS section 8).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from vermilion_ledger.errors import InputError, LimitError
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.rlp import Item, decode_rlp, parse_integer
from vermilion_ledger.limits import HEADER_FIELD_COUNT_MIN, HEADER_SIZE_MAX, JSON_INTEGER_MAX

__all__ = ["BlockHeader", "parse_header"]

_HASH_SIZE = 32
_PARENT, _RECEIPTS_ROOT, _NUMBER, _TIMESTAMP = 0, 5, 8, 11
_TIMESTAMP_MAX = 253_402_300_799  # 9999-12-31T23:59:59Z, the last moment the formats can write


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockHeader:
    """What is read from a raw header.

    Attributes:
        hash: Keccak-256 of the raw header: the block hash.
        parent_hash: Hash of the block before.
        receipts_root: Root of the trie of receipts.
        number: Height.
        timestamp: Seconds since 1970.
    """

    hash: bytes
    parent_hash: bytes
    receipts_root: bytes
    number: int
    timestamp: int

    @property
    def time(self) -> datetime:
        """The time of the block, in UTC."""
        return datetime.fromtimestamp(self.timestamp, UTC)


def parse_header(raw: bytes) -> BlockHeader:
    """Read a raw header; that its hash is on a chain is for others to say.

    Raises:
        InputError: Not a canonical RLP list of at least 15 fields, or a field
            that is read has another form.
        LimitError: More than 4 KiB, or a number out of range.
    """
    if len(raw) > HEADER_SIZE_MAX:
        raise LimitError("header.too-large", "header bytes", found=len(raw), limit=HEADER_SIZE_MAX)
    fields = decode_rlp(raw, what="header")
    if isinstance(fields, bytes) or len(fields) < HEADER_FIELD_COUNT_MIN:
        raise InputError("header.shape", f"a header has at least {HEADER_FIELD_COUNT_MIN} fields")
    return BlockHeader(
        hash=keccak256(raw),
        parent_hash=_hash(fields[_PARENT], "parent hash"),
        receipts_root=_hash(fields[_RECEIPTS_ROOT], "receipts root"),
        number=parse_integer(fields[_NUMBER], maximum=JSON_INTEGER_MAX, what="block number"),
        timestamp=parse_integer(fields[_TIMESTAMP], maximum=_TIMESTAMP_MAX, what="block time"),
    )


def _hash(field: Item, what: str) -> bytes:
    if not isinstance(field, bytes) or len(field) != _HASH_SIZE:
        raise InputError("header.shape", f"the {what} is not {_HASH_SIZE} bytes")
    return field
