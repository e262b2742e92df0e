"""Where the logs of the crash regime are kept: every database with every tile driver.

`Site` owns the servers' addresses and makes an empty place for each trial.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.request import Request, urlopen

import psycopg

from crash.cycle import Place
from postgres import PostgresServer

__all__ = ["LAYOUTS", "Layout", "Site"]

_BUCKET = "crash"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A way to keep a log.

    Attributes:
        name: For people.
        database: ``sqlite`` or ``postgresql``.
        tiles: ``posix`` or ``s3``.
        is_direct: Whether intake and sequencer are one transaction.
        has_own_head: Whether the head has a database of its own.
        roles: Threads whose calls are aimed at; empty for all. Where only the
            tile store differs from another layout, only its calls do.
    """

    name: str
    database: str
    tiles: str
    is_direct: bool = False
    has_own_head: bool = False
    roles: tuple[str, ...] = ()


LAYOUTS = (
    Layout(name="SQLite, one transaction", database="sqlite", tiles="posix", is_direct=True),
    Layout(name="SQLite, queue", database="sqlite", tiles="posix"),
    Layout(
        name="SQLite, head apart",
        database="sqlite",
        tiles="posix",
        is_direct=True,
        has_own_head=True,
    ),
    Layout(
        name="SQLite, one transaction, S3",
        database="sqlite",
        tiles="s3",
        is_direct=True,
        roles=("http",),
    ),
    Layout(name="PostgreSQL, queue", database="postgresql", tiles="posix"),
    Layout(
        name="PostgreSQL, queue, S3",
        database="postgresql",
        tiles="s3",
        roles=("http",),
    ),
)


class Site:
    """Makes empty places; owned by one worker, which has its servers to itself."""

    def __init__(
        self, folder: Path, *, postgres: PostgresServer | None = None, s3_endpoint: str = ""
    ) -> None:
        self.folder = folder
        self._postgres = postgres
        self._s3_endpoint = s3_endpoint
        self._numbers = count()
        if s3_endpoint:
            with urlopen(Request(f"{s3_endpoint}/{_BUCKET}", method="PUT"), timeout=10):
                pass

    def has(self, layout: Layout) -> bool:
        """Tell whether the servers for a layout are here."""
        return bool(
            (layout.database == "sqlite" or self._postgres)
            and (layout.tiles == "posix" or self._s3_endpoint)
        )

    def make(self, layout: Layout) -> Place:
        """Return an empty place."""
        number = next(self._numbers)
        home = self.folder / f"home{number}"
        home.mkdir()
        tiles = head = ""
        if layout.tiles == "s3":
            name = f"{os.getpid()}-{number}"
            tiles = (
                f"s3://{_BUCKET}/{name}?endpoint={self._s3_endpoint}&region=eu-1&allow_http=true"
            )
        if layout.database == "sqlite":
            database = f"sqlite:///{home}/log.db"
            head = f"sqlite:///{home}/head.db" if layout.has_own_head else ""
        else:
            database = self._server.url(self._run("CREATE DATABASE", f"p{number}", _TEMPLATE))
        return Place(
            database=database, head=head, tiles=tiles, home=home, is_direct=layout.is_direct
        )

    def drop(self, place: Place) -> None:
        """Remove a place."""
        shutil.rmtree(place.home)
        if place.database.startswith("postgresql"):
            self._run("DROP DATABASE", place.database.rpartition("/")[2], "WITH (FORCE)")

    def crash_server(self, *, whole: bool) -> None:
        """Crash the database server and wait until it has recovered.

        Args:
            whole: Stop all of it at once; else the processes of sessions are
                killed, whereupon the server ends the others and recovers.
        """
        sessions = [] if whole else self._sessions()
        if not sessions:  # none there yet: the client was about to log in
            self._server.stop("immediate")
            self._server.start()
            return
        for process in sessions:
            os.kill(process, signal.SIGKILL)
        self._await_server()

    def _sessions(self) -> list[int]:
        query = "SELECT pid FROM pg_stat_activity WHERE datname ~ '^p[0-9]+$'"
        connection = psycopg.connect(self._server.url("postgres"))
        try:
            return [process for (process,) in connection.execute(query).fetchall()]
        finally:
            connection.close()

    def _await_server(self) -> None:
        deadline = time.monotonic() + 30
        while True:
            try:
                time.sleep(0.05)  # until the server has noticed
                psycopg.connect(self._server.url("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
            else:
                return

    @property
    def _server(self) -> PostgresServer:
        assert self._postgres is not None
        return self._postgres

    def _run(self, what: str, name: str, how: str) -> str:
        with psycopg.connect(self._server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"{what} {name} {how}".encode())
        return name


_TEMPLATE = "TEMPLATE template0 STRATEGY file_copy"
