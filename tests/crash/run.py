"""``python -m crash.run``: kill a log at every call that changes anything, and judge.

Prints a table: layout and fault, points reached, and what must be 0. A failure
prints its point, and ``--only`` with that text tries it again.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from crash.places import LAYOUTS, Site
from crash.points import Point, faults_for, share, spread
from crash.servers import running_site
from crash.strace import why_not
from crash.trial import Outcome, Zygote

__all__ = ["Tally", "choose_points", "main", "run_points"]

_SERVER_FAULTS_MAX = 150  # of each kind: the server is restarted each time
_BASES = 12  # faults of a layout whose recoveries are killed at each of their calls
KINDS = ("lost", "double", "root", "other")


class Tally:
    """What came of all trials, by layout and fault."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self.failures: list[Outcome] = []
        self.codes: Counter[str] = Counter()

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        row = self.rows[outcome.point.layout, outcome.point.row]
        row["points" if outcome.is_reached else "not reached"] += 1
        row.update({kind for kind, _ in outcome.problems})
        self.codes.update(set(outcome.codes))
        if outcome.problems:
            self.failures.append(outcome)

    @property
    def points(self) -> int:
        """Points reached."""
        return sum(row["points"] for row in self.rows.values())

    def lines(self) -> Iterator[str]:
        """Yield the table as Markdown, a row for each layout and fault, and a sum."""
        yield "| layout | fault | points | lost | double index | root differs | other |"
        yield "|---|---|---:|---:|---:|---:|---:|"
        total: Counter[str] = Counter()
        for (layout, fault), row in sorted(self.rows.items(), key=_order):
            total.update(row)
            yield _line(layout, fault, row)
        yield _line("all", "", total)
        yield f"not reached: {total['not reached']}; told meanwhile: {dict(self.codes)}"


def choose_points(zygote: Zygote, site: Site, number: int) -> list[Point]:
    """Return distinct points: kills at every call come first, then errors, then recoveries.

    Prints how many calls of each kind a cycle has.
    """
    kills: list[list[Point]] = []
    errors: list[list[Point]] = []
    recoveries: list[list[Point]] = []
    layouts = [each for each in LAYOUTS if site.has(each)]
    for layout in layouts:
        found = zygote.find_aims(layout)
        calls = Counter(aim.call for aim in found)
        named = ", ".join(f"{name} {count}" for name, count in calls.most_common())
        print(f"{layout.name}: {len(found)} calls: {named}", flush=True)
        singles: dict[str, list[Point]] = defaultdict(list)
        for aim in found:
            for fault in faults_for(aim):
                singles[fault].append(Point(layout=layout.name, fault=fault, aim=aim))
        kills.append(singles.pop("KILL"))
        errors += [
            spread(row, _SERVER_FAULTS_MAX) if " " in fault else row
            for fault, row in singles.items()
        ]
        bases = max(1, min(_BASES, number // (100 * len(layouts))))
        for base in spread(kills[-1], bases + 1)[1:]:
            again = zygote.find_aims(layout, base)
            recoveries.append(
                [Point(layout=layout.name, fault="KILL", aim=base.aim, again=aim) for aim in again]
            )
    chosen = share(kills, number * 3 // 5)
    chosen += share(errors, number * 4 // 5 - len(chosen))
    chosen += share(recoveries, number - len(chosen))
    print(f"{len(chosen)} points of {sum(map(len, (*kills, *errors, *recoveries)))}", flush=True)
    random.Random(number).shuffle(chosen)  # so that a run that is broken off is a fair sample
    return chosen


def run_points(points: Sequence[Point], sites: Sequence[Site], tally: Tally) -> None:
    """Try points with a worker for each site; each is forked from this process."""
    started = time.monotonic()
    reader, writer = os.pipe()
    children = [
        _work(points[number :: len(sites)], site, writer) for number, site in enumerate(sites)
    ]
    os.close(writer)
    by_text = {str(point): point for point in points}
    with os.fdopen(reader) as lines:
        for done, line in enumerate(lines, 1):
            told = json.loads(line)
            outcome = Outcome(
                point=by_text[told["point"]],
                is_reached=told["is_reached"],
                codes=tuple(told["codes"]),
                problems=tuple((kind, text) for kind, text in told["problems"]),
            )
            tally.add(outcome)
            if outcome.problems:
                print(outcome.point, *outcome.problems, sep="\n  ", flush=True)
            if done % 100 == 0:
                pace = (time.monotonic() - started) / done
                print(f"{done} of {len(points)}, {pace:.3f} s each", file=sys.stderr, flush=True)
    for child in children:
        _, status = os.waitpid(child, 0)
        if status:
            raise RuntimeError(f"a worker ended with {os.waitstatus_to_exitcode(status)}")


def main() -> int:
    """Run the regime; return 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-servers", action="store_true", help="SQLite and folders only")
    parser.add_argument("--only", default="", help="try only points whose text has this in it")
    options = parser.parse_args()
    if reason := why_not():
        print(f"nothing was tried: {reason}", file=sys.stderr)
        return 2
    sys.dont_write_bytecode = True
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the servers end with us
    # A kill takes nothing from the page cache: memory serves, and syncs cost nothing there.
    if Path("/dev/shm").is_dir():
        os.environ["TMPDIR"] = "/dev/shm"
    started = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vmcrash-")))
        servers = not options.no_servers
        sites = [
            stack.enter_context(
                running_site(folder / str(number), has_postgres=servers, has_s3=servers)
            )
            for number in range(options.workers)
        ]
        zygote = Zygote(sites[0])
        zygote.warm()
        points = choose_points(zygote, sites[0], options.points)
        points = [point for point in points if options.only in str(point)]
        tally = Tally()
        try:
            run_points(points, sites, tally)
        finally:  # what was tried is worth telling, if the rest is broken off
            print(*tally.lines(), sep="\n")
    print(f"{tally.points} distinct points in {time.monotonic() - started:.0f} s")
    return 1 if tally.failures else 0


def _work(points: Sequence[Point], site: Site, writer: int) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_DFL)
        zygote = Zygote(site)
        for point in points:
            outcome = zygote.attempt(point)
            told = {
                "point": str(point),
                "is_reached": outcome.is_reached,
                "codes": outcome.codes,
                "problems": [(kind, text[:2000]) for kind, text in outcome.problems],
            }
            os.write(writer, json.dumps(told).encode() + b"\n")
        status = 0
    except BaseException:  # noqa: BLE001 -- a fork must not run what its parent would
        traceback.print_exc()
    finally:
        os._exit(status)


def _order(item: tuple[tuple[str, str], Counter[str]]) -> tuple[int, str]:
    (layout, fault), _ = item
    return [each.name for each in LAYOUTS].index(layout), fault


def _line(layout: str, fault: str, row: Counter[str]) -> str:
    cells = [layout, fault, f"{row['points']:,}", *(str(row[kind]) for kind in KINDS)]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
