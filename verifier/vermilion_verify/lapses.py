"""Findings of a bundle: lapses in the life of its document, timed by what blocks prove.

They are listed in the report and change no check and no verdict
(`docs/formats/events.md`).
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from functools import cached_property

from vermilion_ledger.encoding import parse_time
from vermilion_ledger.findings import Bounds, Finding, find_lapses, flow_name_of, load_flow
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_verify.case import Case
from vermilion_verify.checks.time import bound_event

__all__ = ["ProvenTimes", "find_case_lapses"]


def find_case_lapses(case: Case) -> tuple[Finding, ...]:
    """Return what is missing, late or not in order, as far as the bundle tells it."""
    name = flow_name_of(case.history)
    return find_lapses(
        case.history,
        ProvenTimes(case),
        flow=None if name is None else load_flow(name),
        registry=case.registry,
        complete=case.is_complete,
    )


class ProvenTimes:
    """Implements `vermilion_ledger.findings.Times` by blocks: no claimed time is looked at.

    The log is in order: whatever stands behind a statement that quotes a block
    is not older than that block either.
    """

    def __init__(self, case: Case) -> None:
        self._case = case

    @property
    def now(self) -> datetime:
        """The verifier's clock."""
        return self._case.now

    @property
    def horizon(self) -> datetime | None:
        """The newest block that an entry quotes: what is not at hand came behind it."""
        return self._floors[-1][1] if self._floors else None

    def bounds(self, entry: LoggedEnvelope) -> Bounds:
        """Return the time of the newest block quoted up to there, and that of its anchor."""
        place = bisect_right(self._floors, entry.index, key=lambda floor: floor[0])
        upper = bound_event(self._case, entry)["notAfter"]
        return Bounds(
            not_before=self._floors[place - 1][1] if place else None,
            not_after=None if upper is None else parse_time(upper["time"], what="block time"),
        )

    @cached_property
    def _floors(self) -> list[tuple[int, datetime]]:
        """Rising pairs: from this leaf index on, nothing is older than this."""
        floors: list[tuple[int, datetime]] = []
        for event in sorted(self._case.bundled, key=lambda event: event.index):
            lower = bound_event(self._case, event)["notBefore"]
            if lower is None:
                continue
            moment = parse_time(lower["time"], what="block time")
            if not floors or moment > floors[-1][1]:
                floors.append((event.index, moment))
        return floors
