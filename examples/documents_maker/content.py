"""What a document says, before anything decides how it looks.

Everything here is invented: there is no city of Yunhe (云河市), and no person, office
or company in these texts exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

__all__ = [
    "Cell",
    "Formula",
    "Heading",
    "Letter",
    "Paper",
    "Part",
    "Properties",
    "Sheet",
    "Table",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Properties:
    """What a file says about itself."""

    title: str
    author: str
    created: datetime
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with a head; `shares` are the widths of its columns and add up to one."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shares: tuple[float, ...]
    numbers: frozenset[int] = frozenset()
    """Zero-based columns that hold numbers."""

    def __post_init__(self) -> None:
        """Refuse rows that do not fit the head."""
        if any(len(row) != len(self.head) for row in (*self.rows, self.shares)):
            raise ValueError("a row has another number of cells than the head")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading inside a paper."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """An official letter (公文) with the elements of GB/T 9704-2012, section 7."""

    letterhead: str
    number: str
    title: tuple[str, ...]
    recipients: str
    body: tuple[str | Table, ...]
    attachments: tuple[str, ...] = ()
    office: str
    date: str
    seal_foot: str
    """Word at the foot of the seal; empty for letters that carry no seal."""
    note: str = ""
    imprint: tuple[tuple[str, str], ...]
    signer: str = ""
    """Stated beside the number on letters to a higher office."""


Part: TypeAlias = str | Heading | Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A text with headings and tables: a contract, a report, a rule book."""

    title: str
    subtitle: tuple[str, ...]
    parts: tuple[Part, ...]
    signatures: tuple[tuple[str, str], ...] = ()
    """Lines of the signature block, left party and right party."""
    seals: tuple[str, ...] = ()
    """Offices whose seals stand on the signature block, from left to right."""
    seal_foot: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A spreadsheet formula and the value it had when the file was saved."""

    text: str
    value: Decimal


Cell: TypeAlias = str | int | Decimal | Formula


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One worksheet: a title across all columns, a head, rows, and a row of totals."""

    name: str
    title: str
    widths: tuple[float, ...]
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    totals: tuple[Cell, ...]
    notes: tuple[str, ...] = ()
