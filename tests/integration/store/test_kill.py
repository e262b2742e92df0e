"""kill -9 at chosen and at random moments: nothing acknowledged is lost or indexed twice."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from store_kit import accept, make_sequencer, make_submission, system_clock
from vermilion_ledger.errors import ConflictError
from vermilion_ledger.intake import Intake
from vermilion_ledger.recheck import recheck_openings, recheck_tree
from vermilion_ledger.sequencer import Sequencer
from vermilion_ledger.store import Database

VICTIM = Path(__file__).parent / "victim.py"
TESTS = VICTIM.parents[2]


def start_victim(*arguments: str) -> subprocess.Popen[str]:
    paths = [str(TESTS), str(TESTS.parent / "ledger")]
    return subprocess.Popen(
        [sys.executable, str(VICTIM), *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdout=subprocess.PIPE,
        text=True,
    )


def successor(database: Database) -> Sequencer:
    """Take over from a victim as soon as its lease has run out."""
    deadline = time.monotonic() + 20
    while True:
        sequencer = make_sequencer(database, started=False)
        try:
            sequencer.acquire()
        except ConflictError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
            continue
        sequencer.start()
        return sequencer


def assert_one_truth(database: Database, acknowledged: list[bytes]) -> None:
    states = database.log.load_states(acknowledged)
    assert len(states) == len(acknowledged)
    assert {each.state for each in states.values()} == {"sequenced"}
    indices = [each.index for each in states.values()]
    assert len(set(indices)) == len(acknowledged)
    size, root = recheck_tree(database.log)
    recheck_openings(database.log, 0, size)
    head = database.log.load_head()
    assert (head.size, head.root) == (size, root)


@pytest.mark.parametrize(
    "point",
    [
        "admission",
        "signer",
        "commit",
        "before INSERT INTO entries",
        "after INSERT INTO entries",
        "before INSERT INTO tiles",
        "after INSERT INTO tiles",
        "before DELETE FROM queue",
        "after DELETE FROM queue",
        "before INSERT INTO checkpoints",
        "after INSERT INTO checkpoints",
        "after UPDATE head",
    ],
)
def test_a_sequencer_killed_at_a_point_is_followed_by_one_truth(
    url: str, database: Database, point: str
) -> None:
    ids = list(accept(database, make_submission(new=True)))
    ids += accept(database, *(make_submission() for _ in range(299)))

    victim = start_victim("sequencer", url, point)
    assert victim.wait(60) == -9
    victim.communicate()

    sequencer = successor(database)
    while sequencer.sequence_batch():
        pass
    sequencer.publish()
    assert_one_truth(database, ids)


def test_a_sequencer_killed_at_random_moments_loses_nothing(url: str, database: Database) -> None:
    moments = random.Random(20261121)
    acknowledged = list(accept(database, make_submission(new=True)))
    is_over = threading.Event()

    def submit() -> None:
        with Intake(database.intake, system_clock) as intake:
            while not is_over.is_set():
                batch = [make_submission() for _ in range(20)]
                acknowledged.extend(intake.submit(batch).result(60).submission_ids)
                time.sleep(0.005)

    office = threading.Thread(target=submit)
    office.start()
    try:
        for _ in range(6):
            victim = start_victim("sequencer", url)
            assert victim.stdout is not None
            assert victim.stdout.readline() == "started\n"
            time.sleep(moments.uniform(0, 0.4))
            victim.kill()
            victim.communicate()
    finally:
        is_over.set()
        office.join()

    sequencer = successor(database)
    while sequencer.sequence_batch():
        pass
    sequencer.publish()
    assert len(acknowledged) > 100
    assert_one_truth(database, acknowledged)


def test_an_intake_killed_at_random_moments_has_lost_nothing_it_acknowledged(
    url: str, database: Database
) -> None:
    moments = random.Random(20261122)
    accept(database, make_submission(new=True))
    acknowledged: list[bytes] = []

    for _ in range(4):
        victim = start_victim("intake", url)
        assert victim.stdout is not None
        acknowledged.append(bytes.fromhex(victim.stdout.readline()))
        time.sleep(moments.uniform(0, 0.5))
        victim.kill()
        rest = victim.stdout.read()
        acknowledged += [bytes.fromhex(line) for line in rest.splitlines() if len(line) == 32]
        victim.communicate()

    sequencer = make_sequencer(database)
    while sequencer.sequence_batch():
        pass
    sequencer.publish()
    assert_one_truth(database, acknowledged)


def test_two_sequencer_processes_at_once_write_one_log(
    url: str, database: Database, opened: Callable[..., Database]
) -> None:
    ids = list(accept(database, make_submission(new=True)))
    ids += accept(database, *(make_submission() for _ in range(500)))

    victims = [start_victim("sequencer", url) for _ in range(2)]
    deadline = time.monotonic() + 60
    while database.log.load_head().size < 501 and time.monotonic() < deadline:
        time.sleep(0.02)
    for victim in victims:
        victim.kill()
        victim.communicate()

    successor(opened(url)).publish()
    assert_one_truth(database, ids)
