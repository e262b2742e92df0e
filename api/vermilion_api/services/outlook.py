"""What an entry waits for on a chain, and when its anchor will be final: pure arithmetic.

A `TargetOutlook` is a look at one target at one moment. Times are told from
the medians of the last anchors of the same target, and not told at all where
something is in the way, where there were none yet, or where the present one
takes longer than they did. The anchorer's word counts as long as it is fresh.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from vermilion_api.services.reasons import Reason
from vermilion_ledger.anchor_rows import AnchorAttempt, AnchorJob, AnchorTarget, JobState
from vermilion_ledger.anchor_standing import (
    AnchorNote,
    AnchorTotals,
    FinishedAnchor,
    wait_code,
)
from vermilion_ledger.encoding import encode_time

__all__ = [
    "SILENT_SECONDS",
    "Expectation",
    "Pace",
    "TargetOutlook",
    "attempt_standing",
    "measure_pace",
]

SILENT_SECONDS = 120.0
"""A word older than this is of an anchorer that stopped: a running one speaks every 10 seconds,
and its longest pause, with a node that does not answer, is well below."""

_LAST = 20  # anchors from which times are told


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What the last anchors took, from planning on, in seconds.

    Attributes:
        mined: Median until the block, by the chain's clock.
        final: Median until it was found final.
        count: Of how many anchors.
    """

    mined: float
    final: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """When an entry will have a final anchor; exactly one of the two is set.

    Attributes:
        at: The moment.
        unknown: Code of why none can be told.
    """

    at: datetime | None = None
    unknown: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOutlook:
    """One target at one moment.

    Attributes:
        target: Log, contract and chain.
        finality: The rule, as the settings have it.
        interval_seconds: Least time between two anchors.
        now: The moment.
        published: Tree size of the newest checkpoint.
        oldest_at: When the oldest checkpoint without a final anchor here was published.
        totals: How far the anchors go.
        job: The open one, if there is one.
        note: The anchorer's last word.
        finished: The last final anchors, newest first.
        pace: What they took; None where none of them says.
        is_courier: Files are carried there and back: no anchorer ever speaks of it.
    """

    target: AnchorTarget
    finality: str
    interval_seconds: float
    now: datetime
    published: int
    oldest_at: datetime | None
    totals: AnchorTotals
    job: AnchorJob | None
    note: AnchorNote | None
    finished: tuple[FinishedAnchor, ...]
    pace: Pace | None
    is_courier: bool = False

    @property
    def is_silent(self) -> bool:
        """Whether the anchorer stopped, or never ran, as far as can be seen."""
        if self.note is None:
            return True
        return abs((self.now - self.note.told_at).total_seconds()) > SILENT_SECONDS

    @property
    def due_at(self) -> datetime | None:
        """When the next anchor is due; None where it is due now."""
        if not self.finished:
            return None
        due = self.finished[0].block_time + timedelta(seconds=self.interval_seconds)
        return due if due > self.now else None

    def is_final(self, index: int) -> bool:
        """Whether an entry is under a final anchor here."""
        return index < self.totals.final_size

    def covering(self, index: int) -> AnchorJob | None:
        """Return the open job whose anchor will cover an entry, as far as is known now."""
        job = self.job
        if job is None:
            return None
        # what is signed next carries the newest checkpoint, whatever was planned
        is_signed_next = job.state is JobState.DROPPED or (job.mined is None and not job.attempts)
        size = max(job.size, self.published) if is_signed_next else job.size
        return job if index < size else None

    def reason(self, index: int) -> Reason:
        """Return why the entry at an index has no final anchor here."""
        if (trouble := self._trouble()) is not None:
            return trouble
        if self.is_courier and index < self.published and not self.is_final(index):
            return Reason(code="wait.order" if self.covering(index) is None else "wait.courier")
        if self.job is not None:
            if self.covering(index) is not None:
                return self.job_reason(self.job)
            return Reason(code="wait.next-anchor", values={"size": self.job.size})
        if index >= self.published:
            return Reason(code="wait.checkpoint")
        if self.is_final(index):
            return Reason(code=wait_code(None))
        if self.due_at is not None:
            return Reason(code="wait.due", values={"due": encode_time(self.due_at)})
        return Reason(code="wait.begin")

    def _trouble(self) -> Reason | None:
        """Return what is in the way, whatever the entry."""
        note = self.note
        if self.is_courier:
            return None
        if note is None:
            return Reason(code="anchor.silent")
        told = encode_time(note.told_at)
        if self.is_silent:
            values = {"told": told, "code": note.code}
            return Reason(code="anchor.silent", values=values, since=told)
        if note.is_trouble:
            return Reason(code=note.code, note=note.note, since=encode_time(note.since))
        return None

    def job_reason(self, job: AnchorJob) -> Reason:
        """Return what an open job waits for, by its state alone."""
        return Reason(
            code=wait_code(job.state),
            values={
                "attempts": len(job.attempts),
                "block": job.mined.block_number if job.mined else 0,
                "finality": self.finality,
            },
            since=self.since(job),
        )

    def since(self, job: AnchorJob) -> str | None:
        """Return since when a job is in its state; None where nobody noted it."""
        if self.note is not None and self.note.code == wait_code(job.state):
            return encode_time(self.note.since)
        if job.state is JobState.PLANNED:
            return encode_time(job.planned_at)
        if job.state in {JobState.SIGNED, JobState.SENT} and job.attempts:
            return encode_time(job.attempts[-1].signed_at)
        return None

    def expectation(self, index: int) -> Expectation:
        """Return when the entry at an index will be under a final anchor here."""
        pace = self.pace
        if self.is_courier:
            return Expectation(unknown="expect.courier")
        if self._trouble() is not None:
            return Expectation(unknown="expect.blocked")
        job = self.covering(index)
        if job is not None and job.state is JobState.STUCK:
            return Expectation(unknown="expect.blocked")
        if pace is None:
            return Expectation(unknown="expect.no-history")
        whole = timedelta(seconds=pace.final)
        if job is None:
            return Expectation(at=self._next_start(pace) + whole)
        start = self.now if job.state in {JobState.DROPPED, JobState.REORGED} else job.planned_at
        if start + whole <= self.now:
            return Expectation(unknown="expect.overdue")
        return Expectation(at=start + whole)

    def _next_start(self, pace: Pace) -> datetime:
        """Return when the anchor that is not planned yet will be."""
        if self.job is None:
            return self.due_at or self.now
        end = self.job.planned_at + timedelta(seconds=pace.final)
        due = self.job.planned_at + timedelta(seconds=pace.mined + self.interval_seconds)
        return max(self.now, end, due)


def measure_pace(finished: Sequence[FinishedAnchor]) -> Pace | None:
    """Return what the last anchors took, newest first; None where none of them says."""
    last = finished[:_LAST]
    known = [(each, each.final_at) for each in last if each.final_at is not None]
    if not known:
        return None
    return Pace(
        mined=median(_seconds(each.planned_at, each.block_time) for each, _ in known),
        final=median(_seconds(each.planned_at, final_at) for each, final_at in known),
        count=len(known),
    )


def attempt_standing(job: AnchorJob, attempt: AnchorAttempt) -> str:
    """Return what became of one of a job's transactions.

    ``waiting`` for a block; ``replaced`` by another with its nonce, though it may
    still be mined as long as that one is not; ``mined``; or ``left-behind``: its
    nonce went elsewhere, or the job ended without it.
    """
    if job.mined is not None and job.mined.transaction == attempt.transaction:
        return "mined"
    last = job.attempts[-1]
    if job.mined is not None or not job.state.is_open:
        chosen = [
            each
            for each in job.attempts
            if job.mined is not None and each.transaction == job.mined.transaction
        ]
        return "replaced" if chosen and chosen[0].nonce == attempt.nonce else "left-behind"
    if attempt.nonce != last.nonce or job.state is JobState.DROPPED:
        return "left-behind"
    return "waiting" if attempt.transaction == last.transaction else "replaced"


def _seconds(start: datetime, end: datetime) -> float:
    """Return how long something took; a chain's clock may run behind ours."""
    return max(0.0, (end - start).total_seconds())
