"""Leading, standing by and standing down: one keeper at a time takes submissions in."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import update

from store_kit import (
    Admit,
    ManualClock,
    accept,
    make_sequencer,
    make_submission,
    make_tiles,
    make_writer,
    place,
    replayed,
    system_clock,
)
from vermilion_api.keeping import LogKeeper
from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    IntegrityError,
    UnavailableError,
)
from vermilion_ledger.log import LogReader
from vermilion_ledger.ports import Clock, HistoryView
from vermilion_ledger.rows import (
    Accepted,
    IntakeBatch,
    ObservedHead,
    Pending,
    Submission,
    SubmissionState,
)
from vermilion_ledger.sequencer import SequencerTiming
from vermilion_ledger.store import Database, open_database, schema
from vermilion_ledger.store.engine import writing
from vermilion_ledger.store.wal import WalKeeper
from vermilion_ledger.tilestore.paths import CHECKPOINT
from vermilion_ledger.tilestore.posix import PosixTileStore

SECONDS = 30.0
BUSY_SECONDS = 2.0
QUICK = SequencerTiming(
    publish_interval_seconds=0.05, lease_seconds=1.0, poll_seconds=0.01, retry_seconds=0.05
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "ledger.db"
    database = open_database(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


@dataclass
class Place:
    """Where one log is; each process opens it for itself."""

    folder: Path
    opened: list[Database] = field(default_factory=list)

    def open(self) -> Database:
        url = f"sqlite:///{self.folder / 'ledger.db'}"
        self.opened.append(open_database(url, busy_timeout_seconds=BUSY_SECONDS))
        return self.opened[-1]

    def tiles(self) -> PosixTileStore:
        return make_tiles(self.folder)

    def keeper(
        self,
        *,
        clock: Clock = system_clock,
        admission: Admit | None = None,
        observe: Callable[[], Iterable[ObservedHead]] = tuple,
    ) -> LogKeeper:
        database = self.open()
        writer = make_writer(
            database, self.tiles(), clock=clock, admission=admission, timing=QUICK, started=False
        )
        return LogKeeper(
            sequencer=writer.sequencer,
            publisher=writer.publisher,
            wal=WalKeeper(database.engine),
            timing=QUICK,
            observe=observe,
        )


@pytest.fixture
def where(tmp_path: Path, template: Path) -> Iterator[Place]:
    folder = tmp_path / "home"
    folder.mkdir()
    shutil.copy(template, folder / "ledger.db")
    found = Place(folder)
    yield found
    for database in found.opened:
        database.close()


@contextmanager
def started(*keepers: LogKeeper) -> Iterator[None]:
    for keeper in keepers:
        keeper.start()
    try:
        yield
    finally:
        for keeper in keepers:
            keeper.close()


def wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not until():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.005)


def submit(store: LogKeeper, *submissions: Submission) -> Accepted:
    (result,) = store.save_batches([IntakeBatch(submissions=submissions)])
    assert isinstance(result, Accepted)
    return result


def indices(accepted: Accepted) -> list[int | None]:
    states: Sequence[SubmissionState] = accepted.states or ()
    return [each.index for each in states]


def refused(store: LogKeeper) -> str:
    with pytest.raises(EvidenceError) as caught:
        submit(store, make_submission())
    assert isinstance(caught.value, UnavailableError)
    return caught.value.code


def lose_lease(database: Database) -> None:
    """Let the lease run out, as for a process that was stopped for too long."""
    with writing(database.engine) as connection:
        connection.execute(update(schema.lease).values(expires_at=0))


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


# -- a log that contradicts itself


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
