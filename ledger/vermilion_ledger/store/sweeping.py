"""Clearing the files of a database of what was destroyed in its tables.

A deleted row stays in its page, in copies that the database made of the page,
and in the write-ahead log, until something else is written there. `sweep`
rewrites the files from the rows that are left and empties the log
(sqlite.org/lang_vacuum.html; PostgreSQL: VACUUM FULL). What a file system, a
replica, an archive of the log or a backup keeps is beyond it.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing

from sqlalchemy import Connection, Engine, select, update

from vermilion_ledger.errors import EvidenceError, UnavailableError
from vermilion_ledger.store import schema
from vermilion_ledger.store.engine import looking, writing
from vermilion_ledger.store.faults import translate_sqlite, translated

__all__ = ["finish_sweep", "is_sweep_due", "sweep"]

_PATIENCE_SECONDS = 30.0  # for readers of old pages
_PAUSE_SECONDS = 0.05
# Every table that held something of a record; `queue` and `places` did for a while.
_SWEPT = (
    schema.submissions,
    schema.known_envelopes,
    schema.nonces,
    schema.queue,
    schema.entries,
    schema.places,
    schema.digests,
    schema.erased,
    schema.refusals,
    schema.idempotency,
    schema.responses,
    schema.document_numbers,
)


def is_sweep_due(engine: Engine) -> bool:
    """Tell whether an erasure has not cleared the files yet."""
    with looking(engine) as connection:
        return bool(connection.execute(select(schema.erasing.c.due)).scalar())


def finish_sweep(engine: Engine) -> None:
    """Clear the files of a SQLite database if an erasure was stopped before it had.

    On PostgreSQL this is for the owner (`vermilion erase --finish`); fsck tells of it.

    Raises:
        UnavailableError: ``store.busy``, ``store.disk-full``: it is still due.
    """
    if engine.dialect.name == "sqlite" and is_sweep_due(engine):
        sweep(engine)


def sweep(engine: Engine) -> bool:
    """Clear the files; on return nothing of what was deleted is in them.

    May be repeated at will. Takes as long as writing the database anew, and as
    much free space; others wait meanwhile.

    Returns:
        True if the write-ahead log is cleared as well. Where PostgreSQL does
        not let this role do so, or reuses the files of its log, it is not.

    Raises:
        UnavailableError: ``store.busy``, ``store.disk-full``: it is still due.
    """
    if engine.dialect.name == "sqlite":
        _sweep_sqlite(engine)
        is_log_cleared = True
    else:
        is_log_cleared = _sweep_postgres(engine)
    with writing(engine) as connection:
        connection.execute(update(schema.erasing).values(due=0))
    return is_log_cleared


def _sweep_sqlite(engine: Engine) -> None:
    try:
        with closing(engine.raw_connection()) as pooled:
            cursor = pooled.cursor()
            cursor.execute("VACUUM")
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                if time.monotonic() > deadline:
                    raise UnavailableError("store.busy", "others still read what was destroyed")
                time.sleep(_PAUSE_SECONDS)
    except sqlite3.Error as exc:
        raise translate_sqlite(exc) from exc


def _sweep_postgres(engine: Engine) -> bool:
    with translated(), engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        for table in _SWEPT:
            connection.exec_driver_sql(f"VACUUM (FULL, ANALYZE) {table.name}")
        # What ANALYZE had sampled for the planner: values of the columns themselves.
        connection.exec_driver_sql("VACUUM (FULL) pg_catalog.pg_statistic")
    return _clear_log(engine)


def _clear_log(engine: Engine) -> bool:
    """Begin a new file of the write-ahead log and let the server remove those before it."""
    try:
        with translated(), engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            is_reused = connection.exec_driver_sql("SHOW wal_recycle").scalar() == "on"
            _switch(connection)
    except EvidenceError as exc:
        if exc.code != "store.not-allowed":
            raise
        return False
    return not is_reused


def _switch(connection: Connection) -> None:
    connection.exec_driver_sql("SELECT pg_switch_wal()")
    connection.exec_driver_sql("CHECKPOINT")
