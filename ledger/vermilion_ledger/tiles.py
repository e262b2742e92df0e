"""Tiles: the stored form of the tree.

C2SP tlog-tiles: tile ``(level, position)`` holds the hashes of the 256 complete
subtrees of ``256**level`` leaves that start at ``position * 256``. A tile at
the right edge is partial: it holds those that are complete so far.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vermilion_ledger.errors import InputError, IntegrityError
from vermilion_ledger.limits import ENTRY_SIZE
from vermilion_ledger.merkle import EMPTY_ROOT, hash_children
from vermilion_ledger.rows import TileKey
from vermilion_ledger.tree import subtree_root

__all__ = [
    "HASH_SIZE",
    "TILE_WIDTH",
    "TileBuilder",
    "edge_tiles",
    "encode_entry_bundle",
    "parse_entry_bundle",
    "split_hashes",
    "tile_root",
    "tile_width_at",
]

HASH_SIZE = 32  # bytes
TILE_WIDTH = 256  # hashes
_HEIGHT = 8  # tree levels in a tile
_LENGTH_SIZE = 2  # bytes in front of each entry of a bundle


class TileBuilder:
    """A growing tree that hands out each tile in the moment it becomes full.

    Owned by one writer. Holds the open tile of each level: at most 255 hashes
    a level, however large the log is.
    """

    def __init__(self, size: int = 0, edge: Sequence[bytes] = ()) -> None:
        """Continue a tree of ``size`` leaves.

        Args:
            size: Number of leaves so far.
            edge: For each level from 0 up, the joined hashes of its open tile;
                empty where the newest tile of the level is full.
        """
        widths = [width for _, width in edge_tiles(size)]
        if [len(hashes) for hashes in edge] != [width * HASH_SIZE for width in widths]:
            raise InputError("merkle.frontier", f"not the right edge of a tree of {size}")
        self._size = size
        self._open = [split_hashes(hashes) for hashes in edge]

    @property
    def size(self) -> int:
        """Number of leaves so far."""
        return self._size

    def extend(self, leaf_hashes: Sequence[bytes]) -> list[tuple[TileKey, bytes]]:
        """Add leaves; return the tiles they complete, each with its joined hashes."""
        full: list[tuple[TileKey, bytes]] = []
        start, count = 0, len(leaf_hashes)
        while start < count:
            room = TILE_WIDTH - self._size % TILE_WIDTH
            part = leaf_hashes[start : start + room]
            if not self._open:
                self._open.append([])
            self._open[0] += part
            self._size += len(part)
            start += len(part)
            if len(part) == room:
                self._carry(full)
        return full

    def edge(self) -> list[tuple[TileKey, bytes]]:
        """Return the open tiles that are not empty, each with its joined hashes."""
        keys = [key for key, _ in edge_tiles(self._size)]
        tiles = zip(keys, self._open, strict=True)
        return [(key, b"".join(hashes)) for key, hashes in tiles if hashes]

    def root(self) -> bytes:
        """Return the root of the tree so far (RFC 9162 section 2.1.1)."""
        root = b""
        for hashes in self._open:
            start = len(hashes)
            while start:
                width = start & -start  # the rightmost complete subtree of what is left
                start -= width
                node = subtree_root(hashes[start : start + width])
                root = hash_children(node, root) if root else node
        return root or EMPTY_ROOT

    def _carry(self, full: list[tuple[TileKey, bytes]]) -> None:
        """Close the full tile of level 0, and those above that it fills."""
        level, width = 0, self._size
        while width % TILE_WIDTH == 0:
            hashes = self._open[level]
            width //= TILE_WIDTH
            full.append(((level, width - 1), b"".join(hashes)))
            if level + 1 == len(self._open):
                self._open.append([])
            self._open[level + 1].append(subtree_root(hashes))
            self._open[level] = []
            level += 1


def edge_tiles(size: int) -> list[tuple[TileKey, int]]:
    """Return, for each level of a tree from 0 up, its open tile and how many hashes it has.

    >>> edge_tiles(70_000)
    [((0, 273), 112), ((1, 1), 17), ((2, 0), 1)]
    """
    found = []
    level, width = 0, size
    while width:
        found.append(((level, width // TILE_WIDTH), width % TILE_WIDTH))
        level, width = level + 1, width // TILE_WIDTH
    return found


def tile_width_at(key: TileKey, size: int) -> int:
    """Return how many hashes a tile has in a tree of ``size`` leaves; 0 if none.

    >>> [tile_width_at(key, 70_000) for key in ((0, 273), (1, 1), (2, 0))]
    [112, 17, 1]
    """
    level, position = key
    return max(0, min(TILE_WIDTH, (size >> (_HEIGHT * level)) - position * TILE_WIDTH))


def tile_root(hashes: bytes) -> bytes:
    """Return the root over the hashes of a full tile.

    Raises:
        InputError: Not 256 hashes.
    """
    if len(hashes) != TILE_WIDTH * HASH_SIZE:
        raise InputError("merkle.tile-size", f"a full tile of {len(hashes)} bytes")
    return subtree_root(split_hashes(hashes))


def split_hashes(data: bytes) -> list[bytes]:
    """Return joined hashes one by one."""
    return [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]


def encode_entry_bundle(entries: Iterable[bytes]) -> bytes:
    """Return entries as an entry bundle: ``uint16 length ‖ entry`` each, big-endian."""
    return b"".join(len(entry).to_bytes(_LENGTH_SIZE, "big") + entry for entry in entries)


def parse_entry_bundle(data: bytes) -> tuple[bytes, ...]:
    """Return the entries of a bundle of this log: each has 65 bytes.

    Raises:
        IntegrityError: ``log.gap``: a length says otherwise, or bytes are missing.
    """
    step = _LENGTH_SIZE + ENTRY_SIZE
    length = ENTRY_SIZE.to_bytes(_LENGTH_SIZE, "big")
    found = tuple(data[at + _LENGTH_SIZE : at + step] for at in range(0, len(data), step))
    if b"".join(length + entry for entry in found) != data or len(data) % step:
        raise IntegrityError("log.gap", f"{len(data)} bytes are no bundle of entries")
    return found
