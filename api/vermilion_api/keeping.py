"""Keeping the log: becoming the one sequencer, staying it, standing by.

One `LogKeeper` runs in a process of its own, or inside the API process, where
it takes submissions in as well. Who loses the lease stands down and stands by
again. Who finds the log contradicting itself signs nothing any more: readers
are still served, and the operator is told what to do.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    IntegrityError,
    UnavailableError,
)
from vermilion_ledger.ports import HeadStore, IntakeStore
from vermilion_ledger.publisher import Publisher
from vermilion_ledger.rows import Accepted, IntakeBatch, ObservedHead
from vermilion_ledger.running import LogRunner
from vermilion_ledger.sequencer import Sequencer, SequencerTiming
from vermilion_ledger.store.wal import WalKeeper

__all__ = ["GuardedIntake", "LogKeeper"]

_POLL_SECONDS = 0.2  # between two looks at another's lease
_LOOK_SECONDS = 1.0  # between two looks at the state of the log


class LogKeeper:
    """Owned by one process; `run` is its one thread of work.

    Implements `vermilion_ledger.ports.IntakeStore` for the process it is in.
    """

    def __init__(
        self,
        *,
        sequencer: Sequencer,
        publisher: Publisher,
        wal: WalKeeper,
        timing: SequencerTiming,
        observe: Callable[[], Iterable[ObservedHead]],
        prepare: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep a log.

        Args:
            sequencer: Gives entries their index.
            publisher: Signs.
            wal: Keeps SQLite's write-ahead log short.
            timing: Pauses of the loop.
            observe: Returns the heads that others hold.
            prepare: Called each time the lease is taken, before anything is
                compared: what an interrupted erasure left to do.
            monotonic: The clock of the loop.
        """
        self._prepare = prepare
        self._sequencer = sequencer
        self._publisher = publisher
        self._wal = wal
        self._timing = timing
        self._observe = observe
        self._monotonic = monotonic
        self._is_leading = False
        self._trouble: EvidenceError | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._logger = logging.getLogger(__name__)

    @property
    def is_leading(self) -> bool:
        """Whether submissions are taken in and signed by this process now."""
        return self._is_leading

    @property
    def epoch(self) -> int:
        """The fencing epoch of the lease held."""
        return self._sequencer.epoch

    def start(self) -> None:
        """Run in a thread of this process."""
        self._thread = threading.Thread(target=self._serve, name="vermilion-log", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Publish what is left, give the lease up, end the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def run(
        self, stop: threading.Event, *, on_lead: Callable[[int], None] = lambda _epoch: None
    ) -> None:
        """Stand by, lead, and stand by again, until asked to stop.

        Args:
            stop: Set by whoever wants it to end.
            on_lead: Called with the epoch once the log is found good.

        Raises:
            IntegrityError: The log contradicts itself; it is marked halted.
        """
        self._wal.start()
        try:
            while not stop.is_set():
                if self._acquire(stop):
                    self._lead(stop, on_lead)
        except IntegrityError as exc:
            self._trouble = exc
            self._halt(stop)
            raise
        finally:
            self._wal.close()

    def save_batches(self, batches: Sequence[IntakeBatch]) -> Sequence[Accepted | EvidenceError]:
        """Take submissions in and give them their index, while this process leads.

        Raises:
            UnavailableError: ``log.recovering`` or ``intake.no-sequencer``:
                nothing was saved.
            EvidenceError: Nothing was saved for anybody.
        """
        if self._trouble is not None:
            raise _recovering(self._trouble.code)
        if not self._is_leading:
            raise UnavailableError("intake.no-sequencer", "no sequencer leads in this process yet")
        try:
            return self._sequencer.save_batches(batches)
        except ConflictError as exc:
            if not exc.code.startswith("sequencer."):
                raise UnavailableError("store.busy", exc.message) from exc
            self._is_leading = False  # the loop will notice, too
            raise UnavailableError("intake.no-sequencer", exc.message) from exc

    def _serve(self) -> None:
        try:
            self.run(self._stop)
        except EvidenceError as exc:
            self._trouble = exc
            self._logger.critical("nothing is signed any more: %s: %s", exc.code, exc.message)

    def _halt(self, stop: threading.Event) -> None:
        """Mark the log halted for every process, however long the head store is out of reach."""
        while not stop.is_set():
            try:
                self._publisher.halt()
            except UnavailableError as exc:
                self._logger.warning("waiting for the store: %s: %s", exc.code, exc)
                stop.wait(self._timing.retry_seconds)
            except EvidenceError as exc:
                self._logger.warning("the log is not marked halted: %s: %s", exc.code, exc)
                return
            else:
                return

    def _acquire(self, stop: threading.Event) -> bool:
        """Wait for the lease; whoever holds it may die or be stopped."""
        while not stop.is_set():
            try:
                self._sequencer.acquire()
            except ConflictError:
                stop.wait(_POLL_SECONDS)
            except UnavailableError as exc:
                self._logger.warning("waiting for the store: %s: %s", exc.code, exc)
                stop.wait(self._timing.retry_seconds)
            else:
                return True
        return False

    def _lead(self, stop: threading.Event, on_lead: Callable[[int], None]) -> None:
        try:
            self._prepare()
            self._publisher.start(self._sequencer.epoch, observed=self._observe())
            self._sequencer.renew()  # the chains may have taken their time
        except UnavailableError as exc:
            self._logger.warning("waiting for a store: %s: %s", exc.code, exc)
            self._release()
            stop.wait(self._timing.retry_seconds)
            return
        except ConflictError as exc:
            self._logger.warning("standing by: %s: %s", exc.code, exc)
            self._release()
            return
        except IntegrityError:
            self._release()
            raise
        self._is_leading = True
        on_lead(self._sequencer.epoch)
        try:
            LogRunner(
                self._sequencer, self._publisher, self._timing, monotonic=self._monotonic
            ).run(stop)
        except ConflictError as exc:
            self._logger.warning("stood down: %s: %s", exc.code, exc)
        finally:
            self._is_leading = False

    def _release(self) -> None:
        try:
            self._sequencer.release()
        except EvidenceError as exc:
            self._logger.warning("the lease will run out by itself: %s", exc.code)


class GuardedIntake:
    """The queue of a sequencer elsewhere, closed while the log is halted.

    Implements `vermilion_ledger.ports.IntakeStore`; used by one writer thread.
    """

    def __init__(
        self,
        store: IntakeStore,
        heads: HeadStore,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._heads = heads
        self._monotonic = monotonic
        self._looked: float | None = None
        self._is_halted = False

    def save_batches(self, batches: Sequence[IntakeBatch]) -> Sequence[Accepted | EvidenceError]:
        """Queue submissions, unless the log is in read-only recovery.

        Raises:
            UnavailableError: ``log.recovering``: nothing was saved.
            EvidenceError: Nothing was saved for anybody.
        """
        now = self._monotonic()
        if self._looked is None or now - self._looked >= _LOOK_SECONDS:
            self._is_halted = self._heads.load_head().state == "halted"
            self._looked = now
        if self._is_halted:
            raise _recovering("log.halted")
        return self._store.save_batches(batches)


def _recovering(cause: str) -> UnavailableError:
    return UnavailableError(
        "log.recovering", f"the log is read-only until a person has looked at it ({cause})"
    )
