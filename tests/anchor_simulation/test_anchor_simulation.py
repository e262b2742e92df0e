"""Some worlds of anchoring, that a seed says all of one, and that planted bugs are found.

`make chain-sim` runs more worlds, `make chain-plants` plants every bug.
"""

from __future__ import annotations

import pytest

from anchor_simulation.planted import PLANTS
from anchor_simulation.run import failure_of, main
from anchor_simulation.world import simulate
from simulation.scheduler import Violation

SEEDS, SEEDS_MAX = 20, 400
QUICK = (  # found within a few seeds
    "a transaction is sent before it is stored",
    "a larger head hides our own anchor",
    "nonces of closed jobs are never given again",
)


@pytest.mark.parametrize("start", range(0, SEEDS, 10))
def test_no_world_of_anchoring_breaks_a_promise(start: int) -> None:
    failures = [failure_of(seed) for seed in range(start, start + 10)]

    assert [each for each in failures if each] == []


def test_a_seed_gives_one_world() -> None:
    assert simulate(2) == simulate(2) != simulate(3)


@pytest.mark.parametrize("wrong", QUICK)
def test_a_planted_bug_is_found(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    PLANTS[wrong](monkeypatch)

    found = next(filter(None, map(failure_of, range(SEEDS_MAX))), None)

    assert found is not None


def test_a_failure_names_the_seed_and_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(seed: int) -> None:
        raise Violation("two anchors")

    monkeypatch.setattr("anchor_simulation.run.simulate", broken)

    assert failure_of(17) == "seed 17: Violation: two anchors\n    make chain-sim SEED=17"
    assert main(["--seed", "17"]) == 1
    assert "two anchors" in capsys.readouterr().err
