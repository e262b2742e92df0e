"""What goes wrong at every call that leaves an anchorer, and how often.

A `Gate` stands between one process and its ports. At each call the seed may let
others go on first, stop the process for a while, let the call fail without
effect, let it take effect and lose the answer, or kill the process before or after.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from simulation.scheduler import Killed, Process, Scheduler
from vermilion_ledger.errors import UnavailableError

__all__ = ["Gate", "Odds"]


@dataclass(slots=True, kw_only=True)
class Odds:
    """Chances of each fault, per call; at the end all of it stops."""

    switch: float
    fail: float
    unknown: float
    kill: float
    stop: float
    lag: float

    @classmethod
    def draw(cls, random: Random) -> Odds:
        """Draw how bad this world is; some are calm."""
        some = random.choice
        return cls(
            switch=some((0.02, 0.2)),
            fail=some((0, 0, 0.01, 0.04)),
            unknown=some((0, 0, 0.01, 0.04)),
            kill=some((0, 0.002, 0.01, 0.03)),
            stop=some((0, 0, 0.002)),
            lag=some((0, 0, 0, 0, 0.1)),
        )

    def calm(self) -> None:
        """Let nothing fail any more."""
        self.fail = self.unknown = self.kill = self.stop = self.lag = 0.0


class Gate:
    """Where calls leave a process."""

    def __init__(self, scheduler: Scheduler, process: Process, odds: Odds) -> None:
        self.process = process
        self.odds = odds
        self._scheduler = scheduler
        self._random = scheduler.random

    def wrap(self, port: Any, what: str) -> Any:
        """Return a port whose every call passes this gate."""
        return _Gated(port, self, what)

    def enter(self, what: str) -> None:
        """Leave the process, or find it dead."""
        random, odds = self._random.random, self.odds
        if random() < odds.stop:
            self.process.stopped_until = self._scheduler.now + self._random.uniform(1, 120)
            self._scheduler.pause()
        elif random() < odds.switch:
            self._scheduler.pause()
        self._die_perhaps()
        if random() < odds.fail:
            raise UnavailableError(f"{what}.unreachable", "no answer, and nothing happened")

    def leave(self, what: str) -> None:
        """Come back from a call."""
        self._die_perhaps()
        if self._random.random() < self.odds.unknown:
            raise UnavailableError(f"{what}.unreachable", "the answer was lost")

    def _die_perhaps(self) -> None:
        if self.process.is_dead:
            raise Killed
        if self._random.random() < self.odds.kill:
            self._scheduler.kill(self.process)
            raise Killed


class _Gated:
    def __init__(self, port: Any, gate: Gate, what: str) -> None:
        self._port, self._gate, self._what = port, gate, what

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            self._gate.enter(self._what)
            result = found(*args, **kwargs)
            self._gate.leave(self._what)
            return result

        return call
