"""What all tests share: no sockets outside tests/integration, steady Hypothesis profiles."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

REPOSITORY = Path(__file__).resolve().parents[1]
INTEGRATION = REPOSITORY / "tests" / "integration"
SHARED_VECTORS = REPOSITORY.parent / "shared" / "vectors"

# `make test` gives the same examples each time; `make fuzz` looks for new ones.
settings.register_profile(
    "steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "deep", max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_vectors() -> Path:
    """The public vectors beside the checkout; a test that reads them skips without."""
    if not SHARED_VECTORS.is_dir():
        pytest.skip("the public vectors are not beside the checkout (../shared/vectors)")
    return SHARED_VECTORS


@pytest.fixture(autouse=True)
def _no_sockets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Outside of tests/integration nothing connects but to sockets of the file system."""
    if INTEGRATION in request.path.parents:
        yield
        return

    def refuse(name: str) -> None:
        original = getattr(socket.socket, name)

        def guarded(self: socket.socket, *args: Any) -> Any:
            if self.family != socket.AF_UNIX:
                pytest.fail(f"socket.{name}{args[-1:]}: only tests/integration may connect")
            return original(self, *args)

        monkeypatch.setattr(socket.socket, name, guarded)

    for name in ("connect", "connect_ex", "sendto"):
        refuse(name)
    yield
