"""kill -9 at chosen and at random moments: nothing acknowledged is lost or indexed twice."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from store_kit import Writer, accept, make_submission, make_writer, replayed
from store_processes import Victim, running_victims
from vermilion_ledger.errors import ConflictError
from vermilion_ledger.intake import Intake
from vermilion_ledger.store import Database
from vermilion_ledger.tilestore.posix import PosixTileStore

Opener = Callable[..., Database]


def successor(database: Database, tiles: PosixTileStore) -> Writer:
    """Take over from a victim as soon as its lease has run out, and place what waits."""
    deadline = time.monotonic() + 30
    while True:
        try:
            writer = make_writer(database, tiles)
        except ConflictError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            writer.grow()
            return writer


def assert_one_truth(database: Database, acknowledged: Sequence[int]) -> None:
    states = database.log.load_states(acknowledged)
    assert len(states) == len(acknowledged)
    assert {each.state for each in states.values()} == {"sequenced"}
    assert len({each.index for each in states.values()}) == len(acknowledged)
    head = database.heads.load_head()
    assert (head.size, head.root) == replayed(database)
    assert head.state == "open"


@pytest.mark.parametrize(
    "point",
    [
        "admission",
        "signer",
        "commit 3",
        "before INSERT INTO entries",
        "after INSERT INTO entries",
        "after INSERT INTO places",
        "after INSERT INTO digests",
        "before DELETE FROM queue",
        "after DELETE FROM queue",
        "before put_new",
        "after put_new",
        "after UPDATE head",
        "before INSERT INTO checkpoints",
        "after INSERT INTO checkpoints",
        "before replace",
        "after replace",
        "before remove",
        "after remove",
    ],
)
def test_a_sequencer_killed_at_a_point_is_followed_by_one_truth(
    url: str, database: Database, tiles: PosixTileStore, tmp_path: Path, point: str
) -> None:
    first = make_writer(database, tiles)
    positions = accept(database, *(make_submission() for _ in range(100)))
    first.grow()  # the victim will have a partial tile to remove
    first.sequencer.release()
    positions += accept(database, *(make_submission() for _ in range(300)))

    with running_victims() as start:
        victim = start("sequencer", url, tmp_path, 0.3, point)
        assert victim.process.wait(60) == -9

    successor(database, tiles)
    assert_one_truth(database, positions)


def test_a_sequencer_killed_at_random_moments_loses_nothing(
    url: str, database: Database, tiles: PosixTileStore, tmp_path: Path
) -> None:
    moments = random.Random(20261121)
    acknowledged: list[int] = []
    is_over = threading.Event()

    def submit() -> None:
        with Intake(database.intake) as intake:
            while not is_over.is_set():
                batch = [make_submission() for _ in range(20)]
                acknowledged.extend(intake.submit(batch).result(60).positions)
                time.sleep(0.005)

    office = threading.Thread(target=submit)
    office.start()
    try:
        with running_victims() as start:
            for _ in range(6):
                victim = start("sequencer", url, tmp_path, 0.3)
                victim.await_line("leads ")
                time.sleep(moments.uniform(0, 0.4))
                victim.kill()
    finally:
        is_over.set()
        office.join()

    successor(database, tiles)
    assert len(acknowledged) > 100
    assert_one_truth(database, acknowledged)


def test_a_writer_killed_at_random_moments_has_lost_nothing_it_acknowledged(
    url: str, database: Database, tiles: PosixTileStore, tmp_path: Path
) -> None:
    moments = random.Random(20261122)
    victims: list[Victim] = []

    with running_victims() as start:
        for _ in range(4):
            victims.append(start("writer", url, tmp_path))
            victims[-1].await_line("")
            time.sleep(moments.uniform(0, 0.5))
            victims[-1].kill()
        acknowledged = [each for victim in victims for each in victim.positions()]

    successor(database, tiles)
    assert_one_truth(database, acknowledged)


def test_two_sequencer_processes_at_once_write_one_log(
    url: str, database: Database, tiles: PosixTileStore, tmp_path: Path
) -> None:
    positions = accept(database, *(make_submission() for _ in range(500)))

    with running_victims() as start:
        for _ in range(2):
            start("sequencer", url, tmp_path, 0.3)
        deadline = time.monotonic() + 60
        while database.heads.load_head().size < 500:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    successor(database, tiles)
    assert_one_truth(database, positions)
