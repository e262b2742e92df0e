"""Indices, sequences and refusals, from the queue and in one transaction with the intake."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from store_kit import (
    Admit,
    accept,
    make_sequencer,
    make_submission,
    place,
    record_key,
    states_of,
    stored_between,
    told,
)
from vermilion_ledger.commitment import commit, encode_entry, make_record_id, make_tag
from vermilion_ledger.errors import (
    UnavailableError,
    VerificationError,
)
from vermilion_ledger.integrate import derive_entry
from vermilion_ledger.ports import HistoryView
from vermilion_ledger.rows import (
    Pending,
    RecordEntry,
    Submission,
)
from vermilion_ledger.sequencer import Sequencer
from vermilion_ledger.store import Database

Take = Callable[..., Sequence[tuple[str, int | None, int | None]]]


def refusing(*bad: Submission) -> Admit:
    """Refuse these envelopes for good."""
    envelopes = {each.envelope for each in bad}

    def rule(pending: Pending, _: HistoryView) -> None:
        if pending.envelope in envelopes:
            raise VerificationError("statement.binding", "the prior is stale")

    return Admit(rule)


class Node:
    """A node that may be down; admission of one submission asks it."""

    def __init__(self, asks: Submission) -> None:
        self.is_down = True
        self._asks = asks

    def __call__(self, pending: Pending, _: HistoryView) -> None:
        if self.is_down and pending.envelope == self._asks.envelope:
            raise UnavailableError("chain.unreachable", "no node answers")


@pytest.fixture(params=["queued", "direct"])
def take(request: pytest.FixtureRequest, database: Database) -> Callable[[Sequencer], Take]:
    """Takes submissions in and places them, in two transactions or in one."""

    def through(sequencer: Sequencer) -> Take:
        def queued(*submissions: Submission) -> list[tuple[str, int | None, int | None]]:
            positions = accept(database, *submissions)
            sequencer.sequence_batch()
            return states_of(database, positions)

        def direct(*submissions: Submission) -> list[tuple[str, int | None, int | None]]:
            answered = place(sequencer, *submissions)
            assert told(answered) == states_of(database, [each.position for each in answered])
            return told(answered)

        return queued if request.param == "queued" else direct

    return through


Through = Callable[[Sequencer], Take]


# -- places


def test_entries_are_made_as_the_format_says(database: Database) -> None:
    submission = make_submission()
    place(make_sequencer(database), submission)

    (stored,) = stored_between(database.log, 0, 1)

    commitment = commit(submission.salt, submission.envelope_hash)
    assert derive_entry(stored) == encode_entry(commitment, make_tag(record_key("a"), 0))
    assert (stored.envelope, stored.record_key) == (submission.envelope, record_key("a"))


def test_indices_follow_arrival_and_sequences_follow_the_record(
    database: Database, take: Through
) -> None:
    sequencer = make_sequencer(database)
    through = take(sequencer)

    found = [
        *through(make_submission("a", plain=True), make_submission("b", plain=True)),
        *through(make_submission("a"), make_submission("b"), make_submission("a")),
        *through(make_submission("b")),
    ]

    assert [each[1:] for each in found] == [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2), (5, 2)]
    assert sequencer.sequence_batch() == 0


def test_a_refused_submission_takes_no_index_and_no_sequence(
    database: Database, take: Through
) -> None:
    bad = make_submission()
    through = take(make_sequencer(database, admission=refusing(bad)))

    found = through(make_submission(), bad, make_submission())

    assert found == [("sequenced", 0, 0), ("refused", None, None), ("sequenced", 1, 1)]


def test_a_refusal_says_why(database: Database) -> None:
    bad = make_submission()

    (state,) = place(make_sequencer(database, admission=refusing(bad)), bad)

    assert (state.code, state.message) == ("statement.binding", "the prior is stale")
    assert database.log.load_states([state.position]) == {state.position: state}


def test_a_submission_of_nothing_but_a_refused_one_makes_no_record(database: Database) -> None:
    bad = make_submission()
    place(make_sequencer(database, admission=refusing(bad)), bad)

    assert database.log.load_record(bad.record_id) is None
    assert database.log.find_by_digest(bad.digest) == []


def test_what_cannot_be_decided_now_stays_queued_and_is_settled_later(
    database: Database, take: Through
) -> None:
    asks = make_submission()
    node = Node(asks)
    sequencer = make_sequencer(database, admission=Admit(node))

    found = take(sequencer)(make_submission(), asks, make_submission())

    assert found == [("sequenced", 0, 0), ("pending", None, None), ("sequenced", 1, 1)]
    assert sequencer.sequence_batch() == 0
    node.is_down = False
    assert place(sequencer, make_submission())[0].index == 2
    assert sequencer.sequence_batch() == 1
    (waited,) = [
        each for each in database.log.load_states(range(1, 20)).values() if each.index == 3
    ]
    assert waited.sequence == 3
    assert sequencer.sequence_batch() == 0


def test_what_waits_for_a_decision_may_be_refused_later(database: Database) -> None:
    asks = make_submission()
    sequencer = make_sequencer(database, admission=Admit(Node(asks)))
    (waiting,) = place(sequencer, asks)
    sequencer.release()

    make_sequencer(database, admission=refusing(asks)).sequence_batch()

    assert waiting.state == "pending"
    assert states_of(database, [waiting.position]) == [("refused", None, None)]


def test_what_waits_is_submitted_again_and_stays_one(database: Database) -> None:
    asks = make_submission()
    node = Node(asks)
    sequencer = make_sequencer(database, admission=Admit(node))
    first = place(sequencer, asks)

    assert place(sequencer, asks) == first
    node.is_down = False

    assert place(sequencer, asks) == first  # the queue's turn comes with the next batch
    assert sequencer.sequence_batch() == 1
    assert told(place(sequencer, asks)) == [("sequenced", 0, 0)]


def test_both_ways_in_share_one_log(database: Database) -> None:
    sequencer = make_sequencer(database)

    queued = accept(database, make_submission("a"))
    direct = place(sequencer, make_submission("a"), make_submission("b"))
    sequencer.sequence_batch()
    last = place(sequencer, make_submission("a"))

    assert told(direct) == [("sequenced", 0, 0), ("sequenced", 1, 0)]
    assert states_of(database, queued) == [("sequenced", 2, 1)]
    assert told(last) == [("sequenced", 3, 2)]


def test_admission_is_told_the_place_and_the_kind(database: Database) -> None:
    kinds: list[tuple[str, bool]] = []
    admission = Admit(lambda pending, _: kinds.append((pending.kind, pending.is_plain)))
    sequencer = make_sequencer(database, admission=admission)

    place(
        sequencer,
        make_submission("keys", kind="keys"),
        make_submission("policies", kind="policies"),
        make_submission("a", plain=True),
        make_submission("a"),
    )

    assert kinds == [("keys", False), ("policies", False), ("document", True), ("document", False)]
    assert admission.seen == [(0, 0), (1, 0), (2, 0), (3, 1)]
    row = database.log.load_record(make_record_id(record_key("keys")))
    assert row is not None
    assert row.kind == "keys"


# -- history


def test_admission_sees_the_entries_of_the_same_batch_before_it(
    database: Database, take: Through
) -> None:
    histories: list[tuple[RecordEntry, ...]] = []

    def look(pending: Pending, view: HistoryView) -> None:
        histories.append(tuple(view.history(pending.record_id)))
        assert tuple(view.history(pending.record_id, since=1)) == histories[-1][1:]

    through = take(make_sequencer(database, admission=Admit(look)))
    later = [make_submission("b"), make_submission(), make_submission()]
    through(make_submission(plain=True), make_submission(), make_submission("b", plain=True))
    through(*later)

    assert [[entry.index for entry in each] for each in histories] == [
        [], [0], [], [2], [0, 1], [0, 1, 4],
    ]  # fmt: skip
    last = histories[-1][-1]
    assert (last.sequence, last.salt, last.envelope) == (2, later[1].salt, later[1].envelope)


def test_admission_of_a_fresh_sequencer_reads_history_from_storage(database: Database) -> None:
    first = make_sequencer(database)
    place(first, *(make_submission(f"r{number}", plain=True) for number in range(100)))
    first.release()
    lengths: list[int] = []

    def look(pending: Pending, view: HistoryView) -> None:
        lengths.append(len(view.history(pending.record_id)))
        assert view.history("rec_of_nobody") == []

    fresh = make_sequencer(database, admission=Admit(look))
    place(fresh, *(make_submission(f"r{number}") for number in range(100)))

    assert lengths == [1] * 100


def test_a_refused_entry_is_not_part_of_the_history(database: Database, take: Through) -> None:
    lengths: list[int] = []

    def refuse_second(pending: Pending, view: HistoryView) -> None:
        lengths.append(len(view.history(pending.record_id)))
        if len(lengths) == 2:
            raise VerificationError("statement.binding", "no")

    sequencer = make_sequencer(database, admission=Admit(refuse_second))
    take(sequencer)(make_submission(), make_submission(), make_submission())

    assert lengths == [0, 1, 1]
