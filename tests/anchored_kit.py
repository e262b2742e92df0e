"""Blocks of a real node in which every transaction is an anchor, and damage to their receipts.

Each transaction anchors one log at one entry more than the one before it, so
every transaction index of a block has a real anchor receipt that covers the
log's first entry. A receipt is judged by the verifier's own `judge_anchors`,
or put into a bundle that the ledger closes anew, so that nothing but the
receipt can be what is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from chain import Chain as Node
from evidence import Scene
from office import secret
from trusted import Chain
from vermilion_ledger.bundle import EvidenceBundle
from vermilion_ledger.evm.header import parse_header
from vermilion_ledger.evm.receipt import AnchorReceipt
from vermilion_ledger.evm.trie import build_ordered_trie
from vermilion_ledger.tree import build_consistency, root_at
from vermilion_verify.anchoring import judge_anchors
from vermilion_verify.blocks import BlockJudge
from vermilion_verify.policy import TrustPolicy
from vermilion_verify.report import Verdict

__all__ = ["COUNTS", "AnchoredLog", "damaged_proofs", "flip", "widths"]

COUNTS = (1, 2, 16, 17, 128, 129, 300)  # every shape of a receipts trie: one, two, three nodes deep
_OTHER = secret("another record")
_GAS, _FEE = hex(300_000), hex(10**11)
# Three kinds of transaction, hence three kinds of receipt in turn: EIP-1559, legacy, EIP-2930
_KINDS: tuple[dict[str, Any], ...] = (
    {"maxFeePerGas": _FEE, "maxPriorityFeePerGas": "0x1"},
    {"gasPrice": _FEE},
    {"gasPrice": _FEE, "accessList": []},
)


@dataclass(kw_only=True)
class RealChain(Chain):
    """The contract on a real node, where tests would make one up."""

    log_id: bytes = field(default=b"")

    @property
    def log(self) -> bytes:
        return self.log_id


class AnchoredLog:
    """A log of the size of all counts together, anchored entry by entry in real blocks.

    Attributes:
        blocks: For each count the receipts of its block, by transaction index.
    """

    def __init__(self, node: Node, counts: Sequence[int] = COUNTS) -> None:
        self.scene = _fill(sum(counts))
        self.scene.chain = RealChain(
            chain_id=node.target.chain_id, contract=node.target.contract, log_id=node.target.log
        )
        self.blocks: dict[int, tuple[AnchorReceipt, ...]] = {}
        sender = "0x" + node.signer.address.hex()
        node.rpc("anvil_impersonateAccount", sender)
        node.rpc("anvil_setBlockGasLimit", hex(200_000_000))
        node.rpc("evm_setAutomine", False)
        size = 0
        for count in counts:
            nonce = node.client.nonce(node.signer.address)
            for index in range(count):
                call = {"from": sender, "to": "0x" + node.target.contract.hex(), "gas": _GAS}
                call["data"] = "0x" + self._data(node, size + index).hex()
                call["nonce"] = hex(nonce + index)
                node.rpc("eth_sendTransaction", call | _KINDS[index % len(_KINDS)])
            node.rpc("evm_mine")
            self.blocks[count] = self._receipts(node, size, count)
            size += count

    @cached_property
    def policy(self) -> TrustPolicy:
        return self.scene.trust()

    @cached_property
    def judge(self) -> BlockJudge:
        return BlockJudge(self.scene.chain.hashes)

    @cached_property
    def bare(self) -> EvidenceBundle:
        return self.scene.bundle(anchors=())

    def stands(self, receipt: AnchorReceipt) -> bool:
        """Tell whether the verifier would believe the anchor, and its block final."""
        bundle = replace(self.bare, anchors=(receipt,))
        return bool(judge_anchors(bundle, self.policy, self.judge).final())

    def verdict(self, receipt: AnchorReceipt) -> Verdict:
        """Return the verdict on a bundle with this anchor alone, closed by the ledger."""
        bundle = self.scene.bundle(anchors=(receipt,))
        return self.scene.verify(bundle, policy=self.policy).verdict

    def _data(self, node: Node, size: int) -> bytes:
        """The call that anchors one entry more than ``size``."""
        log = self.scene.log
        return node.client.anchor_data(
            log=node.target.log,
            size=size + 1,
            root=root_at(size + 1, log.read),
            proof=build_consistency(size, size + 1, log.read) if size else (),
        )

    def _receipts(self, node: Node, before: int, count: int) -> tuple[AnchorReceipt, ...]:
        log, block = self.scene.log, node.client.block("latest")
        assert block is not None
        raw = node.client.receipts(block.hash)
        trie = build_ordered_trie(raw)
        assert len(raw) == count
        assert trie.root == parse_header(block.header).receipts_root
        self.scene.chain.hashes[node.target.chain_id, block.number] = block.hash
        return tuple(
            AnchorReceipt(
                chain_id=node.target.chain_id,
                contract=node.target.contract,
                log=node.target.log,
                size=size,
                root=root_at(size, log.read),
                transaction_index=size - before - 1,
                log_index=0,
                header=block.header,
                receipt=receipt,
                receipt_proof=trie.prove(size - before - 1),
                consistency=build_consistency(size, log.size, log.read)
                if size < log.size
                else None,
            )
            for size, receipt in enumerate(raw, start=before + 1)
        )


def widths(receipt: AnchorReceipt, *, header: bool) -> Iterator[tuple[str, int, int]]:
    """Yield what has bits to flip: field, position in it, number of bits.

    The header is the same for all transactions of a block: it is asked for once.
    """
    for position, node in enumerate(receipt.receipt_proof):
        yield "receipt_proof", position, 8 * len(node)
    for name in ("receipt", "contract", "log", "root", *(["header"] if header else [])):
        yield name, 0, 8 * len(getattr(receipt, name))
    for name in ("transaction_index", "log_index", "size", "chain_id"):
        yield name, 0, 53  # what a bundle can write


def flip(receipt: AnchorReceipt, name: str, position: int, bit: int) -> AnchorReceipt:
    """Return the receipt with one bit the other way."""
    value = getattr(receipt, name)
    if name == "receipt_proof":
        nodes = list(value)
        nodes[position] = _flipped(nodes[position], bit)
        return replace(receipt, receipt_proof=tuple(nodes))
    changed: Any = value ^ (1 << bit) if isinstance(value, int) else _flipped(value, bit)
    return replace(receipt, **{name: changed})


def damaged_proofs(
    receipt: AnchorReceipt, others: Sequence[AnchorReceipt]
) -> Iterator[AnchorReceipt]:
    """Yield the receipt with nodes dropped, doubled, exchanged, added, and of other transactions.

    Args:
        receipt: One that stands.
        others: Further receipts of its block.
    """
    proof = receipt.receipt_proof
    for at, node in enumerate(proof):
        yield replace(receipt, receipt_proof=(*proof[:at], *proof[at + 1 :]))
        yield replace(receipt, receipt_proof=(*proof[:at], node, *proof[at:]))
        yield replace(receipt, receipt_proof=(*proof, node))
        yield replace(receipt, receipt_proof=(node, *proof))
        yield replace(receipt, receipt_proof=(*proof[:at], b"", *proof[at + 1 :]))
    yield replace(receipt, receipt_proof=())
    yield replace(receipt, receipt_proof=proof * 2)
    if len(proof) > 1:
        yield replace(receipt, receipt_proof=proof[::-1])
    for other in others:
        yield replace(receipt, transaction_index=other.transaction_index)
        yield replace(receipt, receipt=other.receipt)
        yield replace(receipt, receipt_proof=other.receipt_proof)
        yield replace(
            receipt, receipt=other.receipt, receipt_proof=other.receipt_proof
        )  # whole, but of another transaction
        yield replace(
            receipt,
            transaction_index=other.transaction_index,
            receipt=other.receipt,
            receipt_proof=other.receipt_proof,
        )  # a true one, but of another tree than stated
        yield replace(receipt, receipt_proof=(*proof, other.receipt_proof[-1]))


def _flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _fill(size: int) -> Scene:
    """A record of one registration, and enough entries of another."""
    scene = Scene()
    scene.event("register")
    scene.event("register", record_key=_OTHER, content=b"another paper")
    while scene.log.size < size:
        scene.event("review", record_key=_OTHER, content=b"another paper")
    return scene
