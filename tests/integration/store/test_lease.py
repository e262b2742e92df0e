"""Who may write the log: leases, epochs, and heads seen elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import update

from store_kit import (
    ManualClock,
    accept,
    make_sequencer,
    make_submission,
)
from vermilion_ledger.errors import (
    ConflictError,
    IntegrityError,
)
from vermilion_ledger.merkle import EMPTY_ROOT
from vermilion_ledger.rows import ObservedHead
from vermilion_ledger.store import Database, schema
from vermilion_ledger.store.engine import writing


def test_a_second_sequencer_is_refused(database: Database) -> None:
    make_sequencer(database)

    with pytest.raises(ConflictError) as caught:
        make_sequencer(database, name="test")

    assert caught.value.code == "sequencer.lease-held"


def test_a_released_lease_is_free_at_once_and_the_epoch_rises(database: Database) -> None:
    first = make_sequencer(database)
    epoch = first.epoch
    first.release()

    assert make_sequencer(database).epoch == epoch + 1
    with pytest.raises(ConflictError) as caught:
        first.sequence_batch()
    assert caught.value.code == "sequencer.not-started"


def test_a_fenced_sequencer_writes_nothing(database: Database) -> None:
    clock = ManualClock()
    accept(database, make_submission(new=True))
    first = make_sequencer(database, clock=clock)
    first.sequence_batch()
    clock.move(11)
    second = make_sequencer(database, clock=clock)
    accept(database, make_submission())

    codes = []
    for act in (first.sequence_batch, first.publish, first._renew):
        with pytest.raises(ConflictError) as caught:
            act()
        codes.append(caught.value.code)

    assert codes == ["sequencer.fenced"] * 3
    assert database.log.count_entries() == 1
    assert database.log.load_checkpoint() is None
    first.release()  # must not take the lease from the second
    assert second.sequence_batch() == 1
    assert second.publish() is not None


def test_a_sequencer_whose_lease_ran_out_unnoticed_goes_on(database: Database) -> None:
    clock = ManualClock()
    accept(database, make_submission(new=True))
    sequencer = make_sequencer(database, clock=clock)
    clock.move(1000)

    assert sequencer.sequence_batch() == 1
    with pytest.raises(ConflictError):
        make_sequencer(database, clock=clock)


def test_two_sequencers_racing_for_the_lease_get_one(
    url: str, opened: Callable[..., Database]
) -> None:
    results: list[str] = []
    ready = threading.Barrier(4)

    def race(database: Database) -> None:
        database.log.load_head()
        ready.wait(30)
        try:
            make_sequencer(database)
            results.append("held")
        except ConflictError as exc:
            results.append(exc.code)

    threads = [threading.Thread(target=race, args=(opened(url),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == ["held", *["sequencer.lease-held"] * 3]


def test_a_head_moved_by_somebody_else_stops_publishing(database: Database) -> None:
    accept(database, make_submission(new=True))
    sequencer = make_sequencer(database)
    sequencer.sequence_batch()
    with writing(database.engine) as connection:
        connection.execute(update(schema.head).values(epoch=99))

    with pytest.raises(ConflictError) as caught:
        sequencer.publish()

    assert caught.value.code == "log.head-moved"
    assert database.log.load_checkpoint() is None


def test_an_unstarted_sequencer_does_nothing(database: Database) -> None:
    sequencer = make_sequencer(database, started=False)

    for act in (sequencer.start, sequencer.sequence_batch, sequencer.publish):
        with pytest.raises(ConflictError) as caught:
            act()
        assert caught.value.code == "sequencer.not-started"


@pytest.mark.parametrize(
    ("size", "root", "code"),
    [
        (3, b"\x00" * 32, "log.behind-head"),
        (2, b"\x00" * 32, "log.root-mismatch"),
        (0, b"\x00" * 32, "log.root-mismatch"),
    ],
)
def test_a_head_seen_elsewhere_that_storage_does_not_bear_out_is_refused(
    database: Database, size: int, root: bytes, code: str
) -> None:
    accept(database, make_submission(new=True), make_submission())
    first = make_sequencer(database)
    first.sequence_batch()
    first.release()
    sequencer = make_sequencer(database, started=False)
    sequencer.acquire()

    with pytest.raises(IntegrityError) as caught:
        sequencer.start(observed=[ObservedHead(size=size, root=root, source="the chain")])

    assert caught.value.code == code
    assert database.log.load_head().state == "halted"


def test_a_good_start_reopens_a_halted_log(database: Database) -> None:
    sequencer = make_sequencer(database)
    database.sequencing.halt(sequencer._leased())
    assert database.log.load_head().state == "halted"
    sequencer.release()

    successor = make_sequencer(database, started=False)
    successor.acquire()
    successor.start(observed=[ObservedHead(size=0, root=EMPTY_ROOT, source="a witness")])

    assert database.log.load_head().state == "open"
