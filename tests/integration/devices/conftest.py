"""One browser and one served ledger for the tests of devices that only add to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from browser_kit import Browser, opened
from served import Served, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A ledger with its root registered."""
    with serving(tmp_path_factory.mktemp("served")) as found:
        found.register_key(found.root)
        yield found


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A real Chromium."""
    with opened(tmp_path_factory.mktemp("browser")) as found:
        yield found
