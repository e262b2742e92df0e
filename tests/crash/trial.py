"""One trial: a victim meets a fault, perhaps again while it recovers; a checker judges.

The zygote has everything imported; victims and checkers are its forks, as
starting an interpreter would cost more than the whole trial. It has no
threads and no open database, so that a fork is as good as a new process.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from crash.cycle import Cycle, Place
from crash.forks import BROKE, GAVE_UP, fork, kill, wait
from crash.places import LAYOUTS, Layout, Site
from crash.points import Aim, Point, aims
from crash.report import Report
from crash.strace import attach, parse_calls
from crash.truth import find_losses, find_problems

__all__ = ["Outcome", "Zygote"]

_SECONDS_MAX = 60.0
_PAUSE_SECONDS = 0.001
_SERVER_FAULTS = {"server stopped", "session killed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a trial.

    Attributes:
        point: What was tried.
        is_reached: Whether every fault of it was injected; only then it counts.
        codes: What the victim was told by the store, in order.
        problems: Pairs of kind and text; empty if all is well.
    """

    point: Point
    is_reached: bool
    codes: tuple[str, ...]
    problems: tuple[tuple[str, str], ...]


class Zygote:
    """Runs trials, one after the other."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._report = Report()
        self._log = site.folder / "trace"

    def warm(self) -> None:
        """Live a cycle in each place, so that forks find everything imported.

        Not over S3: its client starts threads that no fork would inherit.
        """
        for layout in LAYOUTS:
            if self._site.has(layout) and layout.tiles == "posix":
                with self._place(layout) as place:
                    Cycle(place, Report(), run=0).run()
        importlib.import_module("vermilion_ledger.tilestore.s3")
        gc.collect()
        gc.freeze()

    def find_aims(self, layout: Layout, before: Point | None = None) -> tuple[Aim, ...]:
        """Return every call of a cycle, or of the recovery from a fault before it."""
        with self._place(layout) as place:
            if before is not None:
                self._run(place, 0, before.aim.role, before.aim.call, before.injection())
            self._report.clear()
            status = self._run(place, 1)
            if status:
                told = [*self._report.told("gave up"), *self._report.told("broke")]
                raise RuntimeError(f"the cycle ended with {status}: {told}")
            roles = {fact["thread"]: fact["role"] for fact in self._report.told("role")}
            found = aims(parse_calls(self._log), roles)
            return tuple(aim for aim in found if not layout.roles or aim.role in layout.roles)

    def attempt(self, point: Point) -> Outcome:
        """Try a point and judge what is left."""
        layout = next(each for each in LAYOUTS if each.name == point.layout)
        self._report.clear()
        with self._place(layout) as place:
            problems: list[tuple[str, str]] = []
            is_reached = self._hit(place, 0, point, problems)
            if point.again is not None:
                second = Point(layout=point.layout, fault="KILL", aim=point.again)
                is_reached &= self._hit(place, 1, second, problems)
            codes = [fact["code"] for fact in self._report.told("waited")]
            codes += [f"! {fact['code']}" for fact in self._report.told("failed")]
            if status := wait(fork(lambda: self._check(place), self._report)):
                why = [fact["message"] for fact in self._report.told("gave up")][-1:]
                problems.append(("other", f"the checker ended with {status}: {why}"))
            problems += [("other", fact["trace"]) for fact in self._report.told("broke")]
            problems += [(each["what"], each["text"]) for each in self._report.told("problem")]
        return Outcome(
            point=point, is_reached=is_reached, codes=tuple(codes), problems=tuple(problems)
        )

    def _hit(self, place: Place, run: int, point: Point, problems: list[tuple[str, str]]) -> bool:
        """Run a victim with a fault; tell whether it met it."""
        crash = None
        if point.fault in _SERVER_FAULTS:
            crash = partial(self._site.crash_server, whole=point.fault == "server stopped")
        aim = point.aim
        status = self._run(place, run, aim.role, aim.call, point.injection(), crash=crash)
        if status not in {0, GAVE_UP, BROKE, -signal.SIGKILL}:
            problems.append(("other", f"the victim ended with {status}"))
        if point.fault == "KILL":
            return status == -signal.SIGKILL
        text = self._log.read_text(errors="replace")
        return "(INJECTED)" in text or "SIGSTOP" in text

    def _run(
        self,
        place: Place,
        run: int,
        gate: str = "main",
        name: str = "",
        injection: str = "",
        *,
        crash: Callable[[], None] | None = None,
    ) -> int:
        self._report.arm(gate)
        child = fork(lambda: Cycle(place, self._report, run=run).run(), self._report)
        try:
            tracer = attach(child, self._report, log=self._log, inject=injection, name=name)
        except RuntimeError:
            kill(child)
            raise
        if crash is not None and _await_stop(child, self._log):
            crash()
            os.kill(child, signal.SIGCONT)
        status = wait(child)
        tracer.communicate()
        return status

    def _check(self, place: Place) -> None:
        self._report.arm("")
        problems = list(find_losses(place, self._report))
        try:
            Cycle(place, self._report, run=2).run()
            problems += find_problems(place, self._report)
        finally:
            for problem in problems:
                self._report.tell("problem", what=problem.kind, text=problem.text)

    @contextmanager
    def _place(self, layout: Layout) -> Iterator[Place]:
        place = self._site.make(layout)
        try:
            yield place
        finally:
            self._site.drop(place)


def _await_stop(child: int, log: Path) -> bool:
    """Wait until a victim is stopped by the fault; False if it ended without."""
    for _ in range(round(_SECONDS_MAX / _PAUSE_SECONDS)):
        if log.exists() and "stopped by SIGSTOP" in log.read_text(errors="replace"):
            return True
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return False
        time.sleep(_PAUSE_SECONDS)
    return False
