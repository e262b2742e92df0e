"""SQLite's write-ahead log stays short under load, and nobody waits long for that."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from store_kit import accept, make_sequencer, make_submission, place
from vermilion_ledger.store import Database
from vermilion_ledger.store.engine import reading
from vermilion_ledger.store.wal import WalKeeper

Opener = Callable[..., Database]
MIB = 1024 * 1024
LONG = 32 * MIB  # from here on the log is made to start over


@contextmanager
def keeping(database: Database) -> Iterator[WalKeeper]:
    keeper = WalKeeper(database.engine)
    keeper.start()
    try:
        yield keeper
    finally:
        keeper.close()


def wal(url: str) -> Path:
    return Path(f"{url.removeprefix('sqlite:///')}-wal")


def load(database: Database, megabytes: int) -> float:
    """Write so many MiB in transactions of two; return the longest of them in seconds."""
    sequencer, longest = make_sequencer(database), 0.0
    batch = [make_submission(size=45_000) for _ in range(32)]
    for _ in range(megabytes // 2):
        started = time.monotonic()
        place(sequencer, *(make_submission(size=45_000) for _ in range(len(batch))))
        longest = max(longest, time.monotonic() - started)
    sequencer.release()
    return longest


def test_the_log_stays_short_under_load(sqlite_url: str, opened: Opener) -> None:
    database, sizes, stop = opened(sqlite_url), [0], threading.Event()
    accept(database, make_submission())

    def look() -> None:
        while not stop.wait(0.02):
            sizes.append(wal(sqlite_url).stat().st_size)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        with keeping(database):
            load(database, 160)
    finally:
        stop.set()
        looking.join()

    assert LONG / 2 < max(sizes) < 3 * LONG
    assert database.log.count_entries() == 160 // 2 * 32


def test_without_the_keeper_the_log_grows_to_its_safety_net(
    sqlite_url: str, opened: Opener
) -> None:
    database = opened(sqlite_url)

    load(database, 160)

    assert wal(sqlite_url).stat().st_size > 4 * LONG


def test_a_reader_of_old_pages_keeps_nobody_waiting(sqlite_url: str, opened: Opener) -> None:
    database = opened(sqlite_url)
    accept(database, make_submission())
    with reading(database.engine) as connection:
        connection.exec_driver_sql("SELECT count(*) FROM submissions").fetchone()
        load(database, 48)
        keeper = WalKeeper(database.engine)

        started = time.monotonic()
        keeper._copy()  # finds the log long and cannot start it over
        took = time.monotonic() - started

        assert took < 5  # copying 48 MiB; it waits for the reader for 50 ms of them
        assert wal(sqlite_url).stat().st_size > LONG
        accept(database, make_submission())
    keeper._copy()
    accept(database, make_submission())  # starts over, and cuts the file to its limit

    assert wal(sqlite_url).stat().st_size <= 64 * MIB
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 15_000


def test_nothing_acknowledged_is_lost_when_the_log_starts_over(
    sqlite_url: str, opened: Opener
) -> None:
    database = opened(sqlite_url)
    with keeping(database):
        positions = [
            state.position
            for _ in range(30)
            for state in place_once(database, [make_submission(size=45_000) for _ in range(32)])
        ]
    database.close()

    found = opened(sqlite_url).log.load_states(positions)

    assert len(found) == len(set(positions)) == 30 * 32


def place_once(database: Database, submissions: list) -> tuple:  # type: ignore[type-arg]
    sequencer = make_sequencer(database)
    try:
        return place(sequencer, *submissions)
    finally:
        sequencer.release()


def test_a_database_out_of_reach_does_not_end_the_keeper(
    tmp_path: Path, opened: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    database = opened(f"sqlite:///{tmp_path}/none/ledger.db")
    with keeping(database) as keeper:
        deadline = time.monotonic() + 10
        while len(caplog.records) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert keeper._thread is not None
        assert keeper._thread.is_alive()

    assert "the write-ahead log was not copied" in caplog.text


def test_on_postgresql_there_is_nothing_to_keep(postgres_url: str, opened: Opener) -> None:
    with keeping(opened(postgres_url)) as keeper:
        assert keeper._thread is None


def test_a_keeper_started_twice_is_one(sqlite_database: Database) -> None:
    with keeping(sqlite_database) as keeper:
        first = keeper._thread
        keeper.start()
        assert keeper._thread is first
