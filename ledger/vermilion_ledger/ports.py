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
    ErasedEntry,
    Head,
    IntakeBatch,
    Lease,
    Pending,
    RecordEntry,
    RecordRow,
    Sequenced,
    StoredEntry,
    SubmissionState,
)

__all__ = [
    "Admission",
    "CheckpointSigner",
    "Clock",
    "HeadStore",
    "HistoryView",
    "IntakeStore",
    "LogStore",
    "SequencerStore",
    "TileStore",
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

    def save_batches(self, batches: Sequence[IntakeBatch]) -> Sequence[Accepted | EvidenceError]:
        """Save many callers' batches in one transaction; one result per batch.

        Returns only after the commit is durable. A batch that cannot be
        accepted gets its error as result and leaves no trace; the others are
        saved all the same. Raises only if nothing was saved for anybody.
        """
        ...


class LogStore(Protocol):
    """Reads what was submitted and where it stands. What has an index never changes."""

    def count_entries(self) -> int:
        """Return the number of entries that have an index."""
        ...

    def find_gap(self, start: int) -> int | None:
        """Return the first index from ``start`` on that is missing below the last, or None."""
        ...

    def load_stored(self, start: int, end: int) -> Sequence[StoredEntry | ErasedEntry]:
        """Return entries of ``[start, end)`` as they are stored, up to the first gap."""
        ...

    def load_record(self, record_id: str) -> RecordRow | None:
        """Return a record that has an entry, or a public one; else None."""
        ...

    def load_history(
        self, record_ids: Sequence[str], *, since: int = 0
    ) -> Mapping[str, Sequence[RecordEntry]]:
        """Return the entries of records from sequence ``since`` on, in order."""
        ...

    def find_by_digest(self, digest: bytes) -> Sequence[str]:
        """Return ids of the records with an entry about this SHA-256."""
        ...

    def load_states(self, positions: Sequence[int]) -> Mapping[int, SubmissionState]:
        """Return where submissions stand; unknown positions are left out."""
        ...


class SequencerStore(Protocol):
    """Gives entries their place. Every write is refused once a newer epoch exists."""

    def acquire_lease(self, holder: str, *, now: datetime, ttl_seconds: float) -> Lease:
        """Take the lease with the next epoch, if nobody holds it."""
        ...

    def renew_lease(self, lease: Lease, *, now: datetime, ttl_seconds: float) -> None:
        """Prolong the lease, unless it is lost."""
        ...

    def release_lease(self, lease: Lease) -> None:
        """Give the lease up; nothing happens if it is lost."""
        ...

    def load_pending(self, *, count_max: int, bytes_max: int) -> Sequence[Pending]:
        """Return waiting submissions in order of arrival, at least one if any."""
        ...

    def load_counts(self, record_ids: Sequence[str]) -> Mapping[str, int]:
        """Return the number of entries of each record that has any."""
        ...

    def save_sequenced(self, lease: Lease, batch: Sequenced) -> None:
        """Save places in one transaction that also checks the fence."""
        ...

    def save_batches(
        self,
        lease: Lease,
        batches: Sequence[IntakeBatch],
        sequence: Callable[[Sequence[Pending]], Sequenced],
    ) -> Sequence[Accepted | EvidenceError]:
        """Take submissions in and place them, in one transaction that checks the fence.

        For one process that is intake and sequencer at once. ``sequence`` is
        called inside the transaction with what is new; the results carry
        states. Otherwise as `IntakeStore.save_batches`.
        """
        ...


class HeadStore(Protocol):
    """Keeps what was signed. May live in another database than the log."""

    def load_head(self) -> Head:
        """Return what was signed last."""
        ...

    def load_checkpoint(self, size: int | None = None) -> CheckpointRow | None:
        """Return the checkpoint of a size, or the newest; None if there is none."""
        ...

    def list_checkpoints(self, *, before: int | None, limit: int) -> Sequence[CheckpointRow]:
        """Return checkpoints with size below ``before``, newest first."""
        ...

    def oldest_above(self, size: int) -> datetime | None:
        """Return when the oldest checkpoint above a size was published."""
        ...

    def take_head(self, head: Head, *, epoch: int) -> Head:
        """Claim a head just read for an epoch, and mark the log open (compare-and-swap)."""
        ...

    def save_checkpoint(self, head: Head, checkpoint: CheckpointRow) -> Head:
        """Insert a checkpoint and swap the head for it in one transaction."""
        ...

    def halt(self, *, epoch: int) -> None:
        """Mark the log as contradicting itself, unless a newer epoch has the head."""
        ...


class TileStore(Protocol):
    """Keeps the log's public files under their C2SP tlog-tiles paths.

    ``docs/reference/tile-drivers.md`` is the contract in full.
    """

    def put_new(self, files: Mapping[str, bytes]) -> None:
        """Create files; all are durable on return.

        A file that exists with the same bytes is left alone. In which order
        the files appear is open; after a crash any of them may be there, each
        whole or not at all.

        Raises:
            IntegrityError: ``tiles.differ``: a file exists with other bytes.
            UnavailableError: Not all are durable; the same call may be repeated.
        """
        ...

    def replace(self, path: str, data: bytes) -> None:
        """Write a file that may exist, atomically and durably: ``checkpoint`` alone."""
        ...

    def load(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Return the files that exist, all read at once."""
        ...

    def list_paths(self, prefix: str) -> Sequence[str]:
        """Return the paths that start with a prefix, sorted."""
        ...

    def remove(self, paths: Sequence[str]) -> None:
        """Remove partial tiles that nobody needs any more; absent ones are fine."""
        ...

    def check(self) -> None:
        """Probe, at start, that the store is writable and honours create-only.

        Raises:
            UnavailableError: Out of reach, or not writable.
            IntegrityError: It overwrites: the log must not be kept there.
        """
        ...
