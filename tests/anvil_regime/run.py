"""`make chain`: the anchorer on a real Anvil that reorganises, grows dear, stalls and forgets.

python -m anvil_regime.run --schedules 1000 --kills 1000 --spikes 4 --floods 10
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from anvil_regime.bench import Bench, open_bench
from anvil_regime.regimes import flood, kill, reorganise, spike, tally

__all__ = ["REGIMES", "Regime", "Result", "main", "run_regime"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """A kind of trouble, and how many rounds one node takes before a fresh one is quicker."""

    name: str
    play: Callable[[Bench, int], str]
    rounds_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a regime came to.

    Attributes:
        rounds: Played.
        anchors: On the chains in the end.
        outcomes: Of each round, in its regime's words.
        failures: Numbers of rounds after which something did not hold, and what.
        seconds: Wall time.
    """

    rounds: int
    anchors: int
    outcomes: tuple[str, ...]
    failures: tuple[str, ...]
    seconds: float


REGIMES = {
    "schedules": Regime(name="reorganisations of depth 1-64", play=reorganise, rounds_max=32),
    "spikes": Regime(name="base fee × 1,000 for 6 h", play=spike, rounds_max=1),
    "floods": Regime(name="automine stall and silent loss", play=flood, rounds_max=1),
    "kills": Regime(name="killed at a call", play=kill, rounds_max=100),
}


def run_regime(regime: Regime, numbers: range) -> Result:
    """Play rounds, on a fresh node every so often; each is judged, the node as a whole again."""
    outcomes: list[str] = []
    failures: list[str] = []
    anchors, begun, number = 0, time.monotonic(), numbers.start
    while number < numbers.stop:
        with open_bench() as bench:
            found, end = 0, min(number + regime.rounds_max, numbers.stop)
            while number < end:
                number += 1
                try:
                    outcomes.append(regime.play(bench, number - 1))
                    found = bench.check()
                except Exception as error:  # noqa: BLE001 -- the round tells
                    failures.append(f"round {number - 1}: {type(error).__name__}: {error}")
                    break  # what follows on this node would fail as well
            anchors += found
    return Result(
        rounds=len(outcomes),
        anchors=anchors,
        outcomes=tuple(outcomes),
        failures=tuple(failures),
        seconds=time.monotonic() - begun,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Play all regimes; return 1 if something did not hold."""
    parser = argparse.ArgumentParser(prog="make chain", description=__doc__)
    for name, count in (("schedules", 1000), ("kills", 1000), ("spikes", 4), ("floods", 10)):
        parser.add_argument(f"--{name}", type=int, default=count, help=REGIMES[name].name)
    parser.add_argument("--start", type=int, default=0, help="number of the first round")
    options = parser.parse_args(arguments)
    print("| regime | rounds | anchors | failed | s per round | what happened |")
    print("|---|---:|---:|---:|---:|---|", flush=True)
    failed = 0
    for name, regime in REGIMES.items():
        count = getattr(options, name)
        if not count:
            continue
        result = run_regime(regime, range(options.start, options.start + count))
        failed += len(result.failures)
        pace = result.seconds / max(1, result.rounds)
        print(
            f"| {regime.name} | {result.rounds} | {result.anchors} | {len(result.failures)}"
            f" | {pace:.2f} | {tally(result.outcomes)} |",
            flush=True,
        )
        for failure in result.failures:
            print(f"  {failure}", file=sys.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
