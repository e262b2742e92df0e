"""What goes wrong, how often, and where: at every call that leaves a process.

A `Gate` stands between one process and everything outside of it. At each call
the seed may let others go on first, let the call fail without effect, let it
take effect and fail all the same, or end the process before or after it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import ParamSpec, TypeVar

from simulation.disk import Disk
from simulation.scheduler import Killed, Lock, Process, Scheduler
from vermilion_ledger.errors import UnavailableError

__all__ = ["Gate", "GatedDisk", "Odds"]

_P = ParamSpec("_P")
_T = TypeVar("_T")

_BUSY_SECONDS = 4.0  # then a database says that it is locked


@dataclass(slots=True, kw_only=True)
class Odds:
    """Chances of each fault, per call; that of a power cut, per virtual second.

    The one thing here that changes: at the end all of it stops.
    """

    switch: float
    fail: float
    unknown: float
    disk: float
    kill: float
    stop: float
    power: float

    @classmethod
    def draw(cls, random: Random) -> Odds:
        """Draw how bad this world is; some are calm."""

        def some(*values: float) -> float:
            return random.choice(values)

        return cls(
            switch=some(0.02, 0.1, 0.3),
            fail=some(0, 0, 0.01, 0.05),
            unknown=some(0, 0, 0.01, 0.05),
            disk=some(0, 0, 0.002, 0.01),
            kill=some(0, 0.0003, 0.002),
            power=some(0, 0, 0.02, 0.1),
            stop=some(0, 0.002, 0.008),
        )

    def calm(self) -> None:
        """Let nothing fail any more."""
        self.fail = self.unknown = self.disk = self.kill = self.power = self.stop = 0.0


class Gate:
    """Where calls leave a process."""

    def __init__(self, scheduler: Scheduler, process: Process, odds: Odds) -> None:
        self.process = process
        self.odds = odds
        self._scheduler = scheduler
        self._random = scheduler.random.random

    def read(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Ask a database."""
        self.enter()
        if self._random() < self.odds.fail:
            raise _unreachable()
        return function(*args, **kwargs)

    def write(
        self, lock: Lock, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        """Run a transaction that is one step; its outcome may stay unknown."""
        self.wait(lock)
        result = function(*args, **kwargs)
        self.leave()
        return result

    def wait(self, lock: Lock) -> None:
        """Come up to a database's write lock; only who keeps it over calls need hold it."""
        self.enter()
        if self._random() < self.odds.fail:
            raise _unreachable()
        until = self._scheduler.now + _BUSY_SECONDS
        while lock.is_held:
            if self._scheduler.now > until:
                raise UnavailableError("store.busy", "the database is locked")
            self._scheduler.sleep(0.05)

    def leave(self) -> None:
        """Come back from a commit."""
        self._die_perhaps()
        if self._random() < self.odds.unknown:
            raise UnavailableError("store.unreachable", "the answer to a commit was lost")

    def enter(self) -> None:
        """Leave the process, or find it dead."""
        if self.process.is_dead:
            raise Killed
        chance = self._random()
        if chance < self.odds.stop:
            seconds = self._scheduler.random.choice((0.5, 5.0, 9.0))
            self.process.stopped_until = self._scheduler.now + seconds
        if chance < self.odds.stop + self.odds.switch:
            self._scheduler.pause()
        self._die_perhaps()

    def _die_perhaps(self) -> None:
        if self.process.is_dead:
            raise Killed
        if self._random() < self.odds.kill:
            self._scheduler.kill(self.process)
            raise Killed


class GatedDisk:
    """The disk as one process sees it. Implements `vermilion_ledger.tilestore.disk.Disk`."""

    def __init__(self, gate: Gate, disk: Callable[[], Disk], scheduler: Scheduler) -> None:
        """Reach the machine's disk.

        Args:
            gate: Of the process.
            disk: The one that is in the machine now.
            scheduler: Gives the odds their random numbers.
        """
        self._gate = gate
        self._disk = disk
        self._random = scheduler.random

    def create(self, path: str, data: bytes) -> int:
        if number := self._number():
            self._disk().create(path, data[: len(data) // 2])
            raise _os_error(number, path)
        return self._disk().create(path, data)

    def sync_files(self, files: Sequence[int]) -> None:
        if number := self._number():
            done = int(self._random.random() * len(files))
            self._disk().sync_files(files[:done])
            raise _os_error(number, "sync")
        self._disk().sync_files(files)

    def close(self, file: int) -> None:
        if not self._gate.process.is_dead:
            self._disk().close(file)

    def link(self, source: str, target: str) -> None:
        number = self._number()
        if number == errno.ENOSPC:
            raise _os_error(number, target)
        self._disk().link(source, target)
        if number:  # done, and the answer lost
            raise _os_error(number, target)

    def rename(self, source: str, target: str) -> None:
        number = self._number()
        if number == errno.ENOSPC:
            raise _os_error(number, target)
        self._disk().rename(source, target)
        if number:
            raise _os_error(number, target)

    def unlink(self, path: str) -> None:
        self._step(path)
        self._disk().unlink(path)

    def make_folder(self, path: str) -> None:
        self._step(path)
        self._disk().make_folder(path)

    def remove_folder(self, path: str) -> None:
        self._step(path)
        self._disk().remove_folder(path)

    def sync_folder(self, path: str) -> None:
        self._step(path)
        self._disk().sync_folder(path)

    def read(self, path: str) -> bytes:
        self._step(path)
        return self._disk().read(path)

    def list_folder(self, path: str) -> Sequence[tuple[str, bool]]:
        self._step(path)
        return self._disk().list_folder(path)

    def _step(self, path: str) -> None:
        if number := self._number():
            raise _os_error(number, path)

    def _number(self) -> int:
        """Pass the gate; return the number of the error to raise, mostly none."""
        self._gate.enter()
        if self._random.random() < self._gate.odds.disk:
            return self._random.choice((errno.EIO, errno.ENOSPC))
        return 0


def _os_error(number: int, path: str) -> OSError:
    return OSError(number, os.strerror(number), path)


def _unreachable() -> UnavailableError:
    return UnavailableError("store.unreachable", "the database does not answer")
