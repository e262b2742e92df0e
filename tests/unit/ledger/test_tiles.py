"""Tiles and bundles against a slow reference that knows only RFC 9162 section 2.1.1."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store_kit import reference_root
from vermilion_ledger.errors import InputError, IntegrityError
from vermilion_ledger.merkle import EMPTY_ROOT
from vermilion_ledger.rows import TileKey
from vermilion_ledger.tiles import (
    TileBuilder,
    edge_tiles,
    encode_entry_bundle,
    parse_entry_bundle,
    split_hashes,
    tile_root,
    tile_width_at,
)

ENTRY = bytes(range(65))


def leaves_up_to(size: int) -> list[bytes]:
    return [hashlib.sha256(b"%d" % number).digest() for number in range(size)]


def reference_tiles(leaves: Sequence[bytes]) -> dict[TileKey, bytes]:
    """Return every tile of a tree, full or not, level by level."""
    tiles: dict[TileKey, bytes] = {}
    level, row = 0, list(leaves)
    while row:
        for start in range(0, len(row), 256):
            tiles[level, start // 256] = b"".join(row[start : start + 256])
        full = len(row) // 256
        row = [reference_root(row[at * 256 : (at + 1) * 256]) for at in range(full)]
        level += 1
    return tiles


@pytest.mark.parametrize(
    ("size", "edge"),
    [
        (0, [b""]),
        (1, []),
        (1, [b""]),
        (1, [bytes(31)]),
        (1, [bytes(64)]),
        (256, [b""]),
        (256, [bytes(32), bytes(32)]),
        (257, [bytes(32)]),
    ],
)
def test_an_edge_that_does_not_fit_the_size_is_refused(size: int, edge: list[bytes]) -> None:
    with pytest.raises(InputError) as caught:
        TileBuilder(size, edge)

    assert caught.value.code == "merkle.frontier"


@pytest.mark.parametrize("size", [0, 32, 8191, 8193, 8224])
def test_a_root_over_other_than_256_hashes_is_refused(size: int) -> None:
    with pytest.raises(InputError) as caught:
        tile_root(b"\x00" * size)

    assert caught.value.code == "merkle.tile-size"


@pytest.mark.parametrize(
    "data",
    [
        b"\x00",
        b"\x00\x41",
        b"\x00\x41" + ENTRY[:-1],
        b"\x00\x41" + ENTRY + b"\x00",
        b"\x00\x40" + ENTRY,
        b"\x41\x00" + ENTRY,
        b"\x00\x41" + ENTRY + b"\x00\x40" + ENTRY,
        b"\x00\x41" + ENTRY + b"\x00\x41",
        b"\x00\x00",
    ],
)
def test_bytes_that_are_no_bundle_of_65_byte_entries_are_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError) as caught:
        parse_entry_bundle(data)

    assert caught.value.code == "log.gap"


@given(st.binary(max_size=300))
def test_whatever_parses_as_a_bundle_is_written_the_same_way(data: bytes) -> None:
    try:
        entries = parse_entry_bundle(data)
    except IntegrityError:
        return
    assert encode_entry_bundle(entries) == data


@given(st.lists(st.binary(min_size=65, max_size=65), max_size=8))
def test_a_bundle_gives_its_entries_back(entries: list[bytes]) -> None:
    assert parse_entry_bundle(encode_entry_bundle(entries)) == tuple(entries)


def test_entry_bundles_have_two_byte_lengths() -> None:
    assert encode_entry_bundle([b"", b"ab"]) == b"\x00\x00\x00\x02ab"
    assert encode_entry_bundle([b"\x01" * 65]) == b"\x00\x41" + b"\x01" * 65
    assert parse_entry_bundle(b"") == ()


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 512, 513, 1000])
def test_tiles_are_those_of_the_reference(size: int) -> None:
    leaves = leaves_up_to(size)
    builder = TileBuilder()

    full = dict(builder.extend(leaves))

    expected = reference_tiles(leaves)
    assert full == {key: data for key, data in expected.items() if len(data) == 8192}
    assert dict(builder.edge()) == {k: data for k, data in expected.items() if len(data) < 8192}
    assert builder.size == size
    assert builder.root() == (reference_root(leaves) if size else EMPTY_ROOT)


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537])
def test_the_second_level_begins_where_the_first_is_full(size: int) -> None:
    leaves = leaves_up_to(size)
    builder = TileBuilder()

    full = dict(builder.extend(leaves))

    assert [position for level, position in full if level == 0] == list(range(size // 256))
    assert ((1, 0) in full) == (size >= 65_536)
    assert builder.root() == reference_root(leaves)
    if size >= 65_536:
        roots = [tile_root(full[0, position]) for position in range(256)]
        assert split_hashes(full[1, 0]) == roots
        assert dict(builder.edge())[2, 0] == tile_root(full[1, 0])


@given(st.lists(st.integers(0, 700), min_size=1, max_size=5))
def test_a_tree_continued_from_its_edge_grows_like_one_never_left(steps: list[int]) -> None:
    leaves = leaves_up_to(sum(steps))
    whole, full, start = TileBuilder(), dict[TileKey, bytes](), 0
    for step in steps:
        open_tiles = dict(whole.edge())
        edge = [open_tiles.get(key, b"") for key, _ in edge_tiles(whole.size)]
        continued = TileBuilder(whole.size, edge)
        part = leaves[start : start + step]

        tiles = whole.extend(part)

        assert continued.extend(part) == tiles
        assert continued.edge() == whole.edge()
        assert continued.root() == whole.root()
        full.update(tiles)
        start += step
    assert whole.root() == reference_root(leaves)
    expected = reference_tiles(leaves)
    assert full == {key: data for key, data in expected.items() if len(data) == 8192}


@pytest.mark.parametrize(
    ("key", "size", "width"),
    [
        ((0, 0), 0, 0), ((0, 0), 1, 1), ((0, 0), 255, 255), ((0, 0), 256, 256),
        ((0, 1), 256, 0), ((1, 0), 255, 0), ((1, 0), 256, 1), ((0, 273), 70_000, 112),
        ((1, 1), 70_000, 17), ((2, 0), 70_000, 1), ((2, 1), 70_000, 0),
    ],
)  # fmt: skip
def test_tile_widths_are_those_of_the_specification(key: TileKey, size: int, width: int) -> None:
    assert tile_width_at(key, size) == width


@given(st.integers(0, 2**53 - 1))
def test_the_edge_is_what_a_size_has_of_its_last_tiles(size: int) -> None:
    edge = edge_tiles(size)

    assert [level for (level, _), _ in edge] == list(range(len(edge)))
    for key, width in edge:
        assert tile_width_at(key, size) == width < 256
    assert tile_width_at((len(edge), 0), size) == 0
