"""Moving SQLite's write-ahead log into the database, off the writer's path.

By default whoever commits and finds the log long copies it over, and everybody
behind him waits. Here a thread of its own copies while writers go on, and
holds them up only for the last pages, when the log has become long, so that
it starts over. Durability does not depend on any of this (sqlite.org/wal.html).
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from contextlib import closing

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

__all__ = ["WalKeeper"]

_PAUSE_SECONDS = 0.25
_LONG = 8192  # pages: 32 MiB
_PATIENCE_MS = 50  # for readers of old pages, when the log is to start over


class WalKeeper:
    """A thread that keeps the log short; on PostgreSQL it does nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._logger = logging.getLogger(__name__)

    def start(self) -> None:
        """Start the thread."""
        if self._engine.dialect.name == "sqlite" and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="vermilion-wal", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_PAUSE_SECONDS):
            try:
                self._copy()
            except (SQLAlchemyError, sqlite3.Error) as exc:  # the next commit will meet it too
                self._logger.warning("the write-ahead log was not copied: %s", exc)

    def _copy(self) -> None:
        with closing(self._engine.raw_connection()) as pooled:
            cursor = pooled.cursor()
            _, pages, _ = cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if pages > _LONG:
                before = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
                cursor.execute(f"PRAGMA busy_timeout={_PATIENCE_MS}").fetchone()
                try:
                    cursor.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
                finally:
                    cursor.execute(f"PRAGMA busy_timeout={before}").fetchone()
