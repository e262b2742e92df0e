"""Rows changed past the triggers are found before anything is signed again."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Connection

from store_kit import accept, make_sequencer, make_submission
from vermilion_ledger.errors import IntegrityError
from vermilion_ledger.recheck import recheck_openings, recheck_tree
from vermilion_ledger.store import Database, schema
from vermilion_ledger.store.engine import is_sqlite, writing

SIZE = 600
OTHER = "zeroblob(32)"


def guards(connection: Connection) -> list[str]:
    """Return the names of the SQLite triggers."""
    rows = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    return [row[0] for row in rows]


def tamper(database: Database, *statements: str) -> None:
    """Do what only the owner of the database can do."""
    with writing(database.engine) as connection:
        if is_sqlite(connection):
            for name in guards(connection):
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            for table in schema.METADATA.tables:
                connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        for statement in statements:
            worded = statement
            if not is_sqlite(connection):
                worded = re.sub(r"zeroblob\((\d+)\)", r"decode(repeat('00', \1), 'hex')", statement)
            connection.exec_driver_sql(worded)


@pytest.fixture
def filled(database: Database) -> Database:
    """A database with 600 entries, two full tiles and two checkpoints."""
    accept(database, make_submission(new=True), *(make_submission() for _ in range(299)))
    sequencer = make_sequencer(database)
    sequencer.sequence_batch()
    sequencer.publish()
    accept(database, *(make_submission() for _ in range(300)))
    sequencer.sequence_batch()
    sequencer.publish()
    sequencer.release()
    return database


def refusal_at_start(database: Database) -> str:
    sequencer = make_sequencer(database, started=False)
    sequencer.acquire()
    with pytest.raises(IntegrityError) as caught:
        sequencer.start()
    assert database.log.load_head().state == "halted"
    with pytest.raises(IntegrityError):
        sequencer.start()
    return caught.value.code


def test_an_untouched_log_starts(filled: Database) -> None:
    make_sequencer(filled)

    assert recheck_tree(filled.log)[0] == SIZE
    recheck_openings(filled.log, 0, SIZE)


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        (f"UPDATE entries SET commitment = {OTHER} WHERE leaf_index = 7", "log.entry-mismatch"),
        (f"UPDATE entries SET tag = {OTHER} WHERE leaf_index = 599", "log.entry-mismatch"),
        (f"UPDATE entries SET leaf_hash = {OTHER} WHERE leaf_index = 300", "log.entry-mismatch"),
        ("DELETE FROM entries WHERE leaf_index = 0", "log.gap"),
        ("DELETE FROM entries WHERE leaf_index = 550", "log.gap"),
        ("DELETE FROM entries WHERE leaf_index >= 599", "log.behind-head"),
        ("DELETE FROM entries", "log.tile-mismatch"),
        ("UPDATE tiles SET hashes = zeroblob(8192) WHERE position = 0", "log.tile-mismatch"),
        (f"UPDATE tiles SET root = {OTHER} WHERE position = 1", "log.tile-mismatch"),
        ("DELETE FROM tiles WHERE position = 1", "log.gap"),
        ("DELETE FROM tiles WHERE position = 0", "log.gap"),
        ("UPDATE tiles SET position = 2 WHERE position = 1", "log.gap"),
        ("UPDATE tiles SET level = 1 WHERE position = 1", "log.gap"),
        (f"UPDATE head SET root = {OTHER}", "log.root-mismatch"),
        ("UPDATE head SET size = 601", "log.behind-head"),
        (f"UPDATE checkpoints SET root = {OTHER} WHERE size = 600", "log.root-mismatch"),
        ("UPDATE checkpoints SET size = 601 WHERE size = 600", "log.behind-head"),
        ("DELETE FROM checkpoints WHERE size = 600", "log.behind-head"),
    ],
)
def test_a_changed_row_is_found_at_start(filled: Database, statement: str, code: str) -> None:
    tamper(filled, statement)

    assert refusal_at_start(filled) == code


def test_two_entries_exchanged_with_all_their_hashes_are_found(filled: Database) -> None:
    tamper(
        filled,
        "UPDATE entries SET leaf_index = 1000 WHERE leaf_index = 590",
        "UPDATE entries SET leaf_index = 590 WHERE leaf_index = 591",
        "UPDATE entries SET leaf_index = 591 WHERE leaf_index = 1000",
    )

    assert refusal_at_start(filled) == "log.root-mismatch"


def test_a_stored_tile_beyond_the_entries_is_found(filled: Database) -> None:
    tamper(
        filled,
        "INSERT INTO tiles SELECT 0, 2, hashes, root FROM tiles WHERE level = 0 AND position = 1",
    )

    assert refusal_at_start(filled) == "log.tile-mismatch"


def test_a_restored_older_database_is_found_by_its_head(filled: Database) -> None:
    tamper(
        filled,
        "DELETE FROM entries WHERE leaf_index >= 300",
        "DELETE FROM tiles WHERE position = 1",
    )

    assert refusal_at_start(filled) == "log.behind-head"


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE submissions SET salt = {OTHER}",
        f"UPDATE submissions SET envelope = {OTHER}",
        (
            f"UPDATE submissions SET envelope_hash = {OTHER}"
            " WHERE submission_id = (SELECT submission_id FROM entries WHERE leaf_index = 3)"
        ),
        f"UPDATE records SET record_key = {OTHER}",
        "UPDATE entries SET sequence = 1000 WHERE leaf_index = 3",
    ],
)
def test_a_changed_envelope_salt_or_key_is_found_by_the_openings(
    filled: Database, statement: str
) -> None:
    tamper(filled, statement)

    with pytest.raises(IntegrityError) as caught:
        recheck_openings(filled.log, 0, SIZE)

    assert caught.value.code == "log.entry-mismatch"


def test_openings_beyond_the_log_are_a_gap(filled: Database) -> None:
    with pytest.raises(IntegrityError) as caught:
        recheck_openings(filled.log, 0, SIZE + 1)

    assert caught.value.code == "log.gap"


def test_a_tile_changed_while_running_stops_publishing(filled: Database) -> None:
    sequencer = make_sequencer(filled)
    accept(filled, make_submission())
    sequencer.sequence_batch()
    tamper(filled, "UPDATE tiles SET hashes = zeroblob(8192) WHERE position = 1")
    tamper(filled, f"UPDATE tiles SET root = {OTHER} WHERE position = 1")

    with pytest.raises(IntegrityError) as caught:
        sequencer.publish()

    assert caught.value.code == "log.root-mismatch"
    assert filled.log.load_head().size == SIZE


def test_entries_added_by_somebody_else_stop_the_next_batch(filled: Database) -> None:
    sequencer = make_sequencer(filled)
    accept(filled, make_submission())
    accept(filled, make_submission())
    tamper(
        filled,
        "INSERT INTO entries SELECT 600, q.submission_id, s.record_id, 600, salt, digest, salt, 0"
        " FROM queue q JOIN submissions s ON s.submission_id = q.submission_id"
        " ORDER BY position LIMIT 1",
    )

    with pytest.raises(IntegrityError) as caught:
        sequencer.sequence_batch()

    assert caught.value.code == "log.gap"
