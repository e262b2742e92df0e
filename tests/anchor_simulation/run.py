"""`make chain-sim`: many seeds on all processors; prints each that breaks a promise.

python -m anchor_simulation.run --seeds 10000
python -m anchor_simulation.run --seed 4711
python -m anchor_simulation.run --plants
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from multiprocessing import get_context

import pytest

from anchor_simulation.planted import PLANTS
from anchor_simulation.world import Outcome, simulate
from simulation.scheduler import Violation

__all__ = ["COMMAND", "failure_of", "main"]

COMMAND = "make chain-sim SEED={}"
_CHUNK = 10  # seeds given to a worker at once
_SUMS = ("anchors", "attempts", "wasted", "reorgs", "kills", "height")


def failure_of(seed: int) -> str | None:
    """Run a seed; return what broke and how to see it again, or None."""
    result = _run(seed)
    return result if isinstance(result, str) else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run seeds; return 1 if one of them broke a promise."""
    parser = argparse.ArgumentParser(prog="make chain-sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="this one alone, with its traceback")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--plants", action="store_true", help="plant each bug; all must be found")
    options = parser.parse_args(arguments)
    if options.plants:
        return _plant_all(options.seeds)
    if options.seed is not None:
        return _show(options.seed)
    return _run_many(range(options.start, options.start + options.seeds), options.jobs)


def _show(seed: int) -> int:
    try:
        outcome = simulate(seed)
    except (Violation, Exception):  # noqa: BLE001 -- whatever it is, the seed shows it
        traceback.print_exc()
        return 1
    for name, value in asdict(outcome).items():
        print(f"{name:12} {value}")
    return 0


def _plant_all(seeds: int) -> int:
    """Plant each bug in turn; return 1 if one is not found within so many seeds."""
    missed = 0
    for wrong, plant in PLANTS.items():
        with pytest.MonkeyPatch.context() as patch:
            plant(patch)
            found = next(filter(None, map(failure_of, range(seeds))), None)
        missed += found is None
        print(f"{wrong}: {(found or 'NOT FOUND').partition(chr(10))[0][:120]}", flush=True)
    return 1 if missed else 0


def _run_many(seeds: range, jobs: int) -> int:
    begun = time.monotonic()
    sums, failed, done, deep = Counter[str](), 0, 0, 0
    with get_context("spawn").Pool(jobs) as pool:
        for result in pool.imap_unordered(_run, seeds, chunksize=_CHUNK):
            done += 1
            if isinstance(result, str):
                failed += 1
                print(result, flush=True)
                continue
            deep += bool(result.alarms)
            for name in _SUMS:
                sums[name] += getattr(result, name)
    seconds = time.monotonic() - begun
    print(
        f"{done} seeds in {seconds:.0f} s, {1000 * seconds * jobs / max(done, 1):.0f} ms a seed and"
        f" process: {failed} failed; {sums['height']} blocks, {sums['anchors']} anchors,"
        f" {sums['attempts']} transactions of ours, {sums['wasted']} of them without effect,"
        f" {sums['reorgs']} reorganisations, {deep} worlds with one past finality,"
        f" {sums['kills']} processes died"
    )
    return 1 if failed else 0


def _run(seed: int) -> Outcome | str:
    try:
        return simulate(seed)
    except (Violation, Exception) as exc:  # noqa: BLE001 -- as above
        return f"seed {seed}: {type(exc).__name__}: {exc}\n    {COMMAND.format(seed)}"


if __name__ == "__main__":
    sys.exit(main())
