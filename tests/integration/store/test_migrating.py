"""Migrating: many processes at once, and nothing that only one kind of database has."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from postgres import PostgresServer
from store_filled import fill
from store_kit import accept, make_submission, make_tiles, make_writer
from vermilion_ledger.log import LogReader
from vermilion_ledger.store import Database
from vermilion_ledger.store.migrate import NEWEST_REVISION, stored_revision
from vermilion_ledger.store.watching import SqlWatch

Opener = Callable[..., Database]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database with no table in it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.url(server.create_database())


MIGRATE = """
import sys
from vermilion_ledger.store import open_database
from vermilion_ledger.store.migrate import newest_revision

database = open_database(sys.argv[1])
newest_revision()  # what is loaded late is loaded now
print("ready", flush=True)
sys.stdin.readline()
database.migrate()
database.check()
"""


@pytest.mark.parametrize("turn", range(3))
def test_of_many_that_migrate_at_once_all_find_what_they_wanted(
    empty_url: str, opened: Opener, tmp_path: Path, repository: Path, turn: int
) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MIGRATE, empty_url],
            env={**os.environ, "PYTHONPATH": str(repository / "ledger")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for each in processes:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in processes:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    failures = [each.communicate(timeout=120)[1][-600:] for each in processes]

    assert [each.returncode for each in processes] == [0] * 4, (turn, failures)
    database = opened(empty_url)
    assert stored_revision(database.engine) == NEWEST_REVISION
    fill(database, make_tiles(tmp_path))


def heard(engine: Engine) -> list[str]:
    """Note every statement that an engine sends."""
    statements: list[str] = []

    def note(_: object, __: object, text: str, *___: object) -> None:
        statements.append(" ".join(text.upper().split()))

    event.listen(engine, "before_cursor_execute", note)
    return statements


def test_nothing_is_sent_that_other_databases_have_not(
    empty_url: str, opened: Opener, tmp_path: Path
) -> None:
    database, tiles = opened(empty_url), make_tiles(tmp_path)
    statements = heard(database.engine)
    database.migrate()
    fill(database, tiles)
    writer = make_writer(database, tiles)
    writer.place(3)
    writer.sequencer.renew()
    accept(database, make_submission("b"))
    writer.grow()
    reader = LogReader(database.log, database.heads, tiles)
    reader.record_entries(make_submission("b").record_id)
    reader.find_by_digest(make_submission().digest)
    reader.submission_states(range(9))
    reader.checkpoints()
    watch = SqlWatch(database.engine)
    watch.load_lease()
    watch.count_waiting()
    writer.sequencer.release()

    assert len(statements) > 50
    for word in ("ADVISORY", "LISTEN", "NOTIFY", "LOCK TABLE", "SKIP LOCKED", "PG_SLEEP"):
        assert [each for each in statements if word in each] == [], word
    # Rows are found by being there, never by being newer than the last one seen.
    queries = [each for each in statements if each.startswith("SELECT")]
    assert [each for each in queries if "POSITION >" in each] == []
