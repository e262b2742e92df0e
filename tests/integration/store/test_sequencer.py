"""Indices, sequences, refusals, checkpoints, and who may write them."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from store_kit import (
    Admit,
    ManualClock,
    NoteSigner,
    accept,
    make_sequencer,
    make_submission,
    record_key,
    reference_root,
    system_clock,
)
from vermilion_ledger.commitment import commit, encode_entry, make_tag
from vermilion_ledger.errors import (
    ConflictError,
    UnavailableError,
    VerificationError,
)
from vermilion_ledger.intake import Intake
from vermilion_ledger.log import LogReader
from vermilion_ledger.merkle import hash_leaf, verify_consistency
from vermilion_ledger.ports import HistoryView
from vermilion_ledger.recheck import recheck_openings, recheck_tree
from vermilion_ledger.rows import Pending, RecordEntry
from vermilion_ledger.sequencer import SequencerTiming
from vermilion_ledger.store import Database


def states(database: Database, ids: Sequence[bytes]) -> list[tuple[str, int | None, int | None]]:
    found = database.log.load_states(ids)
    return [(found[each].state, found[each].index, found[each].sequence) for each in ids]


def test_entries_are_made_as_the_format_says(database: Database) -> None:
    submission = make_submission(new=True)
    accept(database, submission)

    make_sequencer(database).sequence_batch()

    (row,) = database.log.load_entries(0, 1)
    assert row.commitment == commit(submission.salt, submission.envelope_hash)
    assert row.tag == make_tag(record_key("a"), 0)
    assert row.leaf_hash == hash_leaf(encode_entry(row.commitment, row.tag))


def test_indices_follow_arrival_and_sequences_follow_the_record(database: Database) -> None:
    ids = accept(database, make_submission("a", new=True), make_submission("b", new=True))
    ids += accept(database, make_submission("a"), make_submission("b"), make_submission("a"))
    sequencer = make_sequencer(database)

    assert sequencer.sequence_batch() == 5
    ids += accept(database, make_submission("b"))
    assert sequencer.sequence_batch() == 1

    assert [state[1:] for state in states(database, ids)] == [
        (0, 0), (1, 0), (2, 1), (3, 1), (4, 2), (5, 2),
    ]  # fmt: skip
    assert sequencer.sequence_batch() == 0


def test_a_refused_submission_takes_no_index_and_no_sequence(database: Database) -> None:
    def refuse_marked(pending: Pending, _: HistoryView) -> None:
        if pending.envelope == b"bad":
            raise VerificationError("statement.binding", "the prior is stale")

    ids = accept(
        database, make_submission(new=True), make_submission(text="bad"), make_submission()
    )
    sequencer = make_sequencer(database, admission=Admit(refuse_marked))

    assert sequencer.sequence_batch() == 3

    assert states(database, ids) == [
        ("sequenced", 0, 0),
        ("refused", None, None),
        ("sequenced", 1, 1),
    ]
    refused = database.log.load_states(ids)[ids[1]]
    assert (refused.code, refused.message) == ("statement.binding", "the prior is stale")
    assert sequencer.sequence_batch() == 0


def test_what_cannot_be_decided_now_stays_queued(database: Database) -> None:
    is_down = True

    def ask_chain(pending: Pending, _: HistoryView) -> None:
        if is_down and pending.envelope == b"asks":
            raise UnavailableError("chain.unreachable", "no node answers")

    ids = accept(
        database, make_submission(new=True), make_submission(text="asks"), make_submission()
    )
    sequencer = make_sequencer(database, admission=Admit(ask_chain))

    assert sequencer.sequence_batch() == 2
    assert sequencer.sequence_batch() == 0
    assert states(database, ids)[1] == ("pending", None, None)
    is_down = False
    assert sequencer.sequence_batch() == 1

    assert states(database, ids)[1] == ("sequenced", 2, 2)


def test_admission_sees_the_entries_of_the_same_batch_before_it(database: Database) -> None:
    histories: list[tuple[RecordEntry, ...]] = []

    def look(pending: Pending, view: HistoryView) -> None:
        histories.append(tuple(view.history(pending.record_id)))
        assert tuple(view.history(pending.record_id, since=1)) == histories[-1][1:]

    submissions = [make_submission(new=True), make_submission(), make_submission("b", new=True)]
    accept(database, *submissions)
    sequencer = make_sequencer(database, admission=Admit(look))
    sequencer.sequence_batch()
    later = [make_submission("b"), make_submission(), make_submission()]
    accept(database, *later)
    sequencer.sequence_batch()

    assert [[entry.index for entry in each] for each in histories] == [
        [], [0], [], [2], [0, 1], [0, 1, 4],
    ]  # fmt: skip
    last = histories[-1][-1]
    assert (last.sequence, last.salt, last.envelope) == (2, later[1].salt, later[1].envelope)


def test_admission_of_a_fresh_sequencer_reads_history_from_storage(database: Database) -> None:
    accept(database, *(make_submission(f"r{number}", new=True) for number in range(100)))
    first = make_sequencer(database)
    first.sequence_batch()
    first.release()
    lengths: list[int] = []

    def look(pending: Pending, view: HistoryView) -> None:
        lengths.append(len(view.history(pending.record_id)))
        assert view.history("rec_of_nobody") == []

    accept(database, *(make_submission(f"r{number}") for number in range(100)))
    make_sequencer(database, admission=Admit(look)).sequence_batch()

    assert lengths == [1] * 100


def test_a_refused_entry_is_not_part_of_the_history(database: Database) -> None:
    lengths: list[int] = []

    def refuse_second(pending: Pending, view: HistoryView) -> None:
        lengths.append(len(view.history(pending.record_id)))
        if len(lengths) == 2:
            raise VerificationError("statement.binding", "no")

    accept(database, make_submission(new=True), make_submission(), make_submission())
    make_sequencer(database, admission=Admit(refuse_second)).sequence_batch()

    assert lengths == [0, 1, 1]


def test_an_error_in_a_batch_changes_nothing_and_the_next_batch_is_right(
    database: Database,
) -> None:
    fails = True

    def fail_late(pending: Pending, _: HistoryView) -> None:
        if fails and pending.envelope == b"last":
            raise RuntimeError("a bug")

    ids = accept(database, make_submission(new=True))
    sequencer = make_sequencer(database, admission=Admit(fail_late))
    sequencer.sequence_batch()
    ids += accept(database, *(make_submission() for _ in range(300)), make_submission(text="last"))

    with pytest.raises(RuntimeError):
        sequencer.sequence_batch()
    assert database.log.count_entries() == 1
    fails = False
    sequencer.sequence_batch()

    assert [state[1] for state in states(database, ids)] == list(range(302))
    checkpoint = sequencer.publish()
    assert checkpoint is not None
    assert recheck_tree(database.log) == (302, checkpoint.root)


def test_a_checkpoint_is_over_the_root_of_all_entries(database: Database) -> None:
    accept(database, make_submission(new=True), *(make_submission() for _ in range(600)))
    signer = NoteSigner()
    sequencer = make_sequencer(database, signer=signer)
    sequencer.sequence_batch()

    checkpoint = sequencer.publish()

    leaves = database.log.load_leaf_hashes(0, 601)
    assert checkpoint is not None
    assert (checkpoint.size, checkpoint.root) == (601, reference_root(leaves))
    assert signer.signed == [(601, checkpoint.root)]
    assert database.log.load_checkpoint() == checkpoint
    assert database.log.load_head().size == 601


def test_nothing_is_signed_twice_or_before_the_first_entry(database: Database) -> None:
    signer = NoteSigner()
    sequencer = make_sequencer(database, signer=signer)

    assert sequencer.publish() is None
    accept(database, make_submission(new=True))
    sequencer.sequence_batch()
    assert sequencer.publish() is not None
    assert sequencer.publish() is None

    assert len(signer.signed) == 1


def test_checkpoints_are_consistent_with_one_another(database: Database) -> None:
    accept(database, make_submission(new=True))
    sequencer = make_sequencer(database)
    for number in range(1, 40):
        accept(database, *(make_submission() for _ in range(number)))
        sequencer.sequence_batch()
        sequencer.publish()

    reader = LogReader(database.log)
    newest, *older = reader.checkpoints()
    assert len(older) == 38
    for each in older:
        proof = reader.consistency(each.size, newest.size)
        verify_consistency(each.size, each.root, newest.size, newest.root, proof)


def test_a_large_envelope_bounds_the_batch_but_never_blocks_it(database: Database) -> None:
    accept(database, make_submission(new=True), *(make_submission(size=5000) for _ in range(6)))
    timing = SequencerTiming(batch_bytes_max=10_000)
    sequencer = make_sequencer(database, timing=timing)

    counts = []
    while count := sequencer.sequence_batch():
        counts.append(count)
    assert counts == [2, 2, 2, 1]

    accept(database, make_submission(size=20_000))
    assert sequencer.sequence_batch() == 1


def test_batches_have_at_most_the_given_number(database: Database) -> None:
    accept(database, make_submission(new=True), *(make_submission() for _ in range(9)))
    sequencer = make_sequencer(database, timing=SequencerTiming(batch_count_max=4))

    assert [sequencer.sequence_batch() for _ in range(4)] == [4, 4, 2, 0]


def test_checkpoints_more_often_than_every_50_ms_are_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.05"):
        SequencerTiming(publish_interval_seconds=0.01)


def test_the_loop_sequences_publishes_and_stops(database: Database) -> None:
    timing = SequencerTiming(publish_interval_seconds=0.05, lease_seconds=0.5)
    sequencer = make_sequencer(database, timing=timing)
    stop = threading.Event()
    loop = threading.Thread(target=sequencer.run, args=(stop,))
    loop.start()
    try:
        with Intake(database.intake, system_clock) as intake:
            intake.submit([make_submission(new=True)]).result(30)
            futures = [intake.submit([make_submission()]) for _ in range(500)]
            ids = [each.result(30).submission_ids[0] for each in futures]
        deadline = time.monotonic() + 30
        while database.log.load_head().size < 501 and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(1)  # idle for twice the lease
        with pytest.raises(ConflictError):
            make_sequencer(database)
        accept(database, make_submission())
    finally:
        stop.set()
        loop.join()

    assert {state for state, _, _ in states(database, ids)} == {"sequenced"}
    assert make_sequencer(database).publish() is None or database.log.count_entries() == 502
    recheck_openings(database.log, 0, 501)


def test_a_fenced_loop_stands_down(database: Database) -> None:
    clock = ManualClock()
    sequencer = make_sequencer(database, clock=clock)
    clock.move(11)
    make_sequencer(database, clock=clock)
    accept(database, make_submission(new=True))

    with pytest.raises(ConflictError) as caught:
        sequencer.run(threading.Event())

    assert caught.value.code == "sequencer.fenced"


def test_admission_is_told_the_kind_of_record(database: Database) -> None:
    kinds: list[str] = []
    first = make_submission("keys", new=True)
    assert first.new_record is not None
    accept(database, replace(first, new_record=replace(first.new_record, kind="keys")))
    accept(database, make_submission("a", new=True))

    make_sequencer(
        database, admission=Admit(lambda pending, _: kinds.append(pending.kind))
    ).sequence_batch()

    assert kinds == ["keys", "document"]
    assert LogReader(database.log).record(first.record_id).kind == "keys"
