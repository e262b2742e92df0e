"""Reading tiles: what is missing or misshapen is refused, what is remembered stays right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from simulation.calm import CalmLog
from vermilion_ledger.errors import IntegrityError
from vermilion_ledger.merkle import verify_consistency
from vermilion_ledger.tile_reader import TileReader
from vermilion_ledger.tilestore.posix import PosixTileStore
from vermilion_ledger.tree import build_consistency, peaks


class Counting(PosixTileStore):
    """The driver, and what it was asked for."""

    asked: list[Sequence[str]]

    def load(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        self.asked.append(tuple(paths))
        return super().load(paths)


class Backwards(PosixTileStore):
    """The driver, with its answers in another order."""

    def load(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        return dict(reversed(list(super().load(paths).items())))


def counted(log: CalmLog) -> Counting:
    tiles = Counting(log.disk, log.folder)
    tiles.asked = []
    return tiles


@pytest.mark.parametrize(
    ("size", "path", "code"),
    [
        (240, "tile/0/000.p/240", "log.gap"),
        (256, "tile/0/000", "log.gap"),
        (500, "tile/0/001.p/244", "log.gap"),
        (500, "tile/1/000.p/1", "log.gap"),
    ],
)
@pytest.mark.parametrize("data", [None, b"", bytes(31), bytes(32 * 257)])
def test_a_tile_missing_or_of_another_length_is_refused(
    size: int, path: str, code: str, data: bytes | None
) -> None:
    log = CalmLog.of(size)
    log.write(path, data)
    level = int(path.split("/")[1])
    position = 1 if "001" in path else 0

    with pytest.raises(IntegrityError) as caught:
        TileReader(log.tiles).load_tile((level, position), 1, size)

    assert caught.value.code == code


def test_every_node_of_every_size_is_that_of_the_reference() -> None:
    log = CalmLog.of(500)
    reader = TileReader(log.tiles)
    for size in range(1, 501):
        nodes = peaks(0, size)
        expected = [
            log.reference._root(position << level, (position + 1) << level)
            for level, position in nodes
        ]
        assert reader.nodes_at(500)(nodes) == expected


def test_a_tile_remembered_from_a_smaller_size_is_read_again_where_it_is_too_narrow() -> None:
    """A proof asks for its nodes right to left: the widest need decides, not the last."""
    log = CalmLog.of(240)
    reader = TileReader(log.tiles)
    assert len(reader.load_tile((0, 0), 240, 240)) == 240 * 32
    log.grow(13)
    log.publish()

    for old in range(1, 254):
        proof = build_consistency(old, 253, reader.nodes_at(253))
        verify_consistency(old, log.reference.root(old), 253, log.reference.root(253), proof)


def test_a_full_tile_is_taken_where_the_partial_one_was_swept() -> None:
    log = CalmLog.of(240)
    narrow = log.read("tile/0/000.p/240")
    log.grow(30)
    log.publish()
    assert log.tiles.load(["tile/0/000.p/240"]) == {}

    assert TileReader(log.tiles).load_tile((0, 0), 240, 240) == narrow


def test_the_longer_of_two_files_is_remembered() -> None:
    log = CalmLog.of(256)
    log.tiles.put_new({"tile/0/000.p/7": log.read("tile/0/000")[: 7 * 32]})

    for tiles in (log.tiles, Backwards(log.disk, log.folder)):
        found = TileReader(tiles).interiors({(0, 0): 3}, 7)

        assert len(found[0, 0][0]) == 256 * 32


def test_what_is_remembered_is_not_read_again() -> None:
    log = CalmLog.of(500)
    tiles = counted(log)
    reader = TileReader(tiles)
    for _ in range(3):
        reader.interiors({(0, 0): 256, (0, 1): 244}, 500)

    assert tiles.asked == [("tile/0/000", "tile/0/001.p/244", "tile/0/001")]


def test_the_tile_used_longest_ago_is_forgotten_first() -> None:
    log = CalmLog.of(500)
    tiles = counted(log)
    reader = TileReader(tiles, cached_tile_count_max=2)
    for key in ((0, 0), (0, 1), (0, 0), (1, 0), (0, 0), (0, 1)):
        reader.interiors({key: 1}, 500)

    read = [paths[0] for paths in tiles.asked]
    assert read == ["tile/0/000", "tile/0/001.p/244", "tile/1/000.p/1", "tile/0/001.p/244"]


def test_a_narrower_tile_does_not_take_the_place_of_a_wider_one() -> None:
    log = CalmLog.of(256)
    narrow = log.read("tile/0/000")[: 7 * 32]
    log.tiles.put_new({"tile/0/000.p/7": narrow})
    reader = TileReader(log.tiles)
    wide = reader.interiors({(0, 0): 256}, 256)[0, 0]

    reader._remember({(0, 0): (narrow,)})

    assert reader.interiors({(0, 0): 1}, 256)[0, 0] is wide
