"""What the log asks of a store: Protocols and the promises they carry.

DESIGN section 6 states who may write what. `vermilion_ledger.store` keeps
these promises with SQLite and PostgreSQL; rows are `vermilion_ledger.rows`.
Time always comes in through a `Clock`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.rows import (
    Accepted,
    CheckpointRow,
    EntryRow,
    Head,
    IntakeBatch,
    Integration,
    Lease,
    Opening,
    Pending,
    RecordEntry,
    RecordRow,
    SubmissionState,
    TileKey,
    TileRow,
)

__all__ = [
    "Admission",
    "CheckpointSigner",
    "Clock",
    "HistoryView",
    "IntakeStore",
    "LogStore",
    "SequencerStore",
]

Clock = Callable[[], datetime]
"""Returns the present moment, UTC-aware."""


class HistoryView(Protocol):
    """What admission may know of the log: committed entries and this batch's."""

    def history(self, record_id: str, *, since: int = 0) -> Sequence[RecordEntry]:
        """Return a record's entries from sequence ``since`` on, in order."""
        ...


class Admission(Protocol):
    """Decides, at the index it would get, whether a submission enters the log."""

    def admit(self, pending: Pending, *, index: int, sequence: int, view: HistoryView) -> None:
        """Return if the submission may become entry ``index``.

        Raises:
            UnavailableError: Not decidable now; the submission stays queued.
            IntegrityError: Stop the sequencer.
            EvidenceError: Any other: refused for good, with this code.
        """
        ...


class CheckpointSigner(Protocol):
    """Holds the log key."""

    def sign_checkpoint(self, size: int, root: bytes) -> str:
        """Return the signed note over a size and its root (FORMATS section 6)."""
        ...


class IntakeStore(Protocol):
    """Takes submissions in."""

    def save_batches(
        self, batches: Sequence[IntakeBatch], *, received_at: datetime
    ) -> Sequence[Accepted | EvidenceError]:
        """Save many callers' batches in one transaction; one result per batch.

        Returns only after the commit is durable. A batch that cannot be
        accepted gets its error as result and leaves no trace; the others are
        saved all the same. Raises only if nothing was saved for anybody.
        """
        ...


class LogStore(Protocol):
    """Reads what the sequencer wrote. Everything below a size never changes."""

    def count_entries(self) -> int:
        """Return the number of entries that have an index."""
        ...

    def load_leaf_hashes(self, start: int, end: int) -> Sequence[bytes]:
        """Return leaf hashes of ``[start, end)``, fewer if the log ends before."""
        ...

    def load_leaves(self, start: int, end: int) -> Sequence[tuple[bytes, bytes, bytes]]:
        """Return commitment, tag and leaf hash of ``[start, end)``, fewer if the log ends."""
        ...

    def load_entries(self, start: int, end: int) -> Sequence[EntryRow]:
        """Return entries of ``[start, end)``, fewer if the log ends before."""
        ...

    def load_openings(self, start: int, end: int) -> Sequence[tuple[EntryRow, Opening]]:
        """Return entries of ``[start, end)`` with what they commit to."""
        ...

    def load_tiles(self, keys: Sequence[TileKey]) -> Mapping[TileKey, bytes]:
        """Return the hashes of those of the tiles that are full."""
        ...

    def load_tile_roots(self, level: int, start: int, end: int) -> Sequence[bytes]:
        """Return roots of full tiles ``[start, end)`` of a level, in order."""
        ...

    def load_tile_rows(self, level: int, start: int, end: int) -> Sequence[TileRow]:
        """Return full tiles ``[start, end)`` of a level, in order."""
        ...

    def load_head(self) -> Head:
        """Return what was signed last."""
        ...

    def load_checkpoint(self, size: int | None = None) -> CheckpointRow | None:
        """Return the checkpoint of a size, or the newest; None if there is none."""
        ...

    def list_checkpoints(self, *, before: int | None, limit: int) -> Sequence[CheckpointRow]:
        """Return checkpoints with size below ``before``, newest first."""
        ...

    def load_record(self, record_id: str) -> RecordRow | None:
        """Return a record, or None."""
        ...

    def load_history(
        self, record_ids: Sequence[str], *, since: int = 0
    ) -> Mapping[str, Sequence[RecordEntry]]:
        """Return the entries of records from sequence ``since`` on, in order."""
        ...

    def find_by_digest(self, digest: bytes) -> Sequence[str]:
        """Return ids of the records with a submission about this SHA-256."""
        ...

    def load_states(self, submission_ids: Sequence[bytes]) -> Mapping[bytes, SubmissionState]:
        """Return where submissions stand; unknown ids are left out."""
        ...


class SequencerStore(Protocol):
    """Writes the log. Every write is refused once a newer epoch exists."""

    def acquire_lease(self, holder: str, *, now: datetime, ttl_seconds: float) -> Lease:
        """Take the lease with the next epoch, if nobody holds it."""
        ...

    def renew_lease(self, lease: Lease, *, now: datetime, ttl_seconds: float) -> None:
        """Prolong the lease, unless it is lost."""
        ...

    def release_lease(self, lease: Lease) -> None:
        """Give the lease up; nothing happens if it is lost."""
        ...

    def take_head(self, lease: Lease, head: Head) -> Head:
        """Claim a head just read for this epoch (compare-and-swap)."""
        ...

    def halt(self, lease: Lease) -> None:
        """Mark the log as contradicting itself, for every process to see."""
        ...

    def load_pending(self, *, count_max: int, bytes_max: int) -> Sequence[Pending]:
        """Return waiting submissions in order of arrival, at least one if any."""
        ...

    def load_counts(self, record_ids: Sequence[str]) -> Mapping[str, int]:
        """Return the number of entries of each record that has any."""
        ...

    def save_integration(
        self, lease: Lease, integration: Integration, *, now: datetime, ttl_seconds: float
    ) -> None:
        """Save a batch in one transaction that also checks and prolongs the lease."""
        ...

    def save_checkpoint(self, lease: Lease, head: Head, checkpoint: CheckpointRow) -> Head:
        """Insert a checkpoint and swap the head in one transaction."""
        ...
