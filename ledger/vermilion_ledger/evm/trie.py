"""Merkle-Patricia tries: checking a proof, and building the trie of a list.

Follows the Ethereum Yellow Paper, appendix D. The transactions and the
receipts of a block are such tries: the value at key ``rlp(index)`` is the
EIP-2718 encoding of the transaction or receipt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from vermilion_ledger.errors import InputError, LimitError, VerificationError
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.rlp import Item, decode_rlp, encode_integer, encode_rlp
from vermilion_ledger.limits import RECEIPT_NODE_COUNT_MAX

__all__ = ["EMPTY_TRIE_ROOT", "OrderedTrie", "build_ordered_trie", "verify_trie_proof"]

_HASH_SIZE = 32
_BRANCH_LENGTH = 17
# Keccak-256 of the RLP of an empty string
EMPTY_TRIE_ROOT = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")

_Nibbles = tuple[int, ...]
_Entry = tuple[_Nibbles, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedTrie:
    """The trie of a list of values, able to prove each of them.

    Attributes:
        root: Root hash, as a block header states it.
        nodes: Every node of 32 bytes or more, and the root, by its hash.
    """

    root: bytes
    nodes: Mapping[bytes, bytes]

    def prove(self, index: int) -> tuple[bytes, ...]:
        """Return the nodes that lead from the root to the value at ``index``, the root first.

        Raises:
            InputError: The list has no such position.
        """
        proof: list[bytes] = []

        def load(node_hash: bytes) -> bytes:
            proof.append(self.nodes[node_hash])
            return proof[-1]

        if index < 0 or not self.nodes:
            raise InputError("trie.index-range", f"the trie has no value at position {index}")
        if not _walk(self.root, _nibbles(encode_rlp(encode_integer(index))), load):
            raise InputError("trie.index-range", f"the trie has no value at position {index}")
        return tuple(proof)


def build_ordered_trie(values: Sequence[bytes]) -> OrderedTrie:
    """Return the trie that has each value at the RLP of its position.

    >>> build_ordered_trie([]).root == EMPTY_TRIE_ROOT
    True
    """
    nodes: dict[bytes, bytes] = {}

    def save(node: Item) -> bytes:
        encoded = encode_rlp(node)
        node_hash = keccak256(encoded)
        nodes[node_hash] = encoded
        return node_hash

    entries = sorted(
        (_nibbles(encode_rlp(encode_integer(index))), value) for index, value in enumerate(values)
    )
    if not entries:
        return OrderedTrie(root=EMPTY_TRIE_ROOT, nodes={})
    return OrderedTrie(root=save(_build(entries, 0, save)), nodes=nodes)


def verify_trie_proof(root: bytes, key: bytes, value: bytes, proof: Sequence[bytes]) -> None:
    """Check that a trie has ``value`` at ``key``.

    The proof holds the nodes in the order of the path, the root first, and
    none besides: a node that the path does not touch is refused, so that one
    fact has one proof.

    Raises:
        InputError: A node is not a canonical trie node.
        LimitError: More than 16 nodes.
        VerificationError: The nodes do not lead from the root to this value.
    """
    if len(proof) > RECEIPT_NODE_COUNT_MAX:
        raise LimitError(
            "trie.too-many-nodes", "proof nodes", found=len(proof), limit=RECEIPT_NODE_COUNT_MAX
        )
    remaining = iter(proof)

    def load(node_hash: bytes) -> bytes:
        node = next(remaining, None)
        if node is None:
            raise VerificationError("trie.node-missing", f"no node hashes to {node_hash.hex()}")
        if keccak256(node) != node_hash:
            raise VerificationError(
                "trie.node-mismatch",
                f"a node hashes to {keccak256(node).hex()}, the path wants {node_hash.hex()}",
            )
        return node

    found = _walk(root, _nibbles(key), load)
    if next(remaining, None) is not None:
        raise VerificationError("trie.node-unused", "the path does not use every node of the proof")
    if not found:
        raise VerificationError("trie.no-value", f"the trie has nothing at key {key.hex()}")
    if found != value:
        raise VerificationError("trie.other-value", f"the trie has another value at {key.hex()}")


def _walk(root: bytes, path: _Nibbles, load: Callable[[bytes], bytes]) -> bytes:
    """Follow a path from the root; empty where the trie has no value.

    Only the root may be hashed while shorter than 32 bytes; every other node
    of that size stands inside its parent.
    """
    node = _read_node(load(root))
    while True:
        if len(node) == _BRANCH_LENGTH:
            if not path:
                return _as_bytes(node[16])
            child, path = node[path[0]], path[1:]
        else:
            prefix, is_leaf = _parse_prefix(_as_bytes(node[0]))
            if is_leaf:
                return _as_bytes(node[1]) if prefix == path else b""
            if path[: len(prefix)] != prefix:
                return b""
            child, path = node[1], path[len(prefix) :]
        if child == b"":
            return b""
        node = _resolve(child, load)


def _resolve(child: Item, load: Callable[[bytes], bytes]) -> Sequence[Item]:
    if not isinstance(child, bytes):
        if len(encode_rlp(child)) >= _HASH_SIZE:
            raise InputError("trie.malformed", "a node of 32 bytes or more stands in its parent")
        return _check_node(child)
    if len(child) != _HASH_SIZE:
        raise InputError("trie.malformed", f"a node reference of {len(child)} bytes")
    encoded = load(child)
    if len(encoded) < _HASH_SIZE:
        raise InputError("trie.malformed", f"a node of {len(encoded)} bytes is referred to by hash")
    return _read_node(encoded)


def _read_node(encoded: bytes) -> Sequence[Item]:
    return _check_node(decode_rlp(encoded, what="trie node"))


def _check_node(node: Item) -> Sequence[Item]:
    if isinstance(node, bytes) or len(node) not in {2, _BRANCH_LENGTH}:
        raise InputError("trie.malformed", "a trie node has neither 2 nor 17 items")
    return node


def _as_bytes(item: Item) -> bytes:
    if not isinstance(item, bytes):
        raise InputError("trie.malformed", "a path or value is a list")
    return item


def _parse_prefix(data: bytes) -> tuple[_Nibbles, bool]:
    """Read a hex-prefix path and whether it ends in a leaf (Yellow Paper, appendix C)."""
    nibbles = _nibbles(data)
    if not nibbles or nibbles[0] > 3:
        raise InputError("trie.malformed", f"no hex prefix: {data.hex()[:80]}")
    is_leaf, is_odd = bool(nibbles[0] & 2), bool(nibbles[0] & 1)
    if not is_odd and nibbles[1]:
        raise InputError("trie.malformed", f"the padding of a path is not zero: {data.hex()[:80]}")
    path = nibbles[1 if is_odd else 2 :]
    if not path and not is_leaf:
        raise InputError("trie.malformed", "an extension of nothing")
    return path, is_leaf


def _encode_prefix(path: _Nibbles, *, is_leaf: bool) -> bytes:
    flag = 2 * is_leaf
    whole = (flag + 1, *path) if len(path) % 2 else (flag, 0, *path)
    return bytes(16 * high + low for high, low in zip(whole[::2], whole[1::2], strict=True))


def _nibbles(data: bytes) -> _Nibbles:
    return tuple(nibble for byte in data for nibble in (byte >> 4, byte & 15))


def _build(entries: Sequence[_Entry], depth: int, save: Callable[[Item], bytes]) -> Item:
    """Return the node over sorted entries that agree in their first ``depth`` nibbles."""
    first, last = entries[0][0], entries[-1][0]
    if len(entries) == 1:
        return (_encode_prefix(first[depth:], is_leaf=True), entries[0][1])
    shared = depth
    while shared < len(first) and first[shared] == last[shared]:
        shared += 1
    branch = tuple(_branch(entries, shared, save))
    if shared == depth:
        return branch
    return (_encode_prefix(first[depth:shared], is_leaf=False), _refer(branch, save))


def _branch(entries: Sequence[_Entry], depth: int, save: Callable[[Item], bytes]) -> Iterator[Item]:
    for nibble in range(16):
        below = [entry for entry in entries if len(entry[0]) > depth and entry[0][depth] == nibble]
        yield _refer(_build(below, depth + 1, save), save) if below else b""
    yield entries[0][1] if len(entries[0][0]) == depth else b""


def _refer(node: Item, save: Callable[[Item], bytes]) -> Item:
    """Return how a parent names a node: by hash, or itself if it is shorter than one."""
    return node if len(encode_rlp(node)) < _HASH_SIZE else save(node)
