"""The sequencer without an API: growing the tree durably, and giving entries their index.

Three things apart: ready entries into fsynced tiles; queued submissions through
everything a sequencer process does; and pymerkle's SQLite tree, which is
durable as well, but keeps leaves only and computes the tree when asked.
"""

from __future__ import annotations

import os
import secrets
import statistics
import time
from collections.abc import Callable

from ledgers import Ledger, make_rows, open_ledger
from measure import Figure, at_least, folder, interleave, rate, scaled, take_turns
from syncs import count_syncs

from vermilion_ledger.integrate import Integrator
from vermilion_ledger.limits import ENTRY_SIZE
from vermilion_ledger.merkle import EMPTY_ROOT
from vermilion_ledger.rows import IntakeBatch
from vermilion_ledger.sequencer import SequencerTiming
from vermilion_ledger.tilestore import open_tile_store

__all__ = ["run"]

ENTRIES = 65_536  # in each round
SMALL, LARGE = 2_048, 16_384  # batches
SMALL_RATE_MIN, LARGE_RATE_MIN = 40_000, 100_000
PEER_APPENDS = 1_000
PEER_RATIO_MIN = 20


def run(*, scale: float = 1.0) -> list[Figure]:
    """Measure and return the figures."""
    count = scaled(ENTRIES, scale, least=LARGE)
    entries = [secrets.token_bytes(ENTRY_SIZE) for _ in range(count)]
    seconds = interleave(
        {
            "small": lambda: _integrate(entries, SMALL),
            "large": lambda: _integrate(entries, LARGE),
            "pymerkle": lambda: _append(entries[: scaled(PEER_APPENDS, scale)]),
            "pymerkle in bulk": lambda: _append_in_bulk(entries, SMALL),
        }
    )
    sequenced = take_turns({"whole": lambda: _take_in(count), "queued": lambda: _sequence(count)})
    peer = rate(scaled(PEER_APPENDS, scale), seconds["pymerkle"])
    ready = rate(count, seconds["small"])
    whole, queued = (statistics.median(rates) for rates in sequenced.values())
    syncs = count_syncs(os.getpid(), lambda: _integrate(entries[: 4 * SMALL], SMALL))
    batches = f"batches of {SMALL:,}"
    return [
        at_least(
            f"ready entries into fsynced tiles, {batches}", ready, "per second", SMALL_RATE_MIN
        ),
        at_least(
            f"the same, batches of {LARGE:,}",
            rate(count, seconds["large"]),
            "per second",
            LARGE_RATE_MIN,
        ),
        Figure(what=f"fsyncs of 4 {batches} (strace)", value=syncs, unit="calls"),
        Figure(
            what=f"submissions: intake and index in one transaction, tree, checkpoint; {batches}",
            value=whole,
            unit="per second",
        ),
        Figure(
            what=f"submissions from the queue: index, tree, checkpoint; {batches}",
            value=queued,
            unit="per second",
        ),
        Figure(what="pymerkle's SQLite tree, append by append", value=peer, unit="per second"),
        at_least(
            f"ready entries, {batches}, against pymerkle's append",
            ready / peer,
            "ratio",
            PEER_RATIO_MIN,
        ),
        Figure(
            what="submissions in one transaction against pymerkle's append",
            value=whole / peer,
            unit="ratio",
        ),
        Figure(
            what=f"pymerkle's SQLite tree, {SMALL:,} leaves a transaction, no tree kept",
            value=rate(count, seconds["pymerkle in bulk"]),
            unit="per second",
        ),
    ]


def _integrate(entries: list[bytes], batch: int) -> None:
    with folder() as home:
        integrator = Integrator(open_tile_store("", home))
        for start in range(0, len(entries), batch):
            integrator.integrate(entries[start : start + batch])
        if integrator.size != len(entries) or integrator.root() == EMPTY_ROOT:
            raise SystemExit("the tree is not whole")


def _take_in(count: int) -> float:
    """Return how many submissions a second one process takes in, indexes and publishes."""
    with folder() as home, open_ledger(home) as ledger:
        batches = _batches(count)

        def work() -> None:
            for batch in batches:
                ledger.sequencer.save_batches([batch])
                ledger.publisher.publish()

        return _rate_of(ledger, count, work)


def _sequence(count: int) -> float:
    """Return how many submissions a second a sequencer takes from the queue and publishes."""
    timing = SequencerTiming(batch_count_max=SMALL)
    with folder() as home, open_ledger(home, timing=timing) as ledger:
        for batch in _batches(count):
            ledger.database.intake.save_batches([batch])
        ledger.settle()

        def work() -> None:
            while ledger.sequencer.sequence_batch():
                ledger.publisher.publish()

        return _rate_of(ledger, count, work)


def _batches(count: int) -> list[IntakeBatch]:
    rows = make_rows(count)
    return [
        IntakeBatch(submissions=tuple(rows[start : start + SMALL]))
        for start in range(0, count, SMALL)
    ]


def _rate_of(ledger: Ledger, count: int, work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    if ledger.reader().head().size != count:
        raise SystemExit("not all submissions were published")
    return rate(count, seconds)


def _append(entries: list[bytes]) -> None:
    from pymerkle import SqliteTree  # type: ignore[import-untyped]

    with folder() as home, SqliteTree(str(home / "tree.db")) as tree:
        for entry in entries:
            tree.append_entry(entry)


def _append_in_bulk(entries: list[bytes], batch: int) -> None:
    from pymerkle import SqliteTree

    with folder() as home, SqliteTree(str(home / "tree.db")) as tree:
        for start in range(0, len(entries), batch):
            tree.append_entries(entries[start : start + batch])


def _count_syncs(entries: list[bytes]) -> int:
    return count_syncs(os.getpid(), lambda: _integrate(entries, SMALL))
