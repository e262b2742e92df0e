"""A real chain with anchors, and an auditor who collects its block hashes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor_kit import Auditor, Ground, make_ground


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    with make_ground() as made:
        yield made


@pytest.fixture
def auditor(tmp_path: Path, ground: Ground, capsys: pytest.CaptureFixture[str]) -> Auditor:
    return Auditor(folder=tmp_path, ground=ground, capsys=capsys)
