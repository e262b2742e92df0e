"""Inclusion proofs from tiles, many a second.

RFC 9162 section 2.1.3.1. A tree of any size is a row of complete subtrees,
its *mountains*. A path goes up inside one of them, then takes everything to
the right of it as one hash, then the mountains to its left. Inside, siblings
are slices of a tile's interior; outside, everything depends on the size alone
and is computed once for it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from vermilion_ledger.errors import InputError
from vermilion_ledger.merkle import hash_children
from vermilion_ledger.tile_reader import TileReader
from vermilion_ledger.tiles import HASH_SIZE, TILE_WIDTH
from vermilion_ledger.tree import peaks

__all__ = ["InclusionProver"]

_HEIGHT = 8  # tree levels in a tile
_SIZES_MAX = 64  # sizes remembered


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mountain:
    """A complete subtree of the row.

    Attributes:
        end: The first leaf behind it.
        height: Levels inside.
        outside: The end of every path from here: what is to the right, then
            what is to the left.
    """

    end: int
    height: int
    outside: tuple[bytes, ...]


class InclusionProver:
    """Builds inclusion proofs. Safe to share between threads."""

    def __init__(self, tiles: TileReader) -> None:
        self._tiles = tiles
        self._rows: OrderedDict[int, tuple[_Mountain, ...]] = OrderedDict()
        self._lock = threading.Lock()  # guards what is remembered, never a read

    def inclusion(self, index: int, size: int, published: int) -> tuple[bytes, ...]:
        """Return the inclusion path of leaf ``index`` in the tree of ``size`` leaves.

        Args:
            index: Zero-based leaf index.
            size: Tree size the proof is for.
            published: A published size, not below ``size``: its tiles are read.

        Raises:
            InputError: ``merkle.index-range``: the leaf lies outside the tree.
            IntegrityError: ``log.gap``: a tile is missing.
        """
        if not 0 <= index < size:
            raise InputError("merkle.index-range", f"leaf {index} outside a tree of {size}")
        row = self._rows.get(size) or self._survey(size, published)
        mountain = next(each for each in row if index < each.end)
        return (*self._inside(index, mountain, published), *mountain.outside)

    def _inside(self, index: int, mountain: _Mountain, published: int) -> list[bytes]:
        """Return the siblings on the way up inside a complete subtree."""
        widths = {}
        for level in range(-(-mountain.height // _HEIGHT)):
            position = index >> _HEIGHT * (level + 1)
            end = (mountain.end >> _HEIGHT * level) - position * TILE_WIDTH
            widths[level, position] = min(TILE_WIDTH, end)
        interiors = self._tiles.interiors(widths, published)
        path: list[bytes] = []
        for level, position in widths:
            interior = interiors[level, position]
            at = index >> _HEIGHT * level & TILE_WIDTH - 1
            for above in range(min(_HEIGHT, mountain.height - _HEIGHT * level)):
                start = (at >> above ^ 1) * HASH_SIZE
                path.append(interior[above][start : start + HASH_SIZE])
        return path

    def _survey(self, size: int, published: int) -> tuple[_Mountain, ...]:
        nodes = peaks(0, size)
        hashes = self._tiles.nodes_at(published)(nodes)
        rights: list[tuple[bytes, ...]] = [()]
        for node in reversed(hashes[1:]):
            right = rights[-1]
            rights.append((hash_children(node, right[0]) if right else node,))
        rights.reverse()
        row = tuple(
            _Mountain(
                end=(position + 1) << level,
                height=level,
                outside=(*rights[at], *reversed(hashes[:at])),
            )
            for at, (level, position) in enumerate(nodes)
        )
        with self._lock:
            self._rows[size] = row
            while len(self._rows) > _SIZES_MAX:
                self._rows.popitem(last=False)
        return row
