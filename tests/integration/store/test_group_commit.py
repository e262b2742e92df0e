"""Group commit: what is shared, how long anybody waits for it, and when the answer goes out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from store_kit import digest, make_sequencer, make_submission
from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    InputError,
    LimitError,
    UnavailableError,
)
from vermilion_ledger.intake import Intake, IntakeLimits
from vermilion_ledger.ports import IntakeStore
from vermilion_ledger.rows import Accepted, Idempotency, IntakeBatch
from vermilion_ledger.store import Database


@contextmanager
def commits(database: Database, hold: Callable[[], None] = lambda: None) -> Iterator[list[int]]:
    """Count commits that wrote; ``hold`` runs just before each."""
    counted: list[int] = []

    def on_commit(connection: object) -> None:
        if "vermilion_begin" in connection.get_execution_options():  # type: ignore[attr-defined]
            hold()
            counted.append(1)

    event.listen(database.engine, "commit", on_commit)
    try:
        yield counted
    finally:
        event.remove(database.engine, "commit", on_commit)


class Door:
    """Stops the writer at its first commit until it is opened."""

    def __init__(self) -> None:
        self.reached, self._opened = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        assert self._opened.wait(30)

    def wait(self) -> None:
        assert self.reached.wait(30)

    def open(self) -> None:
        self._opened.set()


def test_concurrent_submissions_share_one_transaction(
    store: IntakeStore, database: Database
) -> None:
    door = Door()
    with commits(database, door) as counted, Intake(store) as intake:
        first = intake.submit([make_submission()])
        door.wait()
        futures = []
        lock = threading.Lock()

        def call() -> None:
            future = intake.submit([make_submission()])
            with lock:
                futures.append(future)

        callers = [threading.Thread(target=call) for _ in range(64)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        door.open()
        answers = [each.result(30) for each in [first, *futures]]

    assert len(counted) == 2
    assert len({answer.positions for answer in answers}) == 65


def test_no_answer_goes_out_before_the_commit(store: IntakeStore, database: Database) -> None:
    door = Door()
    with commits(database, door), Intake(store) as intake:
        future = intake.submit([make_submission()])
        door.wait()
        assert not future.done()
        assert database.log.load_states([1, 2, 3]) == {}
        door.open()
        (position,) = future.result(30).positions

    assert database.log.load_states([position])


def test_many_threads_lose_nothing(store: IntakeStore, database: Database) -> None:
    acknowledged: list[int] = []
    with Intake(store) as intake:

        def work() -> None:
            for _ in range(20):
                acknowledged.extend(intake.submit([make_submission()]).result(60).positions)

        threads = [threading.Thread(target=work) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(set(acknowledged)) == 320
    assert len(database.log.load_states(acknowledged)) == 320


def test_the_index_comes_with_the_answer_where_the_sequencer_takes_submissions_in(
    database: Database,
) -> None:
    with Intake(make_sequencer(database)) as intake:
        futures = [intake.submit([make_submission(), make_submission()]) for _ in range(10)]
        answers = [each.result(30) for each in futures]

    indices = [state.index for answer in answers for state in answer.states or ()]
    assert indices == list(range(20))


def test_a_failure_of_one_caller_reaches_that_caller_alone(store: IntakeStore) -> None:
    with Intake(store) as intake:
        intake.submit([make_submission(nonce="used")]).result(30)
        futures = [
            intake.submit([make_submission(nonce=nonce)]) for nonce in ("one", "used", "two")
        ]
        assert futures[0].result(30).positions
        with pytest.raises(ConflictError) as caught:
            futures[1].result(30)
        assert futures[2].result(30).positions

    assert caught.value.code == "statement.nonce-reused"


def test_an_idempotency_key_answers_through_the_intake(store: IntakeStore) -> None:
    key = Idempotency(key="k", request_hash=digest("request"))
    with Intake(store) as intake:
        first = intake.submit([make_submission()], idempotency=key).result(30)
        repeated = intake.submit([make_submission()], idempotency=key).result(30)

    assert repeated.positions == first.positions
    assert repeated.replayed


# -- back-pressure


def test_a_full_queue_refuses(store: IntakeStore, database: Database) -> None:
    door = Door()
    limits = IntakeLimits(queue_count_max=2)
    with commits(database, door), Intake(store, limits=limits) as intake:
        first = intake.submit([make_submission()])
        door.wait()
        waiting = [intake.submit([make_submission()]) for _ in range(2)]

        with pytest.raises(UnavailableError) as caught:
            intake.submit([make_submission()])

        assert caught.value.code == "intake.overloaded"
        door.open()
        assert all(each.result(30) for each in [first, *waiting])


def test_a_queue_full_of_bytes_refuses_until_there_is_room(
    store: IntakeStore, database: Database
) -> None:
    door = Door()
    limits = IntakeLimits(queue_bytes_max=10_000)
    with commits(database, door), Intake(store, limits=limits) as intake:
        intake.submit([make_submission()])
        door.wait()
        waiting = intake.submit([make_submission(size=5000)])

        with pytest.raises(UnavailableError) as caught:
            intake.submit([make_submission(size=5000)])

        door.open()
        waiting.result(30)
        assert intake.submit([make_submission(size=5000)]).result(30).positions
    assert caught.value.code == "intake.overloaded"


@pytest.mark.parametrize("limits", [IntakeLimits(queue_bytes_max=1000)])
def test_a_batch_of_more_bytes_than_the_queue_holds_is_refused_for_good(
    database: Database, limits: IntakeLimits
) -> None:
    with (
        Intake(database.intake, limits=limits) as intake,
        pytest.raises(LimitError) as caught,
    ):
        intake.submit([make_submission(size=1001)])

    assert caught.value.code == "intake.batch-size"


def test_a_batch_beyond_the_queue_is_refused_for_good(database: Database) -> None:
    with (
        Intake(database.intake, limits=IntakeLimits(queue_count_max=1)) as intake,
        pytest.raises(LimitError),
    ):
        intake.submit([make_submission(), make_submission()])


def test_an_empty_batch_is_refused(database: Database) -> None:
    with (
        Intake(database.intake) as intake,
        pytest.raises(InputError) as caught,
    ):
        intake.submit([])

    assert caught.value.code == "intake.empty"


def test_closing_saves_what_is_queued_and_then_refuses(store: IntakeStore) -> None:
    intake = Intake(store)
    intake.start()
    futures = [intake.submit([make_submission()]) for _ in range(20)]

    intake.close()

    assert all(each.done() and each.result(0) for each in futures)
    with pytest.raises(UnavailableError) as caught:
        intake.submit([make_submission()])
    assert caught.value.code == "intake.closed"


def test_an_intake_that_was_not_started_refuses(database: Database) -> None:
    with pytest.raises(UnavailableError) as caught:
        Intake(database.intake).submit([make_submission()])

    assert caught.value.code == "intake.closed"


def test_a_cancelled_caller_is_left_out(store: IntakeStore, database: Database) -> None:
    door = Door()
    with commits(database, door), Intake(store) as intake:
        first = intake.submit([make_submission()])
        door.wait()
        gone = intake.submit([make_submission()])
        stays = intake.submit([make_submission()])
        assert gone.cancel()
        door.open()
        saved = [*first.result(30).positions, *stays.result(30).positions]

    assert len(database.log.load_states(range(saved[0], saved[0] + 10))) == 2


def test_a_bulk_batch_larger_than_a_group_is_accepted_whole(
    store: IntakeStore, database: Database
) -> None:
    limits = IntakeLimits(group_count_max=10)
    batch = [make_submission(f"bulk {number}", plain=True) for number in range(300)]

    with Intake(store, limits=limits) as intake:
        accepted = intake.submit(batch).result(60)

    found = database.log.load_states(accepted.positions)
    assert [found[each].record_id for each in accepted.positions] == [
        each.record_id for each in batch
    ]


# -- how long anybody waits for company


class Watch:
    """Time that passes only while the writer waits; somebody may come meanwhile."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        self.during: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self.during()

    def monotonic(self) -> float:
        return self.now


class Groups:
    """A store behind which is another, that notes the groups it is given."""

    def __init__(self, store: IntakeStore) -> None:
        self._store = store
        self.sizes: list[int] = []
        self.door: Callable[[], None] = lambda: None

    def save_batches(self, batches: Sequence[IntakeBatch]) -> Sequence[Accepted | EvidenceError]:
        self.sizes.append(len(batches))
        self.door()
        return self._store.save_batches(batches)


@contextmanager
def watched(
    store: IntakeStore, limits: IntakeLimits
) -> Iterator[tuple[Intake, Watch, Groups, Callable[[int], None]]]:
    """An intake whose time stands still, and a way to let company come together."""
    watch, groups = Watch(), Groups(store)
    intake = Intake(groups, limits=limits, sleep=watch.sleep, monotonic=watch.monotonic)

    def together(count: int) -> None:
        door = Door()
        groups.door = door
        first = intake.submit([make_submission()])
        door.wait()
        futures = [intake.submit([make_submission()]) for _ in range(count)]
        door.open()
        for each in [first, *futures]:
            each.result(30)

    with intake:
        yield intake, watch, groups, together


def test_who_comes_alone_does_not_wait(database: Database) -> None:
    with watched(make_sequencer(database), IntakeLimits()) as (intake, watch, groups, _):
        for _ in range(5):
            intake.submit([make_submission()]).result(30)

    assert watch.slept == []
    assert groups.sizes == [1] * 5


def test_after_company_the_next_group_waits_until_nobody_comes(database: Database) -> None:
    with watched(make_sequencer(database), IntakeLimits()) as (intake, watch, groups, together):
        together(3)
        late = []

        def come() -> None:
            if len(watch.slept) <= 2:
                late.append(intake.submit([make_submission()]))

        watch.during = come
        first = intake.submit([make_submission()])
        first.result(30)
        for each in late:
            each.result(30)

    assert groups.sizes == [1, 3, 3]
    assert len(watch.slept) == 3  # twice somebody came, then nobody


def test_company_that_keeps_coming_is_not_waited_for_beyond_the_bound(database: Database) -> None:
    limits = IntakeLimits(wait_seconds=0.015)
    with watched(make_sequencer(database), limits) as (intake, watch, groups, together):
        together(2)
        late = []
        watch.during = lambda: late.append(intake.submit([make_submission()]))
        intake.submit([make_submission()]).result(30)
        slept = list(watch.slept)
        watch.during = lambda: None
        for each in late:
            each.result(30)

    waited = slept[: groups.sizes[2] - 1]
    assert sum(waited) == pytest.approx(0.015)
    assert max(waited) <= 0.002


def test_a_full_group_is_not_waited_for(database: Database) -> None:
    limits = IntakeLimits(group_count_max=4)
    with watched(make_sequencer(database), limits) as (intake, watch, groups, together):
        together(4)
        bulk = intake.submit([make_submission() for _ in range(4)])
        bulk.result(30)

    assert groups.sizes == [1, 4, 1]
    assert watch.slept == []


def test_no_bound_means_no_wait(database: Database) -> None:
    limits = IntakeLimits(wait_seconds=0)
    with watched(make_sequencer(database), limits) as (intake, watch, _, together):
        together(4)
        intake.submit([make_submission()]).result(30)

    assert watch.slept == []


def test_a_group_has_at_most_its_number_of_submissions(database: Database) -> None:
    limits = IntakeLimits(group_count_max=10, wait_seconds=0)
    with watched(make_sequencer(database), limits) as (_, __, groups, together):
        together(35)

    assert groups.sizes == [1, 10, 10, 10, 5]
