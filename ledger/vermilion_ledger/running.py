"""The loop of a sequencer's process: sequence, publish, renew, until asked to stop.

Stores out of reach are waited for. Every other error ends the loop: a fenced
sequencer stands down, a contradiction halts the log.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from vermilion_ledger.errors import EvidenceError, IntegrityError, UnavailableError
from vermilion_ledger.publisher import Publisher
from vermilion_ledger.sequencer import Sequencer, SequencerTiming

__all__ = ["LogRunner"]


class LogRunner:
    """Runs the loop; `run` returns, or raises, with the lease given up."""

    def __init__(
        self,
        sequencer: Sequencer,
        publisher: Publisher,
        timing: SequencerTiming | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sequencer = sequencer
        self._publisher = publisher
        self._timing = timing or SequencerTiming()
        self._monotonic = monotonic
        self._logger = logging.getLogger(__name__)

    def run(self, stop: threading.Event) -> None:
        """Work until asked to stop; publish what is left and release the lease.

        The sequencer has its lease, and the publisher has started.

        Raises:
            ConflictError: ``sequencer.fenced`` or ``log.head-moved``.
            IntegrityError: The log contradicts itself.
        """
        renewed = self._monotonic()
        published = renewed - self._timing.publish_interval_seconds  # what waits is due at once
        try:
            while not stop.is_set():
                try:
                    count = self._sequencer.sequence_batch()
                    now = self._monotonic()
                    is_due = now - published >= self._timing.publish_interval_seconds
                    if is_due and self._publisher.publish() is not None:
                        published = now
                    if now - renewed >= self._timing.lease_seconds / 3:
                        self._sequencer.renew()
                        renewed = now
                        self._publisher.mend()
                except UnavailableError as exc:
                    self._logger.warning("waiting for a store: %s: %s", exc.code, exc)
                    stop.wait(self._timing.retry_seconds)
                    continue
                if not count:
                    stop.wait(self._timing.poll_seconds)
            self._publisher.publish()
        except IntegrityError:
            with suppress(EvidenceError):  # the keeper tries again
                self._publisher.halt()
            raise
        finally:
            with suppress(UnavailableError):
                self._sequencer.release()
