"""One chain for all tests of a module, and an office of its own for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chain import Chain, start_chain
from courier_kit import Desk, open_office


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with start_chain() as running:
        yield running


@pytest.fixture
def desk(chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with open_office(chain, tmp_path, monkeypatch) as office:
        yield office
