"""Group commit: what is shared, what is refused, and when the answer goes out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event, func, select

from store_kit import accept, digest, make_submission, record_key, system_clock
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    InputError,
    LimitError,
    NotFoundError,
    UnavailableError,
)
from vermilion_ledger.intake import Intake, IntakeLimits
from vermilion_ledger.rows import Accepted, Idempotency, IntakeBatch, NewRecord
from vermilion_ledger.store import Database, schema
from vermilion_ledger.store.engine import reading


def count_rows(database: Database, table: str) -> int:
    with reading(database.engine) as connection:
        query = select(func.count()).select_from(schema.METADATA.tables[table])
        return connection.execute(query).scalar_one()


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


def test_concurrent_submissions_share_one_transaction(database: Database) -> None:
    accept(database, make_submission(new=True))
    all_queued = threading.Event()

    def hold() -> None:
        assert all_queued.wait(30)

    with (
        commits(database, hold) as counted,
        Intake(database.intake, system_clock) as intake,
    ):
        first = intake.submit([make_submission()])
        while not count_of_waiting_is(intake, 0):
            pass
        callers = [
            threading.Thread(target=lambda: intake.submit([make_submission()])) for _ in range(64)
        ]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        last = intake.submit([make_submission()])
        all_queued.set()
        first.result(30)
        last.result(30)

    assert len(counted) == 2
    assert count_rows(database, "queue") == 67


def count_of_waiting_is(intake: Intake, count: int) -> bool:
    return intake._count == count


def test_no_answer_goes_out_before_the_commit(database: Database) -> None:
    at_commit, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        at_commit.set()
        assert go_on.wait(30)

    with commits(database, hold), Intake(database.intake, system_clock) as intake:
        submission = make_submission(new=True)
        future = intake.submit([submission])
        assert at_commit.wait(30)
        assert not future.done()
        assert database.log.load_states([submission.submission_id]) == {}
        go_on.set()
        assert future.result(30).submission_ids == (submission.submission_id,)

    assert database.log.load_states([submission.submission_id])


def test_many_threads_lose_nothing(database: Database) -> None:
    accept(database, make_submission(new=True))
    acknowledged: list[bytes] = []

    with Intake(database.intake, system_clock) as intake:

        def work() -> None:
            for _ in range(20):
                ids = intake.submit([make_submission()]).result(60).submission_ids
                acknowledged.extend(ids)

        threads = [threading.Thread(target=work) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(set(acknowledged)) == 320
    assert len(database.log.load_states(acknowledged)) == 320


def test_the_same_envelope_twice_is_one_submission(database: Database) -> None:
    first = make_submission(new=True, text="same", nonce="same")
    again = make_submission(new=True, text="same", nonce="same")

    ids = accept(database, first)

    assert accept(database, again) == ids
    assert accept(database, make_submission(), again, first)[1:] == ids * 2
    assert count_rows(database, "queue") == 2


def test_the_same_envelope_from_two_callers_of_one_group_is_one_submission(
    database: Database,
) -> None:
    batches = [
        IntakeBatch(submissions=(make_submission(new=True, text="same", nonce="same"),))
        for _ in range(2)
    ]

    one, two = database.intake.save_batches(batches, received_at=system_clock())

    assert one == two
    assert count_rows(database, "submissions") == 1


def test_a_nonce_is_accepted_once(database: Database) -> None:
    accept(database, make_submission(new=True, nonce="n"))

    with pytest.raises(ConflictError) as caught:
        accept(database, make_submission(nonce="n"))

    assert caught.value.code == "statement.nonce-reused"


def test_a_nonce_twice_in_one_batch_is_refused_whole(database: Database) -> None:
    with pytest.raises(ConflictError) as caught:
        accept(database, make_submission(new=True, nonce="n"), make_submission(nonce="n"))

    assert caught.value.code == "statement.nonce-reused"
    assert count_rows(database, "records") == 0


def test_the_same_nonce_of_another_key_is_accepted(database: Database) -> None:
    first = make_submission(new=True, nonce="n")
    other = make_submission(nonce="n")
    object.__setattr__(other, "nonces", ((digest("other key"), other.nonces[0][1]),))

    assert len(accept(database, first, other)) == 2


def test_only_the_conflicting_caller_of_a_group_fails(database: Database) -> None:
    accept(database, make_submission(new=True, nonce="used"))
    batches = [
        IntakeBatch(submissions=(make_submission(),)),
        IntakeBatch(submissions=(make_submission(), make_submission(nonce="used"))),
        IntakeBatch(submissions=(make_submission("nobody's"),)),
        IntakeBatch(submissions=(make_submission("b", new=True),)),
        IntakeBatch(submissions=(make_submission("b", new=True),)),
        IntakeBatch(submissions=(make_submission("b"),)),
    ]

    results = database.intake.save_batches(batches, received_at=system_clock())

    codes = [each.code if isinstance(each, EvidenceError) else "" for each in results]
    assert codes == ["", "statement.nonce-reused", "record.unknown", "", "record.exists", ""]
    assert count_rows(database, "queue") == 4


def test_what_only_the_database_refuses_fails_its_caller_alone(database: Database) -> None:
    bad = make_submission("b", new=True)
    object.__setattr__(bad, "salt", b"short")  # past the check of the row, to the table's
    batches = [
        IntakeBatch(submissions=(make_submission(new=True),)),
        IntakeBatch(submissions=(bad,)),
        IntakeBatch(submissions=(make_submission("c", new=True),)),
    ]

    results = database.intake.save_batches(batches, received_at=system_clock())

    assert [isinstance(each, Accepted) for each in results] == [True, False, True]
    assert count_rows(database, "queue") == 2


def test_an_unknown_record_is_refused(database: Database) -> None:
    with pytest.raises(NotFoundError) as caught:
        accept(database, make_submission())

    assert caught.value.code == "record.unknown"


def test_a_record_made_ahead_takes_submissions_and_is_made_once(database: Database) -> None:
    record = NewRecord(record_id=make_record_id(record_key("a")), record_key=record_key("a"))
    database.intake.save_record(record, created_at=system_clock())

    assert len(accept(database, make_submission())) == 1
    with pytest.raises(ConflictError) as caught:
        database.intake.save_record(record, created_at=system_clock())
    assert caught.value.code == "record.exists"


def test_an_idempotency_key_answers_the_same_request_again(database: Database) -> None:
    idempotency = Idempotency(key="k", request_hash=digest("request"))
    with Intake(database.intake, system_clock) as intake:
        first = intake.submit([make_submission(new=True)], idempotency=idempotency).result(30)
        again = intake.submit([make_submission("b", new=True)], idempotency=idempotency)

        assert again.result(30).submission_ids == first.submission_ids
        assert again.result(30).replayed
        assert not first.replayed
    assert count_rows(database, "submissions") == 1


def test_an_idempotency_key_refuses_another_request(database: Database) -> None:
    with Intake(database.intake, system_clock) as intake:
        intake.submit(
            [make_submission(new=True)],
            idempotency=Idempotency(key="k", request_hash=digest("request")),
        ).result(30)
        other = intake.submit(
            [make_submission()], idempotency=Idempotency(key="k", request_hash=digest("other"))
        )

        with pytest.raises(ConflictError) as caught:
            other.result(30)
    assert caught.value.code == "idempotency.other-body"
    assert count_rows(database, "submissions") == 1


def test_a_refused_batch_does_not_use_up_its_idempotency_key(database: Database) -> None:
    idempotency = Idempotency(key="k", request_hash=digest("request"))
    refused = IntakeBatch(submissions=(make_submission("nobody's"),), idempotency=idempotency)
    good = IntakeBatch(submissions=(make_submission(new=True),), idempotency=idempotency)

    first, second = database.intake.save_batches([refused, good], received_at=system_clock())

    assert isinstance(first, NotFoundError)
    assert isinstance(second, Accepted)
    assert not second.replayed


def test_two_processes_with_the_same_envelopes_agree_on_the_ids(
    url: str, opened: Callable[..., Database]
) -> None:
    one, two = opened(url), opened(url)
    accept(one, make_submission(new=True))
    answers: dict[str, list[bytes]] = {"one": [], "two": []}
    errors: list[BaseException] = []
    ready = threading.Barrier(2)

    def work(name: str, database: Database) -> None:
        try:
            ready.wait(30)
            for number in range(60):
                text = f"shared {number}"
                answers[name] += accept(database, make_submission(text=text, nonce=text))
        except BaseException as exc:  # noqa: BLE001 -- shown by the assertion below
            errors.append(exc)

    threads = [
        threading.Thread(target=work, args=("one", one)),
        threading.Thread(target=work, args=("two", two)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert answers["one"] == answers["two"]
    assert count_rows(one, "submissions") == 61


def test_a_full_queue_refuses(database: Database) -> None:
    at_commit, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        at_commit.set()
        assert go_on.wait(30)

    limits = IntakeLimits(queue_count_max=2)
    with (
        commits(database, hold),
        Intake(database.intake, system_clock, limits=limits) as intake,
    ):
        first = intake.submit([make_submission(new=True)])
        assert at_commit.wait(30)
        waiting = [intake.submit([make_submission()]) for _ in range(2)]

        with pytest.raises(UnavailableError) as caught:
            intake.submit([make_submission()])

        assert caught.value.code == "intake.overloaded"
        go_on.set()
        assert all(each.result(30) for each in [first, *waiting])


def test_a_queue_full_of_bytes_refuses(database: Database) -> None:
    limits = IntakeLimits(queue_bytes_max=1000)
    with (
        Intake(database.intake, system_clock, limits=limits) as intake,
        pytest.raises(LimitError) as caught,
    ):
        intake.submit([make_submission(new=True, size=1001)])

    assert caught.value.code == "intake.batch-size"


def test_a_batch_beyond_the_queue_is_refused_for_good(database: Database) -> None:
    with (
        Intake(database.intake, system_clock, limits=IntakeLimits(queue_count_max=1)) as intake,
        pytest.raises(LimitError),
    ):
        intake.submit([make_submission(), make_submission()])


def test_an_empty_batch_is_refused(database: Database) -> None:
    with (
        Intake(database.intake, system_clock) as intake,
        pytest.raises(InputError) as caught,
    ):
        intake.submit([])

    assert caught.value.code == "intake.empty"


def test_closing_saves_what_is_queued_and_then_refuses(database: Database) -> None:
    intake = Intake(database.intake, system_clock, limits=IntakeLimits(wait_seconds=0.01))
    intake.start()
    futures = [intake.submit([make_submission(str(number), new=True)]) for number in range(20)]

    intake.close()

    assert all(each.done() and each.result(0) for each in futures)
    with pytest.raises(UnavailableError) as caught:
        intake.submit([make_submission()])
    assert caught.value.code == "intake.closed"


def test_a_cancelled_caller_is_left_out(database: Database) -> None:
    at_commit, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        at_commit.set()
        assert go_on.wait(30)

    with commits(database, hold), Intake(database.intake, system_clock) as intake:
        intake.submit([make_submission(new=True)])
        assert at_commit.wait(30)
        gone = intake.submit([make_submission()])
        stays = intake.submit([make_submission()])
        assert gone.cancel()
        go_on.set()
        stays.result(30)

    assert count_rows(database, "queue") == 2


def test_a_bulk_batch_larger_than_a_group_is_accepted_whole(database: Database) -> None:
    limits = IntakeLimits(group_count_max=10)
    batch = [make_submission(f"bulk {number}", new=True) for number in range(300)]

    with Intake(database.intake, system_clock, limits=limits) as intake:
        accepted = intake.submit(batch).result(60)

    assert accepted.submission_ids == tuple(each.submission_id for each in batch)
