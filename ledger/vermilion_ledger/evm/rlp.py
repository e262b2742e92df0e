"""RLP, strictly: every value has exactly one encoding and no other is read.

Follows the Ethereum Yellow Paper, appendix B. An item is a byte string or a
tuple of items. Depth and number of items are bounded, so that hostile bytes
cost no more than their length.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from vermilion_ledger.errors import InputError, LimitError

__all__ = ["Item", "decode_rlp", "encode_integer", "encode_rlp", "parse_integer"]

Item: TypeAlias = "bytes | Sequence[Item]"

_DEPTH_MAX = 16  # a receipt needs 4, a trie node fewer
_ITEM_COUNT_MAX = 1 << 16
_SHORT_MAX = 55  # bytes of payload whose length fits into the first byte
_STRING, _LIST = 0x80, 0xC0


def encode_rlp(item: Item) -> bytes:
    r"""Return the one encoding of an item.

    >>> encode_rlp([b"cat", b"", b"\x01"]).hex()
    'c6836361748001'
    """
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < _STRING:
            return item
        return _prefix(_STRING, len(item)) + item
    payload = b"".join(encode_rlp(member) for member in item)
    return _prefix(_LIST, len(payload)) + payload


def encode_integer(value: int) -> bytes:
    """Return the big-endian bytes of a natural number without leading zeros; 0 is empty."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def parse_integer(item: Item, *, maximum: int, what: str) -> int:
    """Read a natural number as `encode_integer` writes it.

    Raises:
        InputError: A list, or leading zeros.
        LimitError: Above ``maximum``.
    """
    if not isinstance(item, bytes):
        raise InputError("rlp.shape", f"{what} is a list, not a number")
    if item[:1] == b"\0":
        raise InputError("rlp.not-canonical", f"{what} has leading zeros")
    size_max = (maximum.bit_length() + 7) // 8
    if len(item) > size_max:
        raise LimitError("rlp.integer-range", f"{what} bytes", found=len(item), limit=size_max)
    value = int.from_bytes(item, "big")
    if value > maximum:
        raise LimitError("rlp.integer-range", what, found=value, limit=maximum)
    return value


def decode_rlp(data: bytes, *, what: str) -> Item:
    """Read exactly one item that fills all of ``data``.

    Raises:
        InputError: Truncated, trailing bytes, or an encoding that
            `encode_rlp` would not write.
        LimitError: Nested too deep, or too many items.
    """
    reader = _Reader(data, what)
    item = reader.read(end=len(data), depth=1)
    if reader.position != len(data):
        raise InputError(
            "rlp.trailing-bytes", f"{what} ends at {reader.position} of {len(data)} bytes"
        )
    return item


class _Reader:
    """A position in the bytes being read; lives for one call of `decode_rlp`."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._what = what
        self._count = 0
        self.position = 0

    def read(self, *, end: int, depth: int) -> Item:
        """Read the item at the position, which ends at ``end`` or before."""
        self._count += 1
        if self._count > _ITEM_COUNT_MAX:
            raise LimitError(
                "rlp.too-many-items",
                f"{self._what} items",
                found=self._count,
                limit=_ITEM_COUNT_MAX,
            )
        if depth > _DEPTH_MAX:
            raise LimitError("rlp.too-deep", f"{self._what} depth", found=depth, limit=_DEPTH_MAX)
        first = self._take(1, end)[0]
        if first < _STRING:
            return bytes((first,))
        if first < _LIST:
            text = self._take(self._length(first - _STRING, end), end)
            if len(text) == 1 and text[0] < _STRING:
                raise self._not_canonical("a byte below 0x80 has a prefix")
            return text
        stop = self._length(first - _LIST, end) + self.position
        if stop > end:
            raise self._truncated(stop - self.position, end)
        members: list[Item] = []
        while self.position < stop:
            members.append(self.read(end=stop, depth=depth + 1))
        return tuple(members)

    def _length(self, short: int, end: int) -> int:
        """Read the length of a payload; ``short`` is what the first byte says of it."""
        if short <= _SHORT_MAX:
            return short
        digits = self._take(short - _SHORT_MAX, end)
        length = int.from_bytes(digits, "big")
        if digits[0] == 0 or length <= _SHORT_MAX:
            raise self._not_canonical(f"a length of {length} in {len(digits)} bytes")
        return length

    def _take(self, count: int, end: int) -> bytes:
        if self.position + count > end:
            raise self._truncated(count, end)
        piece = self._data[self.position : self.position + count]
        self.position += count
        return piece

    def _truncated(self, count: int, end: int) -> InputError:
        return InputError(
            "rlp.truncated",
            f"{self._what} wants {count} bytes at {self.position}, has {end - self.position}",
        )

    def _not_canonical(self, why: str) -> InputError:
        return InputError("rlp.not-canonical", f"{self._what}: {why} at {self.position}")


def _prefix(base: int, length: int) -> bytes:
    if length <= _SHORT_MAX:
        return bytes((base + length,))
    digits = encode_integer(length)
    return bytes((base + _SHORT_MAX + len(digits),)) + digits
