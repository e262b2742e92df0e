"""Several nodes of one chain that must agree before anything is believed.

A list of trusted block hashes (FORMATS section 8) is made once and relied on
for years without a network, so one node's word is not enough: all are asked,
and the first contradiction ends it. Headers are hashed here, never believed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from vermilion_ledger.errors import InputError, LimitError, UnavailableError, VerificationError
from vermilion_ledger.evm.answers import encode_header, parse_data, parse_quantity
from vermilion_ledger.evm.finality import FinalityRule
from vermilion_ledger.evm.header import parse_header
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.receipt import ANCHORED_TOPIC
from vermilion_verify.blocks import BlockId
from vermilion_verify.policy import ChainTrust
from vermilion_verify.rpc import RpcClient

__all__ = ["Panel", "open_panel"]

_NODE_COUNT_MIN = 2
_SEARCH_STEP = 10_000  # blocks in one question for events; many providers allow no more
_SEARCH_COUNT_MAX = 100_000_000  # blocks that a liar's height can make us walk
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Nodes that agree on their chain.

    Attributes:
        nodes: At least two, or the one that its user insisted on.
        chain_id: What every one of them says.
        final_height: Up to here blocks are final for all of them; negative if none is.
    """

    nodes: tuple[RpcClient, ...]
    chain_id: int
    final_height: int

    def check_code(self, chain: ChainTrust) -> None:
        """Check that every node has the policy's code at the contract's address.

        A list of hashes says nothing of code: this is the moment to look.

        Raises:
            VerificationError: ``headers.other-code``.
            UnavailableError: A node does not answer.
            InputError: ``rpc.answer``.
        """
        for node in self.nodes:
            if keccak256(_ask(node, lambda each: each.code(chain.contract))) != chain.code_hash:
                raise VerificationError(
                    "headers.other-code",
                    f"{node.name} has other code at 0x{chain.contract.hex()} than the policy",
                )

    def find_anchored(self, chain: ChainTrust, *, first: int) -> frozenset[int]:
        """Return the final heights from ``first`` on at which the log was anchored.

        Raises:
            VerificationError: ``headers.disagreement``: the nodes find different ones.
            LimitError: ``headers.too-many``: more than 100,000,000 blocks to search.
            UnavailableError: A node does not answer.
            InputError: ``rpc.answer``.
        """
        if self.final_height - first >= _SEARCH_COUNT_MAX:
            raise LimitError(
                "headers.too-many",
                "blocks to search",
                found=self.final_height - first + 1,
                limit=_SEARCH_COUNT_MAX,
            )
        found: set[int] = set()
        for start in range(first, self.final_height + 1, _SEARCH_STEP):
            found |= self._agree_on_events(
                chain, first=start, last=min(start + _SEARCH_STEP - 1, self.final_height)
            )
        return frozenset(found)

    def collect(self, numbers: Collection[int]) -> Iterator[BlockId]:
        """Yield the blocks at these heights, each with the one hash that all nodes give it.

        Raises:
            VerificationError: ``headers.disagreement``; ``headers.wrong-hash``: a
                header does not hash to what its node claims;
                ``headers.other-block``: it is of another height.
            UnavailableError: ``headers.not-final``; ``headers.no-block``; a
                node does not answer.
            InputError: ``rpc.answer``.
        """
        for number in sorted(numbers):
            if number > self.final_height:
                raise UnavailableError(
                    "headers.not-final",
                    f"block {number} of chain {self.chain_id} is not final: "
                    f"for all nodes it is up to {self.final_height}",
                )
        for number in sorted(numbers):
            first, *others = (self._hash_at(node, number) for node in self.nodes)
            for node, other in zip(self.nodes[1:], others, strict=True):
                if other != first:
                    raise VerificationError(
                        "headers.disagreement",
                        f"block {number}: {self.nodes[0].name} has 0x{first.hex()}, "
                        f"{node.name} has 0x{other.hex()}",
                    )
            yield BlockId(chain_id=self.chain_id, number=number, hash=first)

    def _agree_on_events(self, chain: ChainTrust, *, first: int, last: int) -> frozenset[int]:
        topics = (ANCHORED_TOPIC, chain.log)
        answers = [
            _ask(
                node,
                lambda each: each.event_blocks(chain.contract, topics, first=first, last=last),
            )
            for node in self.nodes
        ]
        for node, answer in zip(self.nodes, answers, strict=True):
            if answer != answers[0]:
                raise VerificationError(
                    "headers.disagreement",
                    f"blocks {first} to {last}: {self.nodes[0].name} has anchors in "
                    f"{len(answers[0])}, {node.name} in {len(answer)}, not the same",
                )
            if any(not first <= number <= last for number in answer):
                raise InputError("rpc.answer", f"{node.name}: an event of a block not asked for")
        return answers[0]

    def _hash_at(self, node: RpcClient, number: int) -> bytes:
        block = _ask(node, lambda each: each.block(number))
        if block is None:
            raise UnavailableError("headers.no-block", f"{node.name} has no block {number}")
        stated = _ask(node, lambda _: parse_data(block.get("hash"), "hash", size=32))
        header = _ask(node, lambda each: _read_header(each, block, stated))
        if keccak256(header) != stated:
            raise VerificationError(
                "headers.wrong-hash",
                f"block {number}: the header from {node.name} hashes to "
                f"0x{keccak256(header).hex()}, claimed is 0x{stated.hex()}",
            )
        found = _ask(node, lambda _: parse_header(header)).number
        if found != number:
            raise VerificationError(
                "headers.other-block", f"{node.name} gave block {found} for {number}"
            )
        return stated


def open_panel(
    nodes: Sequence[RpcClient],
    *,
    rules: Sequence[FinalityRule],
    chain_id: int | None = None,
    is_single: bool = False,
) -> Panel:
    """Ask every node for its chain and for what is final there.

    Args:
        nodes: All of them must agree; two of one host and port count as one.
        rules: A block is final if each of them says so.
        chain_id: The chain it shall be; None takes whatever all nodes are of.
        is_single: Whether one node is enough. Nobody contradicts it then.

    Raises:
        InputError: ``headers.one-endpoint``: fewer than two; ``headers.other-chain``:
            a node is of another chain; ``rpc.answer``.
        UnavailableError: ``headers.no-finality``: a node does not say what is
            final; a node does not answer.
    """
    distinct = tuple({node.name: node for node in nodes}.values())
    if len(distinct) < (1 if is_single else _NODE_COUNT_MIN):
        raise InputError(
            "headers.one-endpoint",
            f"{len(distinct)} endpoints are given, at least {_NODE_COUNT_MIN} must agree",
        )
    for node in distinct:
        found = _ask(node, RpcClient.chain_id)
        if chain_id is None:
            chain_id = found
        if found != chain_id:
            raise InputError(
                "headers.other-chain", f"{node.name} is of chain {found}, not of {chain_id}"
            )
    assert chain_id is not None  # noqa: S101 - there is at least one node
    height = min(_final_height(node, rule) for node in distinct for rule in rules)
    return Panel(nodes=distinct, chain_id=chain_id, final_height=height)


def _final_height(node: RpcClient, rule: FinalityRule) -> int:
    if rule.confirmations is not None:
        head = _ask(node, RpcClient.head)
        return rule.final_height(head=head, finalized=None)
    block = _ask(node, lambda each: each.block("finalized"))
    if block is None:
        raise UnavailableError("headers.no-finality", f"{node.name} has no finalized block")
    return _ask(node, lambda _: parse_quantity(block.get("number"), "finalized height"))


def _read_header(node: RpcClient, block: Mapping[str, Any], stated: bytes) -> bytes:
    """Return the header that the members make, or the raw one of a fork we do not know."""
    header = encode_header(block)
    if keccak256(header) == stated:
        return header
    try:
        return node.raw_header(stated)
    except InputError:  # the node does not give it; the caller compares what there is
        return header


def _ask(node: RpcClient, question: Callable[[RpcClient], _T]) -> _T:
    """Return a node's answer, and name the node where it is none."""
    try:
        return question(node)
    except InputError as exc:
        raise InputError(exc.code, f"{node.name}: {exc.message}") from exc
