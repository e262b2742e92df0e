"""The S3 driver against stores that lie, fail, or are not there."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest

from integration.tilestore.s3_server import S3Server
from vermilion_ledger.errors import IntegrityError, UnavailableError
from vermilion_ledger.ports import TileStore
from vermilion_ledger.tilestore import open_tile_store
from vermilion_ledger.tilestore.paths import CHECKPOINT, tile_path
from vermilion_ledger.tilestore.s3 import S3TileStore

FILES = {tile_path(0, position): b"tile %d" % position for position in range(40)}


@pytest.fixture
def server(s3_server: S3Server) -> Iterator[S3Server]:
    """The server, made honest again afterwards."""
    yield s3_server
    s3_server.ignores_conditions = False
    s3_server.failures = s3_server.lost_answers = 0


@pytest.fixture
def store(server: S3Server, s3_url: str, tmp_path: Path) -> TileStore:
    """A driver for an empty bucket."""
    return open_tile_store(s3_url, tmp_path)


def test_a_store_that_ignores_if_none_match_is_found_at_the_start(
    server: S3Server, store: TileStore
) -> None:
    server.ignores_conditions = True

    with pytest.raises(IntegrityError) as caught:
        store.check()

    assert caught.value.code == "tiles.create-only"


def test_a_store_that_has_begun_to_ignore_it_is_found_at_the_next_start(
    server: S3Server, store: TileStore
) -> None:
    store.check()
    store.put_new(FILES)
    server.ignores_conditions = True

    with pytest.raises(IntegrityError):
        store.check()


def test_a_put_whose_answer_was_lost_is_known_again(server: S3Server, store: TileStore) -> None:
    server.lost_answers = 3  # the library sends the request again and hears "exists"

    store.put_new(FILES)

    assert store.load(list(FILES)) == FILES


def test_a_store_that_is_slow_for_a_moment_is_asked_again(
    server: S3Server, store: TileStore
) -> None:
    server.failures = 3

    store.put_new(FILES)

    assert store.load(list(FILES)) == FILES


def test_a_store_that_keeps_failing_is_told_and_the_call_may_be_repeated(
    server: S3Server, store: TileStore
) -> None:
    path = tile_path(0, 0)
    store.put_new({path: FILES[path]})
    acts = [
        lambda: store.put_new(FILES),
        lambda: store.replace(CHECKPOINT, b"note"),
        lambda: store.load([path]),
        lambda: store.list_paths(""),
        store.check,
    ]
    for act in acts:
        server.failures = 10_000
        with pytest.raises(UnavailableError) as caught:
            act()
        assert caught.value.code == "tiles.unreachable"
        assert len(caught.value.message) <= 300
        server.failures = 0
        act()

    assert store.load(list(FILES)) == FILES


def test_a_bucket_that_is_not_there_is_never_an_empty_log(s3_url: str, tmp_path: Path) -> None:
    options = s3_url.partition("?")[2]
    store = open_tile_store(f"s3://no-such-bucket/log?{options}", tmp_path)

    for act in (
        store.check,
        lambda: store.put_new(FILES),
        lambda: store.load([CHECKPOINT]),
        lambda: store.list_paths(""),
    ):
        with pytest.raises(UnavailableError) as caught:
            act()
        assert caught.value.code == "tiles.unreachable"


def test_a_store_that_does_not_answer_is_told(s3_url: str, tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    url = f"s3://bucket/log?endpoint=http://127.0.0.1:{port}&region=eu-1&allow_http=true"

    with pytest.raises(UnavailableError):
        open_tile_store(url, tmp_path).check()


def test_plain_http_is_refused_unless_it_was_allowed(s3_url: str, tmp_path: Path) -> None:
    store = open_tile_store(s3_url.replace("&allow_http=true", ""), tmp_path)

    with pytest.raises(UnavailableError):
        store.check()


def test_two_logs_in_one_bucket_do_not_meet(s3_url: str, tmp_path: Path) -> None:
    other = open_tile_store(s3_url.replace("/one/log?", "/one/log2?"), tmp_path)
    store = open_tile_store(s3_url, tmp_path)

    store.put_new({tile_path(0, 0): b"one"})
    other.put_new({tile_path(0, 0): b"two"})

    assert store.load([tile_path(0, 0)]) == {tile_path(0, 0): b"one"}
    assert list(store.list_paths("")) == list(other.list_paths("")) == [tile_path(0, 0)]


@pytest.mark.parametrize(
    ("path", "kind", "keep"),
    [
        (tile_path(0, 0), "application/octet-stream", "immutable"),
        (CHECKPOINT, "text/plain; charset=utf-8", "no-cache"),
    ],
)
def test_a_bucket_served_as_it_is_says_how_long_to_keep_a_file(
    store: TileStore, path: str, kind: str, keep: str
) -> None:
    assert isinstance(store, S3TileStore)
    store.put_new({tile_path(0, 0): b"x"})
    store.replace(CHECKPOINT, b"note\n")

    attributes = obstore.get(store._bucket, path).attributes

    assert attributes["Content-Type"] == kind
    assert keep in attributes["Cache-Control"]
