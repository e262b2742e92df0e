"""``python -m crash.histories``: histories of concurrent clients, each judged by the checker.

Takes turns between SQLite in one process, SQLite with a queue and PostgreSQL.
A failure prints its seed; what the clients did comes again with it, the timing
of the processes does not.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from crash.cycle import Cycle
from crash.history import History
from crash.places import LAYOUTS
from crash.report import Report
from crash.servers import running_site

__all__ = ["main"]

_LAYOUTS = ("SQLite, one transaction", "SQLite, queue", "PostgreSQL, queue")


def main() -> int:
    """Run histories; return 1 if one is not that of a log."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started, done, operations, failed = time.monotonic(), Counter[str](), Counter[str](), 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vmhist-")))
        site = stack.enter_context(running_site(folder / "0", has_s3=False))
        layouts = [each for each in LAYOUTS if each.name in _LAYOUTS and site.has(each)]
        for layout in layouts:
            place = site.make(layout)
            Cycle(place, Report(), run=0).run()  # imports what forks will need
            site.drop(place)
        for seed in range(options.seed, options.seed + options.number):
            layout = layouts[seed % len(layouts)]
            place = site.make(layout)
            number, violations = History(place, seed).run()
            site.drop(place)
            done[layout.name] += 1
            operations[layout.name] += number
            if violations:
                failed += 1
                print(f"seed {seed}, {layout.name}:", *violations[:20], sep="\n  ", flush=True)
    print("| layout | histories | operations |\n|---|---:|---:|")
    for name, number in done.items():
        print(f"| {name} | {number} | {operations[name]:,} |")
    print(f"{failed} of {options.number} not linearizable, {time.monotonic() - started:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    if Path("/dev/shm").is_dir():
        os.environ["TMPDIR"] = "/dev/shm"
    sys.exit(main())
