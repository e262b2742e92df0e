"""Rows are found in every run of the log, however many there are and wherever they end."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from store_kit import (
    Admit,
    digest,
    make_sequencer,
    make_submission,
    place,
    record_key,
    told,
)
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.rows import Submission
from vermilion_ledger.store import Database, prefixes, schema
from vermilion_ledger.store.engine import reading
from vermilion_ledger.store.prefixes import (
    digest_prefix,
    digest_prefixes,
    record_prefix,
    record_prefixes,
    value_of,
)

A, B = (make_record_id(record_key(name)) for name in "ab")


@pytest.fixture(autouse=True)
def _short_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a run have four entries, so that a log of some dozens has many."""
    monkeypatch.setattr(prefixes, "_RUN_BITS", 2)


def scattered(database: Database) -> list[Submission]:
    """Place records a and b here and there in a log of 41 entries: eleven runs."""
    names = {0: "a", 3: "b", 4: "a", 5: "a", 17: "b", 30: "a", 39: "b", 40: "a"}
    submissions = [
        make_submission(
            names.get(number, f"other {number}"),
            about="x" if number in {0, 17, 40} else f"document {number}",
        )
        for number in range(41)
    ]
    sequencer = make_sequencer(database)
    for start in range(0, 41, 7):
        place(sequencer, *submissions[start : start + 7])
    sequencer.release()
    return submissions


def test_a_history_goes_through_all_runs_in_order(database: Database) -> None:
    scattered(database)

    found = database.log.load_history([A, B])

    assert [(each.index, each.sequence) for each in found[A]] == [
        (0, 0), (4, 1), (5, 2), (30, 3), (40, 4),
    ]  # fmt: skip
    assert [(each.index, each.sequence) for each in found[B]] == [(3, 0), (17, 1), (39, 2)]
    assert [each.index for each in database.log.load_history([A], since=3)[A]] == [30, 40]


def test_counts_go_through_all_runs(database: Database) -> None:
    scattered(database)

    assert database.sequencing.load_counts([A, B, "rec_none"]) == {A: 5, B: 3}


def test_a_fresh_sequencer_goes_on_with_records_of_old_runs(database: Database) -> None:
    scattered(database)
    seen: list[list[int]] = []
    look = Admit(
        lambda each, view: seen.append([row.index for row in view.history(each.record_id)])
    )

    states = place(
        make_sequencer(database, admission=look),
        make_submission("b"),
        make_submission("a"),
        make_submission("b"),
        make_submission("new"),
    )

    assert [each[1:] for each in told(states)] == [(41, 3), (42, 5), (43, 4), (44, 0)]
    assert seen == [[3, 17, 39], [0, 4, 5, 30, 40], [3, 17, 39, 41], []]


def test_digests_are_found_in_all_runs(database: Database) -> None:
    scattered(database)

    assert database.log.find_by_digest(digest("x")) == sorted([A, B])
    assert database.log.find_by_digest(digest("document 39")) == [B]
    assert database.log.find_by_digest(digest("nobody's")) == []


def test_a_record_is_found_by_its_first_entry_in_whatever_run(database: Database) -> None:
    submissions = scattered(database)

    for each in submissions:
        row = database.log.load_record(each.record_id)
        assert row is not None
        assert row.record_key == each.record_key


@pytest.mark.parametrize("size", [1, 3, 4, 5, 8, 9])
def test_an_envelope_of_the_registrar_is_recognised_in_whatever_run(
    database: Database, size: int
) -> None:
    sequencer = make_sequencer(database)
    plain = [make_submission(f"plain {number}", plain=True) for number in range(size)]
    placed = place(sequencer, *plain)

    again = place(sequencer, *(_foreign(each) for each in plain))

    assert again == placed
    assert database.log.count_entries() == size


def _foreign(submission: Submission) -> Submission:
    object.__setattr__(submission, "is_plain", False)
    return submission


def test_rows_of_one_run_lie_together(database: Database) -> None:
    scattered(database)

    with reading(database.engine) as connection:
        for table, column in ((schema.places, "record"), (schema.digests, "digest")):
            query = select(table.c[column], table.c.leaf_index).order_by(table.c[column])
            rows = connection.execute(query).all()
            runs = [index >> 2 for _, index in rows]
            assert runs == sorted(runs)


def test_a_number_has_its_run_and_its_value() -> None:
    value = digest("x")

    found = [digest_prefix(value, index) for index in (0, 3, 4, 400)]

    assert found[0] == found[1] == value_of(found[2]) == value_of(found[3])
    assert len(set(found)) == 3
    assert digest_prefixes(value, 0) == []
    assert digest_prefixes(value, 4) == [found[0]]
    assert digest_prefixes(value, 5) == found[1:3]
    assert record_prefixes(A, 9) == [record_prefix(A, index) for index in (0, 4, 8)]
