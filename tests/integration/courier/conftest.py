"""One chain for all tests of a module, and an office of its own for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chain import Chain, start_chain
from courier_kit import Desk, open_office
from homes import write_home


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with start_chain() as running:
        yield running


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with seven documents, to be copied."""
    return write_home(tmp_path_factory.mktemp("template"), size=7)


@pytest.fixture
def desk(chain: Chain, template: Path, tmp_path: Path) -> Desk:
    return open_office(chain, template, tmp_path)
