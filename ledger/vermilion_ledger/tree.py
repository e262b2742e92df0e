"""Growing an RFC 9162 tree and building proofs from stored subtree hashes.

A tree is stored as its *complete* subtrees only: node ``(level, position)``
is the root of the ``2**level`` leaves that start at ``position << level``.
Such a node never changes again. `Frontier` holds the O(log n) complete
subtrees at the right edge, which is all that appending needs; proofs read
O(log n) complete nodes through a `NodeReader`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

from vermilion_ledger.errors import InputError
from vermilion_ledger.merkle import EMPTY_ROOT, hash_children

__all__ = [
    "Frontier",
    "Node",
    "NodeReader",
    "build_consistency",
    "build_inclusion",
    "peaks",
    "root_at",
    "subtree_root",
]

Node = tuple[int, int]  # (level, position)
NodeReader = Callable[[Sequence[Node]], Sequence[bytes]]
"""Returns the hashes of complete nodes, in the order asked for.

All nodes of one proof are asked for at once, so that a store can answer with
one read.
"""


class Frontier:
    """The right edge of a growing tree: its complete subtrees, largest first.

    Owned by one writer; holds at most 53 hashes however large the log is.
    """

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """Continue a tree of ``size`` leaves from the hashes of its peaks."""
        if len(hashes) != size.bit_count():
            raise InputError("merkle.frontier", f"{len(hashes)} peaks for a tree of {size}")
        self.size = size
        self._hashes = list(hashes)

    def append(self, leaf_hash: bytes) -> Iterator[tuple[Node, bytes]]:
        """Add a leaf; yield each node completed by it, the leaf first."""
        position, level, node = self.size, 0, leaf_hash
        yield (0, position), node
        while position & 1:
            node = hash_children(self._hashes.pop(), node)
            position, level = position >> 1, level + 1
            yield (level, position), node
        self._hashes.append(node)
        self.size += 1

    def extend(self, leaf_hashes: Sequence[bytes]) -> None:
        """Add many leaves where nobody keeps the nodes.

        Takes whole complete subtrees at a time, which is several times
        quicker than leaf by leaf.
        """
        start, count = 0, len(leaf_hashes)
        while start < count:
            width = 1 << ((count - start).bit_length() - 1)
            if self.size:
                width = min(width, self.size & -self.size)  # aligned to the right edge
            self._merge(subtree_root(leaf_hashes[start : start + width]), width)
            start += width

    def root(self) -> bytes:
        """Return the root of the tree so far (RFC 9162 section 2.1.1)."""
        return _bag(self._hashes) if self._hashes else EMPTY_ROOT

    def _merge(self, node: bytes, width: int) -> None:
        """Put a complete subtree of ``width`` leaves at the right edge."""
        edge = self.size
        while edge & width:
            node = hash_children(self._hashes.pop(), node)
            edge, width = edge & ~width, width << 1
        self._hashes.append(node)
        self.size = edge + width


def subtree_root(leaf_hashes: Sequence[bytes]) -> bytes:
    """Return the root of a complete subtree; the number of leaves is a power of two."""
    hashes, sha256 = list(leaf_hashes), hashlib.sha256
    while len(hashes) > 1:  # hash_children written out: a call per node costs as much again
        pairs = zip(hashes[::2], hashes[1::2], strict=True)
        hashes = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return hashes[0]


def peaks(start: int, end: int) -> list[Node]:
    """Return the complete nodes that cover leaves ``[start, end)``, left to right.

    ``start`` is a multiple of the largest power of two that fits, as it
    always is for the subtrees of RFC 9162.
    """
    nodes = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append((level, start >> level))
        start += 1 << level
    return nodes


def root_at(size: int, read: NodeReader) -> bytes:
    """Return the root that the tree had with ``size`` leaves."""
    return _bag(read(peaks(0, size))) if size else EMPTY_ROOT


def build_inclusion(index: int, size: int, read: NodeReader) -> tuple[bytes, ...]:
    """Return the inclusion path of leaf ``index`` in the tree of ``size`` leaves.

    RFC 9162 section 2.1.3.1, ``PATH(index, D[size])``.

    Raises:
        InputError: The leaf lies outside the tree.
    """
    if not 0 <= index < size:
        raise InputError("merkle.index-range", f"leaf {index} outside a tree of {size}")
    spans: list[tuple[int, int]] = []
    start, end = 0, size
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            spans.append((split, end))
            end = split
        else:
            spans.append((start, split))
            start = split
    return _read_spans(list(reversed(spans)), read)


def build_consistency(old_size: int, new_size: int, read: NodeReader) -> tuple[bytes, ...]:
    """Return the proof that the tree of ``new_size`` extends that of ``old_size``.

    RFC 9162 section 2.1.4.1, ``PROOF(old_size, D[new_size])``.

    Raises:
        InputError: ``old_size`` is 0 or above ``new_size``.
    """
    if not 0 < old_size <= new_size:
        raise InputError("merkle.size-order", f"no consistency from {old_size} to {new_size}")
    spans: list[tuple[int, int]] = []
    start, end, whole = 0, new_size, True
    while end != old_size:
        split = start + _split(end - start)
        if old_size <= split:
            spans.append((split, end))
            end = split
        else:
            spans.append((start, split))
            start, whole = split, False
    if not whole:
        spans.append((start, end))
    return _read_spans(list(reversed(spans)), read)


def _split(count: int) -> int:
    """Return the largest power of two below ``count`` (RFC 9162's k)."""
    return 1 << ((count - 1).bit_length() - 1)


def _read_spans(spans: Sequence[tuple[int, int]], read: NodeReader) -> tuple[bytes, ...]:
    """Read the root of each span of leaves, with one call to the store."""
    covers = [peaks(start, end) for start, end in spans]
    hashes = iter(read([node for cover in covers for node in cover]))
    return tuple(_bag([next(hashes) for _ in cover]) for cover in covers)


def _bag(hashes: Sequence[bytes]) -> bytes:
    """Fold complete subtrees, largest first, into the root that covers them."""
    node = hashes[-1]
    for left in reversed(hashes[:-1]):
        node = hash_children(left, node)
    return node
