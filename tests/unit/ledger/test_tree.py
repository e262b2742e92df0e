"""Trees and proofs, exhaustively, against a slow reference written from RFC 9162 alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache

import pytest

from vermilion_ledger.errors import InputError, RootMismatchError
from vermilion_ledger.merkle import EMPTY_ROOT, hash_leaf, verify_consistency, verify_inclusion
from vermilion_ledger.tree import (
    Frontier,
    Node,
    build_consistency,
    build_inclusion,
    peaks,
    root_at,
)

SIZE_MAX = 256
LEAVES = [f"entry {index}".encode() for index in range(SIZE_MAX)]


def split(count: int) -> int:
    """RFC 9162 2.1.1: the largest power of two smaller than count."""
    power = 1
    while power * 2 < count:
        power *= 2
    return power


@cache
def slow_root(start: int, end: int) -> bytes:
    """RFC 9162 2.1.1, MTH(D[start:end])."""
    if start == end:
        return hashlib.sha256(b"").digest()
    if end - start == 1:
        return hashlib.sha256(b"\x00" + LEAVES[start]).digest()
    middle = start + split(end - start)
    return hashlib.sha256(b"\x01" + slow_root(start, middle) + slow_root(middle, end)).digest()


@cache
def slow_path(index: int, start: int, end: int) -> tuple[bytes, ...]:
    """RFC 9162 2.1.3.1, PATH(index, D[start:end]), index relative to start."""
    if end - start == 1:
        return ()
    half = split(end - start)
    if index < half:
        return (*slow_path(index, start, start + half), slow_root(start + half, end))
    return (*slow_path(index - half, start + half, end), slow_root(start, start + half))


@cache
def slow_proof(size: int, start: int, end: int, *, whole: bool) -> tuple[bytes, ...]:
    """RFC 9162 2.1.4.1, SUBPROOF(size, D[start:end], whole)."""
    if size == end - start:
        return () if whole else (slow_root(start, end),)
    half = split(end - start)
    if size <= half:
        return (
            *slow_proof(size, start, start + half, whole=whole),
            slow_root(start + half, end),
        )
    return (
        *slow_proof(size - half, start + half, end, whole=False),
        slow_root(start, start + half),
    )


class Store:
    """Complete nodes as a writer would keep them, and how often they were asked for."""

    def __init__(self, size: int) -> None:
        self.frontier = Frontier()
        self.nodes: dict[Node, bytes] = {}
        self.reads = 0
        for leaf in LEAVES[:size]:
            self.nodes.update(self.frontier.append(hash_leaf(leaf)))

    def read(self, nodes: Sequence[Node]) -> Sequence[bytes]:
        self.reads += 1
        return [self.nodes[node] for node in nodes]


@pytest.fixture(scope="module")
def store() -> Store:
    return Store(SIZE_MAX)


def test_every_root_up_to_256_leaves_is_that_of_the_reference(store: Store) -> None:
    for size in range(SIZE_MAX + 1):
        assert root_at(size, store.read) == slow_root(0, size)


def test_every_inclusion_proof_up_to_256_leaves_is_that_of_the_reference(store: Store) -> None:
    count = 0
    for size in range(1, SIZE_MAX + 1):
        root = slow_root(0, size)
        for index in range(size):
            path = build_inclusion(index, size, store.read)
            assert path == slow_path(index, 0, size)
            verify_inclusion(hash_leaf(LEAVES[index]), index, size, path, root)
            count += 1

    assert count == SIZE_MAX * (SIZE_MAX + 1) // 2


def test_every_consistency_proof_up_to_256_leaves_is_that_of_the_reference(store: Store) -> None:
    count = 0
    for new in range(1, SIZE_MAX + 1):
        root = slow_root(0, new)
        for old in range(1, new + 1):
            proof = build_consistency(old, new, store.read)
            assert proof == slow_proof(old, 0, new, whole=True)
            verify_consistency(old, slow_root(0, old), new, root, proof)
            count += 1

    assert count == SIZE_MAX * (SIZE_MAX + 1) // 2


def test_every_damaged_inclusion_proof_up_to_24_leaves_is_refused(store: Store) -> None:
    other = bytes(32)
    for size in range(1, 25):
        root = slow_root(0, size)
        for index in range(size):
            leaf, path = hash_leaf(LEAVES[index]), build_inclusion(index, size, store.read)
            for place in range(len(path)):
                with pytest.raises(RootMismatchError):
                    verify_inclusion(
                        leaf, index, size, (*path[:place], other, *path[place + 1 :]), root
                    )
                with pytest.raises(InputError):
                    verify_inclusion(leaf, index, size, path[:place], root)
            with pytest.raises(InputError):
                verify_inclusion(leaf, index, size, (*path, other), root)
            with pytest.raises(RootMismatchError):
                verify_inclusion(other, index, size, path, root)
            with pytest.raises(RootMismatchError):
                verify_inclusion(leaf, index, size, path, other)


def test_no_leaf_up_to_24_verifies_at_another_index(store: Store) -> None:
    for size in range(2, 25):
        root = slow_root(0, size)
        for index in range(size):
            leaf, path = hash_leaf(LEAVES[index]), build_inclusion(index, size, store.read)
            for wrong in set(range(size)) - {index}:
                with pytest.raises((InputError, RootMismatchError)):
                    verify_inclusion(leaf, wrong, size, path, root)


def test_every_damaged_consistency_proof_up_to_24_leaves_is_refused(store: Store) -> None:
    other = bytes(32)
    for new in range(2, 25):
        for old in range(1, new):
            roots = slow_root(0, old), slow_root(0, new)
            proof = build_consistency(old, new, store.read)
            for place in range(len(proof)):
                with pytest.raises(RootMismatchError):
                    verify_consistency(
                        old, roots[0], new, roots[1], (*proof[:place], other, *proof[place + 1 :])
                    )
                with pytest.raises(InputError):
                    verify_consistency(old, roots[0], new, roots[1], proof[:place])
            with pytest.raises(InputError):
                verify_consistency(old, roots[0], new, roots[1], (*proof, other))
            with pytest.raises(RootMismatchError):
                verify_consistency(old, other, new, roots[1], proof)
            with pytest.raises(RootMismatchError):
                verify_consistency(old, roots[0], new, other, proof)


def test_a_proof_asks_the_store_once(store: Store) -> None:
    store.reads = 0

    build_inclusion(77, 200, store.read)
    build_consistency(77, 200, store.read)

    assert store.reads == 2


def test_a_frontier_continues_from_its_peaks() -> None:
    for size in range(65):
        whole = Store(size)
        continued = Frontier(size, whole.read(peaks(0, size)))
        for leaf in LEAVES[size : size + 3]:
            assert list(whole.frontier.append(hash_leaf(leaf))) == list(
                continued.append(hash_leaf(leaf))
            )
            assert whole.frontier.root() == continued.root()
            assert whole.frontier.size == continued.size


def test_extending_by_many_leaves_is_appending_each() -> None:
    hashes = [hash_leaf(leaf) for leaf in LEAVES[:80]]
    for size in range(41):
        for count in range(41):
            frontier = Frontier()
            frontier.extend(hashes[:size])
            frontier.extend(hashes[size : size + count])
            assert (frontier.size, frontier.root()) == (size + count, slow_root(0, size + count))


def test_an_extended_tree_grows_on_leaf_by_leaf() -> None:
    frontier = Frontier()
    frontier.extend([hash_leaf(leaf) for leaf in LEAVES[:21]])

    completed = [node for node, _ in frontier.append(hash_leaf(LEAVES[21]))]

    assert completed == [(0, 21), (1, 10)]
    assert frontier.root() == slow_root(0, 22)


def test_the_empty_tree_has_the_root_of_no_bytes() -> None:
    assert Frontier().root() == EMPTY_ROOT == root_at(0, Store(0).read)


@pytest.mark.parametrize(("size", "count"), [(0, 1), (1, 0), (3, 1), (8, 2)])
def test_peaks_that_do_not_fit_the_size_are_refused(size: int, count: int) -> None:
    with pytest.raises(InputError, match="peaks"):
        Frontier(size, [bytes(32)] * count)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 4), (5, 4)])
def test_no_inclusion_proof_is_built_for_a_leaf_outside(
    store: Store, index: int, size: int
) -> None:
    with pytest.raises(InputError, match="outside"):
        build_inclusion(index, size, store.read)


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 4), (5, 4), (-1, 4)])
def test_no_consistency_proof_is_built_for_sizes_that_have_none(
    store: Store, old: int, new: int
) -> None:
    with pytest.raises(InputError, match="no consistency"):
        build_consistency(old, new, store.read)
