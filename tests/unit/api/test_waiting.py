"""Waiting: one poller for all, and no stage told before the store has it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

import pytest

from vermilion_api.services.waiting import (
    Outcome,
    Stage,
    Standing,
    Waiter,
    parse_stage,
)
from vermilion_ledger.errors import InputError, UnavailableError
from vermilion_ledger.rows import SubmissionState


class Progress:
    """A log in memory: a `ProgressSource` whose states the test sets."""

    def __init__(self) -> None:
        self.found: dict[int, SubmissionState] = {}
        self.standing_now = Standing(published=0, anchored=0, final=0)
        self.questions: list[int] = []
        self.faults = 0

    def states(self, positions: Sequence[int]) -> Mapping[int, SubmissionState]:
        if self.faults:
            self.faults -= 1
            raise UnavailableError("store.busy", "busy")
        self.questions.append(len(positions))
        return {key: self.found[key] for key in positions if key in self.found}

    def standing(self) -> Standing:
        return self.standing_now

    def settle(self, key: int, index: int | None) -> None:
        self.found[key] = SubmissionState(
            position=key,
            record_id="r",
            state="refused" if index is None else "sequenced",
            index=index,
            sequence=0,
            code="x.y" if index is None else None,
        )


def run(progress: Progress, act: Callable[[Waiter], Awaitable[Outcome]]) -> Outcome:
    async def main() -> Outcome:
        waiter = Waiter(progress)
        task = asyncio.create_task(waiter.run())
        try:
            return await act(waiter)
        finally:
            task.cancel()

    return asyncio.run(main())


def ids(count: int) -> list[int]:
    return list(range(7, 7 + count))


def test_a_caller_is_told_when_its_entry_is_published() -> None:
    progress = Progress()

    async def act(waiter: Waiter) -> Outcome:
        waiting = asyncio.create_task(waiter.wait(ids(1), Stage.PUBLISHED, timeout_seconds=5.0))
        await asyncio.sleep(0.05)
        progress.settle(ids(1)[0], 7)
        await asyncio.sleep(0.05)
        assert not waiting.done()
        progress.standing_now = Standing(published=8, anchored=0, final=0)
        return await waiting

    assert run(progress, act).stage is Stage.PUBLISHED


def test_time_up_tells_how_far_it_came() -> None:
    progress = Progress()
    progress.settle(ids(1)[0], 7)
    progress.standing_now = Standing(published=8, anchored=8, final=7)

    outcome = run(progress, lambda w: w.wait(ids(1), Stage.FINAL, timeout_seconds=0.1))

    assert outcome.stage is Stage.ANCHORED


def test_time_up_before_an_index_tells_no_state() -> None:
    outcome = run(Progress(), lambda w: w.wait(ids(1), Stage.SEQUENCED, timeout_seconds=0.05))

    assert outcome.stage is Stage.PENDING
    assert outcome.states == {}


def test_the_last_entry_of_a_group_decides() -> None:
    progress = Progress()
    for number, key in enumerate(ids(3)):
        progress.settle(key, number)
    progress.standing_now = Standing(published=2, anchored=0, final=0)

    outcome = run(progress, lambda w: w.wait(ids(3), Stage.PUBLISHED, timeout_seconds=0.1))

    assert outcome.stage is Stage.SEQUENCED


def test_a_refused_submission_is_told_at_once() -> None:
    progress = Progress()
    progress.settle(ids(1)[0], None)

    outcome = run(progress, lambda w: w.wait(ids(1), Stage.FINAL, timeout_seconds=5.0))

    assert outcome.states[ids(1)[0]].code == "x.y"


def test_a_store_out_of_reach_for_a_moment_does_not_end_the_poller() -> None:
    progress = Progress()
    progress.faults = 1
    progress.settle(ids(1)[0], 0)

    outcome = run(progress, lambda w: w.wait(ids(1), Stage.SEQUENCED, timeout_seconds=5.0))

    assert outcome.stage is Stage.SEQUENCED


def test_a_large_group_is_not_asked_for_whole_again_and_again() -> None:
    progress = Progress()

    async def act(waiter: Waiter) -> Outcome:
        waiting = asyncio.create_task(waiter.wait(ids(500), Stage.SEQUENCED, timeout_seconds=5.0))
        await asyncio.sleep(0.1)
        for number, key in enumerate(ids(500)):
            progress.settle(key, number)
        return await waiting

    run(progress, act)

    assert sorted(set(progress.questions)) == [1, 499]
    assert progress.questions.count(499) == 1


def test_a_hundred_callers_share_the_questions() -> None:
    progress = Progress()
    for number, key in enumerate(ids(100)):
        progress.settle(key, number)

    async def act(waiter: Waiter) -> Outcome:
        outcomes = await asyncio.gather(
            *(waiter.wait([key], Stage.SEQUENCED, timeout_seconds=5.0) for key in ids(100))
        )
        return outcomes[0]

    run(progress, act)

    assert len(progress.questions) < 10


def test_who_comes_later_does_not_wait_for_those_who_wait_for_the_chain() -> None:
    progress = Progress()
    for number, key in enumerate(ids(2)):
        progress.settle(key, number)

    async def act(waiter: Waiter) -> Outcome:
        slow = asyncio.create_task(waiter.wait(ids(1), Stage.FINAL, timeout_seconds=5.0))
        await asyncio.sleep(0.1)
        started = time.monotonic()
        outcome = await waiter.wait(ids(2)[1:], Stage.SEQUENCED, timeout_seconds=5.0)
        assert time.monotonic() - started < 0.15
        slow.cancel()
        return outcome

    assert run(progress, act).stage is Stage.SEQUENCED


def test_what_is_known_already_is_not_asked_for() -> None:
    progress = Progress()
    for number, key in enumerate(ids(3)):
        progress.settle(key, number)
    known = list(progress.found.values())

    outcome = run(
        progress, lambda w: w.wait(ids(3), Stage.SEQUENCED, timeout_seconds=5.0, known=known)
    )

    assert (outcome.stage, len(outcome.states)) == (Stage.SEQUENCED, 3)
    assert progress.questions == []


def test_what_is_known_as_pending_is_asked_for() -> None:
    progress = Progress()
    progress.settle(ids(1)[0], 0)
    known = [SubmissionState(position=ids(1)[0], record_id="r", state="pending")]

    outcome = run(
        progress, lambda w: w.wait(ids(1), Stage.SEQUENCED, timeout_seconds=5.0, known=known)
    )

    assert outcome.states[ids(1)[0]].index == 0


def test_an_index_that_is_known_is_not_told_as_published() -> None:
    progress = Progress()
    progress.settle(ids(1)[0], 7)
    known = list(progress.found.values())

    outcome = run(
        progress, lambda w: w.wait(ids(1), Stage.PUBLISHED, timeout_seconds=0.1, known=known)
    )

    assert outcome.stage is Stage.SEQUENCED


def test_nobody_waiting_costs_no_question() -> None:
    progress = Progress()
    started = time.monotonic()

    async def act(waiter: Waiter) -> Outcome:
        await asyncio.sleep(0.1)
        return Outcome(states={}, stage=Stage.PENDING)

    run(progress, act)

    assert progress.questions == []
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("word", ["", "pending", "PUBLISHED", "done"])
def test_a_stage_that_nobody_can_wait_for_is_refused(word: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_stage(word)

    assert caught.value.code == "request.wait"
