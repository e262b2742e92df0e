"""Databases of one log, made once and copied."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from keeper_kit import Place
from vermilion_ledger.store import open_database


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "ledger.db"
    database = open_database(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


@pytest.fixture
def where(tmp_path: Path, template: Path) -> Iterator[Place]:
    folder = tmp_path / "home"
    folder.mkdir()
    shutil.copy(template, folder / "ledger.db")
    found = Place(folder)
    yield found
    for database in found.opened:
        database.close()
