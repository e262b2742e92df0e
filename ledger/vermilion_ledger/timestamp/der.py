"""A strict reader of DER, as much of X.690 as a time-stamp token needs.

Definite lengths in their shortest form, tags of one byte, nothing left over.
What is signed is handed on as it stands and never encoded anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from vermilion_ledger.errors import InputError

__all__ = [
    "BIT_STRING",
    "BOOLEAN",
    "GENERALIZED_TIME",
    "INTEGER",
    "NULL",
    "OCTET_STRING",
    "OID",
    "SEQUENCE",
    "SET",
    "DerReader",
    "Element",
    "encode_element",
    "parse_generalized_time",
    "parse_integer",
    "parse_oid",
]

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = 0x05
OID = 0x06
GENERALIZED_TIME = 0x18
SEQUENCE = 0x30
SET = 0x31

_INTEGER_SIZE_MAX = 64  # bytes; serial numbers and nonces have 20 or fewer
_OID_SIZE_MAX = 64  # bytes
_TIME = re.compile(rb"(\d{14})(?:\.(\d{0,8}[1-9]))?Z", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One element: its identifier byte, its content, and all of its bytes."""

    tag: int
    content: bytes
    encoded: bytes


class DerReader:
    """Reads elements one after another; owned by one caller.

    Every method raises InputError ``der.malformed`` where the bytes are not
    what is asked for, or not DER.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    @property
    def is_done(self) -> bool:
        """Whether everything has been read."""
        return self._place == len(self._data)

    @property
    def next_tag(self) -> int | None:
        """Identifier byte of the next element; None at the end."""
        return None if self.is_done else self._data[self._place]

    def take(self, tag: int | None = None) -> Element:
        """Read the next element, of a tag where one is given."""
        start = self._place
        found = self._byte()
        if tag is not None and found != tag:
            raise _malformed(f"tag 0x{found:02x} at byte {start}, expected is 0x{tag:02x}")
        if found & 0x1F == 0x1F:
            raise _malformed(f"a tag of more than one byte at byte {start}")
        size = self._length()
        end = self._place + size
        if end > len(self._data):
            raise _malformed(f"{size} bytes are announced, {len(self._data) - self._place} left")
        content = self._data[self._place : end]
        self._place = end
        return Element(tag=found, content=content, encoded=self._data[start:end])

    def content(self, tag: int) -> bytes:
        """Return the content of the next element."""
        return self.take(tag).content

    def inside(self, tag: int) -> DerReader:
        """Return a reader of what the next element holds."""
        return DerReader(self.content(tag))

    def optional(self, tag: int) -> Element | None:
        """Return the next element if it has this tag, else None."""
        return self.take(tag) if self.next_tag == tag else None

    def finish(self) -> None:
        """Refuse bytes that nobody has read."""
        if not self.is_done:
            raise _malformed(f"{len(self._data) - self._place} bytes too many")

    def _byte(self) -> int:
        if self.is_done:
            raise _malformed("it ends too early")
        self._place += 1
        return self._data[self._place - 1]

    def _length(self) -> int:
        """Read a definite length in its shortest form (X.690, section 10.1)."""
        first = self._byte()
        if first < 0x80:
            return first
        count = first & 0x7F
        if not 1 <= count <= 4:
            raise _malformed("a length that is indefinite or has more than four bytes")
        length = int.from_bytes(bytes(self._byte() for _ in range(count)), "big")
        if length < 0x80 or length >> 8 * (count - 1) == 0:
            raise _malformed(f"length {length} is not in its shortest form")
        return length


def encode_element(tag: int, content: bytes) -> bytes:
    """Return the DER of one element."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def parse_integer(content: bytes) -> int:
    """Return the value of an INTEGER, which may be negative (X.690, section 8.3).

    Raises:
        InputError: ``der.malformed``.
    """
    if not 1 <= len(content) <= _INTEGER_SIZE_MAX:
        raise _malformed(f"an integer of {len(content)} bytes")
    if len(content) > 1 and (content[0], content[1] >> 7) in {(0x00, 0), (0xFF, 1)}:
        raise _malformed("an integer that is not in its shortest form")
    return int.from_bytes(content, "big", signed=True)


def parse_oid(content: bytes) -> str:
    """Return an OBJECT IDENTIFIER in dotted form (X.690, section 8.19).

    Raises:
        InputError: ``der.malformed``.

    >>> parse_oid(bytes.fromhex("608648016503040201"))
    '2.16.840.1.101.3.4.2.1'
    """
    if not 1 <= len(content) <= _OID_SIZE_MAX or content[-1] & 0x80:
        raise _malformed(f"an object identifier of {len(content)} bytes")
    arcs: list[int] = []
    value, starts = 0, True
    for byte in content:
        if starts and byte == 0x80:
            raise _malformed("an object identifier that is not in its shortest form")
        value = value << 7 | byte & 0x7F
        starts = not byte & 0x80
        if starts:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))


def parse_generalized_time(content: bytes) -> datetime:
    """Return a moment in UTC; fractions without trailing zeros (RFC 3161, section 2.4.2).

    Digits below the microsecond are dropped.

    Raises:
        InputError: ``der.malformed``.
    """
    found = _TIME.fullmatch(content)
    if found is None:
        raise _malformed(f"{content[:40]!r} is no time")
    fraction = (found[2] or b"").ljust(6, b"0")[:6]
    try:
        moment = datetime.strptime(found[1].decode("ascii"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError as exc:
        raise _malformed(f"{content[:40]!r} is no time") from exc
    return moment.replace(microsecond=int(fraction))


def _malformed(message: str) -> InputError:
    return InputError("der.malformed", f"not DER: {message}")
