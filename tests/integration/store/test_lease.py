"""Who may write the log: leases, epochs, and a head that somebody else has moved."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import update

from store_kit import ManualClock, accept, make_sequencer, make_submission, make_writer
from vermilion_ledger.errors import ConflictError
from vermilion_ledger.store import Database, schema
from vermilion_ledger.store.engine import writing
from vermilion_ledger.tilestore.posix import PosixTileStore

Opener = Callable[..., Database]


def code_of(action: Callable[[], object]) -> str:
    with pytest.raises(ConflictError) as caught:
        action()
    return caught.value.code


def test_a_second_sequencer_is_refused(database: Database) -> None:
    clock = ManualClock()  # however busy the machine is, the lease does not run out
    make_sequencer(database, clock=clock)

    second = make_sequencer(database, clock=clock, started=False)
    assert code_of(second.acquire) == "sequencer.lease-held"


def test_the_name_of_the_holder_does_not_open_the_lease(database: Database) -> None:
    clock = ManualClock()
    make_sequencer(database, clock=clock, name="one")

    second = make_sequencer(database, clock=clock, name="one", started=False)
    assert code_of(second.acquire) == "sequencer.lease-held"


def test_a_released_lease_is_free_at_once_and_the_epoch_rises(database: Database) -> None:
    first = make_sequencer(database)
    epoch = first.epoch
    first.release()

    assert make_sequencer(database).epoch == epoch + 1
    assert code_of(first.sequence_batch) == "sequencer.not-started"


def test_a_lease_is_held_until_the_moment_it_runs_out(database: Database) -> None:
    clock = ManualClock()
    make_sequencer(database, clock=clock)
    second = make_sequencer(database, clock=clock, started=False)

    clock.move(4.999)
    assert code_of(second.acquire) == "sequencer.lease-held"
    clock.move(0.001)
    second.acquire()


def test_a_renewed_lease_counts_from_then(database: Database) -> None:
    clock = ManualClock()
    first = make_sequencer(database, clock=clock)
    clock.move(4)
    first.renew()
    clock.move(4)

    second = make_sequencer(database, clock=clock, started=False)
    assert code_of(second.acquire) == "sequencer.lease-held"


def test_a_fenced_sequencer_writes_nothing(database: Database, tiles: PosixTileStore) -> None:
    clock = ManualClock()
    accept(database, make_submission())
    first = make_writer(database, tiles, clock=clock)
    first.sequencer.sequence_batch()
    clock.move(11)
    second = make_writer(database, tiles, clock=clock)
    accept(database, make_submission())

    assert code_of(first.sequencer.sequence_batch) == "sequencer.fenced"
    assert code_of(first.sequencer.renew) == "sequencer.fenced"
    assert code_of(first.publisher.publish) == "log.head-moved"

    assert database.log.count_entries() == 1
    assert database.heads.load_checkpoint() is None
    first.sequencer.release()  # must not take the lease from the second
    assert second.sequencer.sequence_batch() == 1
    checkpoint = second.publisher.publish()
    assert checkpoint is not None
    assert (checkpoint.size, checkpoint.epoch) == (2, second.sequencer.epoch)


def test_a_fenced_sequencer_stays_fenced_after_its_successor_has_gone(database: Database) -> None:
    clock = ManualClock()
    accept(database, make_submission())
    first = make_sequencer(database, clock=clock)
    clock.move(11)
    make_sequencer(database, clock=clock).release()

    assert code_of(first.sequence_batch) == "sequencer.fenced"


def test_a_sequencer_whose_lease_ran_out_unnoticed_goes_on(database: Database) -> None:
    clock = ManualClock()
    accept(database, make_submission())
    sequencer = make_sequencer(database, clock=clock)
    clock.move(1000)

    assert sequencer.sequence_batch() == 1
    sequencer.renew()
    second = make_sequencer(database, clock=clock, started=False)
    assert code_of(second.acquire) == "sequencer.lease-held"


def test_two_sequencers_racing_for_the_lease_get_one(url: str, opened: Opener) -> None:
    results: list[str] = []
    ready = threading.Barrier(4)

    def race(database: Database) -> None:
        database.heads.load_head()
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


def test_a_head_moved_by_somebody_else_stops_publishing(
    database: Database, tiles: PosixTileStore
) -> None:
    accept(database, make_submission())
    writer = make_writer(database, tiles)
    writer.sequencer.sequence_batch()
    with writing(database.engine) as connection:
        connection.execute(update(schema.head).values(epoch=99))

    assert code_of(writer.publisher.publish) == "log.head-moved"

    assert database.heads.load_checkpoint() is None


def test_an_unstarted_sequencer_does_nothing(database: Database) -> None:
    sequencer = make_sequencer(database, started=False)

    for act in (sequencer.sequence_batch, sequencer.renew, lambda: sequencer.epoch):
        assert code_of(act) == "sequencer.not-started"
