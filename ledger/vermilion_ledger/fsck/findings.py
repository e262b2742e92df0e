"""What fsck found: where, which byte, and whether it is damage at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["Finding", "Findings", "find_flip", "first_difference", "flipped_numbers", "flips"]


_ALL_BITS = (1 << 64) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference between what is stored and what it should be.

    Attributes:
        code: Stable code, ``fsck.…``.
        message: What differs, with both values where both are known.
        path: The file of the log, or empty.
        table: The table, or empty.
        row: Its primary key, as ``position=17``.
        column: The column, where one is to blame.
        index: Leaf index of the entry concerned.
        byte: Offset of the first differing byte in the file or in the value,
            where it is known.
        is_damage: False for what is told and harms nobody.
    """

    code: str
    message: str
    path: str = ""
    table: str = ""
    row: str = ""
    column: str = ""
    index: int | None = None
    byte: int | None = None
    is_damage: bool = True

    @property
    def place(self) -> str:
        """Where it is, in a few words."""
        words = [self.path, self.table, self.row, self.column]
        if self.byte is not None:
            words.append(f"byte {self.byte}")
        if self.index is not None:
            words.append(f"(entry {self.index})")
        return " ".join(word for word in words if word)

    def to_json(self) -> dict[str, Any]:
        """Return the members that say something."""
        return {name: value for name, value in asdict(self).items() if value not in ("", None)}


@dataclass(slots=True, kw_only=True)
class Findings:
    """Collects findings; beyond a number of them they are only counted. Owned by one run.

    Attributes:
        limit: How many are kept.
        kept: In the order in which they were found.
        damage_count: All damage, kept or not.
        notice_count: All that is harmless, kept or not.
    """

    limit: int = 1000
    kept: list[Finding] = field(default_factory=list)
    damage_count: int = 0
    notice_count: int = 0
    on_finding: Callable[[Finding], None] = lambda _finding: None

    def add(self, finding: Finding) -> None:
        """Take a finding in."""
        if finding.is_damage:
            self.damage_count += 1
        else:
            self.notice_count += 1
        if len(self.kept) < self.limit:
            self.kept.append(finding)
            self.on_finding(finding)

    @property
    def is_full(self) -> bool:
        """Whether more are counted only: not worth a search for the byte."""
        return len(self.kept) >= self.limit


def first_difference(stored: bytes, expected: bytes) -> int:
    """Return the offset of the first byte that differs, or at which one of the two ends.

    >>> first_difference(b"abc", b"abd"), first_difference(b"ab", b"abd")
    (2, 2)
    """
    for at, (left, right) in enumerate(zip(stored, expected, strict=False)):
        if left != right:
            return at
    return min(len(stored), len(expected))


def flips(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the offset of each byte with the data that has one bit of it the other way."""
    changed = bytearray(data)
    for at in range(len(data)):
        for bit in range(8):
            changed[at] ^= 1 << bit
            yield at, bytes(changed)
            changed[at] ^= 1 << bit


def find_flip(data: bytes, fits: Callable[[bytes], bool]) -> tuple[int, bytes] | None:
    """Return where one bit was flipped and what stood there before, if that is what happened.

    Tries each bit: for a whole envelope some milliseconds.
    """
    return next(((at, before) for at, before in flips(data) if fits(before)), None)


def flipped_numbers(number: int) -> Iterator[int]:
    """Yield a signed number of 64 bits with each of its bits the other way.

    >>> sorted(flipped_numbers(1))[:2], len(list(flipped_numbers(1)))
    ([-9223372036854775807, 0], 64)
    """
    bits = number & _ALL_BITS
    for bit in range(64):
        flipped = bits ^ 1 << bit
        yield flipped - (1 << 64) if flipped >> 63 else flipped
