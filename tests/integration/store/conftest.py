"""Both databases for every test of the store: SQLite files and a real PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from postgres import PostgresServer, find_postgres, running_postgres
from store_kit import make_sequencer, make_tiles
from vermilion_ledger.ports import IntakeStore
from vermilion_ledger.store import Database, open_database
from vermilion_ledger.tilestore.posix import PosixTileStore

Opener = Callable[..., Database]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running server with a migrated database to copy from."""
    if find_postgres() is None:
        pytest.skip("initdb, pg_ctl and postgres are not installed")
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """The name of a migrated database."""
    name = postgres_server.create_database()
    database = open_database(postgres_server.url(name))
    database.migrate()
    database.close()
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file."""
    path = tmp_path_factory.mktemp("template") / "ledger.db"
    database = open_database(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """The address of a migrated, empty SQLite database."""
    path = tmp_path / "ledger.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, postgres_template: str) -> str:
    """The address of a migrated, empty PostgreSQL database."""
    return postgres_server.url(postgres_server.create_database(postgres_template))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of a migrated, empty database of either kind."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    found: str = request.getfixturevalue(name)
    return found


@pytest.fixture
def opened() -> Iterator[Opener]:
    """Opens databases and closes them after the test."""
    databases: list[Database] = []

    def open_it(address: str, **options: float) -> Database:
        databases.append(open_database(address, **options))  # type: ignore[arg-type]
        return databases[-1]

    yield open_it
    for database in databases:
        database.close()


@pytest.fixture
def database(url: str, opened: Opener) -> Database:
    """A migrated, empty database of either kind."""
    return opened(url)


@pytest.fixture
def sqlite_database(sqlite_url: str, opened: Opener) -> Database:
    """A migrated, empty SQLite database."""
    return opened(sqlite_url)


@pytest.fixture
def tiles(tmp_path: Path) -> PosixTileStore:
    """An empty tile store in a folder."""
    return make_tiles(tmp_path)


@pytest.fixture(params=["queued", "direct"])
def store(request: pytest.FixtureRequest, database: Database) -> IntakeStore:
    """What an intake has behind it: a sequencer's queue, or the sequencer itself."""
    return make_sequencer(database) if request.param == "direct" else database.intake
