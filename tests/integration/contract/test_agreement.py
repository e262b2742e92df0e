"""Python and Solidity come to the same answer on the same proofs and mutants."""

from __future__ import annotations

import base64
import json
import random
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode

from chain import Chain, MemoryLog, start_chain
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.merkle import hash_leaf, verify_consistency, verify_inclusion
from vermilion_ledger.tree import Frontier, Node, build_consistency, build_inclusion

SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 100)
_CONSISTENCY = "verifyConsistency(uint64,bytes32,uint64,bytes32,bytes32[])"
_INCLUSION = "verifyInclusion(bytes32,uint64,bytes32,bytes32[])"
_BATCH = 500

Consistency = tuple[int, bytes, int, bytes, tuple[bytes, ...]]
Inclusion = tuple[int, bytes, tuple[bytes, ...]]


class Tree:
    """The tree of a `MemoryLog`, with all its nodes and roots."""

    def __init__(self, size: int) -> None:
        frontier, self._nodes = Frontier(), dict[Node, bytes]()
        self.roots = [frontier.root()]
        self.leaves = [hash_leaf(index.to_bytes(8, "big")) for index in range(size)]
        for leaf in self.leaves:
            self._nodes.update(frontier.append(leaf))
            self.roots.append(frontier.root())

    def read(self, nodes: Sequence[Node]) -> list[bytes]:
        return [self._nodes[node] for node in nodes]


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with start_chain() as running:
        yield running


@pytest.fixture(scope="module")
def tree() -> Tree:
    return Tree(max(SIZES))


def ask(chain: Chain, signature: str, kinds: Sequence[str], cases: Sequence[Any]) -> list[bool]:
    """Ask the contract about many cases, a few hundred in one request."""
    selector = keccak256(signature.encode())[:4]
    answers: list[bool] = []
    for start in range(0, len(cases), _BATCH):
        body = [
            {
                "jsonrpc": "2.0",
                "id": number,
                "method": "eth_call",
                "params": [
                    {
                        "to": "0x" + chain.deployment.contract.hex(),
                        "data": "0x" + (selector + encode(kinds, case)).hex(),
                    },
                    "latest",
                ],
            }
            for number, case in enumerate(cases[start : start + _BATCH])
        ]
        request = urllib.request.Request(
            chain.node.url, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            results = sorted(json.load(response), key=lambda answer: answer["id"])
        answers += [int(answer["result"], 16) == 1 for answer in results]
    return answers


def mutate(proof: tuple[bytes, ...], chance: random.Random) -> Iterator[tuple[bytes, ...]]:
    """Damage a proof in every way that leaves it a list of hashes."""
    yield (*proof, chance.randbytes(32))
    yield (chance.randbytes(32), *proof)
    for place, node in enumerate(proof):
        flipped = bytearray(node)
        flipped[chance.randrange(32)] ^= 1 << chance.randrange(8)
        yield (*proof[:place], bytes(flipped), *proof[place + 1 :])
        yield (*proof[:place], *proof[place + 1 :])
        yield (*proof[:place], node, *proof[place:])
        if place:
            yield (*proof[: place - 1], node, proof[place - 1], *proof[place + 1 :])


def python_says(verify: Any, *arguments: Any) -> bool:
    try:
        verify(*arguments)
    except EvidenceError:
        return False
    return True


def consistency_cases(tree: Tree) -> Iterator[Consistency]:
    chance = random.Random(9162)
    for new in SIZES:
        for old in {size for size in (1, 2, 3, new // 2, new - 1, new) if 0 < size <= new}:
            old_root, new_root = tree.roots[old], tree.roots[new]
            proof = build_consistency(old, new, tree.read)
            yield old, old_root, new, new_root, proof
            for mutant in mutate(proof, chance):
                yield old, old_root, new, new_root, mutant
            yield old, new_root, new, old_root, proof
            yield new, old_root, old, new_root, proof
            for sizes in ((old - 1, new), (old + 1, new), (old, new - 1), (old, new + 1), (0, new)):
                yield sizes[0], old_root, sizes[1], new_root, proof


def test_consistency_proofs_and_their_mutants_are_judged_alike(chain: Chain, tree: Tree) -> None:
    cases = list(consistency_cases(tree))

    solidity = ask(
        chain, _CONSISTENCY, ("uint64", "bytes32", "uint64", "bytes32", "bytes32[]"), cases
    )

    python = [python_says(verify_consistency, *case) for case in cases]
    assert [
        case for case, one, two in zip(cases, python, solidity, strict=True) if one != two
    ] == []
    assert python.count(True) >= len(SIZES)
    assert python.count(False) > 3 * python.count(True)  # a proof does not fix the sizes alone


def inclusion_cases(tree: Tree, size: int) -> Iterator[Inclusion]:
    chance = random.Random(size)
    for index in sorted({0, 1, size // 2, size - 2, size - 1}):
        if not 0 <= index < size:
            continue
        proof = build_inclusion(index, size, tree.read)
        leaf = tree.leaves[index]
        yield index, leaf, proof
        for mutant in mutate(proof, chance):
            yield index, leaf, mutant
        yield index + 1, leaf, proof
        yield max(index - 1, 0), leaf, proof
        yield index, chance.randbytes(32), proof
        yield size, leaf, proof


def test_inclusion_proofs_and_their_mutants_are_judged_alike(chain: Chain, tree: Tree) -> None:
    log, head = MemoryLog(), 0
    for size in SIZES:
        log.grow(size - log_size(log))
        proof = log.consistency(head, size) if head else ()
        _anchor(chain, size, tree.roots[size], tuple(proof))
        head = size
        cases = list(inclusion_cases(tree, size))
        asked = [(chain.deployment.log, *case) for case in cases]

        solidity = ask(chain, _INCLUSION, ("bytes32", "uint64", "bytes32", "bytes32[]"), asked)

        python = [
            python_says(verify_inclusion, leaf, index, size, path, tree.roots[size])
            for index, leaf, path in cases
        ]
        assert python == solidity
        assert True in python


def test_the_contract_judges_the_public_vectors_as_stated(
    chain: Chain, shared_vectors: Path
) -> None:
    folder = shared_vectors / "merkle-rfc6962" / "testdata" / "consistency"
    cases, expected = [], []
    for path in sorted(folder.rglob("*.json")):
        vector = json.loads(path.read_text())
        roots = [base64.b64decode(vector[name]) for name in ("root1", "root2")]
        proof = tuple(base64.b64decode(node) for node in vector["proof"] or ())
        if any(len(node) != 32 for node in (*roots, *proof)):
            continue  # the contract's types do not admit it
        cases.append((vector["size1"], roots[0], vector["size2"], roots[1], proof))
        expected.append(not vector["wantErr"])

    found = ask(chain, _CONSISTENCY, ("uint64", "bytes32", "uint64", "bytes32", "bytes32[]"), cases)

    assert found == expected
    assert expected.count(True) >= 5
    assert expected.count(False) >= 50


def log_size(log: MemoryLog) -> int:
    newest = log.newest()
    return newest[0] if newest else 0


def _anchor(chain: Chain, size: int, root: bytes, proof: tuple[bytes, ...]) -> None:
    """Anchor as the registered publisher, whom the development node lets us play."""
    publisher = "0x" + chain.signer.address.hex()
    chain.rpc("anvil_impersonateAccount", publisher)
    data = chain.client.anchor_data(log=chain.deployment.log, size=size, root=root, proof=proof)
    transaction = chain.rpc(
        "eth_sendTransaction",
        {
            "from": publisher,
            "to": "0x" + chain.deployment.contract.hex(),
            "data": "0x" + data.hex(),
        },
    )
    chain.mine()
    assert chain.rpc("eth_getTransactionReceipt", transaction)["status"] == "0x1"
