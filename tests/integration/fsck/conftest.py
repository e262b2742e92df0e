"""A filled log for the tests of fsck, and a real PostgreSQL where one is installed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from log_kit import WrittenLog, fill, open_log
from postgres import PostgresServer, find_postgres, running_postgres

SIZE = 600  # entries: two full bundles and a partial one
FEW = 20


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a filled log; nobody changes it."""
    folder = tmp_path_factory.mktemp("filled")
    log = open_log(folder)
    fill(log, SIZE)
    log.close()
    return folder


@pytest.fixture
def log(filled: Path, tmp_path: Path) -> Iterator[WrittenLog]:
    """A copy of it, open."""
    folder = Path(shutil.copytree(filled, tmp_path / "log"))
    found = open_log(folder)
    yield found
    found.database.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running server."""
    if find_postgres() is None:
        pytest.skip("initdb, pg_ctl and postgres are not installed")
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest) -> Callable[[Path], str]:
    """Makes addresses of empty databases of either kind."""
    if request.param == "sqlite":
        return lambda folder: f"sqlite:///{folder / 'ledger.db'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return lambda _folder: server.url(server.create_database())


@pytest.fixture
def written(tmp_path: Path, new_url: Callable[[Path], str]) -> Iterator[WrittenLog]:
    """A published log with a bundle and more, in a folder of its own, led by this test."""
    folder = tmp_path / "ledger"
    folder.mkdir()
    log = open_log(folder, url=new_url(folder))
    fill(log, FEW)
    log.sequencer.sequence_batch()
    yield log
    log.database.close()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[WrittenLog]:
    """The same on SQLite, where the database makes no difference."""
    folder = tmp_path / "ledger"
    folder.mkdir()
    log = open_log(folder)
    fill(log, FEW)
    log.sequencer.sequence_batch()
    yield log
    log.database.close()
