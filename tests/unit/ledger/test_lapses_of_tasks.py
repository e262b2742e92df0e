"""Overdue and undelivered: judged by intervals, copy by copy."""

from __future__ import annotations

from typing import Any

import pytest

from life_kit import BEGIN, FixedTimes, Life, at, codes, incoming, sha
from vermilion_ledger.findings import Finding, find_lapses
from vermilion_ledger.findings.times import StatedTimes

COPIES = [sha("财政局").hex(), sha("档案馆").hex()]
DUE = 10


def tasked(event: str = "handle", **members: Any) -> Life:
    """A record with a task at entry 1."""
    life = Life()
    life.add("register")
    life.add(event, due=at(DUE), owner="综合科", **members)
    return life


def sent(**members: Any) -> Life:
    """A record with a dispatch to two at entry 1."""
    life = Life()
    life.add("register")
    life.add("dispatch", **{"to": COPIES} | members)
    return life


def judged(life: Life, times: FixedTimes, *, complete: bool = True) -> list[tuple[str, str, bool]]:
    found = find_lapses(life.history, times, complete=complete)
    return [
        (each.code.removeprefix("finding."), each.severity.value, each.certain) for each in found
    ]


# --- overdue


@pytest.mark.parametrize("event", ["handle", "supervise"])
def test_a_task_in_time_is_no_finding_and_one_without_answer_is(event: str) -> None:
    life = tasked(event)

    assert life.find(hour=DUE) == ()
    (found,) = life.find(hour=DUE + 1)

    assert (found.code, found.sequence, found.certain) == ("finding.overdue", 1, True)
    assert found.detail == {"due": at(DUE), "asOf": at(DUE + 1), "owner": "综合科"}
    assert found.zh == f"期限为 {at(DUE)},未见办结"


@pytest.mark.parametrize("event", ["handle", "supervise"])
def test_an_answer_in_time_lifts_it(event: str) -> None:
    life = tasked()
    life.add(event, of=life.of(1), outcome="done")

    assert life.find() == ()


def test_a_late_answer_is_named() -> None:
    life = tasked()
    for _ in range(DUE):
        life.add("review")
    answer = life.add("handle", of=life.of(1), outcome="done")

    (found,) = life.find()

    assert found.detail["answer"] == answer.sequence
    assert "answered later" in found.en


@pytest.mark.parametrize(
    "members",
    [
        {"outcome": "done"},
        {"of": {"sequence": 0, "envelope": "00" * 32}, "outcome": "done"},
        {"of": {"sequence": 1, "envelope": "00" * 32}, "outcome": "done"},
        {"of": {"sequence": True, "envelope": "00" * 32}, "outcome": "done"},
        {"of": 1, "outcome": "done"},
        {"of": {"sequence": 2}, "outcome": "done"},
        {"of": {}, "outcome": "done"},
    ],
)
def test_what_names_another_entry_or_none_answers_nothing(members: dict[str, Any]) -> None:
    life = tasked()
    life.add("handle", members)

    assert codes(life.find()) == ["overdue"]


@pytest.mark.parametrize("change", [{"record": "rec_" + "0" * 32}, {"ledger": "elsewhere"}])
def test_what_names_a_task_elsewhere_answers_none_here(change: dict[str, str]) -> None:
    life = tasked()
    life.add("handle", of=life.of(1) | change, outcome="done")

    assert codes(life.find()) == ["overdue"]


def test_passing_a_task_on_and_urging_answer_nothing() -> None:
    life = tasked()
    life.add("handle", of=life.of(1), owner="another")
    life.add("urge", of=life.of(1))
    life.add("review", of=life.of(1), outcome="done")

    assert codes(life.find()) == ["overdue"]


@pytest.mark.parametrize("due", [None, "", "2026-12-05", 1795000000, ["2026-12-05T09:00:00Z"]])
def test_a_due_that_is_no_time_is_none(due: object) -> None:
    life = Life()
    life.add("register")
    life.add("handle", due=due)

    assert life.find() == ()


@pytest.mark.parametrize(
    ("bounds", "now", "expected"),
    [
        ((None, DUE), 1000, []),  # surely in time
        ((3, DUE), 1000, []),
        ((None, None), DUE, []),  # at hand now, and it is not late yet
        ((None, DUE + 5), DUE, []),  # the same, whatever its anchor's clock says
        ((None, DUE + 1), 1000, [("overdue", "notice", False)]),  # perhaps
        ((DUE, DUE + 1), 1000, [("overdue", "notice", False)]),
        ((None, None), 1000, [("overdue", "notice", False)]),
        ((DUE + 1, DUE + 2), 1000, [("overdue", "warning", True)]),  # for certain
        ((DUE + 1, None), 1000, [("overdue", "warning", True)]),
    ],
)
def test_an_answer_is_judged_by_both_bounds(
    bounds: tuple[int | None, int | None], now: int, expected: list[tuple[str, str, bool]]
) -> None:
    life = tasked()
    life.add("handle", of=life.of(1), outcome="done")

    assert judged(life, FixedTimes(hours={2: bounds}, now_hour=now)) == expected


@pytest.mark.parametrize(
    ("horizon", "now", "expected"),
    [
        (None, DUE, []),
        (DUE, DUE, []),
        (None, DUE + 1, [("overdue", "notice", False)]),
        (DUE, DUE + 1, [("overdue", "notice", False)]),
        (DUE + 1, DUE + 2, [("overdue", "warning", True)]),
    ],
)
def test_no_answer_is_certain_only_behind_the_newest_block(
    horizon: int | None, now: int, expected: list[tuple[str, str, bool]]
) -> None:
    times = FixedTimes(hours={}, now_hour=now, horizon_hour=horizon)

    assert judged(tasked(), times) == expected


def test_with_entries_left_out_nothing_is_overdue_for_certain() -> None:
    times = FixedTimes(hours={}, horizon_hour=DUE + 1)

    assert judged(tasked(), times, complete=False) == [("overdue", "notice", False)]


def test_the_ledger_takes_statements_at_their_word() -> None:
    life = tasked()
    times = StatedTimes(now=BEGIN)

    assert times.horizon == BEGIN
    assert times.bounds(life.entries[1]).not_before == times.bounds(life.entries[1]).not_after


# --- undelivered


def find_one(life: Life) -> Finding:
    (found,) = life.find()
    return found


def test_a_dispatch_without_receipts_is_undelivered() -> None:
    found = find_one(sent())

    assert (found.code, found.severity, found.sequence) == ("finding.undelivered", "notice", 1)
    assert found.detail == {"count": 2, "missing": 2, "copies": COPIES}


def test_each_receipt_lifts_its_copy_and_all_of_them_the_finding() -> None:
    life = sent()
    life.add("receive", of=life.of(1), copy=COPIES[1])

    assert find_one(life).detail["copies"] == COPIES[:1]

    life.add("receive", of=life.of(1), copy=COPIES[0])

    assert life.find() == ()


@pytest.mark.parametrize(
    ("event", "members"),
    [
        ("receive", {"copy": COPIES[0]}),
        ("receive", {"of": {"sequence": 1, "envelope": "00" * 32}, "copy": COPIES[0]}),
        ("handle", {"copy": COPIES[0]}),
    ],
)
def test_what_is_no_receipt_of_it_lifts_nothing(event: str, members: dict[str, Any]) -> None:
    life = sent()
    life.add(event, members if event == "receive" else members | {"of": life.of(1)})

    assert find_one(life).detail["missing"] == 2


@pytest.mark.parametrize("copy", [None, "财政局", sha("another").hex(), 1, COPIES])
def test_a_receipt_of_one_of_several_must_say_which(copy: object) -> None:
    life = sent()
    life.add("receive", of=life.of(1), copy=copy)

    assert find_one(life).detail["missing"] == 2


@pytest.mark.parametrize("to", [COPIES[:1], COPIES[:1] * 2, [], None, "all", [7]])
def test_a_dispatch_to_one_or_to_nobody_named_needs_one_receipt(to: object) -> None:
    life = sent(to=to)

    assert find_one(life).detail["missing"] == 1

    life.add("receive", of=life.of(1))

    assert life.find() == ()


def test_one_that_is_due_is_a_warning_once_that_has_passed() -> None:
    life = sent(due=at(DUE))

    assert [each.severity.value for each in life.find(hour=DUE)] == ["notice"]
    assert [each.severity.value for each in life.find(hour=DUE + 1)] == ["warning"]
    assert find_one(life).detail["due"] == at(DUE)


def test_a_receipt_that_comes_late_is_overdue() -> None:
    life = sent(due=at(2), to=COPIES[:1])
    life.add("review")
    receipt = life.add("receive", of=life.of(1))

    found = find_one(life)

    assert (found.code, found.detail["answer"]) == ("finding.overdue", receipt.sequence)


def test_of_several_late_receipts_the_surest_is_told() -> None:
    life = sent(due=at(DUE))
    for copy in COPIES:
        life.add("receive", of=life.of(1), copy=copy)
    times = FixedTimes(hours={2: (None, 20), 3: (DUE + 1, 20)})

    assert judged(life, times) == [("overdue", "warning", True)]


def test_circulation_needs_its_receipts_too() -> None:
    life = incoming()
    life.add("dispatch", mode="circulate", to=COPIES)

    assert codes(life.find()) == ["undelivered"]
