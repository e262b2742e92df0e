"""How figures are taken: interleaved rounds, medians, the machine named."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Figure", "describe_machine", "interleave", "rate", "table"]


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


def interleave(
    contenders: Mapping[str, Callable[[], object]], *, rounds: int = 5
) -> dict[str, float]:
    """Return the median wall seconds of each contender, taken in turn in one run."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            start = time.perf_counter()
            contender()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


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
