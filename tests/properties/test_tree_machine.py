"""A growing tree against a plain list of leaves, step by step."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from vermilion_ledger.merkle import hash_leaf, verify_consistency, verify_inclusion
from vermilion_ledger.tree import (
    Frontier,
    Node,
    build_consistency,
    build_inclusion,
    peaks,
    root_at,
)


def slow_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 9162, section 2.1.1, from the leaves' bytes."""
    if len(leaves) <= 1:
        return hashlib.sha256(b"\0" + leaves[0] if leaves else b"").digest()
    power = 1 << (len(leaves) - 1).bit_length() - 1
    both = slow_root(leaves[:power]) + slow_root(leaves[power:])
    return hashlib.sha256(b"\x01" + both).digest()


class TreeMachine(RuleBasedStateMachine):
    """The tree appends, restarts from its peaks and proves; the list remembers."""

    def __init__(self) -> None:
        super().__init__()
        self.leaves: list[bytes] = []
        self.nodes: dict[Node, bytes] = {}
        self.frontier = Frontier()
        self.roots: list[bytes] = [self.frontier.root()]

    def read(self, nodes: Sequence[Node]) -> Sequence[bytes]:
        return [self.nodes[node] for node in nodes]

    @rule(entries=st.lists(st.binary(max_size=8), min_size=1, max_size=9))
    def append(self, entries: list[bytes]) -> None:
        for entry in entries:
            for node, node_hash in self.frontier.append(hash_leaf(entry)):
                assert node not in self.nodes  # a complete node never changes again
                self.nodes[node] = node_hash
            self.leaves.append(entry)
            self.roots.append(self.frontier.root())

    @rule()
    def restart(self) -> None:
        size = len(self.leaves)
        self.frontier = Frontier(size, self.read(peaks(0, size)))

    @rule()
    def grow_a_copy_at_once(self) -> None:
        copy = Frontier()
        copy.extend([hash_leaf(entry) for entry in self.leaves])
        assert copy.root() == self.frontier.root()

    @precondition(lambda self: self.leaves)
    @rule(data=st.data())
    def prove_inclusion(self, data: st.DataObject) -> None:
        size = data.draw(st.integers(1, len(self.leaves)))
        index = data.draw(st.integers(0, size - 1))
        path = build_inclusion(index, size, self.read)
        verify_inclusion(hash_leaf(self.leaves[index]), index, size, path, self.roots[size])

    @precondition(lambda self: self.leaves)
    @rule(data=st.data())
    def prove_consistency(self, data: st.DataObject) -> None:
        new = data.draw(st.integers(1, len(self.leaves)))
        old = data.draw(st.integers(1, new))
        proof = build_consistency(old, new, self.read)
        verify_consistency(old, self.roots[old], new, self.roots[new], proof)

    @invariant()
    def the_root_is_that_of_the_list(self) -> None:
        assert (
            self.frontier.root() == slow_root(self.leaves) == root_at(len(self.leaves), self.read)
        )


TestTree = TreeMachine.TestCase
TestTree.settings = settings(stateful_step_count=30)
