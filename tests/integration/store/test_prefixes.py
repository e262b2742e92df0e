"""Eight bytes find a row and never decide: records and digests that share them stay apart."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from store_kit import (
    Admit,
    accept,
    digest,
    make_sequencer,
    make_submission,
    place,
    record_key,
    told,
)
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.rows import Submission
from vermilion_ledger.store import Database, plan, prefixes, reading, schema, sequencing
from vermilion_ledger.store.engine import reading as reading_transaction
from vermilion_ledger.store.prefixes import (
    digest_prefix,
    digest_prefixes,
    record_prefix,
    record_prefixes,
    value_of,
)

A, B = (make_record_id(record_key(name)) for name in "ab")


@pytest.fixture(params=["one number for all", "runs of two entries", "both"])
def odd_prefixes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every record and every digest has the same bytes, or a new run begins all the time."""
    if request.param != "one number for all":
        monkeypatch.setattr(prefixes, "_RUN_BITS", 1)
    if request.param != "runs of two entries":
        monkeypatch.setattr(
            prefixes, "digest_prefix", lambda _, leaf_index: leaf_index >> prefixes._RUN_BITS << 40
        )
        for module in (plan, reading, sequencing):
            if hasattr(module, "digest_prefix"):
                monkeypatch.setattr(module, "digest_prefix", prefixes.digest_prefix)


@pytest.mark.usefixtures("odd_prefixes")
class TestSharedPrefix:
    """Two records and two digests that share their prefix, or have several."""

    def test_sequences_are_counted_record_by_record(self, database: Database) -> None:
        sequencer = make_sequencer(database)
        first = place(sequencer, make_submission("a"), make_submission("b"), make_submission("a"))
        sequencer.release()
        fresh = make_sequencer(database)

        later = place(fresh, make_submission("b"), make_submission("a"), make_submission("c"))

        assert [each[1:] for each in told(first)] == [(0, 0), (1, 0), (2, 1)]
        assert [each[1:] for each in told(later)] == [(3, 1), (4, 2), (5, 0)]

    def test_a_new_record_starts_at_zero_beside_one_that_has_entries(
        self, database: Database
    ) -> None:
        sequencer = make_sequencer(database)
        place(sequencer, make_submission("a"), make_submission("a"))
        sequencer.release()

        (found,) = place(make_sequencer(database), make_submission("b"))

        assert (found.index, found.sequence) == (2, 0)

    def test_counts_of_both_are_told_at_once(self, database: Database) -> None:
        place(make_sequencer(database), *(make_submission(name) for name in "abbaabb"))

        assert database.sequencing.load_counts([A, B, "rec_none"]) == {A: 3, B: 4}
        assert database.sequencing.load_counts([B]) == {B: 4}
        assert database.sequencing.load_counts(["rec_none"]) == {}

    def test_histories_are_not_mixed(self, database: Database) -> None:
        place(make_sequencer(database), *(make_submission(name) for name in "abba"))

        found = database.log.load_history([A, B])

        assert [each.index for each in found[A]] == [0, 3]
        assert [each.index for each in found[B]] == [1, 2]
        assert [each.index for each in database.log.load_history([B], since=1)[B]] == [2]
        assert database.log.load_history(["rec_none"]) == {"rec_none": []}

    def test_admission_sees_its_own_record_alone(self, database: Database) -> None:
        seen: list[list[int]] = []
        look = Admit(
            lambda each, view: seen.append([row.index for row in view.history(each.record_id)])
        )
        first = make_sequencer(database)
        place(first, *(make_submission(name) for name in "abb"))
        first.release()

        place(make_sequencer(database, admission=look), *(make_submission(n) for n in "bac"))

        assert seen == [[1, 2], [0], []]

    def test_records_are_found_by_their_whole_id(self, database: Database) -> None:
        place(make_sequencer(database), make_submission("a", kind="keys"), make_submission("b"))

        found = [database.log.load_record(each) for each in (A, B, "rec_none")]

        assert [each and (each.record_id, each.kind) for each in found] == [
            (A, "keys"),
            (B, "document"),
            None,
        ]

    def test_records_are_found_by_the_whole_digest(self, database: Database) -> None:
        place(
            make_sequencer(database),
            make_submission("a", about="x"),
            make_submission("b", about="y"),
            make_submission("b", about="x"),
        )

        assert database.log.find_by_digest(digest("x")) == sorted([A, B])
        assert database.log.find_by_digest(digest("y")) == [B]
        assert database.log.find_by_digest(digest("z")) == []

    @pytest.mark.parametrize("mode", ["queued", "direct"])
    def test_an_envelope_of_the_registrar_is_told_from_those_beside_it(
        self, database: Database, mode: str
    ) -> None:
        sequencer = make_sequencer(database)
        plain = [make_submission(name, plain=True) for name in "abc"]
        placed = place(sequencer, *plain)

        def submit(each: Submission) -> int:
            if mode == "queued":
                return accept(database, each)[0]
            return place(sequencer, each)[0].position

        again = [submit(replace(each, is_plain=False)) for each in plain]

        assert again == [each.position for each in placed]
        assert submit(make_submission("b")) not in again


def test_equal_values_have_equal_numbers_within_a_run() -> None:
    value = b"\xff" * 32

    assert digest_prefix(value, 0) == digest_prefix(value, 65_535) == 2**40 - 1
    assert digest_prefix(value, 65_536) == 2**41 - 1
    assert digest_prefixes(value, 0) == []
    assert digest_prefixes(value, 65_536) == [2**40 - 1]
    assert digest_prefixes(value, 65_537) == [2**40 - 1, 2**41 - 1]
    assert record_prefix(A, 7) != record_prefix(B, 7)
    assert {value_of(each) for each in record_prefixes(A, 200_000)} == {record_prefix(A, 0)}


def test_the_number_of_the_last_entry_fits_a_column() -> None:
    assert digest_prefix(b"\xff" * 32, 2**39 - 1) == 2**63 - 1


def test_every_number_of_a_prefix_is_stored_and_found(database: Database) -> None:
    extremes = [b"\xff" * 32, b"\x80" + bytes(31), b"\x7f" + b"\xff" * 31, bytes(32)]
    submissions = [make_submission(str(number)) for number in range(len(extremes))]
    place(
        make_sequencer(database),
        *(replace(each, digest=value) for each, value in zip(submissions, extremes, strict=True)),
    )

    with reading_transaction(database.engine) as connection:
        stored = connection.execute(select(schema.digests.c.digest)).scalars().all()
        count = connection.execute(select(func.count()).select_from(schema.places)).scalar()

    assert sorted(stored) == sorted(
        digest_prefix(each, index) for index, each in enumerate(extremes)
    )
    assert count == 4
