"""The one process that gives entries their index and signs the log.

DESIGN section 6. There is one sequencer per log: it holds a lease with a
fencing epoch, and every write carries that epoch. Index and record sequence
are assigned in its batches (`vermilion_ledger.integrate`) and nowhere else, and
a checkpoint is signed only over a root that was read back from storage and
found equal to the one in memory.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    IntegrityError,
    UnavailableError,
)
from vermilion_ledger.history import BatchHistory
from vermilion_ledger.integrate import integrate
from vermilion_ledger.ports import (
    Admission,
    CheckpointSigner,
    Clock,
    LogStore,
    SequencerStore,
)
from vermilion_ledger.recheck import recheck_tree
from vermilion_ledger.rows import (
    CheckpointRow,
    Head,
    Lease,
    ObservedHead,
)
from vermilion_ledger.tiles import TileBuilder, TileReader
from vermilion_ledger.tree import root_at

__all__ = ["Sequencer", "SequencerTiming"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SequencerTiming:
    """Bounds of the sequencer's loop.

    Attributes:
        lease_seconds: How long a silent sequencer keeps others out.
        publish_interval_seconds: Least time between two checkpoints, ≥ 0.05.
        poll_seconds: Pause while nothing waits.
        retry_seconds: Pause after the store was out of reach.
        batch_count_max: Submissions in one transaction.
        batch_bytes_max: Envelope bytes read for one transaction.
    """

    lease_seconds: float = 10.0
    publish_interval_seconds: float = 1.0
    poll_seconds: float = 0.02
    retry_seconds: float = 0.5
    batch_count_max: int = 4096
    batch_bytes_max: int = 64 * 1024 * 1024

    def __post_init__(self) -> None:
        if self.publish_interval_seconds < 0.05:
            raise ValueError("a checkpoint every 0.05 seconds is the most")


class Sequencer:
    """Writes the log. Not for sharing between threads.

    Call `acquire`, then `start`, then `run`; or `sequence_batch` and `publish`
    by hand. After any error of a batch, nothing kept in memory is believed:
    the next batch reads the edge of the tree from storage again.
    """

    def __init__(
        self,
        *,
        log: LogStore,
        store: SequencerStore,
        admission: Admission,
        signer: CheckpointSigner,
        clock: Clock,
        timing: SequencerTiming | None = None,
        name: str = "sequencer",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._store = store
        self._admission = admission
        self._signer = signer
        self._clock = clock
        self._timing = timing or SequencerTiming()
        self._monotonic = monotonic
        # A name may be given twice by mistake; a holder is one run of one process.
        self._holder = f"{name}#{secrets.token_hex(8)}"
        # No tile is remembered: what is signed was read back from storage.
        self._nodes = TileReader(log, cached_tile_count_max=0)
        self._history = BatchHistory(log, store)
        self._lease: Lease | None = None
        self._head: Head | None = None
        self._is_head_doubtful = False  # a checkpoint failed, perhaps after its commit
        self._tree: TileBuilder | None = None
        self._logger = logging.getLogger(__name__)

    @property
    def epoch(self) -> int:
        """The fencing epoch of this sequencer."""
        return self._held()[0].epoch

    def acquire(self) -> None:
        """Take the lease.

        Raises:
            ConflictError: ``sequencer.lease-held``: another sequencer lives,
                or its lease has not run out yet.
        """
        self._lease = self._store.acquire_lease(
            self._holder, now=self._clock(), ttl_seconds=self._timing.lease_seconds
        )

    def start(self, *, observed: Iterable[ObservedHead] = (), recheck: bool = True) -> None:
        """Compare storage with everything that was ever signed, then claim the head.

        Args:
            observed: Heads that others hold: the contract, witnesses.
            recheck: Recompute every hash from the entries. Without, only the
                roots of the signed heads are, from O(log n) nodes.

        Raises:
            IntegrityError: ``log.behind-head``, ``log.root-mismatch``,
                ``log.gap``, ``log.entry-mismatch``, ``log.tile-mismatch``: the
                log is marked halted and nothing will be signed.
            ConflictError: ``sequencer.fenced`` or ``log.head-moved``.
        """
        lease = self._leased()
        try:
            head = self._check(tuple(observed), recheck=recheck)
        except IntegrityError:
            self._halt()
            raise
        self._renew()  # a long check may have outlived the lease; its epoch decides
        self._head = self._store.take_head(lease, head)
        self._rebuild()

    def sequence_batch(self) -> int:
        """Give the next waiting submissions their index; return how many were settled.

        Everything about the batch is saved in one transaction, or nothing is.

        Raises:
            ConflictError: ``sequencer.fenced``: stand down.
            UnavailableError: The store is out of reach; nothing changed, or
                the next batch will find out.
            IntegrityError: The log contradicts itself: stop.
        """
        lease, _ = self._held()
        pending = self._store.load_pending(
            count_max=self._timing.batch_count_max, bytes_max=self._timing.batch_bytes_max
        )
        if not pending:
            return 0
        try:
            tree = self._tree or self._rebuild()
            integration = integrate(
                pending,
                tree=tree,
                history=self._history,
                admission=self._admission,
                now=self._clock(),
            )
            if integration.positions:
                self._store.save_integration(
                    lease,
                    integration,
                    now=self._clock(),
                    ttl_seconds=self._timing.lease_seconds,
                )
            self._history.commit()
        except BaseException:
            self._tree = None
            self._history.clear()
            raise
        return len(integration.positions)

    def publish(self) -> CheckpointRow | None:
        """Sign and save a checkpoint if the log has grown; return it.

        Raises:
            ConflictError: ``sequencer.fenced`` or ``log.head-moved``.
            IntegrityError: ``log.root-mismatch``: storage does not hold the
                tree in memory, or no longer that of the last checkpoint.
        """
        lease, head = self._held()
        tree = self._tree or self._rebuild()
        if self._is_head_doubtful:
            head = self._reload_head(lease)
        if tree.size == head.size:
            return None
        root = root_at(tree.size, self._nodes)
        if root != tree.root():
            raise _root_mismatch(tree.size, tree.root(), root, "this sequencer")
        self._check_head(head.size, head.root, "the last checkpoint")
        checkpoint = CheckpointRow(
            size=tree.size,
            root=root,
            note=self._signer.sign_checkpoint(tree.size, root),
            epoch=lease.epoch,
            published_at=self._clock(),
        )
        self._is_head_doubtful = True
        self._head = self._store.save_checkpoint(lease, head, checkpoint)
        self._is_head_doubtful = False
        return checkpoint

    def release(self) -> None:
        """Give the lease up, so that a successor need not wait for it to run out."""
        if self._lease is not None:
            self._store.release_lease(self._lease)
            self._lease = None

    def run(self, stop: threading.Event) -> None:
        """Sequence and publish until asked to stop; publish what is left and release.

        A store out of reach is waited for. Every other error ends the loop: a
        fenced sequencer stands down, a contradiction halts the log.

        Raises:
            ConflictError: ``sequencer.fenced`` or ``log.head-moved``.
            IntegrityError: The log contradicts itself.
        """
        timing = self._timing
        published = renewed = self._monotonic()
        try:
            while not stop.is_set():
                try:
                    count = self.sequence_batch()
                    now = self._monotonic()
                    if now - published >= timing.publish_interval_seconds:
                        published = now if self.publish() else published
                    if now - renewed >= timing.lease_seconds / 3:
                        self._renew()
                        renewed = now
                except UnavailableError as exc:
                    self._logger.warning("waiting for the store: %s: %s", exc.code, exc)
                    self._tree = None
                    stop.wait(timing.retry_seconds)
                    continue
                if not count:
                    stop.wait(timing.poll_seconds)
            self.publish()
        except IntegrityError:
            self._halt()
            raise
        finally:
            with suppress(UnavailableError):
                self.release()

    def _check(self, observed: tuple[ObservedHead, ...], *, recheck: bool) -> Head:
        """Return the stored head if storage bears out everything signed or seen."""
        head, newest = self._log.load_head(), self._log.load_checkpoint()
        size = self._log.count_entries()
        if recheck:
            _, root = recheck_tree(self._log)
            self._check_head(size, root, "every entry")
        self._check_head(head.size, head.root, "the head", size)
        if newest is not None:
            self._check_head(newest.size, newest.root, "the newest checkpoint", size)
        if (newest.size if newest else 0) != head.size:
            raise IntegrityError(
                "log.behind-head",
                f"the newest checkpoint has size {newest.size if newest else 0},"
                f" the head {head.size}",
            )
        for seen in observed:
            self._check_head(seen.size, seen.root, seen.source, size)
        return head

    def _check_head(
        self, size: int, root: bytes, source: str, stored_size: int | None = None
    ) -> None:
        if stored_size is not None and size > stored_size:
            raise IntegrityError(
                "log.behind-head", f"{source} has size {size}, storage only {stored_size} entries"
            )
        computed = root_at(size, self._nodes)
        if computed != root:
            raise _root_mismatch(size, root, computed, source)

    def _rebuild(self) -> TileBuilder:
        """Read the edge of the tree from storage, and forget everything else."""
        self._history.clear()
        self._tree = TileBuilder(self._log.count_entries(), self._nodes)
        return self._tree

    def _reload_head(self, lease: Lease) -> Head:
        """Find out whether a checkpoint that failed was saved all the same."""
        head = self._log.load_head()
        if head.epoch != lease.epoch:
            raise ConflictError("log.head-moved", f"the head belongs to epoch {head.epoch}")
        self._check_head(head.size, head.root, "the head")
        self._head, self._is_head_doubtful = head, False
        return head

    def _renew(self) -> None:
        self._store.renew_lease(
            self._leased(), now=self._clock(), ttl_seconds=self._timing.lease_seconds
        )

    def _halt(self) -> None:
        """Tell every process, if the store lets us; the error itself matters more."""
        if self._lease is not None:
            with suppress(EvidenceError):
                self._store.halt(self._lease)

    def _leased(self) -> Lease:
        if self._lease is None:
            raise ConflictError("sequencer.not-started", "this sequencer holds no lease")
        return self._lease

    def _held(self) -> tuple[Lease, Head]:
        if self._head is None:
            raise ConflictError("sequencer.not-started", "this sequencer has not started")
        return self._leased(), self._head


def _root_mismatch(size: int, stated: bytes, computed: bytes, source: str) -> IntegrityError:
    return IntegrityError(
        "log.root-mismatch",
        f"{source} has root {stated.hex()} at size {size}, storage {computed.hex()}",
    )
