"""Reading: proofs, tiles, bundles and states from stored rows."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing

import pytest

from store_kit import (
    Admit,
    NoteSigner,
    accept,
    digest,
    make_sequencer,
    make_submission,
    record_key,
    reference_root,
)
from vermilion_ledger.commitment import encode_entry, make_record_id
from vermilion_ledger.errors import InputError, IntegrityError, NotFoundError, VerificationError
from vermilion_ledger.log import LogReader
from vermilion_ledger.merkle import EMPTY_ROOT, hash_leaf, verify_consistency, verify_inclusion
from vermilion_ledger.ports import HistoryView
from vermilion_ledger.recheck import recheck_tree
from vermilion_ledger.rows import Pending
from vermilion_ledger.store import Database
from vermilion_ledger.tiles import TileBuilder, TileReader

Opener = Callable[..., Database]
SIZE = 530


@pytest.fixture
def filled(database: Database) -> Database:
    """A database with 530 published entries in one record."""
    accept(database, make_submission(new=True), *(make_submission() for _ in range(SIZE - 1)))
    sequencer = make_sequencer(database)
    sequencer.sequence_batch()
    sequencer.publish()
    return database


def test_proofs_at_every_interesting_size_verify(filled: Database) -> None:
    reader = LogReader(filled.log)
    leaves = filled.log.load_leaf_hashes(0, SIZE)
    sizes = [1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 513, SIZE]

    for size in sizes:
        root = reader.root_at(size)
        assert root == reference_root(leaves[:size])
        for index in {0, 1, size // 2, size - 2, size - 1, 255, 256} & set(range(size)):
            verify_inclusion(leaves[index], index, size, reader.inclusion(index, size), root)
        for old in (each for each in sizes if each <= size):
            proof = reader.consistency(old, size)
            verify_consistency(old, reader.root_at(old), size, root, proof)


def test_an_empty_log_has_the_empty_root(database: Database) -> None:
    reader = LogReader(database.log)

    assert reader.size() == 0
    assert reader.root_at(0) == EMPTY_ROOT
    assert reader.newest_checkpoint() is None
    assert reader.entries_between(0, 0) == ()
    assert recheck_tree(database.log) == (0, EMPTY_ROOT)


def test_proofs_beyond_the_log_are_refused(filled: Database) -> None:
    reader = LogReader(filled.log)
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


def test_proofs_that_cannot_be_are_refused(filled: Database) -> None:
    reader = LogReader(filled.log)

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


def test_tiles_are_the_hashes_of_the_specification(filled: Database) -> None:
    reader = LogReader(filled.log)
    leaves = filled.log.load_leaf_hashes(0, SIZE)

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
    filled: Database, level: int, position: int, width: int
) -> None:
    with pytest.raises(NotFoundError) as caught:
        LogReader(filled.log).tile(level, position, width)

    assert caught.value.code == "log.no-tile"


def test_unpublished_entries_are_in_no_tile_until_they_are(database: Database) -> None:
    reader = LogReader(database.log)
    accept(database, make_submission(new=True), make_submission())
    sequencer = make_sequencer(database)
    sequencer.sequence_batch()

    assert reader.size() == 2
    with pytest.raises(NotFoundError):
        reader.tile(0, 0, 1)
    sequencer.publish()

    assert len(reader.tile(0, 0, 2)) == 64


def test_entry_bundles_hold_the_entries(filled: Database) -> None:
    reader = LogReader(filled.log)
    rows = filled.log.load_entries(0, SIZE)
    entries = [encode_entry(row.commitment, row.tag) for row in rows]

    assert reader.entries_between(0, SIZE) == tuple(entries)
    bundle = reader.entry_bundle(2, 18)
    assert bundle == b"".join(b"\x00\x41" + entry for entry in entries[512:])
    assert len(reader.entry_bundle(0)) == 256 * 67
    with pytest.raises(NotFoundError):
        reader.entry_bundle(2, 19)


def test_checkpoints_are_found_by_size_and_listed_newest_first(database: Database) -> None:
    accept(database, make_submission(new=True))
    sequencer = make_sequencer(database, signer=NoteSigner())
    for _ in range(5):
        sequencer.sequence_batch()
        sequencer.publish()
        accept(database, make_submission())
    reader = LogReader(database.log)

    assert [each.size for each in reader.checkpoints()] == [5, 4, 3, 2, 1]
    assert [each.size for each in reader.checkpoints(before=4, limit=2)] == [3, 2]
    assert reader.checkpoint(3).note.startswith("test\n3\n")
    assert reader.checkpoint() == reader.newest_checkpoint()
    with pytest.raises(NotFoundError) as caught:
        reader.checkpoint(6)
    assert caught.value.code == "log.no-checkpoint"


def test_records_have_their_entries_in_order(database: Database) -> None:
    submissions = [
        make_submission("a", new=True),
        make_submission("b", new=True),
        make_submission("a"),
    ]
    accept(database, *submissions)
    reader = LogReader(database.log)
    record_id = make_record_id(record_key("a"))
    assert reader.record_entries(record_id) == ()
    make_sequencer(database).sequence_batch()

    rows = reader.record_entries(record_id)

    assert [(row.index, row.sequence) for row in rows] == [(0, 0), (2, 1)]
    assert [(row.salt, row.envelope) for row in rows] == [
        (each.salt, each.envelope) for each in (submissions[0], submissions[2])
    ]
    assert reader.record_entries(record_id, since=1) == rows[1:]
    assert reader.record(record_id).record_key == record_key("a")
    assert reader.records_entries([record_id, "rec_none"])["rec_none"] == []
    with pytest.raises(NotFoundError) as caught:
        reader.record("rec_none")
    assert caught.value.code == "record.unknown"


def test_records_are_found_by_digest(database: Database) -> None:
    accept(
        database,
        make_submission("a", new=True, about="x"),
        make_submission("a", about="x"),
        make_submission("b", new=True, about="x"),
        make_submission("c", new=True, about="y"),
    )
    reader = LogReader(database.log)

    expected = sorted(make_record_id(record_key(name)) for name in "ab")
    assert list(reader.find_by_digest(digest("x"))) == expected
    assert reader.find_by_digest(digest("z")) == ()


def test_states_of_thousands_of_submissions_come_at_once(database: Database) -> None:
    def refuse_odd(pending: Pending, _: HistoryView) -> None:
        if pending.name == "合同.pdf" and pending.envelope.endswith(b"!"):
            raise VerificationError("statement.binding", "no")

    ids = accept(
        database,
        make_submission(new=True),
        *(make_submission(text=f"{n}{'!' if n % 2 else ''}") for n in range(3000)),
    )
    make_sequencer(database, admission=Admit(refuse_odd)).sequence_batch()
    ids += accept(database, make_submission())

    found = LogReader(database.log).submission_state([*ids, b"nobody's id 16 b"])

    counts = {"sequenced": 1501, "refused": 1500, "pending": 1}
    states = [each.state for each in found.values()]
    assert Counter(states) == counts
    assert found[ids[1]].sequence == 1
    assert found[ids[2]].code == "statement.binding"


def synthetic(path: str, size: int) -> list[bytes]:
    """Write leaves past the intake, as fast as SQLite takes them."""
    leaves = [hashlib.sha256(b"%d" % number).digest() for number in range(size)]
    builder = TileBuilder(0, lambda _: ())
    tiles = [tile for leaf in leaves for tile in builder.append(leaf)]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "INSERT INTO entries VALUES (?, ?, 'rec', ?, ?, ?, ?, 0)",
            [(n, n.to_bytes(16, "big"), n, leaf, leaf, leaf) for n, leaf in enumerate(leaves)],
        )
        connection.executemany(
            "INSERT INTO tiles VALUES (?, ?, ?, ?)",
            [(each.level, each.position, each.hashes, each.root) for each in tiles],
        )
    return leaves


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537])
def test_proofs_across_tile_levels_verify(sqlite_url: str, opened: Opener, size: int) -> None:
    leaves = synthetic(sqlite_url.removeprefix("sqlite:///"), size)
    database = opened(sqlite_url)
    reader = LogReader(database.log)
    root = reference_root(leaves)

    assert reader.root_at(size) == root
    for index in (0, 255, 256, 32_767, 65_279, 65_280, size - 1):
        verify_inclusion(leaves[index], index, size, reader.inclusion(index, size), root)
    for old in (1, 255, 256, 257, 65_279, 65_280, 65_281, size - 1):
        old_root = reference_root(leaves[:old])
        verify_consistency(old, old_root, size, root, reader.consistency(old, size))
    continued = TileBuilder(size, TileReader(database.log))
    assert continued.root() == root


def test_a_missing_leaf_is_an_error_and_never_a_wrong_proof(
    sqlite_url: str, opened: Opener
) -> None:
    path = sqlite_url.removeprefix("sqlite:///")
    synthetic(path, 300)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TRIGGER entries_no_delete")
        connection.execute("DELETE FROM entries WHERE leaf_index = 290")

    with pytest.raises(IntegrityError) as caught:
        LogReader(opened(sqlite_url).log).inclusion(0, 300)

    assert caught.value.code == "log.gap"


def test_few_tiles_are_remembered(filled: Database) -> None:
    reader = LogReader(filled.log, cached_tile_count_max=1)

    for index in (0, 300, 1, 301, 2):
        leaf = hash_leaf(reader.entries_between(index, index + 1)[0])
        path = reader.inclusion(index, SIZE)
        verify_inclusion(leaf, index, SIZE, path, reader.root_at(SIZE))
    assert len(reader._nodes._cache) == 1
