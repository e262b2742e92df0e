from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vermilion_ledger.errors import EvidenceError, InputError, LimitError, VerificationError
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.rlp import Item, encode_integer, encode_rlp
from vermilion_ledger.evm.trie import EMPTY_TRIE_ROOT, build_ordered_trie, verify_trie_proof

COUNTS = [1, 2, 3, 15, 16, 17, 127, 128, 129, 130, 255, 256, 257, 300]


def key(index: int) -> bytes:
    return encode_rlp(encode_integer(index))


def values(count: int) -> list[bytes]:
    return [b"\x02" + keccak256(bytes([i % 256, i // 256])) * 3 for i in range(count)]


def test_the_empty_trie_has_the_known_root() -> None:
    assert build_ordered_trie([]).root == EMPTY_TRIE_ROOT
    assert (
        EMPTY_TRIE_ROOT.hex() == "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
    )


@pytest.mark.parametrize("count", COUNTS)
def test_every_value_of_every_trie_is_proven(count: int) -> None:
    items = values(count)
    trie = build_ordered_trie(items)

    for index, value in enumerate(items):
        verify_trie_proof(trie.root, key(index), value, trie.prove(index))


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=40))
def test_short_values_that_stand_inside_their_parents_are_proven(items: list[bytes]) -> None:
    trie = build_ordered_trie(items)

    for index, value in enumerate(items):
        verify_trie_proof(trie.root, key(index), value, trie.prove(index))


@pytest.mark.parametrize("index", [-1, 3, 128, 2**40])
def test_no_proof_is_built_for_a_position_outside(index: int) -> None:
    with pytest.raises(InputError):
        build_ordered_trie(values(3)).prove(index)
    with pytest.raises(InputError):
        build_ordered_trie([]).prove(index)


@pytest.mark.parametrize("count", [2, 17, 129, 300])
def test_the_proof_of_one_position_is_refused_for_another(count: int) -> None:
    items = values(count)
    trie = build_ordered_trie(items)

    for index, other in pairwise([*range(count), 0]):
        with pytest.raises(VerificationError):
            verify_trie_proof(trie.root, key(other), items[index], trie.prove(index))


def refused(root: bytes, index: int, value: bytes, proof: tuple[bytes, ...]) -> str:
    with pytest.raises(EvidenceError) as error:
        verify_trie_proof(root, key(index), value, proof)
    assert isinstance(error.value, VerificationError | InputError)
    return error.value.code


def test_a_changed_value_is_refused() -> None:
    trie = build_ordered_trie(values(17))

    assert refused(trie.root, 3, b"other", trie.prove(3)) == "trie.other-value"


def test_an_empty_value_is_never_proven() -> None:
    trie = build_ordered_trie(values(17))

    assert refused(trie.root, 3, b"", trie.prove(3)) == "trie.other-value"
    assert refused(trie.root, 99, b"", trie.prove(3)[:1]) in {"trie.no-value", "trie.node-missing"}


def test_another_root_is_refused() -> None:
    trie = build_ordered_trie(values(17))

    assert refused(b"\x01" * 32, 3, values(17)[3], trie.prove(3)) == "trie.node-mismatch"


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_dropped_node_is_refused(position: int) -> None:
    trie = build_ordered_trie(values(300))
    proof = trie.prove(5)

    assert refused(trie.root, 5, values(300)[5], proof[:position] + proof[position + 1 :]) in {
        "trie.node-mismatch",
        "trie.node-missing",
    }


def test_no_proof_at_all_is_refused() -> None:
    trie = build_ordered_trie(values(300))

    assert refused(trie.root, 5, values(300)[5], ()) == "trie.node-missing"


@pytest.mark.parametrize("position", [0, 1, 2, 3])
def test_a_doubled_node_is_refused(position: int) -> None:
    trie = build_ordered_trie(values(300))
    proof = trie.prove(5)
    doubled = (*proof[:position], proof[min(position, len(proof) - 1)], *proof[position:])

    assert refused(trie.root, 5, values(300)[5], doubled) in {
        "trie.node-mismatch",
        "trie.node-unused",
    }


def test_an_unused_node_is_refused() -> None:
    trie = build_ordered_trie(values(300))
    proof = trie.prove(5)

    for foreign in (trie.prove(200)[-1], proof[0], b"\xc0", b""):
        assert refused(trie.root, 5, values(300)[5], (*proof, foreign)) == "trie.node-unused"


def test_nodes_in_another_order_are_refused() -> None:
    trie = build_ordered_trie(values(300))
    proof = trie.prove(5)

    assert refused(trie.root, 5, values(300)[5], proof[::-1]) == "trie.node-mismatch"


def test_more_than_16_nodes_are_refused_before_any_is_read() -> None:
    with pytest.raises(LimitError):
        verify_trie_proof(b"\x01" * 32, b"\x80", b"x", [b""] * 17)


@pytest.mark.parametrize("count", [1, 17, 129])
def test_every_flipped_bit_of_a_proof_is_refused(count: int) -> None:
    items = values(count)
    trie = build_ordered_trie(items)
    proof = trie.prove(count - 1)

    for number, node in enumerate(proof):
        for bit in range(8 * len(node)):
            changed = bytearray(node)
            changed[bit // 8] ^= 1 << bit % 8
            flipped = (*proof[:number], bytes(changed), *proof[number + 1 :])
            assert refused(trie.root, count - 1, items[-1], flipped) == "trie.node-mismatch"


# Roots over malformed nodes: whoever makes the root can commit to anything.
LONG = b"\x55" * 40
HASH = keccak256(b"nowhere")
MALFORMED: list[tuple[str, Item]] = [
    ("a string", b"\x55" * 40),
    ("no items", ()),
    ("three items", (b"\x20", LONG, LONG)),
    ("16 items", (b"",) * 16),
    ("18 items", (b"",) * 18),
    ("an empty prefix", (b"", LONG)),
    ("a prefix flag of 4", (b"\x40\x80", LONG)),
    ("padding that is not zero", (b"\x2f\x80", LONG)),
    ("an extension of nothing", (b"\x00", HASH)),
    ("a prefix that is a list", ((), LONG)),
    ("a leaf value that is a list", (b"\x20\x80", (LONG,))),
    ("a reference of 31 bytes", (*[b""] * 8, HASH[:31], *[b""] * 8)),
    ("a reference of 33 bytes", (*[b""] * 8, HASH + b"\x01", *[b""] * 8)),
    ("a large node inside its parent", (*[b""] * 8, (b"\x30", LONG), *[b""] * 8)),
]


@pytest.mark.parametrize("node", [n for _, n in MALFORMED], ids=[why for why, _ in MALFORMED])
def test_malformed_nodes_are_refused(node: Item) -> None:
    encoded = encode_rlp(node)

    with pytest.raises(InputError):
        verify_trie_proof(keccak256(encoded), b"\x80", LONG, (encoded,))


def test_a_small_node_referred_to_by_hash_is_refused() -> None:
    small = encode_rlp((b"\x30", b"x"))  # the leaf at key 0x80 below nibble 8
    branch = encode_rlp((*[b""] * 8, keccak256(small), *[b""] * 8))

    with pytest.raises(InputError):
        verify_trie_proof(keccak256(branch), b"\x80", b"x", (branch, small))


def test_a_non_canonical_node_is_refused() -> None:
    encoded = b"\xf8" + encode_rlp((b"\x20\x80", b"abc"))[:1]

    with pytest.raises(InputError):
        verify_trie_proof(keccak256(encoded), b"\x80", b"abc", (encoded,))


def test_a_value_in_a_branch_is_proven() -> None:
    branch = encode_rlp((*[b""] * 16, LONG))
    extension = encode_rlp((b"\x00\x80", keccak256(branch)))

    verify_trie_proof(keccak256(extension), b"\x80", LONG, (extension, branch))


def test_a_key_that_ends_above_a_leaf_is_refused() -> None:
    leaf = encode_rlp((b"\x20\x80\x01", LONG))

    with pytest.raises(VerificationError) as error:
        verify_trie_proof(keccak256(leaf), b"\x80", LONG, (leaf,))

    assert error.value.code == "trie.no-value"


def test_a_key_that_leaves_an_extension_is_refused() -> None:
    branch = encode_rlp((*[b""] * 16, LONG))
    extension = encode_rlp((b"\x00\x80", keccak256(branch)))

    with pytest.raises(VerificationError) as error:
        verify_trie_proof(keccak256(extension), b"\x81", LONG, (extension,))

    assert error.value.code == "trie.no-value"
