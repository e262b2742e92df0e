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
from store_kit import accept, make_sequencer, make_submission, system_clock
from vermilion_ledger.errors import EvidenceError, IntegrityError, UnavailableError
from vermilion_ledger.intake import Intake
from vermilion_ledger.recheck import recheck_tree
from vermilion_ledger.sequencer import SequencerTiming
from vermilion_ledger.store import Database
from vermilion_ledger.store.engine import writing

Opener = Callable[..., Database]


def pages(url: str) -> int:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return int(connection.execute("PRAGMA page_count").fetchone()[0])


def test_a_full_disk_refuses_and_loses_nothing_acknowledged(
    sqlite_url: str, opened: Opener
) -> None:
    quota = opened(sqlite_url, page_count_max=pages(sqlite_url) + 40)
    acknowledged: list[bytes] = []

    def submit_for_ever() -> None:
        with Intake(quota.intake, system_clock) as intake:
            intake.submit([make_submission(new=True)]).result(30)
            while True:
                future = intake.submit([make_submission(size=3000)])
                acknowledged.extend(future.result(30).submission_ids)

    with pytest.raises(UnavailableError) as caught:
        submit_for_ever()

    assert caught.value.code == "store.disk-full"
    assert acknowledged
    roomy = opened(sqlite_url)
    assert roomy.log.load_states(acknowledged).keys() == set(acknowledged)
    assert len(accept(roomy, make_submission())) == 1


def test_a_disk_that_fills_under_the_sequencer_changes_nothing(
    sqlite_url: str, opened: Opener
) -> None:
    roomy = opened(sqlite_url)
    ids = accept(roomy, make_submission(new=True), *(make_submission() for _ in range(2000)))
    used = pages(sqlite_url)
    quota = opened(sqlite_url, page_count_max=used + 2)
    sequencer = make_sequencer(quota)

    for _ in range(2):
        with pytest.raises(UnavailableError) as caught:
            sequencer.sequence_batch()
        assert caught.value.code == "store.disk-full"
        assert roomy.log.count_entries() == 0
    sequencer.release()

    successor = make_sequencer(roomy)
    successor.sequence_batch()
    checkpoint = successor.publish()
    assert checkpoint is not None
    assert recheck_tree(roomy.log) == (len(ids), checkpoint.root)


def test_a_locked_database_is_busy_and_free_again(sqlite_url: str, opened: Opener) -> None:
    database = opened(sqlite_url, busy_timeout_seconds=0.05)
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(UnavailableError) as caught:
            accept(database, make_submission(new=True))

        assert caught.value.code == "store.busy"
        assert database.log.count_entries() == 0  # readers are not kept out
        other.rollback()
    assert accept(database, make_submission(new=True))


def test_a_locked_row_is_busy_on_postgresql(postgres_url: str, opened: Opener) -> None:
    database, other = opened(postgres_url, busy_timeout_seconds=0.05), opened(postgres_url)
    sequencer = make_sequencer(database)
    with writing(other.engine) as connection:
        connection.exec_driver_sql("SELECT * FROM lease FOR UPDATE")

        with pytest.raises(UnavailableError) as caught:
            sequencer._renew()

        assert caught.value.code == "store.busy"
    sequencer._renew()


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
    database: Database,
) -> None:
    fails = [True]

    def fail_once(*_: object) -> None:
        if fails.pop() if fails else False:
            raise RuntimeError("a bug")

    event.listen(database.engine, "before_cursor_execute", fail_once)
    with Intake(database.intake, system_clock) as intake:
        with pytest.raises(IntegrityError) as caught:
            intake.submit([make_submission(new=True)]).result(30)
        assert caught.value.code == "store.failed"
        again = make_submission(new=True)
        assert intake.submit([again]).result(30).submission_ids == (again.submission_id,)


@pytest.mark.parametrize(
    "moment", ["INSERT INTO entries", "DELETE FROM queue", "before the commit", "after the commit"]
)
def test_a_write_that_fails_once_is_repeated_to_one_truth(
    database: Database, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = accept(database, make_submission(new=True), *(make_submission() for _ in range(299)))
    sequencer = make_sequencer(database)
    dialect = database.engine.dialect
    do_commit = dialect.do_commit
    seen: list[str] = []

    def look(_: object, __: object, text: str, *___: object) -> None:
        seen.append(text)
        if text.startswith(moment):
            event.remove(database.engine, "before_cursor_execute", look)
            raise OSError("the disk said no")

    def commit(connection: PoolProxiedConnection) -> None:
        if moment.endswith("commit") and any("INSERT INTO entries" in each for each in seen):
            monkeypatch.undo()
            if moment == "after the commit":
                do_commit(connection)
            raise OSError("the disk said no")
        do_commit(connection)

    event.listen(database.engine, "before_cursor_execute", look)
    monkeypatch.setattr(dialect, "do_commit", commit)

    with pytest.raises(OSError, match="the disk said no"):
        sequencer.sequence_batch()
    assert database.log.count_entries() == (300 if moment == "after the commit" else 0)
    sequencer.sequence_batch()

    checkpoint = sequencer.publish()
    assert checkpoint is not None
    assert recheck_tree(database.log) == (len(ids), checkpoint.root)


@pytest.mark.parametrize("is_saved", [False, True])
def test_a_checkpoint_that_failed_is_looked_up_before_the_next(
    database: Database, monkeypatch: pytest.MonkeyPatch, is_saved: bool
) -> None:
    accept(database, make_submission(new=True))
    sequencer = make_sequencer(database)
    sequencer.sequence_batch()
    dialect = database.engine.dialect
    do_commit = dialect.do_commit
    seen: list[str] = []

    def commit(connection: PoolProxiedConnection) -> None:
        if any("INSERT INTO checkpoints" in each for each in seen):
            monkeypatch.undo()
            if is_saved:
                do_commit(connection)
            raise OSError("the disk said no")
        do_commit(connection)

    def look(_: object, __: object, text: str, *___: object) -> None:
        seen.append(text)

    event.listen(database.engine, "before_cursor_execute", look)
    monkeypatch.setattr(dialect, "do_commit", commit)

    with pytest.raises(OSError, match="the disk said no"):
        sequencer.publish()
    assert (sequencer.publish() is None) == is_saved
    accept(database, make_submission())
    sequencer.sequence_batch()

    checkpoint = sequencer.publish()
    assert checkpoint is not None
    assert checkpoint.size == 2
    assert len(database.log.list_checkpoints(before=None, limit=9)) == 2


def test_a_database_that_goes_and_comes_back_loses_nothing(opened: Opener) -> None:
    if find_postgres() is None:
        pytest.skip("initdb, pg_ctl and postgres are not installed")
    with running_postgres() as server:
        crash_and_return(server, opened)


def crash_and_return(server: PostgresServer, opened: Opener) -> None:
    database = opened(server.url(server.create_database()))
    database.migrate()
    accept(database, make_submission(new=True))
    timing = SequencerTiming(publish_interval_seconds=0.05, retry_seconds=0.05)
    sequencer = make_sequencer(database, timing=timing)
    stop = threading.Event()
    loop = threading.Thread(target=sequencer.run, args=(stop,))
    loop.start()
    acknowledged: list[bytes] = []
    with Intake(database.intake, system_clock) as intake:
        acknowledged += intake.submit([make_submission()]).result(30).submission_ids
        server.stop("immediate")
        with pytest.raises(UnavailableError) as caught:
            intake.submit([make_submission()]).result(30)
        assert caught.value.code == "store.unreachable"
        time.sleep(0.3)
        server.start()
        acknowledged += intake.submit([make_submission()]).result(30).submission_ids
    deadline = time.monotonic() + 30
    while database.log.load_head().size < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    loop.join()

    states = database.log.load_states(acknowledged).values()
    assert {each.state for each in states} == {"sequenced"}
    assert database.log.load_head().size == recheck_tree(database.log)[0] == 3
