"""When an entry came about: the port by which findings ask, and the ledger's own answer.

A verifier answers with what blocks prove, which is an interval; the ledger for
its own supervisor with the times that its statements state.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vermilion_ledger.encoding import parse_time
from vermilion_ledger.logged import LoggedEnvelope

__all__ = ["Bounds", "StatedTimes", "Times", "is_late"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """An interval of time, UTC; None where nothing bounds that side."""

    not_before: datetime | None
    not_after: datetime | None


class Times(Protocol):
    """What is known of when things happened."""

    @property
    def now(self) -> datetime:
        """The present moment of whoever asks, UTC: what is at hand is not later."""
        ...

    @property
    def horizon(self) -> datetime | None:
        """A moment before which no entry came about that is not at hand, UTC; None if unknown.

        Asked of records of which no entry up to the last one at hand was left out.
        """
        ...

    def bounds(self, entry: LoggedEnvelope) -> Bounds:
        """Return when an entry came about; nothing later in the log is earlier than that."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedTimes:
    """Takes statements at their word, and knows all entries up to now: the ledger's own view."""

    now: datetime

    @property
    def horizon(self) -> datetime | None:
        """The present: the ledger has every entry of its own."""
        return self.now

    def bounds(self, entry: LoggedEnvelope) -> Bounds:
        """Return the stated time, twice."""
        stated = parse_time(entry.statement.time, what="time")
        return Bounds(not_before=stated, not_after=stated)


def is_late(due: datetime, answer: LoggedEnvelope | None, times: Times) -> bool | None:
    """Tell whether an answer came too late, or is missing too late.

    Returns:
        True where that is certain, False where it is ruled out, and None where
        the bounds leave room for both.
    """
    if answer is None:
        if times.horizon is not None and times.horizon > due:
            return True
        return None if times.now > due else False
    found = times.bounds(answer)
    if found.not_before is not None and found.not_before > due:
        return True
    known = times.now if found.not_after is None else min(times.now, found.not_after)
    return None if known > due else False
