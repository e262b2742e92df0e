"""What is signed, what is kept, and how the head moves."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.pool import PoolProxiedConnection

from store_kit import (
    NoteSigner,
    Writer,
    accept,
    make_submission,
    make_writer,
    published,
    replayed,
)
from vermilion_ledger.errors import EvidenceError, UnavailableError
from vermilion_ledger.log import LogReader
from vermilion_ledger.merkle import verify_consistency
from vermilion_ledger.rows import Head
from vermilion_ledger.store import Database
from vermilion_ledger.tilestore.posix import PosixTileStore


def nothing_is_signed(writer: Writer, kind: type[EvidenceError]) -> str:
    """The code with which publishing is refused."""
    with pytest.raises(kind) as caught:
        writer.publisher.publish()
    return caught.value.code


class Away(NoteSigner):
    """A signer whose key is out of reach."""

    is_away = True

    def sign_checkpoint(self, size: int, root: bytes) -> str:
        if self.is_away:
            raise UnavailableError("key.away", "the key is locked away")
        return super().sign_checkpoint(size, root)


# -- what is signed


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 600])
def test_a_checkpoint_is_over_the_root_of_all_entries(
    sqlite_database: Database, tiles: PosixTileStore, size: int
) -> None:
    signer = NoteSigner()
    writer = make_writer(sqlite_database, tiles, signer=signer)
    writer.place(size)

    found = published(writer)

    assert found == replayed(sqlite_database)
    assert signer.signed == [found]
    head = sqlite_database.heads.load_head()
    assert (head.size, head.root, head.epoch) == (*found, writer.sequencer.epoch)
    row = sqlite_database.heads.load_checkpoint()
    assert row is not None
    assert tiles.load(["checkpoint"]) == {"checkpoint": row.note.encode()}


def test_nothing_is_signed_twice_or_before_the_first_entry(
    database: Database, tiles: PosixTileStore
) -> None:
    signer = NoteSigner()
    writer = make_writer(database, tiles, signer=signer)

    assert writer.publisher.publish() is None
    assert tiles.load(["checkpoint"]) == {}
    writer.place(1)
    assert writer.publisher.publish() is not None
    assert writer.publisher.publish() is None

    assert len(signer.signed) == 1


def test_checkpoints_are_consistent_with_one_another(
    database: Database, tiles: PosixTileStore
) -> None:
    writer = make_writer(database, tiles)
    for number in range(1, 40):
        writer.place(number)
        writer.publisher.publish()

    reader = LogReader(database.log, database.heads, tiles)
    newest, *older = reader.checkpoints()
    assert len(older) == 38
    for each in older:
        proof = reader.consistency(each.size, newest.size)
        verify_consistency(each.size, each.root, newest.size, newest.root, proof)


def test_a_successor_goes_on_where_the_last_one_ended(
    database: Database, tiles: PosixTileStore
) -> None:
    for _ in range(4):
        writer = make_writer(database, tiles)
        writer.place(100)
        assert published(writer) == replayed(database)
        writer.sequencer.release()


# -- the swap


@pytest.mark.parametrize("is_saved", [False, True])
def test_a_checkpoint_that_failed_is_looked_up_before_the_next(
    database: Database, tiles: PosixTileStore, monkeypatch: pytest.MonkeyPatch, is_saved: bool
) -> None:
    writer = make_writer(database, tiles)
    writer.place(1)
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
        writer.publisher.publish()
    assert (writer.publisher.publish() is None) == is_saved
    writer.place(1)

    assert published(writer) == replayed(database)
    assert [each.size for each in database.heads.list_checkpoints(before=None, limit=9)] == [2, 1]


def test_after_a_crash_between_swap_and_file_the_next_start_publishes_the_note(
    database: Database, tiles: PosixTileStore, tmp_path: Path
) -> None:
    writer = make_writer(database, tiles)
    writer.place(3)
    published(writer)
    writer.sequencer.release()
    (tmp_path / "log" / "checkpoint").unlink()

    make_writer(database, tiles)

    newest = database.heads.load_checkpoint()
    assert newest is not None
    assert tiles.load(["checkpoint"])["checkpoint"] == newest.note.encode()


def test_files_of_a_size_that_was_never_signed_are_no_obstacle(
    database: Database, tiles: PosixTileStore
) -> None:
    for count in (100, 100, 400):
        writer = make_writer(database, tiles, signer=Away())
        writer.place(count)

        assert nothing_is_signed(writer, UnavailableError) == "key.away"
        writer.sequencer.release()

    assert published(make_writer(database, tiles)) == replayed(database)


# -- partial files


def partials(tiles: PosixTileStore) -> list[str]:
    return [path for path in tiles.list_paths("tile/") if ".p/" in path]


def test_partial_files_stay_until_the_full_one_is_there(
    database: Database, tiles: PosixTileStore
) -> None:
    writer = make_writer(database, tiles)
    for count in (100, 100):
        writer.place(count)
        published(writer)
    kept = partials(tiles)
    writer.place(56)
    published(writer)

    assert kept == [
        "tile/0/000.p/100",
        "tile/0/000.p/200",
        "tile/entries/000.p/100",
        "tile/entries/000.p/200",
    ]
    assert partials(tiles) == ["tile/1/000.p/1"]
    assert {"tile/0/000", "tile/entries/000"} <= set(tiles.list_paths("tile/"))


def test_every_checkpoint_is_readable_after_the_sweep(
    database: Database, tiles: PosixTileStore
) -> None:
    writer = make_writer(database, tiles)
    for count in (100, 100, 100, 500):
        writer.place(count)
        published(writer)

    reader = LogReader(database.log, database.heads, tiles, cached_tile_count_max=0)
    for each in reader.checkpoints():
        assert reader.root_at(each.size) == each.root
        assert reader.tile(0, 0, 100)


def test_entries_that_come_while_publishing_wait_for_the_next_checkpoint(
    database: Database, tiles: PosixTileStore
) -> None:
    writer = make_writer(database, tiles)
    writer.place(10)
    accept(database, make_submission())  # has no index yet

    assert published(writer)[0] == 10
    writer.sequencer.sequence_batch()
    assert published(writer)[0] == 11


def test_a_large_gap_is_published_in_one_checkpoint(
    sqlite_database: Database, tiles: PosixTileStore
) -> None:
    writer = make_writer(sqlite_database, tiles)
    writer.place(1)
    published(writer)
    writer.place(17_000)  # more than is read at once

    assert published(writer) == replayed(sqlite_database)
    assert sqlite_database.heads.load_head() == Head(
        size=17_001,
        root=replayed(sqlite_database)[1],
        epoch=writer.sequencer.epoch,
        state="open",
    )
