"""The one that gives entries their index.

DESIGN section 6. There is one sequencer per log: it holds a lease with a
fencing epoch, and every write checks that epoch. It either takes submissions
from the queue (`sequence_batch`) or, where intake and sequencer are one
process, takes them in itself (`save_batches`): submission and index are then
one transaction.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from vermilion_ledger.errors import ConflictError, EvidenceError
from vermilion_ledger.history import BatchHistory
from vermilion_ledger.placing import place_batch
from vermilion_ledger.ports import Admission, Clock, LogStore, SequencerStore
from vermilion_ledger.rows import Accepted, IntakeBatch, Lease, Pending, Sequenced

__all__ = ["Sequencer", "SequencerTiming"]

_ATTEMPTS = 10  # at a group whose envelopes others take in at the same time


@dataclass(frozen=True, slots=True, kw_only=True)
class SequencerTiming:
    """Bounds of the sequencer's loop.

    Attributes:
        lease_seconds: How long a silent sequencer keeps others out.
        publish_interval_seconds: Least time between two checkpoints, ≥ 0.05.
        poll_seconds: Pause while nothing waits.
        retry_seconds: Pause after a store was out of reach.
        batch_count_max: Submissions in one transaction.
        batch_bytes_max: Envelope bytes read for one transaction.
    """

    lease_seconds: float = 5.0
    publish_interval_seconds: float = 1.0
    poll_seconds: float = 0.01
    retry_seconds: float = 0.5
    batch_count_max: int = 4096
    batch_bytes_max: int = 64 * 1024 * 1024

    def __post_init__(self) -> None:
        if self.publish_interval_seconds < 0.05:
            raise ValueError("a checkpoint every 0.05 seconds is the most")


class Sequencer:
    """Writes the order of the log. Safe to share between threads, one of which works at a time.

    After any error of a batch, nothing kept in memory is believed: the next
    batch reads the size of the log from the store again.
    """

    def __init__(
        self,
        *,
        log: LogStore,
        store: SequencerStore,
        admission: Admission,
        clock: Clock,
        timing: SequencerTiming | None = None,
        name: str = "sequencer",
    ) -> None:
        self._log = log
        self._store = store
        self._admission = admission
        self._clock = clock
        self._timing = timing or SequencerTiming()
        # A name may be given twice by mistake; a holder is one run of one process.
        self._holder = f"{name}#{secrets.token_hex(8)}"
        self._history = BatchHistory(log, store)
        self._lease: Lease | None = None
        self._size: int | None = None  # None: to be read from the store
        self._lock = threading.Lock()

    @property
    def epoch(self) -> int:
        """The fencing epoch of this sequencer."""
        return self._leased().epoch

    def acquire(self) -> None:
        """Take the lease.

        Raises:
            ConflictError: ``sequencer.lease-held``: another sequencer lives,
                or its lease has not run out yet.
        """
        lease = self._store.acquire_lease(
            self._holder, now=self._clock(), ttl_seconds=self._timing.lease_seconds
        )
        with self._lock:
            self._forget()
            self._lease = lease

    def renew(self) -> None:
        """Prolong the lease.

        Raises:
            ConflictError: ``sequencer.fenced``: stand down.
        """
        self._store.renew_lease(
            self._leased(), now=self._clock(), ttl_seconds=self._timing.lease_seconds
        )

    def release(self) -> None:
        """Give the lease up, so that a successor need not wait for it to run out."""
        with self._lock:
            lease, self._lease = self._lease, None
        if lease is not None:
            self._store.release_lease(lease)

    def sequence_batch(self) -> int:
        """Give the next waiting submissions their index; return how many were settled.

        Everything about the batch is saved in one transaction, or nothing is.

        Raises:
            ConflictError: ``sequencer.fenced``: stand down.
            UnavailableError: The store is out of reach; nothing changed, or
                the next batch will find out.
            IntegrityError: The log contradicts itself: stop.
        """
        with self._lock:
            lease = self._leased()
            pending = self._store.load_pending(
                count_max=self._timing.batch_count_max, bytes_max=self._timing.batch_bytes_max
            )
            if not pending:
                return 0
            try:
                batch = self._place(pending)
                if batch.positions:
                    self._store.save_sequenced(lease, batch)
                self._keep(batch)
            except BaseException:
                self._forget()
                raise
            return len(batch.positions)

    def save_batches(self, batches: Sequence[IntakeBatch]) -> Sequence[Accepted | EvidenceError]:
        """Take submissions in and give them their index, in one transaction.

        Implements `vermilion_ledger.ports.IntakeStore`. What cannot be decided
        now is queued, and settled by a later `sequence_batch`.

        Raises:
            ConflictError: ``sequencer.fenced``: nothing was saved; stand down.
            EvidenceError: Nothing was saved for anybody.
        """
        placed: list[Sequenced] = []

        def sequence(pending: Sequence[Pending]) -> Sequenced:
            placed.append(self._place(pending))
            return placed[-1]

        with self._lock:
            for attempt in range(_ATTEMPTS):
                try:
                    results = self._store.save_batches(self._leased(), batches, sequence)
                    self._keep(placed[-1])
                except ConflictError as exc:
                    self._forget()
                    # Another process queued the same envelope: the next look sees it.
                    if exc.code != "store.conflict" or attempt + 1 == _ATTEMPTS:
                        raise
                except BaseException:
                    self._forget()
                    raise
                else:
                    return results
        raise AssertionError("the last attempt returns or raises")

    def _place(self, pending: Sequence[Pending]) -> Sequenced:
        if self._size is None:
            self._size = self._log.count_entries()
        return place_batch(
            pending, first_index=self._size, history=self._history, admission=self._admission
        )

    def _keep(self, batch: Sequenced) -> None:
        """Remember what a durable batch changed."""
        self._size = batch.first_index + len(batch.placements)
        self._history.commit()

    def _forget(self) -> None:
        self._size = None
        self._history.clear()

    def _leased(self) -> Lease:
        if self._lease is None:
            raise ConflictError("sequencer.not-started", "this sequencer holds no lease")
        return self._lease
