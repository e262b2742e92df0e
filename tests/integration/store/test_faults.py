"""Disk full, database locked, database gone: unavailable, and nothing is lost."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.pool import PoolProxiedConnection

from postgres import PostgresServer, find_postgres, running_postgres
from store_kit import (
    accept,
    make_sequencer,
    make_submission,
    make_writer,
    place,
    published,
    replayed,
    replayed_leaves,
    told,
)
from vermilion_ledger.errors import EvidenceError, IntegrityError, UnavailableError
from vermilion_ledger.intake import Intake
from vermilion_ledger.ports import IntakeStore
from vermilion_ledger.sequencer import SequencerTiming
from vermilion_ledger.store import Database
from vermilion_ledger.store.engine import writing
from vermilion_ledger.tilestore.posix import PosixTileStore

Opener = Callable[..., Database]


def pages(url: str) -> int:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return int(connection.execute("PRAGMA page_count").fetchone()[0])


@pytest.mark.parametrize("mode", ["queued", "direct"])
def test_a_full_disk_refuses_and_loses_nothing_acknowledged(
    sqlite_url: str, opened: Opener, mode: str
) -> None:
    quota = opened(sqlite_url, page_count_max=pages(sqlite_url) + 40)
    sequencer = make_sequencer(quota)
    acknowledged: list[int] = []

    def submit_for_ever() -> None:
        with Intake(sequencer if mode == "direct" else quota.intake) as intake:
            while True:
                future = intake.submit([make_submission(size=3000)])
                acknowledged.extend(future.result(30).positions)

    with pytest.raises(UnavailableError) as caught:
        submit_for_ever()

    assert caught.value.code == "store.disk-full"
    assert acknowledged
    roomy = opened(sqlite_url)
    assert roomy.log.load_states(acknowledged).keys() == set(acknowledged)
    sequencer.release()
    successor = make_sequencer(roomy)
    successor.sequence_batch()
    assert place(successor, make_submission())[0].index == len(acknowledged)
    assert len(replayed_leaves(roomy)) == len(acknowledged) + 1


def test_a_sequencer_goes_on_where_it_was_when_the_disk_has_room_again(
    sqlite_url: str, opened: Opener
) -> None:
    roomy = opened(sqlite_url)
    quota = opened(sqlite_url, page_count_max=pages(sqlite_url) + 40)
    sequencer = make_sequencer(quota)
    place(sequencer, make_submission(), make_submission())
    bulk = [make_submission(size=3000) for _ in range(200)]

    for _ in range(2):
        with pytest.raises(UnavailableError) as caught:
            place(sequencer, *bulk)
        assert caught.value.code == "store.disk-full"
        assert roomy.log.count_entries() == 2

    assert told(place(sequencer, make_submission())) == [("sequenced", 2, 2)]


def test_a_disk_that_fills_under_the_sequencer_changes_nothing(
    sqlite_url: str, opened: Opener, tiles: PosixTileStore
) -> None:
    roomy = opened(sqlite_url)
    positions = accept(roomy, *(make_submission() for _ in range(2001)))
    used = pages(sqlite_url)
    quota = opened(sqlite_url, page_count_max=used + 2)
    sequencer = make_sequencer(quota)

    for _ in range(2):
        with pytest.raises(UnavailableError) as caught:
            sequencer.sequence_batch()
        assert caught.value.code == "store.disk-full"
        assert roomy.log.count_entries() == 0
    sequencer.release()

    successor = make_writer(roomy, tiles)
    successor.sequencer.sequence_batch()
    assert published(successor) == replayed(roomy)
    assert roomy.log.count_entries() == len(positions)


def test_a_locked_database_is_busy_and_free_again(sqlite_url: str, opened: Opener) -> None:
    database = opened(sqlite_url, busy_timeout_seconds=0.05)
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(UnavailableError) as caught:
            accept(database, make_submission())

        assert caught.value.code == "store.busy"
        assert database.log.count_entries() == 0  # readers are not kept out
        other.rollback()
    assert accept(database, make_submission())


def test_a_locked_row_is_busy_on_postgresql(postgres_url: str, opened: Opener) -> None:
    database, other = opened(postgres_url, busy_timeout_seconds=0.05), opened(postgres_url)
    sequencer = make_sequencer(database)
    with writing(other.engine) as connection:
        connection.exec_driver_sql("SELECT * FROM lease FOR UPDATE")

        with pytest.raises(UnavailableError) as caught:
            sequencer.renew()

        assert caught.value.code == "store.busy"
    sequencer.renew()


def test_every_connection_in_use_is_busy(sqlite_url: str, opened: Opener) -> None:
    database = opened(sqlite_url, pool_size=1)
    database.engine.pool._timeout = 0.05  # type: ignore[attr-defined]
    with (
        database.engine.connect(),
        database.engine.connect(),
        pytest.raises(UnavailableError) as caught,
    ):
        database.log.count_entries()

    assert caught.value.code == "store.busy"


def test_a_missing_folder_is_out_of_reach(tmp_path: Path, opened: Opener) -> None:
    with pytest.raises(UnavailableError) as caught:
        opened(f"sqlite:///{tmp_path}/none/ledger.db").log.count_entries()

    assert caught.value.code == "store.unreachable"


def test_a_file_that_is_no_database_is_corrupt(tmp_path: Path, opened: Opener) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)

    with pytest.raises(IntegrityError) as caught:
        opened(f"sqlite:///{path}").log.count_entries()

    assert caught.value.code == "store.corrupt"


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("53100", "store.disk-full"), ("53200", "store.unreachable"), ("53300", "store.busy"),
        ("40001", "store.conflict"), ("40P01", "store.conflict"), ("55P03", "store.busy"),
        ("57014", "store.busy"), ("25006", "store.unreachable"), ("58030", "store.unreachable"),
        ("23505", "store.conflict"), ("23514", "store.failed"), ("XX001", "store.corrupt"),
        ("42501", "store.not-allowed"), ("22000", "store.failed"), ("VM001", "store.append-only"),
    ],
)  # fmt: skip
def test_every_sqlstate_has_its_meaning(
    postgres_url: str, opened: Opener, state: str, code: str
) -> None:
    database = opened(postgres_url)

    with pytest.raises(EvidenceError) as caught, writing(database.engine) as connection:
        connection.exec_driver_sql(
            f"DO $$BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END$$"
        )

    assert caught.value.code == code


def test_a_statement_that_is_wrong_is_our_own_fault(database: Database) -> None:
    with pytest.raises(IntegrityError) as caught, writing(database.engine) as connection:
        connection.exec_driver_sql("SELEKT 1")

    assert caught.value.code == "store.failed"


def test_a_bug_in_the_store_answers_its_callers_and_the_writer_lives(
    store: IntakeStore, database: Database
) -> None:
    fails = [True]

    def fail_once(*_: object) -> None:
        if fails.pop() if fails else False:
            raise RuntimeError("a bug")

    with Intake(store) as intake:
        intake.submit([make_submission()]).result(30)
        event.listen(database.engine, "before_cursor_execute", fail_once)
        with pytest.raises(IntegrityError) as caught:
            intake.submit([make_submission()]).result(30)
        assert caught.value.code == "store.failed"
        assert intake.submit([make_submission()]).result(30).positions
    assert len(database.log.load_states(range(1, 99))) == 2


MOMENTS = ("INSERT INTO entries", "INSERT INTO places", "before the commit", "after the commit")


class Fault:
    """One write that fails: at a statement, or before or after its commit."""

    def __init__(self, database: Database, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self._engine, self._moment, self._patch = database.engine, moment, monkeypatch
        self._do_commit = database.engine.dialect.do_commit
        self._seen: list[str] = []
        event.listen(self._engine, "before_cursor_execute", self._look)
        monkeypatch.setattr(database.engine.dialect, "do_commit", self._commit)

    def _look(self, _: object, __: object, text: str, *___: object) -> None:
        self._seen.append(text)
        if text.startswith(self._moment):
            event.remove(self._engine, "before_cursor_execute", self._look)
            raise OSError("the disk said no")

    def _commit(self, connection: PoolProxiedConnection) -> None:
        is_write = any("INSERT INTO entries" in each for each in self._seen)
        if self._moment.endswith("commit") and is_write:
            self._patch.undo()
            if self._moment == "after the commit":
                self._do_commit(connection)
            raise OSError("the disk said no")
        self._do_commit(connection)


@pytest.mark.parametrize("moment", [*MOMENTS, "DELETE FROM queue"])
def test_a_batch_that_fails_once_is_repeated_to_one_truth(
    database: Database, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    positions = accept(database, *(make_submission() for _ in range(300)))
    sequencer = make_sequencer(database)
    Fault(database, moment, monkeypatch)

    with pytest.raises(OSError, match="the disk said no"):
        sequencer.sequence_batch()
    assert database.log.count_entries() == (300 if moment == "after the commit" else 0)
    sequencer.sequence_batch()

    assert len(replayed_leaves(database)) == len(positions)
    assert told(place(sequencer, make_submission())) == [("sequenced", 300, 300)]


@pytest.mark.parametrize("moment", [*MOMENTS, "INSERT INTO submissions"])
def test_a_group_that_fails_once_is_submitted_again_to_one_truth(
    database: Database, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sequencer = make_sequencer(database)
    place(sequencer, make_submission(), make_submission("b"))
    group = [make_submission(), make_submission("b"), make_submission("c")]
    Fault(database, moment, monkeypatch)

    with pytest.raises(OSError, match="the disk said no"):
        place(sequencer, *group)
    assert database.log.count_entries() == (5 if moment == "after the commit" else 2)

    expected = [("sequenced", 2, 1), ("sequenced", 3, 1), ("sequenced", 4, 0)]
    assert told(place(sequencer, *group)) == expected
    assert told(place(sequencer, *group)) == expected
    assert told(place(sequencer, make_submission())) == [("sequenced", 5, 2)]
    assert len(replayed_leaves(database)) == 6


def test_the_intake_tells_callers_when_nobody_knows(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit was done, and the answer of the database was lost."""
    sequencer = make_sequencer(database)
    submission = make_submission()
    with Intake(sequencer) as intake:
        Fault(database, "after the commit", monkeypatch)
        with pytest.raises(EvidenceError):
            intake.submit([submission]).result(30)
        again = intake.submit([submission]).result(30)

    assert told(again.states or ()) == [("sequenced", 0, 0)]
    assert database.log.count_entries() == 1


def test_a_database_that_goes_and_comes_back_loses_nothing(
    opened: Opener, tiles: PosixTileStore
) -> None:
    if find_postgres() is None:
        pytest.skip("initdb, pg_ctl and postgres are not installed")
    with running_postgres() as server:
        crash_and_return(server, opened, tiles)


def crash_and_return(server: PostgresServer, opened: Opener, tiles: PosixTileStore) -> None:
    database = opened(server.url(server.create_database()))
    database.migrate()
    timing = SequencerTiming(publish_interval_seconds=0.05, retry_seconds=0.05)
    writer = make_writer(database, tiles, timing=timing)
    stop = threading.Event()
    loop = threading.Thread(target=writer.run, args=(stop,))
    loop.start()
    acknowledged: list[int] = []
    with Intake(database.intake) as intake:
        acknowledged += intake.submit([make_submission(), make_submission()]).result(30).positions
        server.stop("immediate")
        with pytest.raises(UnavailableError) as caught:
            intake.submit([make_submission()]).result(30)
        assert caught.value.code == "store.unreachable"
        time.sleep(0.3)
        server.start()
        acknowledged += submitted_again(intake)
    deadline = time.monotonic() + 30
    while database.heads.load_head().size < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    loop.join()

    states = database.log.load_states(acknowledged).values()
    assert {each.state for each in states} == {"sequenced"}
    head = database.heads.load_head()
    assert (head.size, head.root) == replayed(database)
    assert head.size == 3


def submitted_again(intake: Intake) -> tuple[int, ...]:
    """Submit until a connection is new; a server that came back has closed the old ones."""
    submission = make_submission()
    for _ in range(20):
        try:
            return intake.submit([submission]).result(30).positions
        except UnavailableError:
            time.sleep(0.05)
    raise AssertionError("the database did not come back")
