"""The simulator is tested with bugs: it must find each of them, and soon."""

from __future__ import annotations

import pytest

from simulation.planted import PLANTS
from simulation.run import failure_of

SEEDS_MAX = 1500


@pytest.mark.parametrize("wrong", PLANTS)
def test_a_planted_bug_is_found(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    PLANTS[wrong](monkeypatch)

    found = next(filter(None, map(failure_of, range(SEEDS_MAX))), None)

    assert found is not None
