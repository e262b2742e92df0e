"""A log that contradicts itself is halted for every process, and read all the same."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing

import pytest

from keeper_kit import Place, indices, refused, started, submit, wait
from store_kit import (
    Admit,
    accept,
    make_sequencer,
    make_submission,
    make_writer,
)
from vermilion_api.keeping import LogKeeper
from vermilion_ledger.errors import (
    IntegrityError,
    UnavailableError,
)
from vermilion_ledger.log import LogReader
from vermilion_ledger.ports import HistoryView
from vermilion_ledger.rows import (
    ObservedHead,
    Pending,
)
from vermilion_ledger.store import Database
from vermilion_ledger.tilestore.paths import CHECKPOINT


def contradictory(where: Place) -> tuple[LogKeeper, Database]:
    """A log of which somebody saw more than is here; one entry of it is published."""
    database = where.open()
    writer = make_writer(database, where.tiles())
    writer.place(1)
    writer.publisher.publish()
    writer.sequencer.release()
    seen = ObservedHead(size=9, root=bytes(32), source="chain 1")
    return where.keeper(observe=lambda: [seen]), database


def test_a_contradiction_at_the_start_halts_the_log_and_reads_go_on(where: Place) -> None:
    keeper, database = contradictory(where)
    with started(keeper):
        wait(lambda: database.heads.load_head().state == "halted")
        wait(lambda: refused(keeper) == "log.recovering")

    reader = LogReader(database.log, database.heads, where.tiles())
    assert reader.checkpoint().size == 1
    assert reader.inclusion(0, 1) == ()
    assert len(reader.entries_between(0, 1)) == 1
    make_sequencer(database)  # the lease was given up


def test_a_log_that_cannot_be_marked_halted_now_is_marked_later(where: Place) -> None:
    _, database = contradictory(where)
    other = sqlite3.connect(where.folder / "ledger.db", check_same_thread=False)

    def observe() -> list[ObservedHead]:
        other.execute("BEGIN IMMEDIATE")  # from now on nobody else can write
        return [ObservedHead(size=9, root=bytes(32), source="chain 1")]

    keeper = where.keeper(observe=observe)
    with closing(other), started(keeper):
        wait(lambda: refused(keeper) == "log.recovering")
        assert database.heads.load_head().state == "open"
        other.rollback()
        wait(lambda: database.heads.load_head().state == "halted")


def test_a_stale_checkpoint_file_is_put_right_while_nothing_happens(where: Place) -> None:
    keeper, tiles = where.keeper(), where.tiles()
    with started(keeper):
        wait(lambda: keeper.is_leading)
        submit(keeper, make_submission())
        wait(lambda: bool(tiles.load([CHECKPOINT])))
        stale = tiles.load([CHECKPOINT])[CHECKPOINT]
        submit(keeper, make_submission())
        wait(lambda: tiles.load([CHECKPOINT])[CHECKPOINT] != stale)
        newest = tiles.load([CHECKPOINT])[CHECKPOINT]

        # As a publisher does that was stopped before it replaced the file.
        tiles.replace(CHECKPOINT, stale)

        wait(lambda: tiles.load([CHECKPOINT])[CHECKPOINT] == newest)


def test_a_process_of_its_own_ends_with_the_contradiction(where: Place) -> None:
    keeper, database = contradictory(where)

    with pytest.raises(IntegrityError) as caught:
        keeper.run(threading.Event())

    assert caught.value.code == "log.behind-head"
    assert database.heads.load_head().state == "halted"


def test_a_contradiction_while_leading_halts_the_log(where: Place) -> None:
    def rule(pending: Pending, _: HistoryView) -> None:
        raise IntegrityError("log.gap", f"{pending.position} contradicts the log")

    keeper, database = where.keeper(admission=Admit(rule)), where.open()
    with started(keeper):
        wait(lambda: keeper.is_leading)
        accept(database, make_submission())
        wait(lambda: database.heads.load_head().state == "halted")
        wait(lambda: refused(keeper) == "log.recovering")

    assert database.log.count_entries() == 0


def test_the_refusal_names_the_cause(where: Place) -> None:
    keeper, _ = contradictory(where)
    with started(keeper):
        wait(lambda: refused(keeper) == "log.recovering")

        with pytest.raises(UnavailableError, match=r"log\.behind-head"):
            submit(keeper, make_submission())


def test_a_good_start_after_the_repair_reopens_the_log(where: Place) -> None:
    keeper, database = contradictory(where)
    with started(keeper):
        wait(lambda: database.heads.load_head().state == "halted")

    repaired = where.keeper()
    with started(repaired):
        wait(lambda: repaired.is_leading)

        assert database.heads.load_head().state == "open"
        assert indices(submit(repaired, make_submission())) == [1]
