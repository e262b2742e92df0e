"""Recomputing what was just written, by a path of its own, before it is signed.

Nothing here shares code with the builder that grew the tree: entries are read
back from the bundles and hashed anew, every tile above them is compared with
the roots of the tiles below it, and the root is folded from nodes read back.
"""

from __future__ import annotations

from vermilion_ledger.errors import IntegrityError
from vermilion_ledger.integrate import load_bundle
from vermilion_ledger.merkle import hash_leaf
from vermilion_ledger.ports import TileStore
from vermilion_ledger.rows import TileKey
from vermilion_ledger.tile_reader import TileReader
from vermilion_ledger.tiles import HASH_SIZE, TILE_WIDTH, split_hashes, tile_root, tile_width_at
from vermilion_ledger.tree import root_at

__all__ = ["recheck_growth"]


def recheck_growth(tiles: TileStore, old_size: int, new_size: int) -> bytes:
    """Return the root at ``new_size``, recomputed from the files that grew since ``old_size``.

    Some 2 microseconds an entry, and the right edge.

    Raises:
        IntegrityError: ``log.gap``: a file is missing; ``log.tile-mismatch``:
            a hash is not that of what it stands for.
    """
    reader = TileReader(tiles, cached_tile_count_max=0)
    level, start, end = 0, old_size, new_size
    grown: dict[int, bytes] = {}  # roots of the tiles of the level below that became full
    while start < end:
        full: dict[int, bytes] = {}
        for position in range(start // TILE_WIDTH, -(-end // TILE_WIDTH)):
            key = (level, position)
            stored = reader.load_tile(key, tile_width_at(key, new_size), new_size)
            _check_tile(tiles, key, stored, grown)
            if len(stored) == TILE_WIDTH * HASH_SIZE:
                full[position] = tile_root(stored)
        grown = full
        level, start, end = level + 1, start // TILE_WIDTH, end // TILE_WIDTH
    return root_at(new_size, reader.nodes_at(new_size))


def _check_tile(tiles: TileStore, key: TileKey, stored: bytes, grown: dict[int, bytes]) -> None:
    """Compare the hashes of a tile with what they stand for."""
    level, position = key
    hashes = split_hashes(stored)
    if level == 0:
        entries = load_bundle(tiles, position, len(hashes))
        computed = dict(enumerate(map(hash_leaf, entries)))
    else:
        first = position * TILE_WIDTH
        computed = {
            child - first: root
            for child, root in grown.items()
            if first <= child < first + TILE_WIDTH
        }
    if level == 0 and len(computed) != len(hashes):
        raise IntegrityError("log.gap", f"bundle {position} has {len(computed)} entries")
    for at, found in computed.items():
        if hashes[at : at + 1] != [found]:
            raise IntegrityError(
                "log.tile-mismatch", f"hash {at} of tile {level}/{position} is not {found.hex()}"
            )
