"""What `vermilion_ledger.archive` puts into an empty store, and what it asks of that.

`vermilion_ledger.store.restoring` implements `Restorer`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from vermilion_ledger.implied import Implied
from vermilion_ledger.rows import ErasedEntry

__all__ = ["RestoredSubmission", "Restorer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredSubmission:
    """A submission with where it stood, and what it implies.

    Attributes:
        index: Leaf index; None where it has none.
        sequence: Position in the record; None without an index.
        code: Why it was refused; empty where it was not.
        message: The same for people.
    """

    position: int
    record_key: bytes
    kind: str
    envelope: bytes
    salt: bytes
    implied: Implied
    index: int | None = None
    sequence: int | None = None
    code: str = ""
    message: str = ""


class Restorer(Protocol):
    """Fills an empty database."""

    def save_submissions(self, submissions: Sequence[RestoredSubmission]) -> None:
        """Insert submissions, and every row that they imply, in one transaction."""
        ...

    def save_erased(self, entries: Sequence[ErasedEntry]) -> None:
        """Insert what is left of destroyed records, in one transaction."""
        ...

    def save_rows(self, table: str, rows: Sequence[Mapping[str, str | None]]) -> None:
        """Insert rows of a table that is restored as it stood."""
        ...

    def finish(self, size: int, root: bytes) -> None:
        """Set the head, and all that counts on from what is there."""
        ...
