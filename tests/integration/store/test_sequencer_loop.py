"""What a sequencer's batch leaves when it fails, who may save one, and the loop around it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from store_kit import (
    Admit,
    ManualClock,
    Writer,
    accept,
    make_sequencer,
    make_submission,
    make_writer,
    place,
    replayed_leaves,
    states_of,
    told,
)
from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    IntegrityError,
    UnavailableError,
)
from vermilion_ledger.intake import Intake
from vermilion_ledger.ports import HistoryView
from vermilion_ledger.rows import (
    Accepted,
    IntakeBatch,
    Pending,
    Submission,
)
from vermilion_ledger.sequencer import Sequencer, SequencerTiming
from vermilion_ledger.store import Database
from vermilion_ledger.tilestore.posix import PosixTileStore

Opener = Callable[..., Database]

# -- errors


def test_an_error_in_a_batch_changes_nothing_and_the_next_batch_is_right(
    database: Database,
) -> None:
    fails, last = True, make_submission()

    def fail_late(pending: Pending, _: HistoryView) -> None:
        if fails and pending.envelope == last.envelope:
            raise RuntimeError("a bug")

    positions = accept(database, make_submission())
    sequencer = make_sequencer(database, admission=Admit(fail_late))
    sequencer.sequence_batch()
    positions += accept(database, *(make_submission() for _ in range(300)), last)

    with pytest.raises(RuntimeError):
        sequencer.sequence_batch()
    assert database.log.count_entries() == 1
    fails = False
    sequencer.sequence_batch()

    assert [each[1:] for each in states_of(database, positions)] == [(n, n) for n in range(302)]
    replayed_leaves(database)


def test_an_error_while_placing_saves_nothing_for_anybody(database: Database) -> None:
    fails, bad = True, make_submission()

    def fail(pending: Pending, _: HistoryView) -> None:
        if fails and pending.envelope == bad.envelope:
            raise IntegrityError("log.gap", "the log contradicts itself")

    sequencer = make_sequencer(database, admission=Admit(fail))
    place(sequencer, make_submission())
    batches = [IntakeBatch(submissions=(each,)) for each in (make_submission(), bad)]

    with pytest.raises(IntegrityError):
        sequencer.save_batches(batches)
    assert database.log.load_states(range(10)).keys() == {1}
    fails = False

    found = [each for each in sequencer.save_batches(batches) if isinstance(each, Accepted)]
    assert [told(each.states or ()) for each in found] == [
        [("sequenced", 1, 1)],
        [("sequenced", 2, 2)],
    ]


def test_a_batch_that_saves_nothing_new_is_answered(database: Database) -> None:
    sequencer = make_sequencer(database)
    submission = make_submission()
    first = place(sequencer, submission)

    assert place(sequencer, submission) == first
    assert sequencer.save_batches([]) == []
    assert place(sequencer, make_submission())[0].index == 1


def test_duplicates_inside_one_group_get_the_same_state(database: Database) -> None:
    sequencer = make_sequencer(database)
    one, two = make_submission(), make_submission()
    batches = [
        IntakeBatch(submissions=(one, two, one)),
        IntakeBatch(submissions=(two,)),
    ]

    answered = sequencer.save_batches(batches)

    found = [told(each.states or ()) for each in answered if isinstance(each, Accepted)]
    assert found == [
        [("sequenced", 0, 0), ("sequenced", 1, 1), ("sequenced", 0, 0)],
        [("sequenced", 1, 1)],
    ]


def test_both_ways_in_at_once_agree_on_every_envelope(url: str, opened: Opener) -> None:
    shared = [make_submission(f"record {number}") for number in range(150)]
    sequencer, queue = make_sequencer(opened(url)), opened(url)
    answers: dict[str, list[int]] = {"direct": [], "queued": []}
    errors: list[BaseException] = []
    ready = threading.Barrier(2)

    def work(name: str, take: Callable[[Submission], int]) -> None:
        ready.wait(30)
        for each in shared:
            try:
                answers[name].append(take(each))
            except EvidenceError as exc:
                errors.append(exc)
                return

    threads = [
        threading.Thread(target=work, args=("direct", lambda it: place(sequencer, it)[0].position)),
        threading.Thread(target=work, args=("queued", lambda it: accept(queue, it)[0])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while sequencer.sequence_batch():
        pass

    assert errors == []
    assert answers["direct"] == answers["queued"]
    assert len(replayed_leaves(queue)) == 150
    assert {sequence for _, _, sequence in states_of(queue, answers["direct"])} == {0}


# -- the lease


def fenced(database: Database, admission: Admit | None = None) -> tuple[Sequencer, Sequencer]:
    """A sequencer that lost its lease, and the one that has it."""
    clock = ManualClock()
    first = make_sequencer(database, clock=clock, admission=admission)
    place(first, make_submission())
    clock.move(60)
    return first, make_sequencer(database, clock=clock)


def test_a_fenced_sequencer_takes_nothing_in(database: Database) -> None:
    first, second = fenced(database)

    with pytest.raises(ConflictError) as caught:
        place(first, make_submission("b"))

    assert caught.value.code == "sequencer.fenced"
    assert database.log.load_states(range(10)).keys() == {1}
    assert place(second, make_submission())[0].index == 1


def test_a_fenced_sequencer_places_nothing(database: Database) -> None:
    first, second = fenced(database)
    accept(database, make_submission())

    with pytest.raises(ConflictError) as caught:
        first.sequence_batch()

    assert caught.value.code == "sequencer.fenced"
    assert database.log.count_entries() == 1
    assert second.sequence_batch() == 1


def test_a_sequencer_that_leads_again_believes_nothing_it_remembers(database: Database) -> None:
    lengths: list[int] = []
    look = Admit(lambda each, view: lengths.append(len(view.history(each.record_id))))
    first, second = fenced(database, look)
    place(second, make_submission(), make_submission())
    second.release()

    first.acquire()

    assert told(place(first, make_submission())) == [("sequenced", 3, 3)]
    assert lengths == [0, 3]


def test_an_unstarted_sequencer_takes_nothing_in(database: Database) -> None:
    sequencer = make_sequencer(database, started=False)

    for act in (
        lambda: place(sequencer, make_submission()),
        sequencer.sequence_batch,
        sequencer.renew,
        lambda: sequencer.epoch,
    ):
        with pytest.raises(ConflictError) as caught:
            act()
        assert caught.value.code == "sequencer.not-started"
    sequencer.release()


# -- bounds


def test_a_large_envelope_bounds_the_batch_but_never_blocks_it(database: Database) -> None:
    accept(database, make_submission(), *(make_submission(size=5000) for _ in range(6)))
    size = len(make_submission(size=5000).envelope)
    sequencer = make_sequencer(database, timing=SequencerTiming(batch_bytes_max=2 * size + 1))

    counts = []
    while count := sequencer.sequence_batch():
        counts.append(count)
    assert counts == [2, 2, 2, 1]

    accept(database, make_submission(size=20_000))
    assert sequencer.sequence_batch() == 1


def test_batches_have_at_most_the_given_number(database: Database) -> None:
    accept(database, *(make_submission() for _ in range(10)))
    sequencer = make_sequencer(database, timing=SequencerTiming(batch_count_max=4))

    assert [sequencer.sequence_batch() for _ in range(4)] == [4, 4, 2, 0]


def test_what_cannot_be_decided_does_not_block_what_comes_after_it(database: Database) -> None:
    asks = make_submission("b")

    def ask(pending: Pending, _: HistoryView) -> None:
        if pending.envelope == asks.envelope:
            raise UnavailableError("chain.unreachable", "no node answers")

    accept(database, asks, make_submission("a"), make_submission("a"))
    sequencer = make_sequencer(database, admission=Admit(ask))

    assert sequencer.sequence_batch() == 2


def test_checkpoints_more_often_than_every_50_ms_are_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.05"):
        SequencerTiming(publish_interval_seconds=0.01)


# -- the loop


def in_thread(
    writer: Writer, stop: threading.Event
) -> tuple[threading.Thread, list[EvidenceError]]:
    errors: list[EvidenceError] = []

    def work() -> None:
        try:
            writer.run(stop)
        except EvidenceError as exc:
            errors.append(exc)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, errors


@pytest.mark.parametrize("mode", ["queued", "direct"])
def test_the_loop_sequences_publishes_renews_and_stops(
    database: Database, tiles: PosixTileStore, mode: str
) -> None:
    timing = SequencerTiming(publish_interval_seconds=0.05, lease_seconds=0.5)
    writer = make_writer(database, tiles, timing=timing)
    stop = threading.Event()
    loop, errors = in_thread(writer, stop)
    try:
        with Intake(writer.sequencer if mode == "direct" else database.intake) as intake:
            futures = [intake.submit([make_submission()]) for _ in range(500)]
            positions = [each.result(30).positions[0] for each in futures]
        deadline = time.monotonic() + 30
        while database.heads.load_head().size < 500 and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(1)  # idle for twice the lease
        with pytest.raises(ConflictError):
            make_sequencer(database)
        accept(database, make_submission())
    finally:
        stop.set()
        loop.join()

    assert errors == []
    assert {state for state, _, _ in states_of(database, positions)} == {"sequenced"}
    assert make_sequencer(database).sequence_batch() in {0, 1}
    assert len(replayed_leaves(database)) == 501


def test_the_loop_publishes_what_is_left_when_asked_to_stop(
    database: Database, tiles: PosixTileStore
) -> None:
    writer = make_writer(database, tiles, timing=SequencerTiming(publish_interval_seconds=3600))
    place(writer.sequencer, make_submission())
    stop = threading.Event()
    stop.set()

    writer.run(stop)

    assert database.heads.load_head().size == 1
    make_sequencer(database)  # the lease is free


def test_a_fenced_loop_stands_down(database: Database, tiles: PosixTileStore) -> None:
    clock = ManualClock()
    writer = make_writer(database, tiles, clock=clock)
    clock.move(11)
    make_sequencer(database, clock=clock)
    accept(database, make_submission())

    with pytest.raises(ConflictError) as caught:
        writer.run(threading.Event())

    assert caught.value.code == "sequencer.fenced"
    assert database.heads.load_head().state == "open"


def test_an_idle_fenced_loop_notices_too(database: Database, tiles: PosixTileStore) -> None:
    clock = ManualClock()
    timing = SequencerTiming(lease_seconds=0.1, publish_interval_seconds=3600)
    writer = make_writer(database, tiles, clock=clock, timing=timing)
    clock.move(11)
    make_sequencer(database, clock=clock)

    with pytest.raises(ConflictError) as caught:
        writer.run(threading.Event())

    assert caught.value.code == "sequencer.fenced"


def test_a_contradiction_halts_the_log_and_gives_the_lease_up(
    database: Database, tiles: PosixTileStore
) -> None:
    def contradict(pending: Pending, _: HistoryView) -> None:
        raise IntegrityError("log.gap", f"{pending.position} contradicts the log")

    writer = make_writer(database, tiles, admission=Admit(contradict))
    accept(database, make_submission())

    with pytest.raises(IntegrityError):
        writer.run(threading.Event())

    assert database.heads.load_head().state == "halted"
    make_sequencer(database)
