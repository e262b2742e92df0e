"""Reading the tree from its tiles: hashes, nodes, and everything inside a tile.

A tile stores 256 hashes; the 255 nodes above them are computed when it is
first used and kept beside them. Full tiles never change, and of a partial one
the hashes that are there never do, so what is remembered stays right.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from vermilion_ledger.errors import IntegrityError
from vermilion_ledger.merkle import hash_children
from vermilion_ledger.ports import TileStore
from vermilion_ledger.rows import TileKey
from vermilion_ledger.tiles import HASH_SIZE, TILE_WIDTH, split_hashes, tile_width_at
from vermilion_ledger.tilestore.paths import tile_path
from vermilion_ledger.tree import Node, NodeReader

__all__ = ["TileInterior", "TileReader"]

_HEIGHT = 8  # tree levels in a tile

TileInterior = tuple[bytes, ...]
"""The joined hashes of a tile's levels, its own 256 first, as far as they are complete."""


class TileReader:
    """Reads tiles as far as a published checkpoint needs them. Safe to share between threads.

    Threads at worst read a tile twice.
    """

    def __init__(self, tiles: TileStore, *, cached_tile_count_max: int = 4096) -> None:
        """Read from a store.

        Args:
            tiles: Where the tiles are.
            cached_tile_count_max: Tiles remembered, of 16 KiB each.
        """
        self._tiles = tiles
        self._cached_max = cached_tile_count_max
        self._cache: OrderedDict[TileKey, TileInterior] = OrderedDict()
        self._lock = threading.Lock()  # guards the cache, never a read of the store

    def nodes_at(self, size: int) -> NodeReader:
        """Return a reader of complete nodes, for a size whose tiles were published."""

        def read(nodes: Sequence[Node]) -> Sequence[bytes]:
            spans = [_place(node) for node in nodes]
            widths: dict[TileKey, int] = {}
            for key, last, _, _ in spans:
                widths[key] = max(widths.get(key, 0), last + 1)
            interiors = self.interiors(widths, size)
            return [
                interiors[key][above][at * HASH_SIZE : (at + 1) * HASH_SIZE]
                for key, _, above, at in spans
            ]

        return read

    def load_tile(self, key: TileKey, width: int, size: int) -> bytes:
        """Return the first ``width`` hashes of a tile, joined.

        Raises:
            IntegrityError: ``log.gap``: the tile is missing.
        """
        return self.interiors({key: width}, size)[key][0][: width * HASH_SIZE]

    def interiors(self, widths: Mapping[TileKey, int], size: int) -> Mapping[TileKey, TileInterior]:
        """Return tiles with at least so many hashes each.

        Args:
            widths: How many hashes of each tile are needed.
            size: A size whose tiles were published, and at which each tile
                has that many.

        Raises:
            IntegrityError: ``log.gap``: a tile is missing, or has another length.
        """
        found: dict[TileKey, TileInterior] = {}
        with self._lock:
            for key, width in widths.items():
                known = self._cache.get(key)
                if known is not None and len(known[0]) >= width * HASH_SIZE:
                    self._cache.move_to_end(key)
                    found[key] = known
        missing = [key for key in widths if key not in found]
        if missing:
            loaded = {key: _interior(data) for key, data in self._load(missing, size).items()}
            found.update(loaded)
            self._remember(loaded)
        return found

    def _load(self, keys: Sequence[TileKey], size: int) -> Mapping[TileKey, bytes]:
        """Read tiles; of a partial one, the full one may have taken its place meanwhile."""
        paths = {}
        for key in keys:
            width = tile_width_at(key, size)
            paths[tile_path(*key, width)] = (key, width)
            paths.setdefault(tile_path(*key), (key, TILE_WIDTH))
        found: dict[TileKey, bytes] = {}
        for path, data in self._tiles.load(list(paths)).items():
            key, width = paths[path]
            if len(data) != width * HASH_SIZE:
                raise IntegrityError("log.gap", f"{path} has {len(data)} bytes")
            if len(data) > len(found.get(key, b"")):
                found[key] = data
        for level, position in keys:
            if (level, position) not in found:
                raise IntegrityError("log.gap", f"{tile_path(level, position)} is missing")
        return found

    def _remember(self, tiles: Mapping[TileKey, TileInterior]) -> None:
        with self._lock:
            for key, interior in tiles.items():
                if key not in self._cache or len(interior[0]) > len(self._cache[key][0]):
                    self._cache[key] = interior
                    self._cache.move_to_end(key)
            while len(self._cache) > self._cached_max:
                self._cache.popitem(last=False)


def _place(node: Node) -> tuple[TileKey, int, int, int]:
    """Return the tile over a node, the last of its hashes below the node, and where it is inside.

    The latter is a level of the interior and a place on it.
    """
    level, position = node
    tile_level, above = divmod(level, _HEIGHT)
    tile = position >> (_HEIGHT - above)
    at = position - (tile << (_HEIGHT - above))
    return (tile_level, tile), ((at + 1) << above) - 1, above, at


def _interior(data: bytes) -> TileInterior:
    row = split_hashes(data)
    levels = [data]
    for _ in range(_HEIGHT - 1):
        row = [hash_children(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)]
        levels.append(b"".join(row))
    return tuple(levels)
