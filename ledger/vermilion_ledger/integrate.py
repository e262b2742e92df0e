"""Growing the tree: from stored envelopes to entries, tiles and bundles.

RFC 9162 over the entries of FORMATS section 5; files as in C2SP tlog-tiles.
What is written comes from what is stored, never from what a sequencer still
had in memory. Everything up to a size is durable before that size is signed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from vermilion_ledger.commitment import commit, encode_entry, make_tag
from vermilion_ledger.errors import IntegrityError
from vermilion_ledger.merkle import hash_leaf
from vermilion_ledger.ports import LogStore, TileStore
from vermilion_ledger.rows import ErasedEntry, StoredEntry
from vermilion_ledger.tile_reader import TileReader
from vermilion_ledger.tiles import (
    HASH_SIZE,
    TILE_WIDTH,
    TileBuilder,
    edge_tiles,
    encode_entry_bundle,
    parse_entry_bundle,
)
from vermilion_ledger.tilestore.paths import entries_path, tile_path

__all__ = ["Integrator", "derive_entry", "load_bundle", "load_entries", "rebuild_tiles"]

_CHUNK = 64 * TILE_WIDTH  # entries read and integrated at once


def derive_entry(stored: StoredEntry | ErasedEntry) -> bytes:
    """Return the 65 bytes that the log has for what is stored (FORMATS section 5).

    Of a destroyed record nothing is left to derive them from: they are kept themselves.
    """
    if isinstance(stored, ErasedEntry):
        return stored.entry
    envelope_hash = hashlib.sha256(stored.envelope).digest()
    commitment = commit(stored.salt, envelope_hash)
    return encode_entry(commitment, make_tag(stored.record_key, stored.sequence))


def load_bundle(tiles: TileStore, position: int, width: int) -> tuple[bytes, ...]:
    """Return the first ``width`` entries of a bundle.

    Of a partial bundle, the full one may have taken its place.

    Raises:
        IntegrityError: ``log.gap``: it is missing, or no bundle of 65-byte entries.
    """
    path, full = entries_path(position, width), entries_path(position)
    found = tiles.load([path] if path == full else [path, full])
    data = found.get(path) or found.get(full)
    if data is None:
        raise IntegrityError("log.gap", f"{path} is missing")
    return parse_entry_bundle(data)[:width]


class Integrator:
    """The tree as far as its files are durable. Owned by one publisher.

    After an error nothing kept in memory is believed: make another one.
    """

    def __init__(self, tiles: TileStore, size: int = 0) -> None:
        """Continue a tree of ``size`` leaves, a size that was integrated before.

        Raises:
            IntegrityError: ``log.gap``: files of that size are missing.
        """
        self._tiles = tiles
        reader = TileReader(tiles, cached_tile_count_max=0)
        edge = [
            reader.load_tile(key, width, size) if width else b"" for key, width in edge_tiles(size)
        ]
        self._builder = TileBuilder(size, edge)
        self._open: list[bytes] = []  # entries of the bundle at the right edge
        if size % TILE_WIDTH:
            self._open = list(load_bundle(tiles, size // TILE_WIDTH, size % TILE_WIDTH))

    @property
    def size(self) -> int:
        """Number of leaves whose files are durable."""
        return self._builder.size

    def root(self) -> bytes:
        """Return the root over them."""
        return self._builder.root()

    def integrate(self, entries: Sequence[bytes]) -> None:
        """Add entries and write their files; returns once all are durable.

        Full tiles and bundles, and the partial ones of the new size.

        Raises:
            IntegrityError: ``tiles.differ``: the store holds another log.
            UnavailableError: The store is out of reach.
        """
        first = self._builder.size // TILE_WIDTH
        full = self._builder.extend([hash_leaf(entry) for entry in entries])
        files = {tile_path(*key): hashes for key, hashes in full}
        for key, hashes in self._builder.edge():
            files[tile_path(*key, len(hashes) // HASH_SIZE)] = hashes
        waiting = [*self._open, *entries]
        for start in range(0, len(waiting), TILE_WIDTH):
            part = waiting[start : start + TILE_WIDTH]
            path = entries_path(first + start // TILE_WIDTH, len(part))
            files[path] = encode_entry_bundle(part)
        self._open = waiting[len(waiting) - len(waiting) % TILE_WIDTH :]
        self._tiles.put_new(files)


def rebuild_tiles(log: LogStore, tiles: TileStore, size: int) -> bytes:
    """Write the files of the first ``size`` entries anew from what is stored; return the root.

    For a tile store that was lost or has holes: what is there stays as it is.
    The caller compares the root with the one that was signed.

    Raises:
        IntegrityError: ``log.gap``: an entry is missing; ``tiles.differ``: a
            file is there, and is of another log.
        UnavailableError: The store is out of reach.
    """
    integrator = Integrator(tiles)
    while integrator.size < size:
        end = min(size, integrator.size + _CHUNK)
        integrator.integrate(load_entries(log, integrator.size, end))
    return integrator.root()


def load_entries(log: LogStore, start: int, end: int) -> list[bytes]:
    """Return the 65-byte entries ``[start, end)`` of what is stored.

    Raises:
        IntegrityError: ``log.gap``: an entry is missing.
    """
    stored = log.load_stored(start, end)
    if len(stored) != end - start:
        raise IntegrityError("log.gap", f"entry {start + len(stored)} is missing")
    return [derive_entry(each) for each in stored]
