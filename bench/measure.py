"""How figures are taken: interleaved rounds, medians, the machine named."""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

__all__ = [
    "ROUNDS",
    "Figure",
    "at_least",
    "at_most",
    "describe_machine",
    "folder",
    "interleave",
    "rate",
    "scaled",
    "table",
    "take_turns",
]

ROUNDS = 5

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured row.

    Attributes:
        what: What was measured.
        value: Median, in ``unit``.
        unit: Such as ``s``, ``ms``, ``per second``, ``ratio``, ``gas``.
        target: The target in words, or empty.
        met: Whether the target was met; None where there is none.
    """

    what: str
    value: float
    unit: str
    target: str = ""
    met: bool | None = None


def at_least(what: str, value: float, unit: str, limit: float) -> Figure:
    """Return a figure that is to reach a limit."""
    return Figure(
        what=what, value=value, unit=unit, target=f"≥ {limit:,g}", met=round(value, 3) >= limit
    )


def at_most(what: str, value: float, unit: str, limit: float) -> Figure:
    """Return a figure that is not to exceed a limit."""
    return Figure(
        what=what, value=value, unit=unit, target=f"≤ {limit:,g}", met=round(value, 3) <= limit
    )


def take_turns(
    contenders: Mapping[str, Callable[[], _T]], *, rounds: int = ROUNDS
) -> dict[str, list[_T]]:
    """Return what each contender returned in each round, taken in turn in one run."""
    results: dict[str, list[_T]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            results[name].append(contender())
    return results


def interleave(
    contenders: Mapping[str, Callable[[], object]], *, rounds: int = ROUNDS
) -> dict[str, float]:
    """Return the median wall seconds of each contender, taken in turn in one run."""

    def timed(contender: Callable[[], object]) -> Callable[[], float]:
        def run() -> float:
            start = time.perf_counter()
            contender()
            return time.perf_counter() - start

        return run

    taken = take_turns({name: timed(each) for name, each in contenders.items()}, rounds=rounds)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


@contextmanager
def folder() -> Iterator[Path]:
    """Make a folder on the disk of ``TMPDIR`` for the time of the block."""
    with tempfile.TemporaryDirectory(prefix="vermilion-bench-") as name:
        yield Path(name)


def scaled(count: int, scale: float, *, least: int = 1) -> int:
    """Return a count for a run at a part of its size: to try a bench, not to publish it."""
    return max(least, round(count * scale))


def rate(count: int, seconds: float) -> float:
    """Return how many a second."""
    return count / seconds


def describe_machine() -> str:
    """Return processor, cores, system and interpreter in one line."""
    processor = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            processor = line.partition(":")[2].strip()
            break
    return (
        f"{processor}, {os.cpu_count()} cores, {platform.system()}, "
        f"Python {platform.python_version()}"
    )


def table(figures: list[Figure]) -> str:
    """Return figures as a Markdown table."""
    lines = ["| what | median | unit | target | met |", "|---|---:|---|---|---|"]
    for figure in figures:
        value = f"{figure.value:,.3f}" if figure.value < 100 else f"{figure.value:,.0f}"
        met = {True: "yes", False: "**no**", None: ""}[figure.met]
        lines.append(f"| {figure.what} | {value} | {figure.unit} | {figure.target} | {met} |")
    return "\n".join(lines)
