"""Tiles against a slow reference that knows only RFC 9162 section 2.1.1."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store_kit import reference_root
from vermilion_ledger.errors import InputError
from vermilion_ledger.rows import TileRow
from vermilion_ledger.tiles import (
    TileBuilder,
    encode_entry_bundle,
    tile_root,
    tile_width_at,
)
from vermilion_ledger.tree import Node


def leaves_up_to(size: int) -> list[bytes]:
    return [hashlib.sha256(b"%d" % number).digest() for number in range(size)]


def reader(leaves: Sequence[bytes], nodes: Sequence[Node]) -> list[bytes]:
    return [
        reference_root(leaves[position << level : (position + 1) << level])
        for level, position in nodes
    ]


def grow(builder: TileBuilder, leaves: Sequence[bytes]) -> list[TileRow]:
    return [tile for leaf in leaves for tile in builder.append(leaf)]


def reference_tiles(leaves: Sequence[bytes]) -> dict[tuple[int, int], list[bytes]]:
    tiles: dict[tuple[int, int], list[bytes]] = {}
    level, row = 0, list(leaves)
    while row:
        for position in range(0, len(row), 256):
            tiles[level, position // 256] = row[position : position + 256]
        row = [
            reference_root(row[at : at + 256]) for at in range(0, len(row) - len(row) % 256, 256)
        ]
        level += 1
    return tiles


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 512, 513, 1000])
def test_full_tiles_are_those_of_the_reference(size: int) -> None:
    leaves = leaves_up_to(size)
    builder = TileBuilder(0, lambda nodes: reader((), nodes))

    tiles = grow(builder, leaves)

    expected = {
        key: b"".join(hashes)
        for key, hashes in reference_tiles(leaves).items()
        if len(hashes) == 256
    }
    assert {(tile.level, tile.position): tile.hashes for tile in tiles} == expected
    assert all(tile.root == tile_root(tile.hashes) for tile in tiles)
    assert builder.size == size
    assert builder.root() == reference_root(leaves)


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537])
def test_the_second_level_begins_where_the_first_is_full(size: int) -> None:
    leaves = leaves_up_to(size)
    builder = TileBuilder(0, lambda nodes: reader((), nodes))

    tiles = grow(builder, leaves)

    assert [each.position for each in tiles if each.level == 0] == list(range(size // 256))
    upper = [tile for tile in tiles if tile.level == 1]
    assert len(upper) == (size >= 65_536)
    assert builder.root() == reference_root(leaves)
    for tile in upper:
        roots = [each.root for each in tiles if each.level == 0]
        assert tile.hashes == b"".join(roots[:256])


@given(st.integers(0, 1100), st.integers(0, 600))
def test_a_tree_continued_from_storage_grows_like_one_never_left(start: int, more: int) -> None:
    leaves = leaves_up_to(start + more)
    whole = TileBuilder(0, lambda nodes: reader((), nodes))
    grow(whole, leaves[:start])
    continued = TileBuilder(start, lambda nodes: reader(leaves[:start], nodes))

    assert grow(continued, leaves[start:]) == grow(whole, leaves[start:])
    assert continued.root() == whole.root()


@pytest.mark.parametrize(
    ("key", "size", "width"),
    [
        ((0, 0), 0, 0), ((0, 0), 1, 1), ((0, 0), 255, 255), ((0, 0), 256, 256),
        ((0, 1), 256, 0), ((1, 0), 255, 0), ((1, 0), 256, 1), ((0, 273), 70_000, 112),
        ((1, 1), 70_000, 17), ((2, 0), 70_000, 1), ((2, 1), 70_000, 0),
    ],
)  # fmt: skip
def test_tile_widths_are_those_of_the_specification(
    key: tuple[int, int], size: int, width: int
) -> None:
    assert tile_width_at(key, size) == width


@pytest.mark.parametrize("size", [0, 32, 8191, 8193, 8224])
def test_a_root_over_other_than_256_hashes_is_refused(size: int) -> None:
    with pytest.raises(InputError) as caught:
        tile_root(b"\x00" * size)

    assert caught.value.code == "merkle.tile-size"


def test_entry_bundles_have_two_byte_lengths() -> None:
    assert encode_entry_bundle([b"", b"ab"]) == b"\x00\x00\x00\x02ab"
    assert encode_entry_bundle([b"\x01" * 65]) == b"\x00\x41" + b"\x01" * 65
