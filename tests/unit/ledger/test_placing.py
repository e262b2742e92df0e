"""Giving places: what is refused or undecided takes none, everything else the next one."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from simulation.calm import CalmLog
from store_kit import Admit, make_submission
from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    InputError,
    IntegrityError,
    UnavailableError,
    VerificationError,
)
from vermilion_ledger.history import BatchHistory
from vermilion_ledger.placing import place_batch
from vermilion_ledger.ports import HistoryView
from vermilion_ledger.rows import Pending, Sequenced, Submission


def pending(position: int, row: Submission) -> Pending:
    return Pending(
        position=position,
        record_id=row.record_id,
        record_key=row.record_key,
        kind=row.kind,
        envelope=row.envelope,
        salt=row.salt,
        digest=row.digest,
        is_plain=row.is_plain,
    )


def placed(
    log: CalmLog, rows: list[Submission], rule: Callable[[Pending, HistoryView], None]
) -> Sequenced:
    first = len(log.evidence.entries)
    return place_batch(
        [pending(at, row) for at, row in enumerate(rows, 1000)],
        first_index=first,
        history=BatchHistory(log.log, log.sequencing),
        admission=Admit(rule),
    )


def raising(error: EvidenceError, *records: str) -> Callable[[Pending, HistoryView], None]:
    refused = {make_submission(each).record_id for each in records}

    def rule(each: Pending, _view: HistoryView) -> None:
        if each.record_id in refused:
            raise error

    return rule


@pytest.mark.parametrize(
    "error",
    [
        InputError("statement.malformed", "no"),
        VerificationError("statement.unsigned", "no"),
        ConflictError("record.state", "no"),
    ],
)
def test_what_is_refused_takes_no_place(error: EvidenceError) -> None:
    rows = [make_submission(each) for each in "abab"]

    batch = placed(CalmLog.of(0), rows, raising(error, "a"))

    assert [(p.position, p.index, p.sequence) for p in batch.placements] == [
        (1001, 0, 0),
        (1003, 1, 1),
    ]
    assert [(r.position, r.code, r.message) for r in batch.refusals] == [
        (1000, error.code, "no"),
        (1002, error.code, "no"),
    ]
    assert batch.positions == (1001, 1003, 1000, 1002)


def test_what_cannot_be_decided_stays(caplog: pytest.LogCaptureFixture) -> None:
    rows = [make_submission(each) for each in "aba"]
    error = UnavailableError("scheme.unsupported", "not now")

    with caplog.at_level(logging.WARNING):
        batch = placed(CalmLog.of(0), rows, raising(error, "a"))

    assert [(p.position, p.index) for p in batch.placements] == [(1001, 0)]
    assert batch.refusals == ()
    assert "undecided for now: scheme.unsupported: not now" in caplog.text


def test_a_contradiction_stops_the_batch() -> None:
    rows = [make_submission(each) for each in "ab"]
    error = IntegrityError("log.gap", "stop")

    with pytest.raises(IntegrityError) as caught:
        placed(CalmLog.of(0), rows, raising(error, "b"))

    assert caught.value is error


def test_an_error_of_another_kind_is_not_a_refusal() -> None:
    def rule(_each: Pending, _view: HistoryView) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        placed(CalmLog.of(0), [make_submission()], rule)


def test_nothing_gets_no_place() -> None:
    batch = placed(CalmLog.of(240), [], raising(InputError("a.b", "")))

    assert batch == Sequenced(first_index=240, placements=(), refusals=())


def test_places_go_on_where_the_log_ends() -> None:
    log = CalmLog.of(0)
    log.add(make_submission("a"), make_submission("b"), make_submission("a"))
    rows = [make_submission("a"), make_submission("new", plain=True), make_submission("new")]

    batch = placed(log, [*rows, make_submission("a")], lambda _each, _view: None)

    assert [(p.index, p.sequence) for p in batch.placements] == [(3, 2), (4, 0), (5, 1), (6, 3)]
    assert [p.record_id for p in batch.placements[:3]] == [row.record_id for row in rows]
    assert batch.placements[0].digest == rows[0].digest


def test_admission_sees_the_place_it_judges_and_everything_before_it() -> None:
    log = CalmLog.of(0)
    log.add(make_submission("a"), make_submission("a"))
    rows = [make_submission("a"), make_submission("b"), make_submission("a")]
    lengths = []

    def rule(each: Pending, view: HistoryView) -> None:
        lengths.append(len(view.history(each.record_id)))

    admission = Admit(rule)
    place_batch(
        [pending(at, row) for at, row in enumerate(rows)],
        first_index=2,
        history=BatchHistory(log.log, log.sequencing),
        admission=admission,
    )

    assert admission.seen == [(2, 2), (3, 0), (4, 3)]
    assert lengths == [2, 0, 3]
