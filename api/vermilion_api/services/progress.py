"""How far the log has come: for waiting callers, health pages and `/v1/log`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from vermilion_api.services.waiting import Standing
from vermilion_ledger.log import LogReader
from vermilion_ledger.ports import Clock, HeadStore
from vermilion_ledger.rows import Lease, SubmissionState

__all__ = ["ProgressDesk", "Watch"]


class Watch(Protocol):
    """Reads from the store; `vermilion_ledger.store.watching.SqlWatch` is one."""

    def load_lease(self) -> Lease | None:
        """Return who may sequence now, or did last."""
        ...

    def count_waiting(self) -> int:
        """Return the number of submissions without an index."""
        ...

    def final_size(self) -> int:
        """Return the largest tree size with a final anchor."""
        ...

    def mined_size(self) -> int:
        """Return the largest tree size whose anchor is in a block."""
        ...


class ProgressDesk:
    """Implements `vermilion_api.services.waiting.ProgressSource`, and more."""

    def __init__(
        self,
        *,
        reader: LogReader,
        watch: Watch,
        heads: HeadStore,
        clock: Clock,
        is_leading: Callable[[], bool] = lambda: True,
    ) -> None:
        """Look at a log.

        Args:
            reader: The log.
            watch: Its lease, its queue and its anchors.
            heads: What was signed.
            clock: Judges the lease.
            is_leading: Whether the sequencer takes submissions in, where it is
                in this process.
        """
        self._is_leading = is_leading
        self._reader = reader
        self._watch = watch
        self._heads = heads
        self._clock = clock

    def states(self, positions: Sequence[int]) -> Mapping[int, SubmissionState]:
        """Return where submissions stand, with one read."""
        return self._reader.submission_states(positions)

    def standing(self) -> Standing:
        """Return how far the log has come."""
        final = self._watch.final_size()
        return Standing(
            published=self._reader.head().size,
            anchored=max(final, self._watch.mined_size()),
            final=final,
        )

    def is_led(self) -> bool:
        """Return whether a sequencer runs, which gives entries their index and publishes."""
        lease = self._watch.load_lease()
        is_leased = lease is not None and lease.expires_at > self._clock()
        return is_leased and self._is_leading()

    def readiness(self) -> dict[str, Any]:
        """Return whether submissions would be taken and sequenced now, and why not."""
        head, is_led = self._reader.head(), self.is_led()
        return {
            "ready": is_led and head.state == "open",
            "database": "ok",
            "log": head.state,
            "sequencer": "ok" if is_led else "absent",
            "waiting": self._watch.count_waiting(),
        }

    def figures(self) -> dict[str, float]:
        """Return the gauges of `/metrics`, by name."""
        standing = self.standing()
        oldest = self._heads.oldest_above(self._watch.final_size())
        age = 0.0 if oldest is None else (self._clock() - oldest).total_seconds()
        readiness = self.readiness()
        return {
            "vermilion_ready": float(readiness["ready"]),
            "vermilion_entries": float(self._reader.size()),
            "vermilion_published_size": float(standing.published),
            "vermilion_anchored_size": float(standing.anchored),
            "vermilion_final_size": float(standing.final),
            "vermilion_waiting_submissions": float(readiness["waiting"]),
            "vermilion_unanchored_age_seconds": max(0.0, age),
        }
