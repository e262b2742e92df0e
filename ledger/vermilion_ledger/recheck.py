"""Recomputing the log from storage, by a path of its own.

Nothing here shares code with the frontier that grew the tree: leaves are
hashed anew from the stored commitments and tags, tiles are rebuilt level by
level and compared with the stored ones, and the root is folded from what is
left at each level. A row changed past the triggers is found here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from vermilion_ledger.commitment import commit, encode_entry, make_tag
from vermilion_ledger.errors import IntegrityError
from vermilion_ledger.merkle import EMPTY_ROOT, hash_children, hash_leaf
from vermilion_ledger.ports import LogStore
from vermilion_ledger.tiles import HASH_SIZE, TILE_WIDTH, tile_root

__all__ = ["recheck_openings", "recheck_tree"]

_CHUNK = 16 * TILE_WIDTH  # rows read at once


def recheck_tree(store: LogStore) -> tuple[int, bytes]:
    """Recompute size and root of the stored log from every entry.

    Some 10 microseconds an entry: about ten seconds for a million.

    Raises:
        IntegrityError: ``log.gap``: entries or tiles are missing;
            ``log.entry-mismatch`` or ``log.tile-mismatch``: a stored hash is
            not the hash of what it stands for.
    """
    size = store.count_entries()
    left: list[Sequence[bytes]] = []  # what no full tile covers, from level 0 up
    level, nodes = 0, _leaf_hashes(store, size)
    while True:
        roots: list[bytes] = []
        rest = _check_tiles(store, level, nodes, roots)
        left.append(rest)
        if not roots:
            break
        level, nodes = level + 1, _parts(roots)
    stray = store.load_tile_rows(level, 0, 1)
    if stray:
        raise IntegrityError("log.tile-mismatch", f"tile {level}/0 has no entries below it")
    return size, _fold_edge(left)


def recheck_openings(store: LogStore, start: int, end: int) -> None:
    """Check that entries ``[start, end)`` are those of their envelopes.

    Reads every envelope, which `recheck_tree` does not.

    Raises:
        IntegrityError: ``log.gap`` or ``log.entry-mismatch``.
    """
    for first in range(start, end, TILE_WIDTH):
        last = min(end, first + TILE_WIDTH)
        rows = store.load_openings(first, last)
        if len(rows) != last - first:
            raise IntegrityError("log.gap", f"entry {first + len(rows)} is missing")
        for entry, opening in rows:
            envelope_hash = hashlib.sha256(opening.envelope).digest()
            if (
                envelope_hash != opening.envelope_hash
                or entry.record_id != opening.record_id
                or entry.commitment != commit(opening.salt, envelope_hash)
                or entry.tag != make_tag(opening.record_key, entry.sequence)
            ):
                raise IntegrityError(
                    "log.entry-mismatch", f"entry {entry.index} is not that of its envelope"
                )


def _leaf_hashes(store: LogStore, size: int) -> Iterator[Sequence[bytes]]:
    for start in range(0, size, _CHUNK):
        end = min(size, start + _CHUNK)
        rows = store.load_leaves(start, end)
        if len(rows) != end - start:
            raise IntegrityError("log.gap", f"entry {start + len(rows)} is missing")
        leaves = []
        for index, (commitment, tag, stored) in enumerate(rows, start):
            computed = hash_leaf(encode_entry(commitment, tag))
            if computed != stored:
                raise IntegrityError(
                    "log.entry-mismatch",
                    f"entry {index} has leaf hash {stored.hex()}, computed is {computed.hex()}",
                )
            leaves.append(computed)
        yield leaves


def _parts(nodes: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(nodes), _CHUNK):
        yield nodes[start : start + _CHUNK]


def _check_tiles(
    store: LogStore, level: int, nodes: Iterator[Sequence[bytes]], roots: list[bytes]
) -> Sequence[bytes]:
    """Compare the full tiles of a level; note their roots, return what is left over."""
    rest: Sequence[bytes] = ()
    for part in nodes:
        count = len(part) // TILE_WIDTH
        start = len(roots)
        stored = store.load_tile_rows(level, start, start + count + 1)
        if [row.position for row in stored] != list(range(start, start + len(stored))):
            raise IntegrityError("log.gap", f"tiles of level {level} are missing after {start}")
        if len(stored) < count:
            raise IntegrityError("log.gap", f"tile {level}/{start + len(stored)} is missing")
        for at in range(count):
            hashes = b"".join(part[at * TILE_WIDTH : (at + 1) * TILE_WIDTH])
            root = tile_root(hashes)
            if stored[at].hashes != hashes or stored[at].root != root:
                raise IntegrityError(
                    "log.tile-mismatch", f"tile {level}/{start + at} is not over its entries"
                )
            roots.append(root)
        rest = part[count * TILE_WIDTH :]
        if rest and len(stored) > count:
            raise IntegrityError(
                "log.tile-mismatch", f"tile {level}/{start + count} is stored but not full"
            )
    return rest


def _fold_edge(left: Sequence[Sequence[bytes]]) -> bytes:
    """Return the root over what each level has left (RFC 9162 section 2.1.1)."""
    peaks: list[bytes] = []
    for nodes in reversed(left):
        start = 0
        while start < len(nodes):
            width = 1 << ((len(nodes) - start).bit_length() - 1)
            row = list(nodes[start : start + width])
            while len(row) > 1:
                row = [hash_children(row[at], row[at + 1]) for at in range(0, len(row), 2)]
            peaks += row
            start += width
    if not peaks:
        return EMPTY_ROOT
    root = peaks.pop()
    while peaks:
        root = hash_children(peaks.pop(), root)
    assert len(root) == HASH_SIZE  # noqa: S101 -- our own arithmetic
    return root
