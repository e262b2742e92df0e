"""One sequencer, many writers, a standby: real processes, killed and stopped past their lease."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event

from store_kit import make_submission, make_writer, replayed
from store_processes import Victim, running_victims
from vermilion_ledger.intake import Intake
from vermilion_ledger.log import LogReader
from vermilion_ledger.merkle import verify_consistency
from vermilion_ledger.rows import Head
from vermilion_ledger.store import Database
from vermilion_ledger.tilestore.posix import PosixTileStore

Starter = Callable[..., Victim]
Opener = Callable[..., Database]
LEASE_SECONDS = 5  # as in production
TAKEOVER_SECONDS_MAX = 10
# What CockroachDB or Citus would not run, and polling that misses what commits late.
FORBIDDEN = re.compile(
    r"advisory|\bLISTEN\b|NOTIFY|SKIP LOCKED|\bLOCK TABLE\b|\b(?:id|position)\s*>=?\s",
    re.IGNORECASE,
)


def await_head(
    database: Database, is_reached: Callable[[Head], bool], *, seconds: float = 60
) -> float:
    """Wait for a head; return how long it took."""
    started = time.monotonic()
    while not is_reached(database.heads.load_head()):
        waited = time.monotonic() - started
        assert waited < seconds, f"{database.heads.load_head()} after {waited:.1f} s"
        time.sleep(0.02)
    return time.monotonic() - started


def await_settled(database: Database, writers: Sequence[Victim]) -> list[int]:
    """End the writers; return what they were acknowledged, once all of it is published."""
    for writer in writers:
        writer.kill()
    positions = [each for writer in writers for each in writer.positions()]
    deadline = time.monotonic() + 60
    while True:
        states = database.log.load_states(positions)
        if {each.state for each in states.values()} == {"sequenced"}:
            break
        assert time.monotonic() < deadline
        time.sleep(0.05)
    last = max(each.index or 0 for each in states.values())
    await_head(database, lambda head: head.size > last)
    assert len(states) == len(positions)
    assert len({each.index for each in states.values()}) == len(positions)
    return positions


def assert_one_log(database: Database, tiles: PosixTileStore) -> None:
    """Every checkpoint ever published leads to the newest, whose root is that of a replay."""
    head = database.heads.load_head()
    assert (head.size, head.root) == replayed(database)
    assert head.state == "open"
    reader = LogReader(database.log, database.heads, tiles)
    for each in database.heads.list_checkpoints(before=None, limit=1000):
        proof = reader.consistency(each.size, head.size)
        verify_consistency(each.size, each.root, head.size, head.root, proof)


def test_a_standby_publishes_within_ten_seconds_of_a_kill(
    url: str, database: Database, tiles: PosixTileStore, tmp_path: Path
) -> None:
    with running_victims() as start:
        writers = [start("writer", url, tmp_path) for _ in range(4)]
        first = start("sequencer", url, tmp_path, LEASE_SECONDS)
        first.await_line("leads 1")
        standby = start("sequencer", url, tmp_path, LEASE_SECONDS)
        standby.await_line("stands by")
        await_head(database, lambda head: head.size >= 50)

        first.kill()
        took = await_head(database, lambda head: _published_by(database, 2))
        print(f"the standby published {took:.1f} s after the kill")
        assert took < TAKEOVER_SECONDS_MAX

        positions = await_settled(database, writers)
        standby.kill()

    assert len(positions) > 100
    assert_one_log(database, tiles)


def test_a_sequencer_stopped_past_its_lease_stands_down_and_may_lead_again(
    url: str, database: Database, tiles: PosixTileStore, tmp_path: Path
) -> None:
    with running_victims() as start:
        writers = [start("writer", url, tmp_path) for _ in range(4)]
        first = start("sequencer", url, tmp_path, 2)
        first.await_line("leads 1")
        standby = start("sequencer", url, tmp_path, 2)
        await_head(database, lambda head: head.size >= 50)

        stop_between_writes(first, url)
        took = await_head(database, lambda head: _published_by(database, 2))
        assert took < TAKEOVER_SECONDS_MAX
        first.resume()
        first.await_line("stood down: ")
        assert first.lines()[-1].split(": ")[1] in {"sequencer.fenced", "log.head-moved"}

        standby.kill()
        first.await_line("leads ", after=3)
        positions = await_settled(database, writers)
        first.kill()

    assert len(positions) > 100
    assert_one_log(database, tiles)


def test_a_sequencer_stopped_again_and_again_never_gives_an_index_twice(
    url: str, database: Database, tiles: PosixTileStore, tmp_path: Path
) -> None:
    with running_victims() as start:
        writers = [start("writer", url, tmp_path) for _ in range(2)]
        rivals = [start("sequencer", url, tmp_path, 0.4) for _ in range(3)]
        await_head(database, lambda head: head.size >= 1)
        for turn in range(60):  # nine, or as many as a busy machine needs
            rivals[turn % 3].stop()
            time.sleep(0.6)
            rivals[turn % 3].resume()
            if turn >= 8 and database.heads.load_head().epoch > 3:
                break
        await_settled(database, writers)
        for rival in rivals:
            assert rival.process.poll() is None, rival.lines()[-3:]
            rival.kill()

    assert database.heads.load_head().epoch > 3
    assert_one_log(database, tiles)


def test_no_statement_asks_for_what_only_postgresql_has_or_polls_past_the_last_seen(
    url: str, opened: Opener, tiles: PosixTileStore
) -> None:
    """Every statement of intake, sequencing, publishing and reading, as it is sent."""
    database, sent = opened(url), set[str]()
    event.listen(
        database.engine, "before_cursor_execute", lambda *told: sent.add(" ".join(told[2].split()))
    )
    writer = make_writer(database, tiles)
    with Intake(database.intake) as intake:
        accepted = intake.submit([make_submission() for _ in range(300)]).result(30)
    writer.grow()
    writer.sequencer.renew()
    reader = LogReader(database.log, database.heads, tiles)
    reader.submission_states(accepted.positions)
    record = reader.submission_states(accepted.positions)[accepted.positions[0]].record_id
    reader.record_entries(record)
    reader.checkpoints(before=300)
    database.heads.oldest_above(3)
    writer.sequencer.release()

    assert [statement for statement in sent if FORBIDDEN.search(statement)] == []
    assert len(sent) > 20
    assert any(statement.startswith("INSERT INTO entries") for statement in sent)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT pg_advisory_xact_lock(1)",
        "LISTEN submissions",
        "SELECT pg_notify('a', 'b')",
        "SELECT position FROM queue WHERE position > 17",
        "SELECT 1 FROM queue FOR UPDATE SKIP LOCKED",
    ],
)
def test_the_search_for_such_statements_finds_them(statement: str) -> None:
    assert FORBIDDEN.search(statement)


def stop_between_writes(victim: Victim, url: str) -> None:
    """Stop a process where it has no transaction open.

    On SQLite nobody takes the lock of a file from a process that was stopped
    while it wrote: that is what several processes want PostgreSQL for.
    """
    for _ in range(100):
        victim.stop()
        if not url.startswith("sqlite") or _is_free(url):
            return
        victim.resume()
        time.sleep(0.02)
    raise AssertionError("it writes all the time")


def _is_free(url: str) -> bool:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=1.0)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.rollback()
        return True


def _published_by(database: Database, epoch: int) -> bool:
    newest = database.heads.load_checkpoint()
    return newest is not None and newest.epoch >= epoch
