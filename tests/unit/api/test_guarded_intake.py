"""The queue in front of a sequencer elsewhere: closed while the log is halted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from store_kit import make_submission, make_tiles, make_writer
from vermilion_api.keeping import GuardedIntake
from vermilion_ledger.errors import UnavailableError
from vermilion_ledger.rows import Accepted, IntakeBatch
from vermilion_ledger.store import Database, open_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = open_database(f"sqlite:///{tmp_path / 'ledger.db'}")
    found.migrate()
    yield found
    found.close()


def submit(store: GuardedIntake) -> Accepted:
    (result,) = store.save_batches([IntakeBatch(submissions=(make_submission(),))])
    assert isinstance(result, Accepted)
    return result


def refused(store: GuardedIntake) -> str:
    with pytest.raises(UnavailableError) as caught:
        submit(store)
    return caught.value.code


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_queue_is_closed_while_the_log_is_halted_and_opens_again(
    database: Database, tmp_path: Path
) -> None:
    seconds = Seconds()
    guarded = GuardedIntake(database.intake, database.heads, monotonic=seconds)
    submit(guarded)
    database.heads.halt(epoch=99)
    seconds.now += 1

    assert refused(guarded) == "log.recovering"
    make_writer(database, make_tiles(tmp_path))
    assert refused(guarded) == "log.recovering"  # it looks once a second
    seconds.now += 1

    assert submit(guarded).positions


def test_a_queue_of_a_halted_log_is_closed_from_the_start(
    database: Database, tmp_path: Path
) -> None:
    database.heads.halt(epoch=99)

    assert refused(GuardedIntake(database.intake, database.heads)) == "log.recovering"
    assert database.log.load_states(range(9)) == {}


def test_the_head_is_looked_at_once_a_second(database: Database, tmp_path: Path) -> None:
    seconds = Seconds()
    load, looks = database.heads.load_head, [0]

    def look() -> object:
        looks[0] += 1
        return load()

    database.heads.load_head = look  # type: ignore[method-assign, assignment]
    guarded = GuardedIntake(database.intake, database.heads, monotonic=seconds)
    for _ in range(10):
        submit(guarded)
        seconds.now += 0.25

    assert looks[0] == 3


def test_a_head_out_of_reach_refuses_and_saves_nothing(database: Database, tmp_path: Path) -> None:
    empty = open_database(f"sqlite:///{tmp_path}/none/head.db")
    guarded = GuardedIntake(database.intake, empty.heads)

    assert refused(guarded) == "store.unreachable"
    assert database.log.load_states(range(9)) == {}
