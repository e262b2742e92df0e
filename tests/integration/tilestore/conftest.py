"""Every driver for every test of the contract: a folder, a bucket, and perhaps yours.

``VERMILION_TILE_DRIVER=package.module:factory`` adds a driver: the factory is
given the name of a place and returns a driver for it, each time a new one; an
unknown place is empty.
"""

from __future__ import annotations

import importlib
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from integration.tilestore.s3_server import CREDENTIALS, S3Server, running_s3
from vermilion_ledger.ports import TileStore
from vermilion_ledger.tilestore import open_tile_store

Opener = Callable[[], TileStore]
YOURS = os.environ.get("VERMILION_TILE_DRIVER", "")
DRIVERS = ["posix", "s3", *(["yours"] if YOURS else [])]


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """One server for all tests; each has a bucket of its own."""
    with running_s3() as server:
        yield server


@pytest.fixture
def s3_url(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty bucket."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    bucket = f"log-{uuid.uuid4().hex}"
    s3_server.create_bucket(bucket)
    return f"s3://{bucket}/one/log?endpoint={s3_server.endpoint}&region=eu-1&allow_http=true"


@pytest.fixture(params=DRIVERS)
def tile_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty place, for each driver."""
    if request.param == "posix":
        return (tmp_path / "log").as_uri()
    if request.param == "s3":
        return str(request.getfixturevalue("s3_url"))
    return f"yours:{uuid.uuid4().hex}"


@pytest.fixture
def open_store(tile_url: str, tmp_path: Path) -> Opener:
    """Opens the place anew with each call, as another process would."""
    scheme, _, place = tile_url.partition(":")
    if scheme == "yours":
        module, _, factory = YOURS.partition(":")
        make = getattr(importlib.import_module(module), factory)
        return lambda: make(place)
    return lambda: open_tile_store(tile_url, tmp_path)


@pytest.fixture
def store(open_store: Opener) -> TileStore:
    """A driver for an empty place."""
    return open_store()
