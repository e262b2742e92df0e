"""What a sequencer remembers of records: never more than was committed, and bounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count

import pytest

from simulation.calm import CalmLog
from store_kit import make_submission
from vermilion_ledger import history as module
from vermilion_ledger.errors import UnavailableError
from vermilion_ledger.history import BatchHistory
from vermilion_ledger.rows import Pending, RecordEntry

_positions = count(1000)


def waiting(record: str, *, plain: bool = False, size: int = 0) -> Pending:
    row = make_submission(record, plain=plain, size=size)
    return Pending(
        position=next(_positions),
        record_id=row.record_id,
        record_key=row.record_key,
        kind=row.kind,
        envelope=row.envelope,
        salt=row.salt,
        digest=row.digest,
        is_plain=plain,
    )


def record_id(record: str) -> str:
    return make_submission(record).record_id


class Reads:
    """Notes what is read of a calm log."""

    def __init__(self, log: CalmLog) -> None:
        self.histories: list[list[str]] = []
        self.counts: list[list[str]] = []
        load_history, load_counts = log.log.load_history, log.sequencing.load_counts

        def noted_history(
            record_ids: Sequence[str], *, since: int = 0
        ) -> Mapping[str, Sequence[RecordEntry]]:
            self.histories.append(list(record_ids))
            return load_history(record_ids, since=since)

        def noted_counts(record_ids: Sequence[str]) -> Mapping[str, int]:
            self.counts.append(list(record_ids))
            return load_counts(record_ids)

        vars(log.log)["load_history"] = noted_history
        vars(log.sequencing)["load_counts"] = noted_counts


@pytest.fixture
def log() -> CalmLog:
    log = CalmLog.of(0)
    log.add(*(make_submission(each) for each in ("a", "b", "a", "a")))
    return log


def test_what_was_staged_and_not_committed_is_forgotten(log: CalmLog) -> None:
    history = BatchHistory(log.log, log.sequencing)
    first = waiting("a")
    history.begin([first])
    history.stage(first, index=4, sequence=3)
    assert history.count(first) == 4
    assert [each.index for each in history.history(first.record_id)] == [0, 2, 3, 4]

    history.clear()
    history.begin([first])

    assert history.count(first) == 3
    assert [each.index for each in history.history(first.record_id)] == [0, 2, 3]


def test_a_new_batch_forgets_what_the_last_one_staged(log: CalmLog) -> None:
    history = BatchHistory(log.log, log.sequencing)
    first = waiting("a")
    history.begin([first])
    history.stage(first, index=4, sequence=3)

    history.begin([first])

    assert history.count(first) == 3


def test_a_failed_look_leaves_nothing_wrong_behind(log: CalmLog) -> None:
    history = BatchHistory(log.log, log.sequencing)
    load_counts = log.sequencing.load_counts

    def fail(_record_ids: Sequence[str]) -> Mapping[str, int]:
        raise UnavailableError("store.unreachable", "no")

    vars(log.sequencing)["load_counts"] = fail
    with pytest.raises(UnavailableError):
        history.begin([waiting("a")])
    vars(log.sequencing)["load_counts"] = load_counts
    history.clear()
    again = waiting("a")

    history.begin([again])

    assert history.count(again) == 3


def test_what_was_committed_is_kept(log: CalmLog) -> None:
    history = BatchHistory(log.log, log.sequencing)
    first = waiting("a")
    history.begin([first])
    history.history(first.record_id)
    history.stage(first, index=4, sequence=3)
    history.commit()
    log.add(make_submission("a"))  # as the transaction did
    reads = Reads(log)

    second = waiting("a")
    history.begin([second])

    assert history.count(second) == 4
    assert [each.index for each in history.history(second.record_id)] == [0, 2, 3, 4]
    assert (reads.counts, reads.histories) == ([], [])


def test_what_was_committed_unread_is_counted_and_read_later(log: CalmLog) -> None:
    history = BatchHistory(log.log, log.sequencing)
    first = waiting("a")
    history.begin([first])
    history.stage(first, index=4, sequence=3)
    history.commit()
    log.add(make_submission("a"))

    second = waiting("a")
    history.begin([second])

    assert history.count(second) == 4
    assert [each.index for each in history.history(second.record_id)] == [0, 2, 3, 4]


def test_a_history_begins_where_it_is_asked_to(log: CalmLog) -> None:
    history = BatchHistory(log.log, log.sequencing)
    first, second = waiting("a"), waiting("a")
    history.begin([first, second])
    assert [each.index for each in history.history(first.record_id, since=1)] == [2, 3]
    history.stage(first, index=4, sequence=3)
    history.stage(second, index=5, sequence=4)

    for since, indices in ((0, [0, 2, 3, 4, 5]), (2, [3, 4, 5]), (3, [4, 5]), (4, [5]), (9, [])):
        found = history.history(first.record_id, since=since)
        assert [each.index for each in found] == indices


def test_a_record_made_for_its_first_entry_is_not_looked_for(log: CalmLog) -> None:
    reads = Reads(log)
    history = BatchHistory(log.log, log.sequencing)
    plain = waiting("new", plain=True)

    history.begin([plain])
    history.stage(plain, index=4, sequence=0)

    assert history.count(plain) == 0
    assert (reads.counts, history._staged) == ([], {})


def test_a_new_record_that_goes_on_in_the_same_batch_is_known(log: CalmLog) -> None:
    history = BatchHistory(log.log, log.sequencing)
    plain, review = waiting("new", plain=True), waiting("new")
    history.begin([plain, review])
    history.stage(plain, index=4, sequence=0)

    assert history.count(review) == 1
    assert [each.index for each in history.history(review.record_id)] == [4]


def test_a_record_without_entries_is_not_read(log: CalmLog) -> None:
    reads = Reads(log)
    history = BatchHistory(log.log, log.sequencing)
    unknown = waiting("unknown")

    history.begin([unknown])

    assert history.count(unknown) == 0
    assert history.history(unknown.record_id) == []
    assert (len(reads.counts), reads.histories) == (1, [])


def test_a_record_of_no_submission_can_be_asked_for(log: CalmLog) -> None:
    """Admission asks for the key record whatever the batch is about."""
    history = BatchHistory(log.log, log.sequencing)
    history.begin([waiting("b")])

    assert [each.index for each in history.history(record_id("a"))] == [0, 2, 3]


def test_a_record_that_nobody_counts_is_not_remembered_as_empty(log: CalmLog) -> None:
    history = BatchHistory(log.log, log.sequencing)
    history.begin([waiting("b")])
    assert history.history(record_id("keys")) == []
    log.add(make_submission("keys"))

    assert [each.index for each in history.history(record_id("keys"))] == [4]


def test_the_records_of_a_batch_are_read_together(log: CalmLog) -> None:
    names = [f"r{number}" for number in range(100)]
    log.add(*(make_submission(each) for each in names))
    reads = Reads(log)
    history = BatchHistory(log.log, log.sequencing)
    batch = [waiting(each) for each in ("unknown", *names)]

    history.begin(batch)
    for each in batch:
        history.history(each.record_id)

    assert [len(each) for each in reads.counts] == [101]
    assert [len(each) for each in reads.histories] == [65, 35]


def test_only_records_with_entries_unread_so_far_are_read_ahead(log: CalmLog) -> None:
    log.add(make_submission("c"))
    reads = Reads(log)
    history = BatchHistory(log.log, log.sequencing)
    history.begin([waiting("c")])
    history.history(record_id("c"))

    history.begin([waiting(each) for each in ("a", "unknown", "c", "b")])
    history.history(record_id("a"))

    assert reads.histories == [[record_id("c")], [record_id("a"), record_id("b")]]


def test_envelopes_remembered_are_bounded(log: CalmLog) -> None:
    log.add(*(make_submission(f"big {at}", size=1000) for at in range(10)))
    history = BatchHistory(log.log, log.sequencing, bytes_max=4000)
    for at in range(10):
        each = waiting(f"big {at}")
        history.begin([each])
        assert len(history.history(each.record_id)) == 1

    assert history._bytes <= 4000
    assert history._bytes == sum(
        len(entry.envelope) for rows in history._committed.values() for entry in rows
    )
    assert 1 <= len(history._committed) < 10


def test_one_record_above_the_bound_is_remembered_alone(log: CalmLog) -> None:
    history = BatchHistory(log.log, log.sequencing, bytes_max=1)
    for name in ("a", "b", "a"):
        history.begin([waiting(name)])
        assert history.history(record_id(name))
        assert list(history._committed) == [record_id(name)]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_COUNT_MAX", 3)


def test_counts_remembered_are_bounded(log: CalmLog, few: None) -> None:
    history = BatchHistory(log.log, log.sequencing)
    history.begin([waiting(each) for each in ("a", "b", "c", "d", "e", "a")])
    history.commit()

    assert list(history._counts) == [record_id(each) for each in ("c", "d", "e")]
    reads = Reads(log)
    again = waiting("a")
    history.begin([again])
    assert history.count(again) == 3
    assert reads.counts == [[again.record_id]]
