"""One file of a log has one name (C2SP tlog-tiles)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vermilion_ledger.errors import InputError
from vermilion_ledger.limits import TREE_SIZE_MAX
from vermilion_ledger.tilestore.paths import (
    CHECKPOINT,
    TilePath,
    check_prefix,
    entries_path,
    full_paths,
    parse_path,
    tile_path,
)

POSITION_MAX = TREE_SIZE_MAX // 256
TILES = st.builds(
    TilePath,
    level=st.none() | st.integers(0, 63),
    position=st.integers(0, POSITION_MAX) | st.integers(0, 2_000_000),
    width=st.integers(1, 256),
)


@pytest.mark.parametrize(
    ("path", "written"),
    [
        (tile_path(0, 0), "tile/0/000"),
        (tile_path(0, 999), "tile/0/999"),
        (tile_path(0, 1000), "tile/0/x001/000"),
        (tile_path(63, 1234067), "tile/63/x001/x234/067"),
        (tile_path(0, 273, 112), "tile/0/273.p/112"),
        (tile_path(1, 1, 17), "tile/1/001.p/17"),
        (tile_path(2, 0, 1), "tile/2/000.p/1"),
        (entries_path(1234067), "tile/entries/x001/x234/067"),
        (entries_path(273, 112), "tile/entries/273.p/112"),
        (tile_path(0, POSITION_MAX), "tile/0/x035/x184/x372/x088/831"),
    ],
)
def test_paths_are_written_as_the_specification_shows(path: str, written: str) -> None:
    assert path == written


@given(TILES)
def test_what_is_written_is_read_again(tile: TilePath) -> None:
    assert parse_path(str(tile)) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/entries",
        CHECKPOINT,
        ".tmp/x",
        "/tile/0/000",
        "../tile/0/000",
        "tile/0/../0/000",
        "tile/./0/000",
        "tile//0/000",
        "tile/0/000/",
        "tile/0/000\n",
        "tile/0/000\0",
        "Tile/0/000",
        "tile/00/000",  # a zero in front
        "tile/01/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/data/000",  # static-ct-api
        "tile/0/0",
        "tile/0/0000",
        "tile/0/1000",
        "tile/0/001/000",  # no x
        "tile/0/x001",
        "tile/0/x000/000",  # an empty group in front
        "tile/0/x000/x001/000",
        "tile/0/X001/000",
        "tile/0/x035/x184/x372/x088/832",  # beyond 2^53 - 1 leaves
        "tile/0/x001/x000/x000/x000/x000/000",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",  # full
        "tile/0/000.p/999",
        "tile/0/000.P/1",
        "tile/0/000.p/1/1",
        "tile/0/x001.p/1/000",
        "tile/0/\u0660\u0660\u0660",  # digits, but not ASCII
        "tile/0/+00",
        "tile/ 0/000",
        "tile/0/000.p/1_0",
        "tile\\0\\000",
        "tile/0/%30%30%30",
    ],
)
def test_any_other_name_is_refused(path: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_path(path)

    assert caught.value.code == "tiles.path"


@given(st.text() | st.text("tile/enrsx.p0123456789", max_size=24).map("tile/".__add__))
def test_any_text_is_a_path_or_refused(text: str) -> None:
    try:
        tile = parse_path(text)
    except InputError:
        return
    assert str(tile) == text


@pytest.mark.parametrize(
    ("level", "position", "width"),
    [(64, 0, 256), (-1, 0, 256), (0, -1, 256), (0, POSITION_MAX + 1, 256), (0, 0, 0), (0, 0, 257)],
)
def test_a_tile_no_log_has_is_refused(level: int, position: int, width: int) -> None:
    with pytest.raises(InputError):
        tile_path(level, position, width)


def test_the_full_tile_of_partial_ones_is_named_once() -> None:
    partials = ["tile/1/001.p/9", "tile/0/001.p/4", "tile/0/001.p/7", "tile/entries/001.p/7"]

    assert full_paths(partials) == ["tile/0/001", "tile/1/001", "tile/entries/001"]


def test_a_full_tile_is_not_taken_for_a_partial_one() -> None:
    with pytest.raises(InputError, match="tile/0/001 is full"):
        full_paths(["tile/0/001.p/4", "tile/0/001"])


@pytest.mark.parametrize("prefix", ["/", "/etc", "..", "../x", "tile/../..", ".", ".tmp/", "a/.b"])
def test_a_prefix_that_leads_elsewhere_is_refused(prefix: str) -> None:
    with pytest.raises(InputError):
        check_prefix(prefix)


@pytest.mark.parametrize("prefix", ["", "t", "tile/", "tile/0", "tile/0/x001/000.p/", CHECKPOINT])
def test_a_prefix_among_the_public_files_is_taken(prefix: str) -> None:
    check_prefix(prefix)
