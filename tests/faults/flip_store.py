"""Flip every bit of a log of 1,000 entries, rows and files, and tell who noticed.

Run by ``make bits``; some minutes. Exit code 1 if a bit went unnoticed that
something proves. `tests/integration/fsck/test_bits.py` flips a few thousand.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
for folder in ("tests", "api", "hooks", "verifier", "anchor", "ledger"):
    sys.path.insert(0, str(TESTS.parent / folder))

from flip_kit import Flips, flip_entries, flip_files, flip_for_real, flip_signed  # noqa: E402
from log_kit import check, fill, open_log, texts  # noqa: E402

ENTRIES = 1000
REAL = 200  # random bits of each column, flipped in the database file itself


def main() -> int:
    """Flip, count, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=ENTRIES)
    parser.add_argument("--real", type=int, default=REAL, help="bits of each column in the file")
    chosen = parser.parse_args()
    start = time.monotonic()
    flips, real = Flips(), Flips()
    with tempfile.TemporaryDirectory(prefix="vermilion-bits-") as name:
        log = open_log(Path(name))
        fill(log, chosen.entries)
        log.sequencer.release()
        if problems := texts(check(log)):
            print("\n".join(problems))
            return 1
        for flip in (flip_entries, flip_signed, flip_files):
            flip(log, flips, range)
        small = open_log(Path(tempfile.mkdtemp(dir=name)))
        fill(small, 40)
        small.sequencer.release()
        flip_for_real(small, real, chosen.real, seed=1)
        small.database.close()
        log.database.close()
    for title, each in (("every bit, each to what compares it", flips), ("whole runs", real)):
        print(f"{title}: {sum(each.tried.values()):,} bits")
        print("\n".join(each.lines()))
    surprises = flips.surprises | real.surprises
    print(f"{time.monotonic() - start:.0f} s; unnoticed although provable: {surprises or 'none'}")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
