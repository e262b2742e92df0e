"""The head: swapped by whoever holds it, in the log's database or in one of its own."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from postgres import PostgresServer
from store_kit import (
    ManualClock,
    accept,
    make_submission,
    make_tiles,
    make_writer,
    place,
    published,
    replayed,
)
from store_tamper import refusal_at_start
from vermilion_ledger.errors import ConflictError, EvidenceError, UnavailableError
from vermilion_ledger.merkle import EMPTY_ROOT
from vermilion_ledger.rows import CheckpointRow, Head
from vermilion_ledger.store import Database, open_database, schema
from vermilion_ledger.store.engine import reading
from vermilion_ledger.tilestore.posix import PosixTileStore

Opener = Callable[..., Database]
CLOCK = ManualClock()


def row(size: int, *, epoch: int = 1, root: bytes | None = None) -> CheckpointRow:
    return CheckpointRow(
        size=size,
        root=root or bytes([size]) * 32,
        note=f"note {size}",
        epoch=epoch,
        published_at=CLOCK(),
    )


# -- compare and swap


def test_a_fresh_log_has_an_empty_open_head(database: Database) -> None:
    assert database.heads.load_head() == Head(size=0, root=EMPTY_ROOT, epoch=0, state="open")
    assert database.heads.load_checkpoint() is None
    assert database.heads.oldest_above(0) is None


def test_a_checkpoint_moves_the_head(database: Database) -> None:
    taken = database.heads.take_head(database.heads.load_head(), epoch=1)

    moved = database.heads.save_checkpoint(taken, row(5))

    assert database.heads.load_head() == moved
    assert (moved.size, moved.root, moved.epoch) == (5, row(5).root, 1)
    assert database.heads.load_checkpoint(5) == row(5)


@pytest.mark.parametrize(
    "change", [{"size": 4}, {"root": bytes(32)}, {"epoch": 0}, {"epoch": 2}, {"size": 6}]
)
def test_a_head_that_is_not_the_stored_one_moves_nothing(
    database: Database, change: dict[str, int | bytes]
) -> None:
    taken = database.heads.take_head(database.heads.load_head(), epoch=1)
    head = database.heads.save_checkpoint(taken, row(5))

    swaps: tuple[Callable[[Head], object], ...] = (
        lambda old: database.heads.save_checkpoint(old, row(9)),
        lambda old: database.heads.take_head(old, epoch=3),
    )
    for swap in swaps:
        with pytest.raises(ConflictError) as caught:
            swap(replace(head, **change))  # type: ignore[arg-type]
        assert caught.value.code == "log.head-moved"

    assert database.heads.load_head() == head
    assert database.heads.load_checkpoint(9) is None


@pytest.mark.parametrize(("size", "epoch"), [(4, 1), (5, 0)])
def test_a_head_never_goes_back_even_for_its_holder(
    database: Database, size: int, epoch: int
) -> None:
    taken = database.heads.take_head(database.heads.load_head(), epoch=1)
    head = database.heads.save_checkpoint(taken, row(5))

    with pytest.raises(EvidenceError) as caught:
        database.heads.save_checkpoint(head, row(size, epoch=epoch))

    assert caught.value.code in {"store.append-only", "store.conflict"}
    assert database.heads.load_head() == head


def test_of_many_swaps_of_one_head_one_succeeds(url: str, opened: Opener) -> None:
    head = opened(url).heads.load_head()
    results: list[str] = []
    ready = threading.Barrier(6)

    def race(number: int, database: Database) -> None:
        database.heads.load_head()
        ready.wait(30)
        try:
            database.heads.save_checkpoint(head, row(number))
            results.append("moved")
        except ConflictError as exc:
            results.append(exc.code)

    threads = [threading.Thread(target=race, args=(n, opened(url))) for n in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == ["log.head-moved"] * 5 + ["moved"]
    assert len(opened(url).heads.list_checkpoints(before=None, limit=9)) == 1


def test_the_oldest_checkpoint_above_a_size_says_since_when(database: Database) -> None:
    clock = ManualClock()
    head = database.heads.take_head(database.heads.load_head(), epoch=1)
    times = []
    for size in (3, 7, 9):
        times.append(clock())
        head = database.heads.save_checkpoint(head, replace(row(size), published_at=clock()))
        clock.move(10)

    found = [database.heads.oldest_above(size) for size in (0, 2, 3, 6, 7, 8, 9)]

    assert found == [times[0], times[0], times[1], times[1], times[2], times[2], None]


# -- a database of its own


@pytest.fixture
def urls(url: str, tmp_path: Path) -> tuple[str, str]:
    """The log's database of either kind, and a file of its own for the head."""
    return url, f"sqlite:///{tmp_path / 'head.db'}"


@pytest.fixture
def split(urls: tuple[str, str]) -> Iterator[Database]:
    """A ledger whose head is in another database than its log."""
    database = open_database(urls[0], head_url=urls[1])
    database.migrate()
    database.check()
    yield database
    database.close()


def count(database: Database, table: str, *, head: bool) -> int:
    engine = database.head_engine if head else database.engine
    with reading(engine) as connection:
        query = select(func.count()).select_from(schema.METADATA.tables[table])
        return connection.execute(query).scalar_one()


def test_the_same_address_twice_is_one_database(sqlite_url: str) -> None:
    database = open_database(sqlite_url, head_url=sqlite_url)

    assert database.head_engine is database.engine
    database.close()


def test_what_was_signed_is_in_the_database_of_the_head_alone(
    split: Database, tiles: PosixTileStore
) -> None:
    writer = make_writer(split, tiles)
    writer.place(300)

    assert published(writer) == replayed(split)

    assert count(split, "checkpoints", head=True) == 1
    assert count(split, "checkpoints", head=False) == 0
    assert count(split, "entries", head=False) == 300
    assert count(split, "entries", head=True) == 0


def test_a_head_database_that_is_not_migrated_is_refused(
    url: str, tmp_path: Path, tiles: PosixTileStore
) -> None:
    database = open_database(url, head_url=f"sqlite:///{tmp_path / 'other.db'}")

    for ask in (database.check, database.heads.load_head):
        with pytest.raises(UnavailableError) as caught:
            ask()
        assert caught.value.code == "store.not-migrated"
    with pytest.raises(UnavailableError):
        make_writer(database, tiles)
    database.close()


def test_a_head_out_of_reach_signs_nothing_and_entries_wait(
    split: Database, tiles: PosixTileStore, tmp_path: Path
) -> None:
    writer = make_writer(split, tiles)
    writer.place(3)
    split.head_engine.dispose()
    for file in tmp_path.glob("head.db*"):
        file.rename(tmp_path / f"away-{file.name}")
    (tmp_path / "head.db").mkdir()

    with pytest.raises(UnavailableError) as caught:
        writer.publisher.publish()
    writer.place(2)
    (tmp_path / "head.db").rmdir()
    for file in tmp_path.glob("away-*"):
        file.rename(tmp_path / file.name.removeprefix("away-"))

    assert caught.value.code == "store.unreachable"
    assert published(writer) == replayed(split)


def test_a_restored_older_log_meets_the_head_that_was_signed_last(
    tmp_path: Path, sqlite_url: str, tiles: PosixTileStore
) -> None:
    head_url, file = (
        f"sqlite:///{tmp_path / 'head.db'}",
        Path(sqlite_url.removeprefix("sqlite:///")),
    )
    database = open_database(sqlite_url, head_url=head_url)
    database.migrate()
    writer = make_writer(database, tiles)
    writer.place(300)
    published(writer)
    database.close()
    shutil.copy(file, tmp_path / "backup.db")
    writer.place(1)
    published(writer)
    writer.sequencer.release()
    database.close()

    for suffix in ("-wal", "-shm"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup.db", file)
    (tmp_path / "log" / "checkpoint").unlink()  # the head alone is enough
    restored = open_database(sqlite_url, head_url=head_url)

    assert restored.log.count_entries() == 300
    assert lease_runs_out(restored, tiles) == "log.behind-head"
    assert restored.log.load_stored(0, 1)  # readers are still served
    restored.close()


def lease_runs_out(database: Database, tiles: PosixTileStore) -> str:
    """The backup was taken while somebody led: wait for that lease, as a standby does."""
    clock = ManualClock()
    clock.move(10 * 365 * 86400)
    writer = make_writer(database, tiles, clock=clock, started=False)
    writer.sequencer.acquire()
    writer.sequencer.release()
    return refusal_at_start(database, tiles)


def test_a_restored_older_head_does_not_sign_another_log(
    tmp_path: Path, sqlite_url: str, tiles: PosixTileStore
) -> None:
    head = tmp_path / "head.db"
    database = open_database(sqlite_url, head_url=f"sqlite:///{head}")
    database.migrate()
    writer = make_writer(database, tiles)
    writer.place(300)
    published(writer)
    database.close()
    shutil.copy(head, tmp_path / "backup.db")
    writer.place(100)
    published(writer)
    writer.sequencer.release()
    database.close()
    for suffix in ("-wal", "-shm"):
        Path(f"{head}{suffix}").unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup.db", head)

    restored = open_database(sqlite_url, head_url=f"sqlite:///{head}")

    assert refusal_at_start(restored, tiles) == "log.behind-head"  # the published file says 400
    restored.close()


def test_two_ledgers_do_not_share_a_head(
    tmp_path: Path, split: Database, postgres_server: PostgresServer, urls: tuple[str, str]
) -> None:
    writer = make_writer(split, make_tiles(tmp_path))
    writer.place(3)
    published(writer)
    writer.sequencer.release()
    other = open_database(postgres_server.url(postgres_server.create_database()), head_url=urls[1])
    other.migrate()
    accept(other, *(make_submission("other") for _ in range(5)))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    leader = make_writer(other, make_tiles(elsewhere), started=False)
    for _ in range(2):  # its epoch is above that of the head
        leader.sequencer.acquire()
        leader.sequencer.release()
    leader.sequencer.acquire()
    leader.sequencer.sequence_batch()

    with pytest.raises(EvidenceError) as caught:
        leader.publisher.start(leader.sequencer.epoch)

    assert caught.value.code == "log.gap"
    assert place(leader.sequencer, make_submission())[0].index == 5
    other.close()
