"""Three hundred simulated worlds, and that a seed says all there is to say about one."""

from __future__ import annotations

import os
import subprocess
import sys
from random import Random

import pytest

from conftest import REPOSITORY
from simulation.disk import Disk
from simulation.reference import Reference
from simulation.run import failure_of, main
from simulation.scheduler import Process, Scheduler, Violation
from simulation.world import simulate
from vermilion_ledger.integrate import derive_entry
from vermilion_ledger.merkle import EMPTY_ROOT
from vermilion_ledger.rows import StoredEntry

SEEDS = 300


@pytest.mark.parametrize("start", range(0, SEEDS, 50))
def test_no_world_breaks_a_promise(start: int) -> None:
    failures = [failure_of(seed) for seed in range(start, start + 50)]

    assert [each for each in failures if each] == []


def test_a_seed_gives_one_world_in_every_process() -> None:
    """Neither the order of sets nor anything else of one process gets in."""
    shown = [
        subprocess.run(
            [sys.executable, "-m", "simulation.run", "--seed", "39"],
            cwd=REPOSITORY,
            env=os.environ | {"PYTHONPATH": "tests", "PYTHONHASHSEED": salt},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for salt in ("1", "2")
    ]

    assert shown[0] == shown[1]
    assert "checkpoints" in shown[0]
    assert simulate(39) == simulate(39) != simulate(40)


def test_a_failure_names_the_seed_and_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(seed: int) -> None:
        raise Violation("two roots")

    monkeypatch.setattr("simulation.run.simulate", broken)

    assert failure_of(17) == "seed 17: Violation: two roots\n    make sim SEED=17"
    assert main(["--seed", "17"]) == 1
    assert "two roots" in capsys.readouterr().err


def test_a_power_cut_takes_what_was_not_synced_and_nothing_else() -> None:
    outcomes: set[tuple[str, object]] = set()
    for seed in range(40):
        disk = Disk()
        disk.make_folder("/a")
        disk.sync_folder("")
        for name in ("kept", "torn", "nameless"):
            file = disk.create(f"/a/{name}", b"all of it")
            if name != "torn":
                disk.sync_files([file])
            if name != "nameless":
                disk.sync_folder("/a")
        assert disk.surviving("/a/kept") == b"all of it"
        assert disk.surviving("/a/torn") is None
        assert disk.surviving("/a/nameless") is None

        disk.power_cut(Random(seed))

        names = dict(disk.list_folder("/a"))
        assert disk.read("/a/kept") == b"all of it"
        outcomes.add(("torn", disk.read("/a/torn")))
        outcomes.add(("nameless", "nameless" in names))
    assert outcomes == {
        ("torn", b"all of it"),
        ("torn", b""),
        ("torn", bytes(9)),
        ("torn", b"all "),
        ("torn", b"all " + bytes(5)),
        ("nameless", True),
        ("nameless", False),
    }


def test_a_name_that_was_taken_away_may_come_back() -> None:
    seen = set()
    for seed in range(20):
        disk = Disk()
        disk.sync_files([disk.create("/old", b"old")])
        disk.sync_folder("")
        disk.unlink("/old")
        disk.power_cut(Random(seed))
        seen.add(bool(disk.list_folder("")))
    assert seen == {True, False}


def test_a_dead_process_does_nothing_more() -> None:
    scheduler, process, done = Scheduler(Random(1)), Process("p"), list[str]()

    def work() -> None:
        done.append("begun")
        scheduler.sleep(1.0)
        done.append("ended")

    scheduler.spawn(process, work)
    scheduler.step()
    scheduler.kill(process)
    scheduler.step()

    assert done == ["begun"]


def test_a_world_that_never_rests_is_a_failure() -> None:
    scheduler, process = Scheduler(Random(1)), Process("p")

    def work() -> None:
        while True:
            scheduler.pause()

    scheduler.spawn(process, work)
    with pytest.raises(Violation, match="still busy"):
        scheduler.run(lambda: False, until=1e9)
    scheduler.close()


def test_the_reference_agrees_with_what_the_log_has_for_an_entry() -> None:
    row = StoredEntry(
        index=0,
        position=1,
        sequence=7,
        record_key=b"k" * 32,
        kind="document",
        envelope=b"envelope",
        salt=b"s" * 32,
    )
    reference = Reference()
    assert reference.root(0) == EMPTY_ROOT

    reference.grow([row])

    assert reference.entries == [derive_entry(row)]
    assert reference.root(1) == reference.leaves[0]
