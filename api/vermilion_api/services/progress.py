"""How far the log has come: for waiting callers, health pages and `/v1/log`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

from vermilion_api.services.waiting import Standing
from vermilion_ledger.anchor_rows import AnchorJob, StoredTimestamp
from vermilion_ledger.encoding import encode_time
from vermilion_ledger.log import LogReader
from vermilion_ledger.ports import Clock, HeadStore
from vermilion_ledger.rows import Lease, SubmissionState

__all__ = ["JobList", "ProgressDesk", "TimestampList", "Watch"]


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


class JobList(Protocol):
    """The anchorer's journal, to be looked at."""

    def list_all(self, *, limit: int = 100) -> Sequence[AnchorJob]:
        """Return jobs of every target, newest first."""
        ...


class TimestampList(Protocol):
    """The time-stamps, to be looked at."""

    def list_newest(self, *, limit: int) -> Sequence[StoredTimestamp]:
        """Return time-stamps, those over the largest checkpoints first."""
        ...


class ProgressDesk:
    """Implements `vermilion_api.services.waiting.ProgressSource`, and more."""

    def __init__(
        self,
        *,
        reader: LogReader,
        watch: Watch,
        heads: HeadStore,
        jobs: JobList,
        timestamps: TimestampList,
        clock: Clock,
        is_leading: Callable[[], bool] = lambda: True,
    ) -> None:
        """Look at a log.

        Args:
            reader: The log.
            watch: Its lease, its queue and its anchors.
            heads: What was signed.
            jobs: The anchorer's journal.
            timestamps: What the authorities stamped.
            clock: Judges the lease.
            is_leading: Whether the sequencer takes submissions in, where it is
                in this process.
        """
        self._is_leading = is_leading
        self._reader = reader
        self._watch = watch
        self._heads = heads
        self._jobs = jobs
        self._timestamps = timestamps
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

    def readiness(self) -> dict[str, Any]:
        """Return whether submissions would be taken and sequenced now, and why not."""
        head, lease = self._reader.head(), self._watch.load_lease()
        is_leased = lease is not None and lease.expires_at > self._clock()
        is_led = is_leased and self._is_leading()
        return {
            "ready": is_led and head.state == "open",
            "database": "ok",
            "log": head.state,
            "sequencer": "ok" if is_led else "absent",
            "waiting": self._watch.count_waiting(),
        }

    def anchors(self, *, limit: int) -> dict[str, Any]:
        """Return anchoring jobs and time-stamps, newest first, and what is not anchored yet."""
        oldest = self._heads.oldest_above(self._watch.final_size())
        return {
            "size": self._reader.head().size,
            "finalSize": self._watch.final_size(),
            "oldestUnanchored": None if oldest is None else encode_time(oldest),
            "anchors": [_job(job) for job in self._jobs.list_all(limit=limit)],
            "timestamps": [_stamp(each) for each in self._timestamps.list_newest(limit=limit)],
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


def _job(job: AnchorJob) -> dict[str, Any]:
    last = job.attempts[-1] if job.attempts else None
    transaction = job.mined.transaction if job.mined else last.transaction if last else None
    return {
        "number": job.number,
        "chainId": job.target.chain_id,
        "contract": "0x" + job.target.contract.hex(),
        "log": "0x" + job.target.log.hex(),
        "size": job.size,
        "root": job.root.hex(),
        "state": job.state.value,
        "attempts": len(job.attempts),
        "transaction": None if transaction is None else "0x" + transaction.hex(),
        "block": None if job.mined is None else job.mined.block_number,
        "plannedAt": encode_time(job.planned_at),
    }


def _stamp(stamp: StoredTimestamp) -> dict[str, Any]:
    """The authority by its host alone: the address may hold a secret."""
    return {
        "authority": urlsplit(stamp.authority).hostname,
        "size": stamp.size,
        "time": encode_time(stamp.time),
    }
