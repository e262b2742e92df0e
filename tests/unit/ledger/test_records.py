"""The life of a record: current version, status, conversions."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

import office
from office import DOCUMENT, LI, OTHER_DOCUMENT, placed
from vermilion_ledger.errors import VerificationError
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.records import RecordHistory, Status, make_history
from vermilion_ledger.statement import Subject

THIRD = hashlib.sha256(b"a third").digest()
CURRENT, SUPERSEDED, REVOKED = Status.CURRENT, Status.SUPERSEDED, Status.REVOKED


def history(*events: tuple[str, bytes] | tuple[str, bytes, bytes]) -> RecordHistory:
    made: list[LoggedEnvelope] = []
    for place, (event, digest, *source) in enumerate(events):
        changes: dict[str, Any] = {"subject": Subject(name="d", sha256=digest)}
        if source:
            changes["detail"] = {"from": source[0].hex()}
        if event == "revoke":
            changes["seen"] = office.SEEN
        made.append(placed(office.statement(event, **changes), LI, index=place + 4, sequence=place))
    return make_history(made[::-1])


def status(record: RecordHistory, digest: bytes) -> Status:
    return record.status_of(
        digest, current=record.current_digest(), current_status=record.closing_status()
    )


def test_entries_are_kept_in_the_order_of_their_sequence() -> None:
    record = history(("register", DOCUMENT), ("review", DOCUMENT))

    assert [entry.sequence for entry in record.entries] == [0, 1]


@pytest.mark.parametrize("event", ["register", "version", "correct"])
def test_the_last_version_is_current(event: str) -> None:
    record = history(("register", DOCUMENT), ("review", DOCUMENT), (event, OTHER_DOCUMENT))

    assert record.current_digest() == OTHER_DOCUMENT
    assert record.closing_status() is CURRENT
    assert status(record, DOCUMENT) is SUPERSEDED
    assert record.versions() == {DOCUMENT, OTHER_DOCUMENT}


def test_a_conversion_is_not_the_current_version() -> None:
    record = history(("register", DOCUMENT), ("convert", OTHER_DOCUMENT, DOCUMENT))

    assert record.current_digest() == DOCUMENT
    assert status(record, OTHER_DOCUMENT) is CURRENT


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), CURRENT),
        (("supersede",), SUPERSEDED),
        (("revoke",), REVOKED),
        (("revoke", "supersede"), REVOKED),
        (("supersede", "revoke"), REVOKED),
    ],
)
def test_the_more_severe_word_decides_the_closing(words: tuple[str, ...], expected: Status) -> None:
    record = history(("register", DOCUMENT), *((word, DOCUMENT) for word in words))

    assert record.closing_status() is expected
    assert status(record, DOCUMENT) is expected


def test_a_revocation_of_an_old_version_leaves_the_current_one() -> None:
    record = history(("register", DOCUMENT), ("version", OTHER_DOCUMENT), ("revoke", DOCUMENT))

    assert record.closing_status() is CURRENT
    assert status(record, DOCUMENT) is REVOKED


def test_a_conversion_is_no_better_than_what_it_was_made_from() -> None:
    events: list[Any] = [("register", DOCUMENT), ("convert", THIRD, DOCUMENT)]

    assert status(history(*events, ("revoke", DOCUMENT)), THIRD) is REVOKED
    assert status(history(*events, ("supersede", DOCUMENT)), THIRD) is SUPERSEDED
    assert status(history(*events, ("version", OTHER_DOCUMENT)), THIRD) is SUPERSEDED
    assert status(history(*events, ("revoke", THIRD)), THIRD) is REVOKED


def test_a_conversion_of_a_conversion_inherits_through_both() -> None:
    fourth = hashlib.sha256(b"a fourth").digest()
    record = history(
        ("register", DOCUMENT),
        ("convert", THIRD, DOCUMENT),
        ("convert", fourth, THIRD),
        ("revoke", DOCUMENT),
    )

    assert status(record, fourth) is REVOKED


def test_a_digest_that_was_recorded_as_well_as_converted_is_a_version() -> None:
    record = history(
        ("register", DOCUMENT),
        ("convert", THIRD, DOCUMENT),
        ("version", THIRD),
        ("version", OTHER_DOCUMENT),
    )

    assert status(record, THIRD) is SUPERSEDED


def test_conversions_in_a_ring_are_superseded() -> None:
    record = history(
        ("register", DOCUMENT),
        ("convert", THIRD, OTHER_DOCUMENT),
        ("convert", OTHER_DOCUMENT, THIRD),
    )

    assert status(record, THIRD) is SUPERSEDED
    assert status(record, OTHER_DOCUMENT) is SUPERSEDED


def test_a_long_ladder_of_conversions_is_walked_in_linear_time() -> None:
    rungs = [hashlib.sha256(b"%d" % n).digest() for n in range(600)]
    events: list[Any] = [("register", rungs[0]), ("convert", rungs[1], rungs[0])]
    for n in range(2, 600):
        events += [("convert", rungs[n], rungs[n - 1]), ("convert", rungs[n], rungs[n - 2])]
    record = history(*events)

    assert status(record, rungs[-1]) is CURRENT  # 2^300 paths lead there


def test_the_first_entry_with_a_digest_recorded_it() -> None:
    record = history(
        ("register", DOCUMENT), ("review", OTHER_DOCUMENT), ("version", OTHER_DOCUMENT)
    )

    found = record.first_recorded(OTHER_DOCUMENT)
    assert found is not None
    assert found.sequence == 2
    assert record.first_recorded(THIRD) is None


def test_a_record_without_a_version_has_no_current_digest() -> None:
    with pytest.raises(VerificationError) as caught:
        history(("review", DOCUMENT)).current_digest()

    assert caught.value.code == "record.no-version"
