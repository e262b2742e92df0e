"""What one entry takes on disk, part by part.

A ledger of real registrations on SQLite, published, its write-ahead log copied
over. Files: the sum of their sizes, and of the blocks that the file system
gave them. Tables and indexes: their pages, as SQLite counts them (``dbstat``),
which includes what is free inside of a page. An envelope is counted as its
bytes alone; what its row adds, pages and keys, is a part of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ledgers import Ledger, make_documents, open_ledger
from measure import Figure, at_most, folder, scaled

__all__ = ["run"]

ENTRIES = 100_000
PUBLIC_MAX = 110  # bytes
_BULK = 10_000
_SECRETS = 32 + 32  # bytes of record key and salt
_BLOCK_SIZE = 512  # bytes: the unit of st_blocks
_UNIT = "bytes an entry"


def run(*, scale: float = 1.0) -> list[Figure]:
    """Measure and return the figures."""
    count = scaled(ENTRIES, scale, least=_BULK)
    with folder() as home, open_ledger(home) as ledger:
        for _ in range(count // _BULK):
            ledger.add(make_documents(_BULK))
        ledger.settle()
        count = ledger.reader().head().size
        log = home / "log"
        found = sorted(log.rglob("*"))
        bundles = _sizes((path for path in found if "entries" in path.parts), count)[0]
        public, blocks = _sizes(found, count)
        tables = {name: size / count for name, size in _pages(ledger).items()}
        envelopes = _envelopes(ledger) / count
        database = (home / "ledger.db").stat().st_size / count
    rows = tables.pop("submissions")
    order = sum(tables.pop(name) for name in _ORDER if name in tables)
    parts = {
        "entry bundles": bundles,
        "hash tiles, checkpoint": public - bundles,
        "index, sequence, record and digest: tables and indexes": order,
        "envelopes": envelopes,
        "record keys and salts": _SECRETS,
        "what rows and pages add to these two": rows - envelopes - _SECRETS,
        "all other tables, free pages": database - rows - order,
        "everything": public + database,
        "everything but envelopes, record keys and salts": public + database - envelopes - _SECRETS,
    }
    return [
        at_most("the log: bundles, tiles, checkpoint", public, _UNIT, PUBLIC_MAX),
        Figure(what="the same, in blocks of the file system", value=blocks, unit=_UNIT),
        *(Figure(what=what, value=size, unit=_UNIT) for what, size in parts.items()),
    ]


_ORDER = ("entries", "sqlite_autoindex_entries_1", "places", "digests")


def _sizes(paths: Iterable[Path], count: int) -> tuple[float, float]:
    """Return bytes of files, and of the blocks they and their folders take, an entry."""
    states = [(path.is_file(), path.stat()) for path in paths]
    apparent = sum(state.st_size for is_file, state in states if is_file)
    return apparent / count, sum(state.st_blocks for _, state in states) * _BLOCK_SIZE / count


def _pages(ledger: Ledger) -> dict[str, int]:
    """Return the bytes of the pages of each table and index."""
    query = "SELECT name, SUM(pgsize) FROM dbstat GROUP BY name"
    with ledger.database.engine.connect() as connection:
        return {str(name): int(size) for name, size in connection.exec_driver_sql(query)}


def _envelopes(ledger: Ledger) -> int:
    with ledger.database.engine.connect() as connection:
        query = "SELECT SUM(LENGTH(envelope)) FROM submissions"
        total: int = connection.exec_driver_sql(query).scalar_one()
        return total
