"""Leading, standing by and standing down: one keeper at a time takes submissions in."""

from __future__ import annotations

import threading
import time

import pytest

from keeper_kit import QUICK, Place, indices, lose_lease, refused, started, submit, wait
from store_kit import (
    ManualClock,
    accept,
    make_sequencer,
    make_submission,
    make_writer,
    place,
    replayed,
)
from vermilion_ledger.errors import (
    ConflictError,
)

# -- leading


def test_before_it_leads_it_takes_nothing_in(where: Place) -> None:
    assert refused(where.keeper()) == "intake.no-sequencer"


def test_while_it_leads_it_takes_in_places_and_publishes(where: Place) -> None:
    keeper, database = where.keeper(), where.open()
    with started(keeper):
        wait(lambda: keeper.is_leading)
        first = submit(keeper, make_submission(), make_submission())
        second = submit(keeper, make_submission())
        wait(lambda: database.heads.load_head().size == 3)

    assert (indices(first), indices(second)) == ([0, 1], [2])
    head = database.heads.load_head()
    assert (head.size, head.root) == replayed(database)


def test_it_places_what_others_have_queued(where: Place) -> None:
    keeper, database = where.keeper(), where.open()
    positions = accept(database, make_submission(), make_submission())

    with started(keeper):
        wait(lambda: database.heads.load_head().size == 2)

    assert {each.state for each in database.log.load_states(positions).values()} == {"sequenced"}


def test_closing_publishes_what_is_left_and_gives_the_lease_up(where: Place) -> None:
    keeper, database = where.keeper(), where.open()
    with started(keeper):
        wait(lambda: keeper.is_leading)
        submit(keeper, *(make_submission() for _ in range(300)))

    assert not keeper.is_leading
    assert refused(keeper) == "intake.no-sequencer"
    head = database.heads.load_head()
    assert (head.size, head.root) == replayed(database)
    make_sequencer(database)  # nobody has to wait


def test_who_leads_is_told_the_epoch(where: Place) -> None:
    keeper, stop = where.keeper(), threading.Event()
    epochs: list[int] = []

    def lead(epoch: int) -> None:
        epochs.append(epoch)
        stop.set()

    keeper.run(stop, on_lead=lead)

    assert epochs == [1]


# -- standing by


def test_of_two_one_leads_and_the_other_takes_over_when_it_ends(where: Place) -> None:
    first, second = where.keeper(), where.keeper()
    with started(first):
        wait(lambda: first.is_leading)
        with started(second):
            submit(first, make_submission())
            assert refused(second) == "intake.no-sequencer"
            first.close()
            wait(lambda: second.is_leading)

            assert indices(submit(second, make_submission())) == [1]
            assert refused(first) == "intake.no-sequencer"


def test_a_standby_takes_over_from_one_that_was_killed(where: Place) -> None:
    database, clock = where.open(), ManualClock()
    killed = make_sequencer(database, clock=clock, timing=QUICK)
    place(killed, make_submission())
    standby = where.keeper(clock=clock)

    with started(standby):
        time.sleep(0.3)
        assert not standby.is_leading
        clock.move(QUICK.lease_seconds + 0.1)
        wait(lambda: standby.is_leading)

        assert indices(submit(standby, make_submission())) == [1]
        with pytest.raises(ConflictError):
            place(killed, make_submission())
        wait(lambda: database.heads.load_head().size == 2)


def test_what_a_killed_one_left_in_the_queue_is_placed(where: Place) -> None:
    database = where.open()
    make_sequencer(database)
    positions = accept(database, make_submission())
    lose_lease(database)

    with started(where.keeper()):
        wait(lambda: database.heads.load_head().size == 1)

    assert database.log.load_states(positions)[positions[0]].index == 0


@pytest.mark.parametrize("submits", [False, True])
def test_a_fenced_one_stands_down_and_leads_again_later(where: Place, submits: bool) -> None:
    keeper, database = where.keeper(), where.open()
    with started(keeper):
        wait(lambda: keeper.is_leading)
        submit(keeper, make_submission())
        wait(lambda: database.heads.load_head().size == 1)
        lose_lease(database)
        other = make_writer(database, where.tiles())
        if submits:  # it learns of it by its next group, else by its next renewal
            assert refused(keeper) == "intake.no-sequencer"
        wait(lambda: not keeper.is_leading)
        other.place(2)
        other.publisher.publish()
        other.sequencer.release()
        wait(lambda: keeper.is_leading)

        assert keeper.epoch > 2
        assert indices(submit(keeper, make_submission())) == [3]
    assert database.heads.load_head().state == "open"


@pytest.mark.parametrize(("count", "code"), [(1, ""), (9, ""), (10, "store.busy")])
def test_a_conflict_that_is_no_fence_is_tried_again_and_costs_no_lead(
    where: Place, count: int, code: str
) -> None:
    keeper = where.keeper()
    store = where.opened[-1].sequencing
    save = store.save_batches
    conflicts = [ConflictError("store.conflict", "another was first")] * count

    def save_late(*args: object) -> object:
        if conflicts:
            raise conflicts.pop()
        return save(*args)  # type: ignore[arg-type]

    store.save_batches = save_late  # type: ignore[method-assign, assignment]
    with started(keeper):
        wait(lambda: keeper.is_leading)
        if code:
            assert refused(keeper) == code

        assert indices(submit(keeper, make_submission())) == [0]
        assert keeper.is_leading


def test_tiles_out_of_reach_are_waited_for(where: Place) -> None:
    (where.folder / "log").write_text("a file where the folder should be")
    keeper = where.keeper()
    with started(keeper):
        time.sleep(0.3)
        assert refused(keeper) == "intake.no-sequencer"
        (where.folder / "log").unlink()
        wait(lambda: keeper.is_leading)

        assert indices(submit(keeper, make_submission())) == [0]


def test_a_database_out_of_reach_is_waited_for(where: Place) -> None:
    away = where.folder.with_name("away")
    where.folder.rename(away)
    keeper = where.keeper()
    with started(keeper):
        time.sleep(0.3)
        assert refused(keeper) == "intake.no-sequencer"
        away.rename(where.folder)
        wait(lambda: keeper.is_leading)
