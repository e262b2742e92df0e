"""Files changed past the store, and heads that others hold, are looked at before each lead."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from store_kit import (
    NoteSigner,
    make_sequencer,
    make_submission,
    make_tiles,
    make_writer,
    place,
    published,
    reference_root,
    replayed,
    replayed_leaves,
)
from store_tamper import SIZE, fill_to_size, refusal_at_start, tamper
from vermilion_ledger.errors import ConflictError
from vermilion_ledger.integrate import Integrator, derive_entry
from vermilion_ledger.merkle import EMPTY_ROOT
from vermilion_ledger.rows import ObservedHead
from vermilion_ledger.store import Database
from vermilion_ledger.tilestore.posix import PosixTileStore

Opener = Callable[..., Database]
OTHER = "zeroblob(32)"
FILES = ("tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/002.p/88")


@pytest.fixture
def filled(database: Database, tiles: PosixTileStore) -> Database:
    """A database with 600 entries, two full tiles and two checkpoints."""
    fill_to_size(database, tiles)
    return database


@pytest.mark.parametrize("path", FILES)
def test_a_file_that_is_gone_is_found_at_start(
    filled: Database, tiles: PosixTileStore, tmp_path: Path, path: str
) -> None:
    (tmp_path / "log" / path).unlink()

    assert refusal_at_start(filled, tiles) == "log.gap"


@pytest.mark.parametrize("path", FILES)
def test_a_file_cut_short_is_found_at_start(
    filled: Database, tiles: PosixTileStore, tmp_path: Path, path: str
) -> None:
    file = tmp_path / "log" / path
    file.write_bytes(file.read_bytes()[:-1])

    assert refusal_at_start(filled, tiles) == "log.gap"


@pytest.mark.parametrize("path", FILES)
def test_a_changed_bit_of_the_edge_is_found_at_start(
    filled: Database, tiles: PosixTileStore, tmp_path: Path, path: str
) -> None:
    file = tmp_path / "log" / path
    data = bytearray(file.read_bytes())
    data[40] ^= 1
    file.write_bytes(data)

    code = "log.entry-mismatch" if "entries" in path else "log.root-mismatch"
    assert refusal_at_start(filled, tiles) == code


@pytest.mark.parametrize("data", [b"", b"nonsense", b"test.example/log\n600\nAAAA\n\n"])
def test_a_published_file_that_is_no_checkpoint_is_found_at_start(
    filled: Database, tiles: PosixTileStore, tmp_path: Path, data: bytes
) -> None:
    (tmp_path / "log" / "checkpoint").write_bytes(data)

    assert refusal_at_start(filled, tiles) == "log.gap"


def test_a_published_file_of_another_root_is_found_at_start(
    filled: Database, tiles: PosixTileStore
) -> None:
    tiles.replace("checkpoint", NoteSigner().sign_checkpoint(600, bytes(32)).encode())

    assert refusal_at_start(filled, tiles) == "log.root-mismatch"


def test_an_older_published_file_is_brought_up_to_date(
    filled: Database, tiles: PosixTileStore
) -> None:
    newest, old = filled.heads.list_checkpoints(before=None, limit=2)
    tiles.replace("checkpoint", old.note.encode())

    make_writer(filled, tiles)

    assert tiles.load(["checkpoint"])["checkpoint"] == newest.note.encode()


def test_a_folder_restored_from_before_the_head_is_found(
    database: Database, tiles: PosixTileStore, tmp_path: Path
) -> None:
    writer = make_writer(database, tiles)
    writer.place(300)
    writer.publisher.publish()
    shutil.copytree(tmp_path / "log", tmp_path / "backup")
    writer.place(300)
    writer.publisher.publish()
    writer.sequencer.release()
    shutil.rmtree(tmp_path / "log")
    shutil.copytree(tmp_path / "backup", tmp_path / "log")

    assert refusal_at_start(database, make_tiles(tmp_path)) == "log.gap"


def test_bundles_ahead_of_the_head_must_be_those_of_the_stored_entries(
    filled: Database, tiles: PosixTileStore
) -> None:
    writer = make_writer(filled, tiles)
    writer.place(100)
    entries = [derive_entry(each) for each in filled.log.load_stored(SIZE, SIZE + 100)]
    writer.sequencer.release()
    Integrator(tiles, SIZE).integrate(entries)  # as before a crash, and before the signature
    make_writer(filled, tiles).sequencer.release()
    tamper(filled, f"UPDATE submissions SET salt = {OTHER} WHERE position = 690")

    assert refusal_at_start(filled, tiles) == "log.entry-mismatch"


def test_a_log_restored_from_before_what_was_written_ahead_is_found(
    filled: Database, tiles: PosixTileStore
) -> None:
    writer = make_writer(filled, tiles)
    writer.place(500)
    entries = [derive_entry(each) for each in filled.log.load_stored(SIZE, SIZE + 500)]
    writer.sequencer.release()
    Integrator(tiles, SIZE).integrate(entries)
    tamper(filled, "DELETE FROM entries WHERE leaf_index >= 1090")

    assert refusal_at_start(filled, tiles) == "log.behind-head"


# -- heads that others hold


@pytest.mark.parametrize(
    ("size", "root", "code"),
    [
        (601, bytes(32), "log.behind-head"),
        (600, bytes(32), "log.root-mismatch"),
        (300, bytes(32), "log.root-mismatch"),
        (1, bytes(32), "log.root-mismatch"),
        (0, bytes(32), "log.root-mismatch"),
    ],
)
def test_a_head_seen_elsewhere_that_storage_does_not_bear_out_is_refused(
    filled: Database, tiles: PosixTileStore, size: int, root: bytes, code: str
) -> None:
    seen = ObservedHead(size=size, root=root, source="the chain")

    assert refusal_at_start(filled, tiles, seen) == code


def test_a_head_seen_elsewhere_that_was_never_signed_here_is_refused(
    filled: Database, tiles: PosixTileStore
) -> None:
    place(make_sequencer(filled), make_submission())
    tamper(filled, "UPDATE lease SET expires_at = 0")
    size, root = replayed(filled)
    seen = ObservedHead(size=size, root=root, source="a witness")

    assert refusal_at_start(filled, tiles, seen) == "log.behind-head"


def test_heads_that_storage_bears_out_are_no_obstacle(
    filled: Database, tiles: PosixTileStore
) -> None:
    leaves = replayed_leaves(filled)
    seen = [
        ObservedHead(size=size, root=reference_root(leaves[:size]), source="a witness")
        for size in (0, 1, 255, 256, 300, 599, 600)
    ]
    assert seen[0].root == EMPTY_ROOT

    writer = make_writer(filled, tiles, started=False)
    writer.start(observed=seen)

    assert filled.heads.load_head().state == "open"


def test_a_good_start_reopens_a_halted_log(filled: Database, tiles: PosixTileStore) -> None:
    filled.heads.halt(epoch=99)
    assert filled.heads.load_head().state == "halted"

    make_writer(filled, tiles)

    assert filled.heads.load_head().state == "open"


def test_a_sequencer_of_the_past_does_not_halt_its_successors_log(
    filled: Database, tiles: PosixTileStore
) -> None:
    writer = make_writer(filled, tiles)

    filled.heads.halt(epoch=writer.sequencer.epoch - 1)

    assert filled.heads.load_head().state == "open"


def test_a_predecessor_that_publishes_meanwhile_is_no_contradiction(
    filled: Database, tiles: PosixTileStore
) -> None:
    predecessor = make_writer(filled, tiles)
    predecessor.place(5)
    successor = make_writer(filled, tiles, started=False)
    load = filled.heads.load_checkpoint
    asked: list[int] = []

    def publish_first(size: int | None = None) -> object:
        if not asked:
            asked.append(1)
            published(predecessor)
        return load(size)

    filled.heads.load_checkpoint = publish_first  # type: ignore[method-assign, assignment]
    with pytest.raises(ConflictError) as caught:
        successor.publisher.start(predecessor.sequencer.epoch + 1)

    assert caught.value.code == "log.head-moved"
    assert filled.heads.load_head().state == "open"
