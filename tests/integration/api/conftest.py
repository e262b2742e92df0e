"""One served ledger for the tests that only add to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from served import Served, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A ledger with its root registered."""
    with serving(tmp_path_factory.mktemp("served")) as found:
        found.register_key(found.root)
        yield found
