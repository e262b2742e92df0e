"""Rows and files changed past their guards are found before anything is signed again.

The start looks at what it must to sign: the heads, the right edge, the newest
bundle and whatever is ahead of the head. A change further back is found by
`vermilion fsck`, and changes no root that is signed.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from store_kit import (
    accept,
    make_sequencer,
    make_submission,
    make_writer,
    place,
    published,
    reference_root,
    replayed,
    replayed_leaves,
)
from store_tamper import SIZE, fill_to_size, refusal_at_start, tamper
from vermilion_ledger.errors import IntegrityError
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


def test_an_untouched_log_starts(filled: Database, tiles: PosixTileStore) -> None:
    writer = make_writer(filled, tiles)
    writer.place(1)

    assert published(writer) == replayed(filled)


# -- rows


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        (f"UPDATE submissions SET salt = {OTHER} WHERE position = 599", "log.entry-mismatch"),
        (f"UPDATE submissions SET envelope = {OTHER} WHERE position = 590", "log.entry-mismatch"),
        (f"UPDATE submissions SET record_key = {OTHER} WHERE position = 600", "log.entry-mismatch"),
        ("UPDATE entries SET sequence = 1000 WHERE leaf_index = 599", "log.entry-mismatch"),
        ("DELETE FROM entries WHERE leaf_index = 550", "log.gap"),
        ("DELETE FROM entries WHERE leaf_index >= 599", "log.behind-head"),
        ("DELETE FROM entries", "log.behind-head"),
        (f"UPDATE head SET root = {OTHER}", "log.root-mismatch"),
        ("UPDATE head SET size = 601", "log.behind-head"),
        ("UPDATE head SET size = 300", "log.behind-head"),
        (f"UPDATE checkpoints SET root = {OTHER} WHERE size = 600", "log.root-mismatch"),
        ("UPDATE checkpoints SET size = 601 WHERE size = 600", "log.behind-head"),
        ("DELETE FROM checkpoints WHERE size = 600", "log.behind-head"),
        ("DELETE FROM checkpoints", "log.behind-head"),
    ],
)
def test_a_changed_row_is_found_at_start(
    filled: Database, tiles: PosixTileStore, statement: str, code: str
) -> None:
    tamper(filled, statement)

    assert refusal_at_start(filled, tiles) == code


def test_two_entries_exchanged_are_found(filled: Database, tiles: PosixTileStore) -> None:
    tamper(
        filled,
        "UPDATE entries SET leaf_index = 1000 WHERE leaf_index = 590",
        "UPDATE entries SET leaf_index = 590 WHERE leaf_index = 591",
        "UPDATE entries SET leaf_index = 591 WHERE leaf_index = 1000",
    )

    assert refusal_at_start(filled, tiles) == "log.entry-mismatch"


def test_a_restored_older_log_is_found_by_its_head(filled: Database, tiles: PosixTileStore) -> None:
    tamper(filled, "DELETE FROM entries WHERE leaf_index >= 300")

    assert refusal_at_start(filled, tiles) == "log.behind-head"


def test_a_log_restored_together_with_its_head_is_found_by_the_published_file(
    filled: Database, tiles: PosixTileStore
) -> None:
    tamper(
        filled,
        "DELETE FROM entries WHERE leaf_index >= 300",
        "DELETE FROM checkpoints WHERE size = 600",
        "UPDATE head SET size = 300, root = (SELECT root FROM checkpoints WHERE size = 300)",
    )
    assert filled.heads.load_head().size == 300

    assert refusal_at_start(filled, tiles) == "log.behind-head"


def test_a_change_further_back_changes_no_root_that_is_signed(
    filled: Database, tiles: PosixTileStore
) -> None:
    before = replayed_leaves(filled)
    tamper(filled, f"UPDATE submissions SET salt = {OTHER} WHERE position = 7")
    writer = make_writer(filled, tiles)
    place(writer.sequencer, make_submission("b"))

    _, root = published(writer)

    assert root == reference_root([*before, replayed_leaves(filled)[-1]])


def test_entries_added_by_somebody_else_stop_the_next_batch(
    filled: Database, tiles: PosixTileStore
) -> None:
    sequencer = make_sequencer(filled)
    place(sequencer, make_submission())
    accept(filled, make_submission(), make_submission())
    tamper(filled, "INSERT INTO entries SELECT 601, max(position), 0 FROM queue")

    with pytest.raises(IntegrityError) as caught:
        sequencer.sequence_batch()

    assert caught.value.code == "log.gap"
    assert filled.log.count_entries() == 602


def test_a_submission_taken_from_the_queue_stops_the_batch_that_has_it(filled: Database) -> None:
    sequencer = make_sequencer(filled)
    accept(filled, make_submission(), make_submission())
    load = filled.sequencing.load_pending

    def then_taken(**bounds: int) -> object:
        pending = load(**bounds)
        tamper(filled, "DELETE FROM queue")
        return pending

    filled.sequencing.load_pending = then_taken  # type: ignore[method-assign, assignment]
    with pytest.raises(IntegrityError) as caught:
        sequencer.sequence_batch()

    assert caught.value.code == "log.gap"
    assert filled.log.count_entries() == SIZE
