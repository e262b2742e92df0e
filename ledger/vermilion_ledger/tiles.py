"""Tiles: the stored form of the tree, and reading its nodes from them.

C2SP tlog-tiles: tile ``(level, position)`` holds the hashes of the 256 complete
subtrees of ``256**level`` leaves that start at ``position * 256``. Only full
tiles are stored, and never change; a partial tile is computed, at level 0
from the entries, above from the roots of full tiles one level below.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence

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
    at the right edge. Remembers the full tiles used last, as they never
    change. Safe to share between threads, which at worst read a tile twice.
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
        full = self._load_full({key for key, _, _ in spans})
        edges = self._load_edges(spans, full)
        hashes = []
        for key, start, end in spans:
            if (data := full.get(key)) is not None:
                children: Sequence[bytes] = _split(data[start * HASH_SIZE : end * HASH_SIZE])
            else:
                offset, edge = edges[key]
                children = edge[start - offset : end - offset]
            hashes.append(_fold(children))
        return hashes

    def load_tile(self, key: TileKey, width: int) -> bytes:
        """Return the first ``width`` hashes of a tile, joined.

        Raises:
            IntegrityError: ``log.gap``: stored tiles or entries are missing.
        """
        full = self._load_full({key})
        if key in full:
            return full[key][: width * HASH_SIZE]
        return b"".join(self._load_children(key, 0, width))

    def _load_full(self, keys: Iterable[TileKey]) -> dict[TileKey, bytes]:
        found: dict[TileKey, bytes] = {}
        missing = []
        with self._lock:
            for key in keys:
                if (data := self._cache.get(key)) is not None:
                    self._cache.move_to_end(key)
                    found[key] = data
                else:
                    missing.append(key)
        if missing:
            loaded = self._store.load_tiles(missing)
            found.update(loaded)
            with self._lock:
                self._cache.update(loaded)
                while len(self._cache) > self._cached_max:
                    self._cache.popitem(last=False)
        return found

    def _load_edges(
        self, spans: Sequence[tuple[TileKey, int, int]], full: dict[TileKey, bytes]
    ) -> dict[TileKey, tuple[int, Sequence[bytes]]]:
        """Read the part of each partial tile that the spans need, at once."""
        needed: dict[TileKey, tuple[int, int]] = {}
        for key, start, end in spans:
            if key not in full:
                low, high = needed.get(key, (start, end))
                needed[key] = (min(low, start), max(high, end))
        return {
            key: (start, self._load_children(key, start, end))
            for key, (start, end) in needed.items()
        }

    def _load_children(self, key: TileKey, start: int, end: int) -> Sequence[bytes]:
        level, first = key[0], key[1] * TILE_WIDTH
        if level == 0:
            found = self._store.load_leaf_hashes(first + start, first + end)
        else:
            found = self._store.load_tile_roots(level - 1, first + start, first + end)
        if len(found) != end - start:
            raise IntegrityError(
                "log.gap",
                f"tile {level}/{key[1]} has {len(found)} of the hashes {start} to {end} stored",
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
