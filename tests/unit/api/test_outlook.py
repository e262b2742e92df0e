"""What an entry waits for, and when its anchor will be final: arithmetic without a chain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from anchor_kit import (
    NOW,
    finished,
    make_attempt,
    make_job,
    make_note,
    make_outlook,
    mined_in,
    seconds,
)
from vermilion_api.services.outlook import (
    SILENT_SECONDS,
    Expectation,
    attempt_standing,
    measure_pace,
)
from vermilion_api.services.reasons import Reason
from vermilion_ledger.anchor_rows import AnchorJob, JobState
from vermilion_ledger.anchor_standing import wait_code
from vermilion_ledger.codes import advice_for

OPEN = [state for state in JobState if state.is_open]
SENT = make_job(JobState.SENT, make_attempt(1))
BLOCKED = Expectation(unknown="expect.blocked")


# --- why ---


def test_an_anchorer_that_never_spoke_is_silent() -> None:
    look = make_outlook(note=None)

    assert look.reason(60) == Reason(code="anchor.silent")
    assert "never" in look.reason(60).to_json()["en"]
    assert look.expectation(60) == BLOCKED


@pytest.mark.parametrize(
    ("job", "code"),
    [(None, "wait.order"), (SENT, "wait.courier"), (make_job(JobState.PLANNED), "wait.courier")],
)
def test_of_a_chain_that_a_courier_serves_nobody_speaks_and_nothing_is_expected(
    job: AnchorJob | None, code: str
) -> None:
    look = make_outlook(note=None, job=job, is_courier=True)

    assert look.reason(60) == Reason(code=code)
    assert look.expectation(60) == Expectation(unknown="expect.courier")
    assert advice_for(code).zh


@pytest.mark.parametrize("age", [SILENT_SECONDS + 1, -SILENT_SECONDS - 1, 86_400])
def test_an_old_word_is_told_as_old(age: float) -> None:
    note = make_note("wait.sent", told_at=NOW - seconds(age))

    told = make_outlook(note=note, job=SENT).reason(60).to_json()

    assert told["code"] == "anchor.silent"
    assert "its last word was wait.sent" in told["en"]
    assert told["since"] in told["en"]
    assert told["since"] in told["zh"]


def test_an_old_error_is_told_as_old_too() -> None:
    note = make_note("chain.unreachable", told_at=NOW - seconds(SILENT_SECONDS + 1))

    assert "chain.unreachable" in make_outlook(note=note).reason(60).to_json()["en"]


def test_a_word_within_the_limit_still_counts() -> None:
    note = make_note("wait.idle", told_at=NOW - seconds(SILENT_SECONDS))

    assert make_outlook(note=note).reason(60).code == "wait.begin"


@pytest.mark.parametrize(
    "code", ["anchor.fee-cap", "anchor.spend-cap", "anchor.no-funds", "chain.unreachable"]
)
@pytest.mark.parametrize("job", [None, SENT])
def test_an_error_in_the_way_goes_before_the_state(code: str, job: object) -> None:
    note = make_note(code, note="so it is")
    look = make_outlook(note=note, job=job)

    reason = look.reason(60)

    assert (reason.code, reason.since) == (code, "2026-11-21T07:59:00Z")
    assert look.expectation(60) == BLOCKED


@pytest.mark.parametrize("state", OPEN)
def test_every_open_state_has_a_sentence_in_both_languages(state: JobState) -> None:
    job = make_job(state, make_attempt(1))
    note = make_note(wait_code(state))

    told = make_outlook(job=job, note=note).reason(60).to_json()

    assert told["code"] == f"wait.{state}"
    assert told["since"] == "2026-11-21T07:59:00Z"
    assert "{" not in told["en"] + told["zh"]
    assert advice_for(told["code"]).zh


def test_the_state_of_the_journal_counts_where_the_word_is_a_step_behind() -> None:
    look = make_outlook(job=make_job(JobState.PLANNED), note=make_note("wait.idle"))

    reason = look.reason(60)

    assert (reason.code, reason.since) == ("wait.planned", "2026-11-21T07:59:30Z")


def test_nobody_noted_since_when_a_block_has_it() -> None:
    job = make_job(JobState.MINED, make_attempt(1))

    assert make_outlook(job=job, note=make_note("wait.sent")).reason(60).since is None


def test_an_entry_beyond_the_open_anchor_waits_for_the_next() -> None:
    look = make_outlook(job=SENT, published=200)

    assert look.reason(99).code == "wait.sent"
    assert look.reason(100).to_json()["en"].startswith("an anchor of the first 100 entries")


@pytest.mark.parametrize("job", [make_job(JobState.PLANNED), make_job(JobState.DROPPED)])
def test_what_is_signed_next_covers_everything_published(job: object) -> None:
    look = make_outlook(job=job, published=200)

    assert look.reason(199).code in {"wait.planned", "wait.dropped"}
    assert look.reason(200).code == "wait.next-anchor"


def test_without_a_job_an_entry_waits_for_its_checkpoint_or_for_the_interval() -> None:
    look = make_outlook(finished=(finished(1, size=50, block_time=NOW - seconds(4)),))

    assert look.reason(100).code == "wait.checkpoint"
    assert look.reason(60) == Reason(code="wait.due", values={"due": "2026-11-21T08:00:06Z"})
    assert make_outlook().reason(60).code == "wait.begin"
    assert make_outlook(finished=()).reason(60).code == "wait.begin"
    assert look.reason(49).code == "wait.idle"


# --- when ---


@pytest.mark.parametrize("last", [(), (finished(1, size=50, final_at=None),)])
def test_without_a_finished_anchor_no_time_is_told(last: object) -> None:
    look = make_outlook(finished=last)

    assert look.expectation(60) == Expectation(unknown="expect.no-history")


def test_the_median_decides_and_odd_ones_do_not() -> None:
    last = [finished(number, size=50, took=took) for number, took in enumerate((30, 40, 86_400))]

    pace = measure_pace(last)

    assert pace is not None
    assert (pace.final, pace.mined, pace.count) == (40.0, 10.0, 3)


def test_only_the_last_anchors_are_looked_at() -> None:
    last = [finished(1, size=50, took=10)] * 20 + [finished(1, size=50, took=1000)] * 80

    pace = measure_pace(last)

    assert pace is not None
    assert (pace.final, pace.count) == (10.0, 20)


def test_a_chain_whose_clock_runs_behind_took_no_negative_time() -> None:
    anchor = finished(1, size=50)

    pace = measure_pace([replace(anchor, block_time=anchor.planned_at - seconds(500))])

    assert pace is not None
    assert pace.mined == 0.0


def test_an_open_anchor_is_expected_as_long_after_its_plan_as_the_last_ones() -> None:
    look = make_outlook(job=SENT, note=make_note("wait.sent"))

    assert look.expectation(60) == Expectation(at=NOW + seconds(10))  # 40 after 30 ago


def test_an_overdue_anchor_has_no_time() -> None:
    job = replace(SENT, planned_at=NOW - seconds(40))

    look = make_outlook(job=job, note=make_note("wait.sent"))

    assert look.expectation(60) == Expectation(unknown="expect.overdue")


@pytest.mark.parametrize("state", [JobState.DROPPED, JobState.REORGED])
def test_an_anchor_that_begins_again_is_expected_from_now_on(state: JobState) -> None:
    job = replace(make_job(state, make_attempt(1)), planned_at=NOW - seconds(4000))

    look = make_outlook(job=job, note=make_note(wait_code(state)))

    assert look.expectation(60) == Expectation(at=NOW + seconds(40))


def test_a_stuck_anchor_has_no_time() -> None:
    job = make_job(JobState.STUCK, make_attempt(1))

    assert make_outlook(job=job, note=make_note("wait.stuck")).expectation(60) == BLOCKED


def test_what_is_not_planned_yet_is_expected_after_the_interval() -> None:
    look = make_outlook(finished=(finished(1, size=50, block_time=NOW - seconds(4)),))

    assert look.expectation(60) == Expectation(at=NOW + seconds(6 + 40))
    assert make_outlook().expectation(60) == Expectation(at=NOW + seconds(40))


def test_the_next_anchor_begins_when_the_open_one_ends() -> None:
    look = make_outlook(job=SENT, note=make_note("wait.sent"), published=200)

    assert look.expectation(150) == Expectation(at=NOW + seconds(10 + 40))
    slow = replace(look, interval_seconds=100.0)
    assert slow.expectation(150) == Expectation(at=NOW + seconds(-30 + 10 + 100 + 40))
    late = replace(look, job=replace(SENT, planned_at=NOW - seconds(500)))
    assert late.expectation(150) == Expectation(at=NOW + seconds(40))


# --- what became of each transaction ---


def test_the_newest_attempt_waits_and_those_with_its_nonce_are_replaced() -> None:
    first, second, third = make_attempt(1, nonce=6), make_attempt(2), make_attempt(3)
    job = make_job(JobState.SENT, first, second, third)

    found = [attempt_standing(job, each) for each in job.attempts]

    assert found == ["left-behind", "replaced", "waiting"]


def test_an_older_attempt_may_be_the_one_that_is_mined() -> None:
    job = make_job(JobState.FINAL, make_attempt(1), make_attempt(2), make_attempt(3, nonce=8))

    found = [attempt_standing(job, each) for each in job.attempts]

    assert found == ["mined", "replaced", "left-behind"]


@pytest.mark.parametrize(
    "job",
    [
        make_job(JobState.DROPPED, make_attempt(1)),
        make_job(JobState.SUPERSEDED, make_attempt(1)),
        make_job(JobState.MINED, make_attempt(1), mined=mined_in(9)),  # another publisher's
    ],
)
def test_a_transaction_that_cannot_be_mined_is_left_behind(job: AnchorJob) -> None:
    assert [attempt_standing(job, each) for each in job.attempts] == ["left-behind"]
