"""Rows as they stand, however damaged: what fsck and export ask of a store.

Values come as the database has them: numbers undecoded, texts as bytes, None
where a row that should be there is not. `vermilion_ledger.store.auditing`
keeps these promises; `vermilion_ledger.rows` has the rows of a sound store.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

__all__ = [
    "AnchoredCells",
    "AuditStore",
    "AuditView",
    "CheckpointCells",
    "Counts",
    "EntryCells",
    "HeadCells",
    "QueuedCells",
    "RefusedCells",
]


class EntryCells(NamedTuple):
    """A row of ``entries`` with its submission, whose columns are None if it is missing.

    Or a row of ``erased``: then only ``leaf_index`` and ``erased`` say anything.
    """

    leaf_index: int
    position: int
    sequence: int
    record_key: bytes | None
    kind: int | None
    envelope: bytes | None
    salt: bytes | None
    erased: bytes | None = None


class RefusedCells(NamedTuple):
    """A row of ``refusals`` with its submission."""

    position: int
    code: bytes
    message: bytes
    record_key: bytes | None
    kind: int | None
    envelope: bytes | None
    salt: bytes | None


class QueuedCells(NamedTuple):
    """A row of ``queue`` with its submission."""

    position: int
    digest: bytes
    is_plain: int
    record_key: bytes | None
    kind: int | None
    envelope: bytes | None
    salt: bytes | None


class CheckpointCells(NamedTuple):
    """A row of ``checkpoints``; ``published_at`` in microseconds since 1970."""

    size: int
    root: bytes
    note: bytes
    epoch: int
    published_at: int


class HeadCells(NamedTuple):
    """The row of ``head``."""

    size: int
    root: bytes
    epoch: int
    state: bytes


class AnchoredCells(NamedTuple):
    """Size and root that the journal has for a chain; ``source`` says from where."""

    size: int
    root: bytes
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many rows the tables have, all at one moment."""

    submissions: int
    entries: int
    refusals: int
    queue: int
    places: int
    digests: int
    known_envelopes: int
    nonces: int
    erased: int


class AuditView(Protocol):
    """One state of the evidence store; no list is longer than asked for."""

    def load_entries(self, start: int, end: int) -> Sequence[EntryCells]:
        """Return the entries with index in ``[start, end)``, erased ones too, in order."""
        ...

    def load_entries_at(self, indices: Sequence[int]) -> Sequence[EntryCells]:
        """Return the entries of these indices that were not erased."""
        ...

    def next_entries(self, after: int | None, limit: int) -> Sequence[EntryCells]:
        """Return the entries with an index above ``after``, in order; None: from the lowest.

        Erased ones are among them.
        """
        ...

    def next_refused(self, after: int, limit: int) -> Sequence[RefusedCells]:
        """Return refusals of positions above ``after``, in order."""
        ...

    def next_queued(self, after: int, limit: int) -> Sequence[QueuedCells]:
        """Return what is queued of positions above ``after``, in order."""
        ...

    def counts(self) -> Counts:
        """Return how many rows there are."""
        ...

    def list_overlaps(self, limit: int) -> Sequence[tuple[int, str]]:
        """Return positions that are in two of entries, refusals and queue; and in which."""
        ...

    def list_orphans(self, limit: int) -> Sequence[int]:
        """Return positions of submissions that are in none of the three."""
        ...

    def load_envelopes(self, positions: Sequence[int]) -> Mapping[int, bytes]:
        """Return the envelopes of these submissions."""
        ...

    def find_positions(self, positions: Sequence[int]) -> set[int]:
        """Return those of the positions that a submission has."""
        ...

    def anchored_between(self, after: int, upto: int) -> Sequence[AnchoredCells]:
        """Return what the journal anchored, or was to, of sizes in ``(after, upto]``, in order."""
        ...

    def has_places(self, rows: Collection[tuple[int, int, int]]) -> bool:
        """Tell whether all these (record, sequence, leaf index) are rows of ``places``."""
        ...

    def has_digests(self, rows: Collection[tuple[int, int]]) -> bool:
        """Tell whether all these (digest, leaf index) are rows of ``digests``."""
        ...

    def find_places(self, keys: Sequence[tuple[int, int]]) -> set[tuple[int, int, int]]:
        """Return the rows of ``places`` with these (record, sequence)."""
        ...

    def find_digests(self, keys: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
        """Return the rows of ``digests`` among these (digest, leaf index)."""
        ...

    def find_known(self, hashes: Sequence[bytes]) -> Mapping[bytes, int]:
        """Return the rows of ``known_envelopes`` with these hashes."""
        ...

    def find_nonces(self, nonces: Sequence[bytes]) -> set[tuple[bytes, bytes]]:
        """Return the rows of ``nonces`` with these nonces, as (key id, nonce)."""
        ...

    def is_sweep_due(self) -> bool:
        """Tell whether an erasure has not cleared the files yet."""
        ...

    def texts(self, table: str) -> frozenset[str]:
        """Return the columns of a table that hold texts, which `scan` gives as bytes."""
        ...

    def scan(self, table: str) -> Iterator[Mapping[str, Any]]:
        """Yield whole rows of a table in the order of its primary key, texts as bytes."""
        ...


class AuditStore(Protocol):
    """Opens views."""

    def view(self) -> AbstractContextManager[AuditView]:
        """Open one state of the evidence store, for as long as the block runs."""
        ...

    def load_head(self, limit: int = 1) -> tuple[HeadCells | None, Sequence[CheckpointCells]]:
        """Return the head and the newest checkpoints, newest first, as of one moment."""
        ...

    def next_checkpoints(self, after: int | None, limit: int) -> Sequence[CheckpointCells]:
        """Return checkpoints of sizes above ``after``, in order; None: from the lowest."""
        ...

    def check_files(self, limit: int) -> Sequence[str]:
        """Return what the database itself finds wrong with its files; nothing where it cannot."""
        ...
