"""Tiles: the stored form of the tree, and reading its nodes from them.

C2SP tlog-tiles: tile ``(level, position)`` holds the hashes of the 256 complete
subtrees of ``256**level`` leaves that start at ``position * 256``. Only full
tiles are stored, and never change; a partial tile is computed, at level 0
from the entries, above from the roots of full tiles one level below.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence

from vermilion_ledger.errors import InputError, IntegrityError
from vermilion_ledger.merkle import hash_children
from vermilion_ledger.ports import LogStore
from vermilion_ledger.rows import TileKey, TileRow
from vermilion_ledger.tree import Frontier, Node, NodeReader, peaks

__all__ = [
    "HASH_SIZE",
    "TILE_WIDTH",
    "TileBuilder",
    "TileReader",
    "encode_entry_bundle",
    "tile_root",
    "tile_width_at",
]

HASH_SIZE = 32  # bytes
TILE_WIDTH = 256  # hashes
_HEIGHT = 8  # tree levels in a tile


class TileBuilder:
    """A growing tree that hands out each tile in the moment it becomes full.

    Owned by the sequencer. Holds the frontier and the open tile of each level:
    at most 255 hashes a level, however large the log is.
    """

    def __init__(self, size: int, read: NodeReader) -> None:
        """Continue a stored tree of ``size`` leaves."""
        self._frontier = Frontier(size, read(peaks(0, size)))
        self._open: list[list[bytes]] = []
        level, width = 0, size
        while width:
            start = width - width % TILE_WIDTH
            nodes = [(level * _HEIGHT, position) for position in range(start, width)]
            self._open.append(list(read(nodes)))
            level, width = level + 1, width // TILE_WIDTH

    @property
    def size(self) -> int:
        """Number of leaves so far."""
        return self._frontier.size

    def root(self) -> bytes:
        """Return the root of the tree so far."""
        return self._frontier.root()

    def append(self, leaf_hash: bytes) -> tuple[TileRow, ...]:
        """Add a leaf; return the tiles it completes, lowest level first."""
        full: list[TileRow] = []
        for (level, position), node in self._frontier.append(leaf_hash):
            if level % _HEIGHT:
                continue
            tile_level = level // _HEIGHT
            if tile_level:
                children = self._open[tile_level - 1]
                full.append(
                    TileRow(
                        level=tile_level - 1,
                        position=position,
                        hashes=b"".join(children),
                        root=node,
                    )
                )
                children.clear()
            if tile_level == len(self._open):
                self._open.append([])
            self._open[tile_level].append(node)
        return tuple(full)


class TileReader:
    """Reads complete nodes of the tree from tiles; a `NodeReader` when called.

    A proof costs one statement for all its full tiles and one for each level
    at the right edge, or none where they are remembered: a full tile never
    changes, and of a partial one the hashes that are there never do. Safe to
    share between threads, which at worst read a tile twice.
    """

    def __init__(self, store: LogStore, *, cached_tile_count_max: int = 1024) -> None:
        self._store = store
        self._cached_max = cached_tile_count_max
        self._cache: OrderedDict[TileKey, bytes] = OrderedDict()
        self._lock = threading.Lock()  # guards the cache, never a read of the store

    def __call__(self, nodes: Sequence[Node]) -> Sequence[bytes]:
        """Return the hashes of complete nodes, in the order asked for.

        Raises:
            IntegrityError: ``log.gap``: stored tiles or entries are missing.
        """
        spans = [_span(node) for node in nodes]
        widths: dict[TileKey, int] = {}
        for key, _, end in spans:
            widths[key] = max(end, widths.get(key, 0))
        tiles = self._load(widths)
        return [
            _fold(_split(tiles[key][start * HASH_SIZE : end * HASH_SIZE]))
            for key, start, end in spans
        ]

    def load_tile(self, key: TileKey, width: int) -> bytes:
        """Return the first ``width`` hashes of a tile, joined.

        Raises:
            IntegrityError: ``log.gap``: stored tiles or entries are missing.
        """
        return self._load({key: width})[key][: width * HASH_SIZE]

    def _load(self, widths: Mapping[TileKey, int]) -> dict[TileKey, bytes]:
        """Return at least the first ``widths[key]`` hashes of each tile, joined."""
        found: dict[TileKey, bytes] = {}
        with self._lock:
            for key, width in widths.items():
                data = self._cache.get(key, b"")
                if len(data) >= width * HASH_SIZE:
                    self._cache.move_to_end(key)
                    found[key] = data
        missing = [key for key in widths if key not in found]
        if missing:
            loaded = dict(self._store.load_tiles(missing))
            for key in missing:
                if key not in loaded:
                    loaded[key] = b"".join(self._load_children(key, widths[key]))
            found.update(loaded)
            self._remember(loaded)
        return found

    def _remember(self, tiles: Mapping[TileKey, bytes]) -> None:
        with self._lock:
            for key, data in tiles.items():
                if len(data) > len(self._cache.get(key, b"")):
                    self._cache[key] = data
                    self._cache.move_to_end(key)
            while len(self._cache) > self._cached_max:
                self._cache.popitem(last=False)

    def _load_children(self, key: TileKey, width: int) -> Sequence[bytes]:
        level, first = key[0], key[1] * TILE_WIDTH
        if level == 0:
            found = self._store.load_leaf_hashes(first, first + width)
        else:
            found = self._store.load_tile_roots(level - 1, first, first + width)
        if len(found) != width:
            raise IntegrityError(
                "log.gap", f"tile {level}/{key[1]} has {len(found)} of {width} hashes stored"
            )
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
    return _fold(_split(hashes))


def encode_entry_bundle(entries: Iterable[bytes]) -> bytes:
    """Return entries as an entry bundle: ``uint16 length ‖ entry`` each, big-endian."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def _span(node: Node) -> tuple[TileKey, int, int]:
    """Return the tile over a node and the range of its hashes below the node."""
    level, position = node
    tile_level, above = divmod(level, _HEIGHT)
    first = position << above
    start = first % TILE_WIDTH
    return (tile_level, first // TILE_WIDTH), start, start + (1 << above)


def _split(data: bytes) -> list[bytes]:
    return [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]


def _fold(hashes: Sequence[bytes]) -> bytes:
    """Return the root over a power of two of hashes."""
    row = list(hashes)
    while len(row) > 1:
        row = [hash_children(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]
