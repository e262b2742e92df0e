"""Anchoring as it stands: each chain, each job, what it cost, and what an entry waits for.

Reads the journal, the anchorers' last words and the receipts; asks no node, so
that a question costs the same whatever the chain does. What is told here is
the ledger's word; the proof is the bundle.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from vermilion_api.services.anchor_answers import (
    describe_chain,
    describe_job,
    describe_lag,
    describe_timestamp,
    describe_waiting,
)
from vermilion_api.services.anchor_ports import (
    AnchorPlace,
    AnchorSources,
    Authority,
    TimestampLag,
)
from vermilion_api.services.outlook import TargetOutlook, measure_pace
from vermilion_api.services.reasons import Reason
from vermilion_api.services.waiting import Standing
from vermilion_ledger.anchor_rows import AnchorTarget
from vermilion_ledger.encoding import encode_time
from vermilion_ledger.ports import Clock

__all__ = ["AnchorDesk"]

_LAST = 20  # anchors from which times are told
_STAMPED = 100  # newest anchored sizes that a stamper looks at
_KEPT = timedelta(seconds=1)


class AnchorDesk:
    """Tells how anchoring stands. Safe to share between threads."""

    def __init__(
        self,
        *,
        sources: AnchorSources,
        places: Sequence[AnchorPlace],
        authorities: Sequence[Authority],
        clock: Clock,
        is_led: Callable[[], bool] = lambda: True,
    ) -> None:
        """Look at anchoring.

        Args:
            sources: What is looked into.
            places: Where this ledger anchors.
            authorities: Who time-stamps.
            clock: Judges how old a word is.
            is_led: Whether a sequencer runs, which publishes.
        """
        self._sources = sources
        self._places = tuple(places)
        self._authorities = tuple(authorities)
        self._clock = clock
        self._is_led = is_led
        self._lock = threading.Lock()
        self._kept: _Kept | None = None  # under the lock

    def look(self, *, limit: int = _LAST) -> tuple[TargetOutlook, ...]:
        """Return how each target stands now, with its last anchors."""
        now, published = self._clock(), self._sources.heads.load_head().size
        return tuple(self._look_at(place, now, published, limit) for place in self._places)

    def paid(self) -> Mapping[AnchorTarget, float]:
        """Return what all anchors of each target cost, in wei; reads every one of them."""
        return {
            place.target: self._sources.history.load_paid(place.target) for place in self._places
        }

    def timestamp_lags(self) -> tuple[TimestampLag, ...]:
        """Return how far each authority is behind the anchors."""
        return tuple(self._lag_of(each) for each in self._authorities)

    def describe(self, standing: Standing, *, size: int, limit: int) -> dict[str, Any]:
        """Return chains, jobs and time-stamps, newest first.

        Args:
            standing: How far the log has come.
            size: Number of entries of the log.
            limit: How many jobs, and how many time-stamps.
        """
        chains, final = self.look(limit=max(limit, _LAST)), standing.final
        oldest = self._sources.heads.oldest_above(final)
        jobs = self._sources.journal.list_all(limit=limit)
        stamps = self._sources.timestamps.list_newest(limit=limit)
        return {
            "size": size,
            "finalSize": final,
            "oldestUnanchored": None if oldest is None else encode_time(oldest),
            "oldestUnanchoredIndex": final if final < size else None,
            "chains": [describe_chain(each, size) for each in chains],
            "anchors": [describe_job(job, chains) for job in jobs],
            "authorities": [describe_lag(each) for each in self.timestamp_lags()],
            "timestamps": [describe_timestamp(each) for each in stamps],
        }

    def pending(self, index: int, standing: Standing) -> dict[str, Any] | None:
        """Return why the entry at an index has no final anchor yet, and until when.

        None where it has one. What is told is at most a second old.
        """
        if index < standing.final:
            return None
        with self._lock:
            kept = self._look_again()
            key = (
                standing.stage_of(index),
                tuple(
                    (each.is_final(index), each.covering(index) is None, index < each.published)
                    for each in kept.chains
                ),
            )
            if key not in kept.answers:
                kept.answers[key] = self._describe_waiting(index, standing, kept.chains)
            return kept.answers[key]

    def _describe_waiting(
        self, index: int, standing: Standing, chains: Sequence[TargetOutlook]
    ) -> dict[str, Any]:
        chains = [each for each in chains if not each.is_final(index)]
        expected = [(each, each.expectation(index)) for each in chains]
        known = [(found.at, each) for each, found in expected if found.at is not None]
        at, first = min(known, key=lambda pair: pair[0], default=(None, None))
        first = first or next(iter(chains), None)
        reason = Reason(code="anchor.no-chain")
        if index >= standing.published:
            reason = Reason(code="wait.checkpoint" if self._is_led() else "wait.sequencer")
        elif first is not None:
            reason = first.reason(index)
        unknown = None if known or not expected else expected[0][1].unknown
        return {
            "state": standing.stage_of(index).word,
            "why": reason.to_json(),
            "expectedAt": None if at is None else encode_time(at),
            "unknown": None if unknown is None else Reason(code=unknown).to_json(),
            "chains": [describe_waiting(each, index) for each in chains],
        }

    def _look_again(self) -> _Kept:
        """Return how each target stood within the last second: many records ask at once."""
        now = self._clock()
        if self._kept is None or abs(now - self._kept.seen_at) >= _KEPT:
            self._kept = _Kept(seen_at=now, chains=self.look())
        return self._kept

    def _lag_of(self, authority: Authority) -> TimestampLag:
        sizes = self._sources.timestamps.sizes_without(authority.url, among=_STAMPED)
        # another publisher may have anchored a size that we did not publish: nothing to stamp
        found = [self._sources.heads.load_checkpoint(size) for size in sizes]
        moments = [each.published_at for each in found if each is not None]
        return TimestampLag(
            authority=authority, missing=len(moments), oldest_at=min(moments, default=None)
        )

    def _look_at(
        self, place: AnchorPlace, now: datetime, published: int, limit: int
    ) -> TargetOutlook:
        # the job first: one that becomes final meanwhile is then told as open, not left out
        job = self._sources.journal.load_open(place.target)
        totals = self._sources.history.load_totals(place.target)
        finished = tuple(self._sources.history.load_finished(place.target, limit=limit))
        return TargetOutlook(
            target=place.target,
            finality=place.finality,
            interval_seconds=place.interval_seconds,
            now=now,
            published=published,
            oldest_at=self._sources.heads.oldest_above(totals.final_size),
            job=job,
            note=self._sources.notes.load(place.target),
            totals=totals,
            finished=finished,
            pace=measure_pace(finished),
            is_courier=place.is_courier,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A look, and what was told of it: entries that wait for the same are told the same."""

    seen_at: datetime
    chains: tuple[TargetOutlook, ...]
    answers: dict[tuple[object, ...], dict[str, Any]] = field(default_factory=dict)
