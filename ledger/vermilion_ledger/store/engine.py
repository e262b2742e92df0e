"""Opening a database so that a commit means durable, or not opening it.

SQLite runs in WAL mode with ``synchronous=FULL``; every PRAGMA is read back on
every connection, as SQLite ignores what it does not like without a word.
PostgreSQL must have ``fsync``, ``full_page_writes`` and
``synchronous_commit`` on, speak UTF-8 and UTC, and be no replica. Transactions
are opened by `reading` and `writing` only.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from vermilion_ledger.errors import InputError, IntegrityError
from vermilion_ledger.store.faults import translated

__all__ = ["is_sqlite", "looking", "open_engine", "reading", "writing"]

_PRAGMAS: tuple[tuple[str, str, object], ...] = (
    # name, what is set, what must be read back
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),
    ("fullfsync", "ON", 1),  # macOS: flush the drive's cache too
    ("foreign_keys", "ON", 1),
    ("recursive_triggers", "ON", 1),  # without it, REPLACE deletes past our triggers
    ("trusted_schema", "OFF", 0),
    ("cell_size_check", "ON", 1),
    ("cache_size", "-32768", -32768),  # KiB, for each connection
    # Pages; only a safety net: `vermilion_ledger.store.wal` is before it.
    ("wal_autocheckpoint", "65536", 65536),
    ("journal_size_limit", "67108864", 67108864),  # bytes
)
# A process that was stopped inside a transaction gives its locks up: a standby waits for them.
_IDLE_MS = 7000
_BUSY_SECONDS = 0.01  # between two tries to change a file that others open as well
_SETTINGS: tuple[tuple[str, frozenset[str]], ...] = (
    ("fsync", frozenset({"on"})),
    ("full_page_writes", frozenset({"on"})),
    ("synchronous_commit", frozenset({"on", "remote_apply"})),
    ("server_encoding", frozenset({"UTF8"})),
    ("client_encoding", frozenset({"UTF8"})),
    ("TimeZone", frozenset({"UTC"})),
    ("in_hot_standby", frozenset({"off"})),
)


def open_engine(
    url: str,
    *,
    page_count_max: int | None = None,
    pool_size: int = 8,
    busy_timeout_seconds: float = 15.0,
) -> Engine:
    """Return an engine whose connections are durable, or refuse at first use.

    Args:
        url: ``sqlite:////path/to/file`` or ``postgresql://…``.
        page_count_max: Bound on the pages of a SQLite file, for a quota.
        pool_size: Connections kept open.
        busy_timeout_seconds: How long to wait for another writer's lock.

    Raises:
        InputError: ``store.url``: another kind of database, or none.
    """
    wait = round(busy_timeout_seconds * 1000)
    try:
        parsed = make_url(url)
    except ArgumentError as exc:
        raise InputError("store.url", "the database address is not a URL") from exc
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _open_sqlite(parsed, page_count_max, pool_size, wait)
    if backend == "postgresql":
        return _open_postgres(parsed, pool_size, wait)
    raise InputError("store.url", f"no such kind of database here: {backend}")


def is_sqlite(connection: Connection) -> bool:
    """Tell which of the two databases this is."""
    return connection.dialect.name == "sqlite"


@contextmanager
def looking(engine: Engine) -> Iterator[Connection]:
    """Open a connection for one statement that reads: it sees one state by itself."""
    with translated(), engine.connect() as connection:
        if not is_sqlite(connection):
            connection.execution_options(isolation_level="AUTOCOMMIT")
        with connection.begin():
            yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a read transaction that sees one state of the database throughout."""
    with translated(), engine.connect() as connection:
        if not is_sqlite(connection):
            connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine, *, one_state: bool = False) -> Iterator[Connection]:
    """Open a write transaction; leaving the block returns after the durable commit.

    On SQLite the write lock is taken at the start, so that what was read in
    the block cannot have changed when it is written. On PostgreSQL each
    statement sees what others have committed by then; with ``one_state`` all
    see the state at the start.
    """
    with translated(), engine.connect() as connection:
        connection.execution_options(vermilion_begin="BEGIN IMMEDIATE")
        if one_state and not is_sqlite(connection):
            connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


def _open_sqlite(url: URL, page_count_max: int | None, pool_size: int, wait: int) -> Engine:
    path = url.database
    if not path or path == ":memory:" or path.startswith("file:"):
        raise InputError("store.url", "a SQLite database needs a file to be durable")
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        connect_args={"check_same_thread": False},
        pool_size=pool_size,
        max_overflow=pool_size,
    )

    @event.listens_for(engine, "do_connect")
    def create_private(*_: Any) -> None:
        # The file holds salts and record keys; -wal and -shm inherit its mode.
        # A folder that is missing is reported by the connect that follows. A file that is
        # there must not be opened but by SQLite: closing it would drop this process's locks
        # (sqlite.org/howtocorrupt.html, 2.2), and whoever closes the database next would
        # take himself for the last one and delete the write-ahead log under our hands.
        with suppress(OSError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))

    @event.listens_for(engine, "connect")
    def set_pragmas(dbapi_connection: Any, _: Any) -> None:
        # Transactions are opened by `begin_transaction`, not by the driver.
        dbapi_connection.isolation_level = None
        # The time-out first, as the change to WAL may meet a lock.
        wanted = [("busy_timeout", str(wait), wait), *_PRAGMAS]
        if page_count_max is not None:
            wanted.append(("max_page_count", str(page_count_max), page_count_max))
        for name, value, expected in wanted:
            _set_pragma(dbapi_connection, name, value, patience_seconds=wait / 1000)
            found = dbapi_connection.execute(f"PRAGMA {name}").fetchone()
            if found is None or found[0] != expected:
                raise IntegrityError(
                    "store.pragma-refused", f"SQLite keeps {name} at {found}, asked was {value}"
                )

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        options = connection.get_execution_options()
        connection.exec_driver_sql(options.get("vermilion_begin", "BEGIN"))

    return engine


def _set_pragma(dbapi_connection: Any, name: str, value: str, *, patience_seconds: float) -> None:
    """Set a PRAGMA; the change of a fresh file to WAL meets locks that SQLite does not wait for."""
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            dbapi_connection.execute(f"PRAGMA {name}={value}").fetchone()
        except sqlite3.OperationalError as exc:
            is_busy = exc.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > deadline:
                raise
            time.sleep(_BUSY_SECONDS)
        else:
            return


def _open_postgres(url: URL, pool_size: int, wait: int) -> Engine:
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={
            "options": (
                f"-c TimeZone=UTC -c lock_timeout={wait}"
                f" -c idle_in_transaction_session_timeout={_IDLE_MS}"
            ),
            "connect_timeout": 5,
            # A host that vanished without a word is noticed in seconds, not hours.
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 15_000,  # milliseconds
            "client_encoding": "utf8",
        },
        isolation_level="READ COMMITTED",
        pool_size=pool_size,
        max_overflow=pool_size,
    )

    @event.listens_for(engine, "connect")
    def check_settings(dbapi_connection: Any, _: Any) -> None:
        with dbapi_connection.cursor() as cursor:
            for name, allowed in _SETTINGS:
                cursor.execute(f"SHOW {name}")
                found = cursor.fetchone()[0]
                if found not in allowed:
                    raise IntegrityError(
                        "store.setting-refused",
                        f"PostgreSQL has {name}={found}, needed is {' or '.join(sorted(allowed))}",
                    )
        dbapi_connection.rollback()

    return engine
