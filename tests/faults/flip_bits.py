"""Flip every single bit of every specimen; prints counts. Run by ``make flips``.

Takes some minutes on two cores. Exit code 1 if any flip left a verdict
standing that it should not have.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
for folder in ("tests", "verifier", "ledger"):
    sys.path.insert(0, str(TESTS.parent / folder))

from flipping import Specimen, describe, specimens  # noqa: E402

_PART = 4096  # bits in one piece of work


def main() -> int:
    """Flip all bits on all cores and print one line per specimen."""
    wrong: list[str] = []
    total = 0
    started = time.monotonic()
    every = list(specimens())
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        for place, specimen in enumerate(every):
            if specimen.verify(specimen.bundle, specimen.content).verdict is not specimen.verdict:
                print(f"{specimen.name}: not {specimen.verdict} to begin with")
                return 1
            bits = specimen.bits()
            parts = [(place, at, min(at + _PART, bits)) for at in range(0, bits, _PART)]
            verdicts: Counter[str] = Counter()
            for found, errors in pool.imap_unordered(flip_part, parts):
                verdicts.update(found)
                wrong += errors
            total += bits
            print(f"{describe(specimen)}: {bits} flips: {_counts(verdicts)}", flush=True)
    for error in wrong[:20]:
        print(error)
    seconds = time.monotonic() - started
    print(f"{total} flips of {len(every)} bundles in {seconds:.0f} s, {len(wrong)} wrong")
    return 1 if wrong else 0


def flip_part(part: tuple[int, int, int]) -> tuple[Counter[str], list[str]]:
    """Flip a range of bits of one specimen."""
    place, start, end = part
    specimen = _SPECIMENS[place]
    verdicts: Counter[str] = Counter()
    errors = []
    for bit in range(start, end):
        verdict, error = specimen.flip(bit)
        verdicts[verdict] += 1
        if error is not None:
            errors.append(error)
    return verdicts, errors


def _counts(verdicts: Counter[str]) -> str:
    return ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))


_SPECIMENS: list[Specimen] = list(specimens())

if __name__ == "__main__":
    sys.exit(main())
