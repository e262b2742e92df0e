"""Does a ledger slow down as it grows? Bulk rate at 2,000,000 entries against an empty one.

Measured is what grows: intake, index, tree and checkpoint of bulks of 1,000,
without parsing and signing, which cost the same at any size. Beside it a plain
table with the same columns and two unique indexes over random 32-byte values,
filled by the same driver with the same settings. Each round ends when SQLite's
write-ahead log has been copied over, so that no cost is left for later. The
databases fit into the system's page cache.
"""

from __future__ import annotations

import sqlite3
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from ledgers import Ledger, make_rows, open_ledger
from measure import Figure, at_least, folder, rate, scaled, take_turns

from vermilion_ledger.rows import Submission

__all__ = ["run"]

ENTRIES = 2_000_000
ROUND = 50_000  # entries added in each round
RATIO_MIN = 0.8
_BULK = 1_000
_FILL = 50_000
_SETTINGS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "cache_size=-32768",
    "wal_autocheckpoint=65536",
    "journal_size_limit=67108864",
)
_TABLE = """CREATE TABLE plain (
    position INTEGER PRIMARY KEY, record_key BLOB NOT NULL UNIQUE, kind INTEGER NOT NULL,
    envelope BLOB NOT NULL, envelope_hash BLOB NOT NULL UNIQUE, salt BLOB NOT NULL,
    digest BLOB NOT NULL)"""
_INSERT = """INSERT INTO plain (record_key, kind, envelope, envelope_hash, salt, digest)
    VALUES (?, ?, ?, ?, ?, ?)"""


def run(*, scale: float = 1.0) -> list[Figure]:
    """Measure and return the figures."""
    entries, count = scaled(ENTRIES, scale, least=_BULK), scaled(ROUND, scale, least=_BULK)
    with folder() as home, open_ledger(home) as ledger, _open_plain(home) as plain:
        _say(f"filling a ledger with {entries:,} entries")
        ledger.fill(entries)
        ledger.settle()
        _say("filling a plain table")
        for _ in range(0, entries, _FILL):
            _insert(plain, make_rows(min(_FILL, entries)))
        _settle(plain)
        taken = take_turns(
            {
                "empty": lambda: _add_to_empty(count),
                "full": lambda: _time(count, lambda rows: _add(ledger, rows)),
                "plain empty": lambda: _insert_into_empty(count),
                "plain full": lambda: _time(count, lambda rows: _insert_settled(plain, rows)),
            }
        )
    empty, full, plain_empty, plain_full = (statistics.median(rates) for rates in taken.values())
    what = f"bulks of {_BULK:,} in process"
    return [
        Figure(what=f"{what}, empty ledger", value=empty, unit="per second"),
        Figure(what=f"the same, {entries:,} entries", value=full, unit="per second"),
        at_least("full against empty", full / empty, "ratio", RATIO_MIN),
        Figure(
            what="a plain table with two unique indexes, empty",
            value=plain_empty,
            unit="per second",
        ),
        Figure(what=f"the same, {entries:,} rows", value=plain_full, unit="per second"),
        Figure(
            what="full against empty, plain table", value=plain_full / plain_empty, unit="ratio"
        ),
    ]


def _time(count: int, work: Callable[[list[Submission]], None]) -> float:
    rows = make_rows(count)
    start = time.perf_counter()
    work(rows)
    return rate(count, time.perf_counter() - start)


def _add(ledger: Ledger, rows: list[Submission]) -> None:
    ledger.add(rows)
    ledger.settle()


def _add_to_empty(count: int) -> float:
    with folder() as home, open_ledger(home) as ledger:
        return _time(count, lambda rows: _add(ledger, rows))


def _insert_into_empty(count: int) -> float:
    with folder() as home, _open_plain(home) as plain:
        return _time(count, lambda rows: _insert_settled(plain, rows))


def _open_plain(home: Path) -> closing[sqlite3.Connection]:
    connection = sqlite3.connect(home / "plain.db", isolation_level=None)
    for setting in _SETTINGS:
        connection.execute(f"PRAGMA {setting}")
    connection.execute(_TABLE)
    return closing(connection)


def _insert(plain: sqlite3.Connection, rows: list[Submission]) -> None:
    for start in range(0, len(rows), _BULK):
        plain.execute("BEGIN IMMEDIATE")
        plain.executemany(
            _INSERT,
            [
                (each.record_key, 0, each.envelope, each.envelope_hash, each.salt, each.digest)
                for each in rows[start : start + _BULK]
            ],
        )
        plain.execute("COMMIT")


def _insert_settled(plain: sqlite3.Connection, rows: list[Submission]) -> None:
    _insert(plain, rows)
    _settle(plain)


def _settle(plain: sqlite3.Connection) -> None:
    plain.execute("PRAGMA wal_checkpoint(FULL)").fetchone()


def _say(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)
