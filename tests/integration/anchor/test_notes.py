"""The anchorer's last word: said when it changes, said again, and never in the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from anchor_kit import TARGET, seconds
from vermilion_anchor.notes import NoteKeeper
from vermilion_anchor.settings import Progress
from vermilion_ledger.anchor_rows import JobState
from vermilion_ledger.anchor_standing import AnchorNote
from vermilion_ledger.errors import EvidenceError, IntegrityError, UnavailableError
from vermilion_ledger.store import Database, open_database

FINE = Progress(state=None, note="nothing to anchor")
LOW = UnavailableError("anchor.low-balance", "0x12 has 1 wei")
AWAY = UnavailableError("chain.unreachable", "node does not answer")


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, count: float) -> None:
        self.now += seconds(count)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{tmp_path / 'notes.db'}")
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def keeper(database: Database, clock: Clock) -> NoteKeeper:
    return NoteKeeper(TARGET, store=database.notes, clock=clock)


def word(database: Database) -> AnchorNote:
    found = database.notes.load(TARGET)
    assert found is not None
    return found


def away(error: EvidenceError = AWAY) -> Progress:
    return Progress(state=None, note=str(error), is_waiting=True, error=error)


def test_a_word_says_what_is_waited_for_and_since_when(
    keeper: NoteKeeper, database: Database, clock: Clock
) -> None:
    for state in (JobState.SENT, JobState.SENT, JobState.MINED, JobState.FINAL):
        clock.move(1)
        keeper.tell(Progress(state=state, size=5, note="so"))

        assert word(database).code in {"wait.sent", "wait.mined", "wait.idle"}
    assert word(database).since == word(database).told_at == clock.now


def test_the_same_word_is_not_said_again_at_once(
    keeper: NoteKeeper, database: Database, clock: Clock
) -> None:
    keeper.tell(FINE)
    began = clock.now
    for _ in range(9):
        clock.move(1)
        keeper.tell(FINE)
        assert word(database).told_at == began

    clock.move(1)
    keeper.tell(FINE)

    assert (word(database).since, word(database).told_at) == (began, clock.now)


def test_an_error_is_said_with_its_code_and_goes_away_with_it(
    keeper: NoteKeeper, database: Database, clock: Clock
) -> None:
    keeper.tell(away())
    assert (word(database).code, word(database).note) == (AWAY.code, AWAY.message)
    assert word(database).is_trouble

    keeper.tell(FINE)

    assert (word(database).code, word(database).alarm) == ("wait.idle", "")


def test_an_alarm_stays_while_nobody_can_look(keeper: NoteKeeper, database: Database) -> None:
    keeper.tell(Progress(state=JobState.SENT, alarm=LOW))
    assert (word(database).code, word(database).alarm) == ("wait.sent", LOW.code)
    assert word(database).note == LOW.message

    keeper.tell(away())
    assert (word(database).code, word(database).alarm) == (AWAY.code, LOW.code)

    keeper.tell(FINE)
    assert word(database).alarm == ""


def test_an_alarm_alone_is_news_that_does_not_wait(
    keeper: NoteKeeper, database: Database, clock: Clock
) -> None:
    keeper.tell(FINE)
    since = clock.now
    clock.move(1)

    keeper.tell(Progress(state=None, alarm=LOW))

    assert (word(database).alarm, word(database).since) == (LOW.code, since)


def test_what_ends_the_anchorer_is_its_last_word(keeper: NoteKeeper, database: Database) -> None:
    keeper.tell_error(IntegrityError("anchor.head-conflict", "two trees"))

    assert (word(database).code, word(database).note) == ("anchor.head-conflict", "two trees")


def test_a_restart_does_not_begin_the_time_anew(
    keeper: NoteKeeper, database: Database, clock: Clock
) -> None:
    keeper.tell(away())
    began = clock.now
    clock.move(3600)

    NoteKeeper(TARGET, store=database.notes, clock=clock).tell(away())

    assert (word(database).since, word(database).told_at) == (began, clock.now)


def test_a_clock_set_back_does_not_silence_it(
    keeper: NoteKeeper, database: Database, clock: Clock
) -> None:
    keeper.tell(FINE)
    clock.move(-3600)

    keeper.tell(FINE)

    assert word(database).told_at == clock.now


def test_a_long_message_is_cut(keeper: NoteKeeper, database: Database) -> None:
    keeper.tell(away(UnavailableError("chain.bad-answer", "x" * 10_000)))

    assert len(word(database).note) == 500


def test_a_store_out_of_reach_is_no_trouble_of_the_anchorer(tmp_path: Path, clock: Clock) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'later.db'}")
    keeper = NoteKeeper(TARGET, store=database.notes, clock=clock)
    keeper.tell(away())  # no table yet
    keeper.tell(FINE)

    database.migrate()
    keeper.tell(FINE)

    assert word(database).code == "wait.idle"
    database.close()
