"""One thread, many tasks: who runs next, and what time it is, comes from the seed.

A task is a greenlet, so that production code stops wherever it calls a port
and goes on later as if nothing had happened. Tasks belong to processes, which
die, and are stopped and resumed, as a whole.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

__all__ = ["Condition", "Event", "Killed", "Lock", "Process", "Scheduler", "Violation"]

_STEPS_MAX = 60_000
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Killed(BaseException):
    """The process that this code runs in is dead."""


class Violation(BaseException):
    """A promise of the log is broken."""


class Process:
    """What dies together; one run of a program.

    Attributes:
        name: For traces.
        skew: How far its clock is wrong, in seconds.
        stopped_until: It does not run before this moment.
    """

    def __init__(self, name: str, *, skew: float = 0.0) -> None:
        self.name = name
        self.skew = skew
        self.stopped_until = 0.0
        self.is_dead = False


class _Task:
    __slots__ = ("greenlet", "process", "wake_at")

    def __init__(self, process: Process, run: greenlet) -> None:
        self.process = process
        self.greenlet = run
        self.wake_at = 0.0


class Scheduler:
    """Runs one task at a time; owns the clock."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.now = 0.0
        self.steps = 0
        self._main = getcurrent()
        self._tasks: list[_Task] = []
        self._current: _Task | None = None

    def moment(self, process: Process) -> datetime:
        """Return the time on a process's clock."""
        return _BEGIN + timedelta(seconds=self.now + process.skew)

    def spawn(self, process: Process, function: Callable[[], None]) -> None:
        """Add a task to a process."""

        def run() -> None:
            try:
                if not process.is_dead:
                    function()
            except Killed:
                pass

        self._tasks.append(_Task(process, greenlet(run, self._main)))

    def pause(self) -> None:
        """Let the seed choose who goes on."""
        self.sleep(0.0)

    def sleep(self, seconds: float) -> None:
        """Let others go on for a while at least.

        Raises:
            Killed: The process died meanwhile.
        """
        task = self._running()
        task.wake_at = self.now + seconds
        self._main.switch()
        if task.process.is_dead:
            raise Killed

    def kill(self, process: Process) -> None:
        """End a process; each of its tasks learns of it where it stands."""
        process.is_dead = True
        process.stopped_until = 0.0
        for task in self._tasks:
            if task.process is process:
                task.wake_at = self.now

    def run(self, is_done: Callable[[], bool], *, until: float) -> None:
        """Run tasks until something is done or it is too late."""
        while not is_done() and self.now < until:
            self.step()

    def step(self) -> None:
        """Run one task up to where it stops next; if all sleep, time passes.

        Raises:
            Violation: This never comes to an end.
        """
        self.steps += 1
        if self.steps > _STEPS_MAX:
            raise Violation(f"still busy after {self.steps} steps")
        ready = self._ready()
        if not ready:
            self.now = min(max(task.wake_at, task.process.stopped_until) for task in self._tasks)
            ready = self._ready()
        task = ready[int(self.random.random() * len(ready))]
        self.now += 0.001
        self._resume(task)

    def close(self) -> None:
        """End what is left, so that nothing of it runs when it is collected."""
        for task in self._tasks:
            task.process.is_dead = True
        while self._tasks:
            self._resume(self._tasks[-1])

    def wake(self, waiter: object) -> None:
        """Let a task go on that sleeps, as `running` told it."""
        if isinstance(waiter, _Task):
            waiter.wake_at = min(waiter.wake_at, self.now)

    def running(self) -> object:
        """Return the task that runs, for `wake`."""
        return self._running()

    def _ready(self) -> list[_Task]:
        now = self.now
        return [
            task
            for task in self._tasks
            if task.wake_at <= now and task.process.stopped_until <= now
        ]

    def _resume(self, task: _Task) -> None:
        self._current = task
        task.greenlet.switch()
        self._current = None
        if task.greenlet.dead:
            self._tasks.remove(task)

    def _running(self) -> _Task:
        if self._current is None:
            raise AssertionError("only a task can wait")
        return self._current


class Lock:
    """A mutex between tasks. Stands in for `threading.Lock`, and for a database's write lock."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.is_held = False

    def __enter__(self) -> None:
        while self.is_held:
            self._scheduler.sleep(0.05)
        self.is_held = True

    def __exit__(self, *_exc: object) -> None:
        self.is_held = False


class Condition:
    """Stands in for `threading.Condition`; who holds it never waits for another port."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._waiting: list[object] = []

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_exc: object) -> None:
        return None

    def wait(self) -> None:
        """Wait for a notification, and for nothing else: a lost one is found out."""
        self._waiting.append(self._scheduler.running())
        self._scheduler.sleep(math.inf)

    def notify_all(self) -> None:
        """Wake whoever waits."""
        while self._waiting:
            self._scheduler.wake(self._waiting.pop())


class Event(threading.Event):
    """Stands in for the event that stops a process's loop."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__()
        self._scheduler = scheduler

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep in the simulation's time."""
        self._scheduler.sleep(math.inf if timeout is None else timeout)
        return self.is_set()
