"""Growing the tree anew from the rows, and comparing every file with it.

C2SP tlog-tiles. Chunks of whole tiles, in order: entries come from rows,
leaf hashes from entries, tiles from leaf hashes, and at each size that
somebody signed or anchored the root is at hand. Where a file or a row is
damaged, the tree goes on with what is believed of it, so that one bit is
told once and not again at every level above.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vermilion_ledger.cells import EntryCells
from vermilion_ledger.fsck.findings import Finding, Findings, first_difference
from vermilion_ledger.fsck.judging import Judge, Span, derive
from vermilion_ledger.limits import ENTRY_SIZE
from vermilion_ledger.merkle import hash_leaf
from vermilion_ledger.ports import TileStore
from vermilion_ledger.rows import TileKey
from vermilion_ledger.tiles import (
    HASH_SIZE,
    TILE_WIDTH,
    TileBuilder,
    edge_tiles,
    encode_entry_bundle,
    tile_width_at,
)
from vermilion_ledger.tilestore.paths import entries_path, tile_path

__all__ = ["GrownTree", "StoredFiles", "check_chunk"]

_LENGTH = ENTRY_SIZE.to_bytes(2, "big")  # in front of each entry of a bundle
_STEP = len(_LENGTH) + ENTRY_SIZE


class StoredFiles:
    """The files of a published size, as stored; of a partial one the full one may do."""

    def __init__(self, tiles: TileStore, size: int) -> None:
        self._tiles = tiles
        self._size = size

    def load(self, keys: Sequence[TileKey], *, bundles: bool) -> Mapping[str, tuple[str, bytes]]:
        """Return the files of tiles, and of their entry bundles where asked for.

        By the path that each should have: the path it was found under, and as
        many of its bytes as that size has; no bytes if it is missing.
        """
        wanted: dict[str, tuple[str, int]] = {}  # by path: the full one, and the size in bytes
        for level, position in keys:
            width = tile_width_at((level, position), self._size)
            path = tile_path(level, position, width)
            wanted[path] = tile_path(level, position), width * HASH_SIZE
            if bundles and level == 0:
                path = entries_path(position, width)
                wanted[path] = entries_path(position), width * _STEP
        found = dict(self._load_once(wanted))
        if len(found) < len(wanted):
            # One may have been replaced by the full one between two reads.
            found |= self._load_once({path: wanted[path] for path in wanted.keys() - found.keys()})
        return {path: found.get(path, (path, b"")) for path in wanted}

    def _load_once(self, wanted: Mapping[str, tuple[str, int]]) -> Mapping[str, tuple[str, bytes]]:
        paths = dict.fromkeys([*wanted, *(full for full, _ in wanted.values())])
        stored = self._tiles.load(list(paths))
        found = {}
        for path, (full, size) in wanted.items():
            if path in stored:
                found[path] = path, stored[path]
            elif full in stored:
                found[path] = full, stored[full][:size]
        return found


class GrownTree:
    """The tree as it should be, as far as it was grown. Owned by one run."""

    def __init__(
        self, files: StoredFiles, findings: Findings, *, size: int = 0, edge: Sequence[bytes] = ()
    ) -> None:
        """Continue a tree of ``size`` leaves, a multiple of 256 or the end."""
        self._files = files
        self._findings = findings
        self._builder = TileBuilder(size, edge)

    @property
    def size(self) -> int:
        """Leaves so far."""
        return self._builder.size

    def root(self) -> bytes:
        """Return the root over them."""
        return self._builder.root()

    def edge(self) -> list[bytes]:
        """Return what `TileBuilder` continues from."""
        stored = dict(self._builder.edge())
        return [stored.get(key, b"") for key, _ in edge_tiles(self._builder.size)]

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add leaves; compare the tiles above them that became full."""
        full = self._builder.extend(leaves)
        self._compare([(key, hashes) for key, hashes in full if key[0]])

    def finish(self) -> None:
        """Compare the partial tiles above the leaves."""
        self._compare([(key, hashes) for key, hashes in self._builder.edge() if key[0]])

    def _compare(self, expected: Sequence[tuple[TileKey, bytes]]) -> None:
        if not expected:
            return
        files = self._files.load([key for key, _ in expected], bundles=False)
        for (key, hashes), (path, stored) in zip(expected, files.values(), strict=True):
            if stored == hashes:
                continue
            if _has_size(self._findings, path, stored, len(hashes)):
                at = first_difference(stored, hashes)
                slot = slice(at - at % HASH_SIZE, at - at % HASH_SIZE + HASH_SIZE)
                child = key[1] * TILE_WIDTH + at // HASH_SIZE
                self._findings.add(
                    Finding(
                        code="fsck.file-differs",
                        message=f"stored {stored[slot].hex()}, expected {hashes[slot].hex()}",
                        path=path,
                        index=child * TILE_WIDTH ** key[0],
                        byte=at,
                    )
                )


def check_chunk(
    start: int,
    end: int,
    rows: Sequence[EntryCells],
    files: StoredFiles,
    findings: Findings,
) -> tuple[list[bytes], list[EntryCells]]:
    """Compare rows, bundles and tiles of the entries ``[start, end)``.

    Args:
        start: A multiple of 256.
        end: Another, or the published size.
        rows: What there is of them, in order.
        files: Of the published size.
        findings: Where differences go.

    Returns:
        The leaf hashes to go on with, and the rows that are sound or were
        repaired.
    """
    by_index: list[EntryCells | None] = list(rows)
    if len(rows) != end - start:
        known = {row.leaf_index: row for row in rows}
        by_index = [known.get(index) for index in range(start, end)]
    positions = range(start // TILE_WIDTH, -(-end // TILE_WIDTH))
    stored = iter(files.load([(0, position) for position in positions], bundles=True).values())
    leaves: list[bytes] = []
    believed: list[EntryCells] = []
    judge = Judge(findings)
    for first in range(start, end, TILE_WIDTH):
        part = by_index[first - start : min(first + TILE_WIDTH, end) - start]
        tile, bundle = next(stored), next(stored)
        entries = [derive(cells) if cells is not None else b"" for cells in part]
        hashes = [hash_leaf(entry) for entry in entries]
        if b"".join(hashes) == tile[1] and encode_entry_bundle(entries) == bundle[1]:
            leaves += hashes
            believed += [cells for cells in part if cells is not None]
            continue
        _check_framing(findings, bundle, len(part))
        _has_size(findings, tile[0], tile[1], len(part) * HASH_SIZE)
        for at, cells in enumerate(part):
            found = judge.judge(
                first + at,
                cells,
                Span(
                    path=bundle[0],
                    start=at * _STEP + len(_LENGTH),
                    data=_piece(bundle[1], at * _STEP + len(_LENGTH), ENTRY_SIZE),
                ),
                Span(
                    path=tile[0],
                    start=at * HASH_SIZE,
                    data=_piece(tile[1], at * HASH_SIZE, HASH_SIZE),
                ),
            )
            leaves.append(found.leaf)
            if found.cells is not None:
                believed.append(found.cells)
    return leaves, believed


def _piece(data: bytes, start: int, size: int) -> bytes:
    """Return a piece of a file; nothing if the file ends before."""
    piece = data[start : start + size]
    return piece if len(piece) == size else b""


def _check_framing(findings: Findings, bundle: tuple[str, bytes], width: int) -> None:
    """Compare the length in front of each entry, which is always the same."""
    path, data = bundle
    if not _has_size(findings, path, data, width * _STEP):
        return
    for start in range(0, len(data), _STEP):
        found = data[start : start + len(_LENGTH)]
        if found != _LENGTH:
            findings.add(
                Finding(
                    code="fsck.file-differs",
                    message=f"an entry has length {found.hex()}, expected {_LENGTH.hex()}",
                    path=path,
                    byte=start + first_difference(found, _LENGTH),
                )
            )


def _has_size(findings: Findings, path: str, data: bytes, size: int) -> bool:
    """Tell whether a file has the size it should have, and report it if not."""
    if len(data) == size:
        return True
    findings.add(
        Finding(
            code="fsck.file-differs" if data else "fsck.file-missing",
            message=f"it has {len(data)} bytes, not {size}" if data else "it is missing or empty",
            path=path,
            byte=min(len(data), size) if data else None,
        )
    )
    return False
