"""A log changed by the owner of its database, past every guard, and what its start says."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Connection

from store_kit import NoteSigner, make_writer
from vermilion_ledger.errors import EvidenceError, IntegrityError
from vermilion_ledger.rows import ObservedHead
from vermilion_ledger.store import Database, schema
from vermilion_ledger.store.engine import is_sqlite, writing
from vermilion_ledger.tilestore.posix import PosixTileStore

__all__ = ["SIZE", "fill_to_size", "refusal_at_start", "tamper"]

SIZE = 600


def fill_to_size(database: Database, tiles: PosixTileStore) -> None:
    """Make a log of 600 entries, two full tiles and two checkpoints, that nobody leads."""
    writer = make_writer(database, tiles)
    for _ in range(2):
        writer.place(SIZE // 2)
        writer.publisher.publish()
    writer.sequencer.release()


def _guards(connection: Connection) -> list[str]:
    """Return the names of the SQLite triggers."""
    rows = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    return [row[0] for row in rows]


def tamper(database: Database, *statements: str) -> None:
    """Do what only the owner of the database can do."""
    with writing(database.engine) as connection:
        if is_sqlite(connection):
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            for name in _guards(connection):
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            for table in schema.METADATA.tables:
                connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        for statement in statements:
            worded = statement
            if not is_sqlite(connection):
                worded = re.sub(r"zeroblob\((\d+)\)", r"decode(repeat('00', \1), 'hex')", statement)
            connection.exec_driver_sql(worded)


def refusal_at_start(database: Database, tiles: PosixTileStore, *observed: ObservedHead) -> str:
    """Take the lease and start; return why nothing is signed, now and later."""
    signer = NoteSigner()
    writer = make_writer(database, tiles, signer=signer, started=False)
    writer.sequencer.acquire()
    with pytest.raises(IntegrityError) as caught:
        writer.publisher.start(writer.sequencer.epoch, observed=observed)
    assert database.heads.load_head().state == "halted"
    with pytest.raises(EvidenceError):
        writer.publisher.publish()
    with pytest.raises(IntegrityError):
        writer.publisher.start(writer.sequencer.epoch, observed=observed)
    assert signer.signed == []
    return caught.value.code
