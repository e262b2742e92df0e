"""Building a tree of a million leaves, building proofs, verifying them."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

from measure import Figure, interleave, rate, scaled

from vermilion_ledger.merkle import hash_leaf, verify_consistency, verify_inclusion
from vermilion_ledger.tree import Frontier, Node, build_consistency, build_inclusion

LEAVES = 1_000_000
PROOF_LEAVES = 100_000
PROOFS = 5_000


def run(*, scale: float = 1.0) -> list[Figure]:
    """Measure and return the figures."""
    return [
        *_building(scaled(LEAVES, scale, least=2)),
        *_proving(scaled(PROOF_LEAVES, scale, least=3), scaled(PROOFS, scale)),
    ]


def _building(count: int) -> list[Figure]:
    entries = [index.to_bytes(65, "big") for index in range(count)]

    def ours() -> bytes:
        frontier = Frontier()
        frontier.extend([hash_leaf(entry) for entry in entries])
        return frontier.root()

    def bare() -> bytes:
        """The least that any Python can do: one hashlib call a node, no tree kept."""
        sha256 = hashlib.sha256
        level = [sha256(b"\x00" + entry).digest() for entry in entries]
        while len(level) > 1:
            odd = level[-1:] if len(level) % 2 else []
            level = [
                sha256(b"\x01" + left + right).digest()
                for left, right in zip(level[::2], level[1::2], strict=False)
            ] + odd
        return level[0]

    def pymerkle() -> bytes:
        from pymerkle import InmemoryTree  # type: ignore[import-untyped]

        tree = InmemoryTree(algorithm="sha256")
        for entry in entries:
            tree.append_entry(entry)
        root: bytes = tree.get_state()
        return root

    if ours() != bare():
        raise SystemExit("the bare loop has another root: the comparison means nothing")
    seconds = interleave({"ours": ours, "bare": bare, "pymerkle": pymerkle})
    peer = seconds["pymerkle"]
    return [
        Figure(what=f"tree of {count:,} leaves, ours", value=seconds["ours"], unit="s"),
        Figure(what="the same, a bare hashlib loop", value=seconds["bare"], unit="s"),
        Figure(
            what="ours against the bare loop", value=seconds["ours"] / seconds["bare"], unit="ratio"
        ),
        Figure(what="the same, pymerkle in memory", value=peer, unit="s"),
        Figure(what="pymerkle against ours", value=peer / seconds["ours"], unit="ratio"),
    ]


def _proving(size: int, count: int) -> list[Figure]:
    nodes: dict[Node, bytes] = {}
    frontier = Frontier()
    leaves = [hash_leaf(index.to_bytes(65, "big")) for index in range(size)]
    roots: dict[int, bytes] = {}
    chosen = random.Random(9162).sample(range(1, size), min(count, size - 1))  # noqa: S311 - no secret
    wanted = frozenset(chosen)
    for leaf in leaves:
        nodes.update(frontier.append(leaf))
        if frontier.size in wanted:
            roots[frontier.size] = frontier.root()
    root = frontier.root()

    def read(asked: Sequence[Node]) -> list[bytes]:
        return [nodes[node] for node in asked]

    inclusions = {index: build_inclusion(index, size, read) for index in chosen}
    consistencies = {old: build_consistency(old, size, read) for old in chosen}

    def verify() -> None:
        for index, path in inclusions.items():
            verify_inclusion(leaves[index], index, size, path, root)

    def verify_consistencies() -> None:
        for old, proof in consistencies.items():
            verify_consistency(old, roots[old], size, root, proof)

    seconds = interleave(
        {
            "build": lambda: [build_inclusion(index, size, read) for index in chosen],
            "verify": verify,
            "consistency": verify_consistencies,
        }
    )
    return [
        Figure(
            what=f"inclusion proofs built, {size:,} leaves, nodes in memory",
            value=rate(len(chosen), seconds["build"]),
            unit="per second",
        ),
        Figure(
            what=f"inclusion proofs verified, {size:,} leaves",
            value=rate(len(chosen), seconds["verify"]),
            unit="per second",
        ),
        Figure(
            what=f"consistency proofs verified, {size:,} leaves",
            value=rate(len(chosen), seconds["consistency"]),
            unit="per second",
        ),
    ]
