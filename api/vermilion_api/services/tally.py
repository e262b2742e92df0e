"""Counting what must not flood the log: each told at once, bundled where there are very many.

The first ones of a UTC day are each told. Of those after them the n-th is told
where n is a power of two, with how many there were since the last time told:
after a hundred single ones a million in a day are 114 entries.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import date

from vermilion_ledger.ports import Clock

__all__ = ["Tally"]

_KEY_COUNT_MAX = 10_000  # keys of earlier days are let go beyond that


@dataclass(slots=True, kw_only=True)
class _Count:
    day: date
    seen: int = 0  # on that day
    untold: int = 0


class Tally:
    """Counts by key. Safe to share between threads; what was not told is lost with the process."""

    def __init__(self, clock: Clock, *, single_count_max: int) -> None:
        self._clock = clock
        self._single_count_max = single_count_max  # a day, for each key
        self._lock = threading.Lock()
        self._counts: dict[str, _Count] = {}

    def add(self, key: str) -> int:
        """Count one more; return how many are to be told now, 0 if none."""
        today = self._clock().date()
        with self._lock:
            if len(self._counts) > _KEY_COUNT_MAX:
                self._counts = {
                    name: each for name, each in self._counts.items() if each.day == today
                }
            count = self._counts.setdefault(key, _Count(day=today))
            if count.day != today:
                count.day, count.seen = today, 0
            count.seen += 1
            count.untold += 1
            if count.seen > self._single_count_max and count.seen & (count.seen - 1):
                return 0
            told, count.untold = count.untold, 0
            return told

    def give_back(self, key: str, told: int) -> None:
        """Take back what could not be told; it is told with the next one."""
        with self._lock:
            count = self._counts.setdefault(key, _Count(day=self._clock().date()))
            count.untold += told

    def drain(self) -> dict[str, int]:
        """Return what was not told yet, as told now."""
        with self._lock:
            found = {name: each.untold for name, each in self._counts.items() if each.untold}
            for name in found:
                self._counts[name].untold = 0
        return found
