"""Inclusion proofs in process: from warm tiles, from cold ones, beside pymerkle.

Warm: the tiles were used before, and their interiors are remembered. Cold: a
reader that remembers nothing, as in a process that has just started; the files
themselves stay in the system's page cache, as nobody can clear it unprivileged.
pymerkle is asked for the same proofs of as many leaves, again and again as well.
"""

from __future__ import annotations

import random
import secrets
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from measure import ROUNDS, Figure, at_least, at_most, folder, interleave, rate, scaled

from vermilion_ledger.integrate import Integrator
from vermilion_ledger.limits import ENTRY_SIZE
from vermilion_ledger.log import LogReader
from vermilion_ledger.merkle import hash_leaf, verify_inclusion
from vermilion_ledger.ports import TileStore
from vermilion_ledger.rows import CheckpointRow
from vermilion_ledger.store import Database, open_database
from vermilion_ledger.tilestore import open_tile_store

__all__ = ["run"]

SMALL, LARGE = 100_003, 1_000_003  # leaves; neither ends with a full tile
PROOFS, PEER_PROOFS, COLD_PROOFS = 20_000, 1_000, 200
WARM_RATE_MIN, PEER_RATIO_MIN, COLD_MILLISECONDS_MAX = 50_000, 15, 2.0
_BATCH = 65_536
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def run(*, scale: float = 1.0) -> list[Figure]:
    """Measure and return the figures."""
    small, large = scaled(SMALL, scale, least=3), scaled(LARGE, scale, least=3)
    return [*_compare(small), *_measure_large(large)]


def _compare(size: int) -> list[Figure]:
    from pymerkle import InmemoryTree, SqliteTree  # type: ignore[import-untyped]

    entries = [secrets.token_bytes(ENTRY_SIZE) for _ in range(size)]
    with folder() as home, SqliteTree(str(home / "tree.db")) as stored:
        in_memory = InmemoryTree(algorithm="sha256")
        for entry in entries:
            in_memory.append_entry(entry)
        stored.append_entries(entries)
        reader = _open_reader(home, entries)
        if reader.root_at(size) != in_memory.get_state():
            raise SystemExit("pymerkle has another root: the comparison means nothing")
        chosen = _choose(size, PROOFS)
        few = chosen[:PEER_PROOFS]
        _prove(reader, chosen, size)  # warm up, as do the next two
        _prove_with(in_memory, few)
        _prove_with(stored, few)
        seconds = interleave(
            {
                "ours": lambda: _prove(reader, chosen, size),
                "in memory": lambda: _prove_with(in_memory, few),
                "stored": lambda: _prove_with(stored, few),
            }
        )
    ours = rate(len(chosen), seconds["ours"])
    stored_rate, memory_rate = (rate(len(few), seconds[name]) for name in ("stored", "in memory"))
    of = f"inclusion proofs, {size:,} leaves"
    return [
        at_least(f"{of}, warm tiles", ours, "per second", WARM_RATE_MIN),
        Figure(what="the same, pymerkle's SQLite tree", value=stored_rate, unit="per second"),
        at_least("ours against it", ours / stored_rate, "ratio", PEER_RATIO_MIN),
        Figure(what="the same, pymerkle in memory", value=memory_rate, unit="per second"),
        Figure(what="ours against it", value=ours / memory_rate, unit="ratio"),
    ]


def _measure_large(size: int) -> list[Figure]:
    with folder() as home:
        _open_reader(home, [secrets.token_bytes(ENTRY_SIZE) for _ in range(size)])
        tiles, database = open_tile_store("", home), _open_database(home)
        reader = LogReader(database.log, database.heads, tiles)
        chosen = _choose(size, PROOFS)
        _prove(reader, chosen, size)
        seconds = interleave({"warm": lambda: _prove(reader, chosen, size)})
        cold = [
            _prove_cold(database, tiles, index, size)
            for _ in range(ROUNDS)
            for index in _choose(size, COLD_PROOFS)
        ]
        database.close()
    of = f"inclusion proofs, {size:,} leaves"
    return [
        at_least(
            f"{of}, warm tiles", rate(len(chosen), seconds["warm"]), "per second", WARM_RATE_MIN
        ),
        at_most(
            "one proof by a fresh reader",
            1000 * statistics.median(cold),
            "ms",
            COLD_MILLISECONDS_MAX,
        ),
        Figure(
            what="the same, 99th percentile",
            value=1000 * statistics.quantiles(cold, n=100)[98],
            unit="ms",
        ),
    ]


def _open_database(home: Path) -> Database:
    return open_database(f"sqlite:///{home / 'ledger.db'}")


def _open_reader(home: Path, entries: Sequence[bytes]) -> LogReader:
    """Write the tiles of a log and publish its size; check a proof."""
    database, tiles = _open_database(home), open_tile_store("", home)
    database.migrate()
    integrator = Integrator(tiles)
    for start in range(0, len(entries), _BATCH):
        integrator.integrate(entries[start : start + _BATCH])
    size, root = integrator.size, integrator.root()
    heads = database.heads
    taken = heads.take_head(heads.load_head(), epoch=1)
    row = CheckpointRow(size=size, root=root, note="", epoch=1, published_at=_EPOCH)
    heads.save_checkpoint(taken, row)
    reader = LogReader(database.log, heads, tiles)
    index = size // 3
    verify_inclusion(hash_leaf(entries[index]), index, size, reader.inclusion(index, size), root)
    return reader


def _choose(size: int, count: int) -> list[int]:
    drawn = random.Random(9162)  # noqa: S311 - no secret
    return [drawn.randrange(size) for _ in range(count)]


def _prove(reader: LogReader, chosen: Sequence[int], size: int) -> None:
    for index in chosen:
        reader.inclusion(index, size)


def _prove_with(peer: Any, chosen: Sequence[int]) -> None:
    for index in chosen:
        peer.prove_inclusion(index + 1)  # which counts leaves from one


def _prove_cold(database: Database, tiles: TileStore, index: int, size: int) -> float:
    """Return the seconds of the first proof that a reader gives."""
    reader = LogReader(database.log, database.heads, tiles)
    start = time.perf_counter()
    reader.inclusion(index, size)
    return time.perf_counter() - start
