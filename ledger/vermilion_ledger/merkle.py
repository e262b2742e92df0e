"""RFC 9162 Merkle hashing, and the checking of its two kinds of proof.

Pure functions over bytes. Sizes and indices are plain integers below 2^53;
a proof is a sequence of 32-byte hashes. Building proofs is the task of
`vermilion_ledger.tree`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NewType

from vermilion_ledger.errors import InputError, LimitError, RootMismatchError
from vermilion_ledger.limits import PROOF_LENGTH_MAX, TREE_SIZE_MAX

__all__ = [
    "EMPTY_ROOT",
    "LeafIndex",
    "TreeSize",
    "hash_children",
    "hash_leaf",
    "root_of_inclusion",
    "verify_consistency",
    "verify_inclusion",
]

LeafIndex = NewType("LeafIndex", int)
TreeSize = NewType("TreeSize", int)

_HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()  # RFC 9162 section 2.1.1: MTH({}) = H()


def hash_leaf(entry: bytes) -> bytes:
    """Return the leaf hash of an entry: ``H(0x00 ‖ entry)``, RFC 9162 section 2.1.1."""
    return hashlib.sha256(b"\x00" + entry).digest()


def hash_children(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: ``H(0x01 ‖ left ‖ right)``, RFC 9162 section 2.1.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of_inclusion(
    leaf_hash: bytes, leaf_index: int, tree_size: int, path: Sequence[bytes]
) -> bytes:
    """Return the root to which an inclusion path leads.

    Follows RFC 9162, section 2.1.3.2, steps 1 to 4.

    Raises:
        InputError: A hash is not 32 bytes, ``leaf_index`` lies outside the
            tree, or the path has the wrong length for this position.
        LimitError: The size or the path exceeds its bound.
    """
    _check_size(tree_size)
    if not 0 <= leaf_index < tree_size:
        raise InputError("merkle.index-range", f"leaf {leaf_index} outside a tree of {tree_size}")
    _check_hashes(path)
    _check_hashes((leaf_hash,))
    first, last, node = leaf_index, tree_size - 1, leaf_hash
    for sibling in path:
        if last == 0:
            raise InputError("merkle.proof-length", "the inclusion proof is too long")
        if first & 1 or first == last:
            node = hash_children(sibling, node)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            node = hash_children(node, sibling)
        first, last = first >> 1, last >> 1
    if last:
        raise InputError("merkle.proof-length", "the inclusion proof is too short")
    return node


def verify_inclusion(
    leaf_hash: bytes,
    leaf_index: int,
    tree_size: int,
    path: Sequence[bytes],
    root_hash: bytes,
) -> None:
    """Check that a leaf is part of the tree a checkpoint commits to.

    Follows RFC 9162, section 2.1.3.2. Returning at all is the proof: there is
    no result to forget to look at.

    Args:
        leaf_hash: Hash of the entry as made by `hash_leaf`.
        leaf_index: Zero-based position of the leaf in the log.
        tree_size: Number of leaves the checkpoint commits to.
        path: Sibling hashes from the leaf upwards.
        root_hash: Root hash stated by the checkpoint.

    Raises:
        InputError: A hash is not 32 bytes, ``leaf_index`` lies outside the
            tree, or the path has the wrong length for this position.
        RootMismatchError: The path is well formed and leads to another root.

    >>> left, right = hash_leaf(b"deed"), hash_leaf(b"will")
    >>> verify_inclusion(left, 0, 2, [right], hash_children(left, right))
    """
    _check_hashes((root_hash,))
    computed = root_of_inclusion(leaf_hash, leaf_index, tree_size, path)
    if computed != root_hash:
        raise RootMismatchError(stated=root_hash, computed=computed)


def verify_consistency(
    old_size: int,
    old_root: bytes,
    new_size: int,
    new_root: bytes,
    proof: Sequence[bytes],
) -> None:
    """Check that a tree is an append-only extension of an older one.

    Follows RFC 9162, section 2.1.4.2. Size 0 is refused: an empty tree is
    consistent with everything and so proves nothing.

    Raises:
        InputError: A size is out of range, a hash is not 32 bytes, or the
            proof has the wrong length for these sizes.
        RootMismatchError: The proof is well formed and leads elsewhere.
    """
    _check_size(old_size)
    _check_size(new_size)
    if old_size > new_size:
        raise InputError("merkle.size-order", f"old size {old_size} above new size {new_size}")
    _check_hashes(proof)
    _check_hashes((old_root, new_root))
    if old_size == new_size:
        if proof:
            raise InputError("merkle.proof-length", "equal sizes take an empty proof")
        if old_root != new_root:
            raise RootMismatchError(stated=new_root, computed=old_root)
        return
    if not proof:
        raise InputError("merkle.proof-length", "the consistency proof is empty")
    hashes = list(proof)
    if old_size & (old_size - 1) == 0:  # step 2: a power of two is its own first node
        hashes.insert(0, old_root)
    first, last = old_size - 1, new_size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    old_node = new_node = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise InputError("merkle.proof-length", "the consistency proof is too long")
        if first & 1 or first == last:
            old_node = hash_children(sibling, old_node)
            new_node = hash_children(sibling, new_node)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            new_node = hash_children(new_node, sibling)
        first, last = first >> 1, last >> 1
    if last:
        raise InputError("merkle.proof-length", "the consistency proof is too short")
    if old_node != old_root:
        raise RootMismatchError(stated=old_root, computed=old_node)
    if new_node != new_root:
        raise RootMismatchError(stated=new_root, computed=new_node)


def _check_size(size: int) -> None:
    if size < 1:
        raise InputError("merkle.size-range", f"a tree of {size} leaves proves nothing")
    if size > TREE_SIZE_MAX:
        raise LimitError("merkle.size-range", "tree size", found=size, limit=TREE_SIZE_MAX)


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if len(hashes) > PROOF_LENGTH_MAX:
        raise LimitError(
            "merkle.proof-length", "proof hashes", found=len(hashes), limit=PROOF_LENGTH_MAX
        )
    for node in hashes:
        if len(node) != _HASH_SIZE:
            raise InputError("merkle.hash-size", f"a hash of {len(node)} bytes, not {_HASH_SIZE}")
