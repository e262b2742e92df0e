"""Reading: proofs, tiles and bundles from files, records and states from rows."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from store_kit import (
    ORIGIN,
    Admit,
    accept,
    digest,
    make_sequencer,
    make_submission,
    make_tiles,
    make_writer,
    place,
    record_key,
    reference_root,
    replayed_leaves,
    system_clock,
)
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.errors import InputError, IntegrityError, NotFoundError, VerificationError
from vermilion_ledger.integrate import derive_entry
from vermilion_ledger.log import LogReader
from vermilion_ledger.merkle import EMPTY_ROOT, hash_leaf, verify_consistency, verify_inclusion
from vermilion_ledger.ports import HistoryView
from vermilion_ledger.rows import CheckpointRow, Pending, RecordRow
from vermilion_ledger.store import Database, open_database
from vermilion_ledger.tiles import HASH_SIZE, TileBuilder
from vermilion_ledger.tilestore.paths import tile_path
from vermilion_ledger.tilestore.posix import PosixTileStore

Opener = Callable[..., Database]
SIZE = 530


def reading(database: Database, tiles: PosixTileStore) -> LogReader:
    return LogReader(database.log, database.heads, tiles)


@pytest.fixture
def filled(database: Database, tiles: PosixTileStore) -> Database:
    """A database with 530 published entries in one record."""
    writer = make_writer(database, tiles)
    writer.place(SIZE)
    writer.publisher.publish()
    return database


@pytest.fixture
def reader(filled: Database, tiles: PosixTileStore) -> LogReader:
    """A reader of those 530."""
    return reading(filled, tiles)


def test_proofs_at_every_interesting_size_verify(filled: Database, reader: LogReader) -> None:
    leaves = replayed_leaves(filled)
    sizes = [1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 513, SIZE]

    for size in sizes:
        root = reader.root_at(size)
        assert root == reference_root(leaves[:size])
        for index in {0, 1, size // 2, size - 2, size - 1, 255, 256} & set(range(size)):
            verify_inclusion(leaves[index], index, size, reader.inclusion(index, size), root)
        for old in (each for each in sizes if each <= size):
            proof = reader.consistency(old, size)
            verify_consistency(old, reader.root_at(old), size, root, proof)


def test_an_empty_log_has_the_empty_root(database: Database, tiles: PosixTileStore) -> None:
    reader = reading(database, tiles)

    assert reader.size() == 0
    assert reader.root_at(0) == EMPTY_ROOT
    assert reader.newest_checkpoint() is None
    assert reader.entries_between(0, 0) == ()
    assert (reader.head().size, reader.head().root) == (0, EMPTY_ROOT)
    with pytest.raises(NotFoundError) as caught:
        reader.checkpoint()
    assert caught.value.code == "log.no-checkpoint"


def test_proofs_beyond_the_published_log_are_refused(filled: Database, reader: LogReader) -> None:
    accept(filled, make_submission())
    codes = []

    questions: tuple[Callable[[], object], ...] = (
        lambda: reader.root_at(SIZE + 1),
        lambda: reader.inclusion(0, SIZE + 1),
        lambda: reader.consistency(1, SIZE + 1),
        lambda: reader.entries_between(0, SIZE + 1),
    )
    for ask in questions:
        with pytest.raises(NotFoundError) as caught:
            ask()
        codes.append(caught.value.code)

    assert set(codes) == {"log.beyond-size"}


def test_proofs_that_cannot_be_are_refused(reader: LogReader) -> None:
    questions: tuple[Callable[[], object], ...] = (
        lambda: reader.root_at(-1),
        lambda: reader.inclusion(0, -1),
        lambda: reader.inclusion(5, 5),
        lambda: reader.inclusion(-1, 5),
        lambda: reader.consistency(0, 5),
        lambda: reader.consistency(6, 5),
        lambda: reader.entries_between(-1, 5),
        lambda: reader.entries_between(6, 5),
    )
    for ask in questions:
        with pytest.raises(InputError):
            ask()


def test_tiles_are_the_hashes_of_the_specification(filled: Database, reader: LogReader) -> None:
    leaves = replayed_leaves(filled)

    assert reader.tile(0, 0) == b"".join(leaves[:256])
    assert reader.tile(0, 1) == b"".join(leaves[256:512])
    assert reader.tile(0, 2, SIZE - 512) == b"".join(leaves[512:])
    assert reader.tile(0, 1, 17) == b"".join(leaves[256:273])
    assert reader.tile(1, 0, 2) == reference_root(leaves[:256]) + reference_root(leaves[256:512])


@pytest.mark.parametrize(
    ("level", "position", "width"),
    [
        (0, 2, 19), (0, 2, 256), (0, 3, 1), (1, 0, 3), (1, 0, 256), (2, 0, 1), (0, -1, 1),
        (-1, 0, 1), (0, 0, 0), (0, 0, 257), (0, 0, -1), (7, 0, 1), (63, 0, 1), (64, 0, 1),
    ],
)  # fmt: skip
def test_tiles_not_within_the_newest_checkpoint_are_not_there(
    reader: LogReader, level: int, position: int, width: int
) -> None:
    with pytest.raises(NotFoundError) as caught:
        reader.tile(level, position, width)

    assert caught.value.code == "log.no-tile"


def test_unpublished_entries_are_in_no_tile_until_they_are(
    database: Database, tiles: PosixTileStore
) -> None:
    reader = reading(database, tiles)
    writer = make_writer(database, tiles)
    writer.place(2)

    assert reader.size() == 2
    asked: tuple[Callable[[], object], ...] = (
        lambda: reader.tile(0, 0, 1),
        lambda: reader.entry_bundle(0, 1),
        lambda: reader.inclusion(0, 2),
        lambda: reader.entries_between(0, 1),
    )
    for ask in asked:
        with pytest.raises(NotFoundError):
            ask()
    writer.publisher.publish()

    assert len(reader.tile(0, 0, 2)) == 64
    for ask in asked:
        ask()


def test_a_partial_tile_stays_readable_when_it_is_full(
    database: Database, tiles: PosixTileStore
) -> None:
    writer = make_writer(database, tiles)
    for count in (100, 200):
        writer.place(count)
        writer.publisher.publish()
    fresh = reading(database, tiles)

    assert fresh.tile(0, 0, 100) == b"".join(replayed_leaves(database)[:100])
    assert len(fresh.entry_bundle(0, 100)) == 100 * 67


def test_a_reader_that_knew_a_smaller_log_proves_in_the_larger_one(
    database: Database, tiles: PosixTileStore
) -> None:
    writer, reader = make_writer(database, tiles), reading(database, tiles)
    roots: dict[int, bytes] = {}
    for count in (7, 3, 90, 156, 1, 255, 88):
        writer.place(count)
        checkpoint = writer.publisher.publish()
        assert checkpoint is not None
        size = checkpoint.size
        roots[size] = checkpoint.root
        leaf = hash_leaf(reader.entries_between(size - 1, size)[0])
        verify_inclusion(leaf, size - 1, size, reader.inclusion(size - 1, size), checkpoint.root)
        for old, root in roots.items():
            proof = reader.consistency(old, size)
            verify_consistency(old, root, size, checkpoint.root, proof)


def test_entry_bundles_hold_the_entries(filled: Database, reader: LogReader) -> None:
    entries = [derive_entry(row) for row in filled.log.load_stored(0, SIZE)]

    assert reader.entries_between(0, SIZE) == tuple(entries)
    bundle = reader.entry_bundle(2, 18)
    assert bundle == b"".join(b"\x00\x41" + entry for entry in entries[512:])
    assert len(reader.entry_bundle(0)) == 256 * 67
    with pytest.raises(NotFoundError):
        reader.entry_bundle(2, 19)


def test_checkpoints_are_found_by_size_and_listed_newest_first(
    database: Database, tiles: PosixTileStore
) -> None:
    writer = make_writer(database, tiles)
    for _ in range(5):
        writer.place(1)
        writer.publisher.publish()
    reader = reading(database, tiles)

    assert [each.size for each in reader.checkpoints()] == [5, 4, 3, 2, 1]
    assert [each.size for each in reader.checkpoints(before=4, limit=2)] == [3, 2]
    assert reader.checkpoint(3).note.startswith(f"{ORIGIN}\n3\n")
    assert reader.checkpoint() == reader.newest_checkpoint()
    with pytest.raises(NotFoundError) as caught:
        reader.checkpoint(6)
    assert caught.value.code == "log.no-checkpoint"


def test_records_have_their_entries_in_order_before_they_are_published(
    database: Database, tiles: PosixTileStore
) -> None:
    submissions = [
        make_submission("a", plain=True),
        make_submission("b", plain=True),
        make_submission("a"),
    ]
    positions = accept(database, *submissions)
    reader = reading(database, tiles)
    record_id = make_record_id(record_key("a"))
    assert reader.record_entries(record_id) == ()
    make_sequencer(database).sequence_batch()

    rows = reader.record_entries(record_id)

    assert [(row.index, row.sequence) for row in rows] == [(0, 0), (2, 1)]
    assert [row.position for row in rows] == [positions[0], positions[2]]
    assert [(row.salt, row.envelope) for row in rows] == [
        (each.salt, each.envelope) for each in (submissions[0], submissions[2])
    ]
    assert reader.record_entries(record_id, since=1) == rows[1:]
    assert reader.record(record_id).record_key == record_key("a")
    assert reader.records_entries([record_id, "rec_none"])["rec_none"] == []


def test_a_record_without_entry_is_unknown(database: Database, tiles: PosixTileStore) -> None:
    accept(database, make_submission())
    reader = reading(database, tiles)

    for record_id in ("rec_none", make_record_id(record_key("a"))):
        with pytest.raises(NotFoundError) as caught:
            reader.record(record_id)
        assert caught.value.code == "record.unknown"


def test_the_public_records_are_there_before_their_first_entry(
    url: str, tiles: PosixTileStore
) -> None:
    key = record_key("keys")
    row = RecordRow(record_id=make_record_id(key), record_key=key, kind="keys")
    database = open_database(url, public=(row,))
    reader = reading(database, tiles)

    assert reader.record(row.record_id) == row
    assert reader.record_entries(row.record_id) == ()
    database.close()


def test_records_are_found_by_digest(database: Database, tiles: PosixTileStore) -> None:
    place(
        make_sequencer(database),
        make_submission("a", plain=True, about="x"),
        make_submission("a", about="x"),
        make_submission("b", plain=True, about="x"),
        make_submission("c", plain=True, about="y"),
    )
    reader = reading(database, tiles)

    expected = sorted(make_record_id(record_key(name)) for name in "ab")
    assert list(reader.find_by_digest(digest("x"))) == expected
    assert reader.find_by_digest(digest("z")) == ()
    accept(database, make_submission(about="z"))  # has no index yet
    assert reader.find_by_digest(digest("z")) == ()


def test_states_of_thousands_of_submissions_come_at_once(
    database: Database, tiles: PosixTileStore
) -> None:
    submissions = [make_submission() for _ in range(3000)]
    odd = {each.envelope for each in submissions[1::2]}

    def refuse_odd(pending: Pending, _: HistoryView) -> None:
        if pending.envelope in odd:
            raise VerificationError("statement.binding", "no")

    placed = place(make_sequencer(database, admission=Admit(refuse_odd)), *submissions)
    positions = [*(each.position for each in placed), *accept(database, make_submission())]

    found = reading(database, tiles).submission_states([*positions, 2**40])

    counts = {"sequenced": 1500, "refused": 1500, "pending": 1}
    assert Counter(each.state for each in found.values()) == counts
    assert found[positions[2]].sequence == 1
    assert found[positions[1]].code == "statement.binding"


def test_what_is_read_of_a_log_ends_before_its_first_gap(database: Database) -> None:
    sequencer = make_sequencer(database)
    place(sequencer, *(make_submission() for _ in range(5)))

    assert [each.index for each in database.log.load_stored(3, 9)] == [3, 4]
    assert database.log.load_stored(5, 9) == []
    assert database.log.load_stored(2, 2) == []


def synthetic(database: Database, tiles: PosixTileStore, size: int) -> list[bytes]:
    """Publish the tiles of leaves that nobody submitted, as fast as files are written."""
    leaves = [hashlib.sha256(b"%d" % number).digest() for number in range(size)]
    builder = TileBuilder(0, [])
    files = {tile_path(*key): hashes for key, hashes in builder.extend(leaves)}
    for key, hashes in builder.edge():
        files[tile_path(*key, len(hashes) // HASH_SIZE)] = hashes
    tiles.put_new(files)
    head = database.heads.load_head()
    row = CheckpointRow(
        size=size, root=builder.root(), note="", epoch=1, published_at=system_clock()
    )
    database.heads.save_checkpoint(head, row)
    return leaves


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537])
def test_proofs_across_tile_levels_verify(
    sqlite_database: Database, tiles: PosixTileStore, size: int
) -> None:
    leaves = synthetic(sqlite_database, tiles, size)
    reader = reading(sqlite_database, tiles)
    root = reference_root(leaves)

    assert reader.root_at(size) == root
    for index in (0, 255, 256, 32_767, 65_279, 65_280, size - 1):
        verify_inclusion(leaves[index], index, size, reader.inclusion(index, size), root)
    for old in (1, 255, 256, 257, 65_279, 65_280, 65_281, size - 1):
        old_root = reference_root(leaves[:old])
        verify_consistency(old, old_root, size, root, reader.consistency(old, size))


def prove_both_ends(reader: LogReader) -> None:
    for index in (0, 299):
        reader.inclusion(index, 300)


@pytest.mark.parametrize("path", ["tile/0/001.p/44", "tile/0/000", "tile/1/000.p/1"])
def test_a_missing_tile_is_an_error_and_never_a_wrong_proof(
    sqlite_database: Database, tmp_path: Path, path: str
) -> None:
    tiles = make_tiles(tmp_path)
    synthetic(sqlite_database, tiles, 300)
    (tmp_path / "log" / path).unlink()

    with pytest.raises(IntegrityError) as caught:
        prove_both_ends(reading(sqlite_database, tiles))

    assert caught.value.code == "log.gap"


@pytest.mark.parametrize("path", ["tile/0/001.p/44", "tile/0/000", "tile/1/000.p/1"])
def test_a_tile_cut_short_is_an_error_and_never_a_wrong_proof(
    sqlite_database: Database, tmp_path: Path, path: str
) -> None:
    tiles = make_tiles(tmp_path)
    synthetic(sqlite_database, tiles, 300)
    file = tmp_path / "log" / path
    file.write_bytes(file.read_bytes()[:-1])

    with pytest.raises(IntegrityError):
        prove_both_ends(reading(sqlite_database, tiles))


def test_few_tiles_are_remembered(filled: Database, tiles: PosixTileStore) -> None:
    reader = LogReader(filled.log, filled.heads, tiles, cached_tile_count_max=1)

    for index in (0, 300, 1, 301, 2):
        leaf = hash_leaf(reader.entries_between(index, index + 1)[0])
        path = reader.inclusion(index, SIZE)
        verify_inclusion(leaf, index, SIZE, path, reader.root_at(SIZE))
    assert len(reader._tiles._cache) == 1
