"""Collecting trusted block hashes, so that an auditor can go offline with them.

Owns what is asked of which chain: the blocks that bundles name, heights named
by hand, or every block in which a trust policy's log was anchored. Whether
nodes agree is `vermilion_verify.panel`'s, the file `vermilion_verify.listing`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from vermilion_ledger.bundle import EvidenceBundle
from vermilion_ledger.encoding import encode_time
from vermilion_ledger.errors import InputError, LimitError, NotFoundError
from vermilion_ledger.evm.finality import FinalityRule, parse_finality
from vermilion_ledger.evm.header import parse_header
from vermilion_verify.blocks import BlockId
from vermilion_verify.listing import ListSection
from vermilion_verify.panel import open_panel
from vermilion_verify.policy import ChainTrust, TrustPolicy
from vermilion_verify.rpc import TIMEOUT_SECONDS, RpcClient

__all__ = ["BlockWish", "CollectedBlocks", "collect_blocks", "named_blocks", "wish_blocks"]

_BLOCK_COUNT_MAX = 100_000  # in one run; each is asked of every node


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockWish:
    """What is to be collected of one chain, and who is asked.

    Attributes:
        chain_id: None takes the chain that all endpoints are of.
        urls: The endpoints.
        rules: A block must be final by each of them.
        tables: The policy's tables of this chain, whose contract code is compared.
        heights: Ranges of heights that its user named.
        named: Blocks that bundles name.
    """

    chain_id: int | None
    urls: tuple[str, ...]
    rules: tuple[FinalityRule, ...]
    tables: tuple[ChainTrust, ...]
    heights: tuple[range, ...]
    named: tuple[BlockId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedBlocks:
    """What all endpoints of one chain said alike.

    Attributes:
        chain_id: Their chain.
        final_height: Up to here blocks are final for all of them.
        endpoints: Their names, host and port.
        section: The blocks, in order, with a remark for the list.
        contradicted: Blocks that a bundle names and the chain has not.
    """

    chain_id: int
    final_height: int
    endpoints: tuple[str, ...]
    section: ListSection
    contradicted: tuple[BlockId, ...]


def named_blocks(bundle: EvidenceBundle) -> Iterator[BlockId]:
    """Yield the blocks of a bundle's anchors, and those that its statements quote.

    Raises:
        InputError: An anchor's header is malformed.
    """
    for anchor in bundle.anchors:
        header = parse_header(anchor.header)
        yield BlockId(chain_id=anchor.chain_id, number=header.number, hash=header.hash)
    for entry in (*bundle.entries, *bundle.keys, *bundle.policies):
        seen = entry.envelope.statement.seen
        if seen is not None:
            yield BlockId(chain_id=seen.chain_id, number=seen.number, hash=seen.hash)


def wish_blocks(
    *,
    policy: TrustPolicy | None,
    named: Iterable[BlockId],
    heights: Sequence[range],
    urls: Sequence[str],
    chain_id: int | None,
    confirmations: int | None,
) -> tuple[BlockWish, ...]:
    """Sort out what is to be collected, chain by chain.

    The chains are the one that was named, else the policy's, else the bundles'.
    Endpoints named by hand stand in for those of the policy. Blocks must be
    final by the policy's rules and after ``confirmations`` blocks where a
    number is given; with neither, by the chain's ``finalized`` block.

    Raises:
        InputError: ``headers.which-chain``: there are several chains, and
            endpoints or heights of one.
        NotFoundError: ``headers.nothing``: nothing names a block.
    """
    blocks = tuple(dict.fromkeys(named))
    tables = policy.chains if policy is not None else ()
    chains: list[int | None] = [chain_id]
    if chain_id is None:
        found = sorted({table.chain_id for table in tables} or {each.chain_id for each in blocks})
        chains = list(found) or [None]
    if len(chains) > 1 and (urls or heights):
        raise InputError(
            "headers.which-chain", f"chains {', '.join(map(str, chains))}, and --chain names none"
        )
    wishes = []
    for chain in chains:
        own = tuple(table for table in tables if table.chain_id == chain)
        wish = BlockWish(
            chain_id=chain,
            urls=tuple(urls) or tuple(url for table in own for url in table.rpc),
            rules=_rules(own, confirmations),
            tables=own,
            heights=tuple(heights),
            named=tuple(block for block in blocks if block.chain_id == chain),
        )
        if wish.heights or wish.named or (own and not blocks):
            wishes.append(wish)
    if not wishes:
        raise NotFoundError("headers.nothing", "nothing names a block to collect")
    return tuple(wishes)


def collect_blocks(
    wish: BlockWish,
    *,
    now: datetime,
    first: int = 0,
    is_single: bool = False,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> CollectedBlocks:
    """Ask all endpoints of a chain for the wished blocks.

    Where neither heights nor bundles name any, the blocks from ``first`` on in
    which the policy's log was anchored are looked for.

    Args:
        wish: What to ask whom.
        now: The clock, for the remark.
        first: Height at which to begin looking for anchors.
        is_single: Whether one endpoint is enough.
        timeout_seconds: For each answer.

    Raises:
        VerificationError: Endpoints contradict each other, themselves, or the
            policy's code; see `vermilion_verify.panel`.
        UnavailableError: One of them does not answer, or a block is not final.
        InputError: One of them answers no question, or is of another chain.
        LimitError: ``headers.too-many``: more than 100,000 blocks.
        NotFoundError: ``headers.nothing``: the log was not anchored.
    """
    nodes = [RpcClient(url, timeout_seconds=timeout_seconds) for url in dict.fromkeys(wish.urls)]
    panel = open_panel(nodes, rules=wish.rules, chain_id=wish.chain_id, is_single=is_single)
    for table in wish.tables:
        panel.check_code(table)
    _check_count(sum(map(len, wish.heights)) + len(wish.named))
    numbers = {block.number for block in wish.named}.union(*wish.heights)
    if not numbers:
        for table in wish.tables:
            numbers |= panel.find_anchored(table, first=first)
        _check_count(len(numbers))
    if not numbers:
        raise NotFoundError(
            "headers.nothing", f"no anchor from block {first} to {panel.final_height}"
        )
    blocks = tuple(panel.collect(numbers))
    names = tuple(node.name for node in panel.nodes)
    rules = ", ".join(rule.text for rule in wish.rules)
    said = f"agreed by {' and '.join(names)}" if len(names) > 1 else f"ONLY {names[0]} said so"
    canonical = set(blocks)
    return CollectedBlocks(
        chain_id=panel.chain_id,
        final_height=panel.final_height,
        endpoints=names,
        section=ListSection(
            remark=f"{encode_time(now)}, chain {panel.chain_id}, {rules}, {said}", blocks=blocks
        ),
        contradicted=tuple(block for block in wish.named if block not in canonical),
    )


def _rules(tables: Sequence[ChainTrust], confirmations: int | None) -> tuple[FinalityRule, ...]:
    texts = [table.finality.text for table in tables]
    if confirmations is not None:
        texts.append(f"confirmations:{confirmations}")
    return tuple(parse_finality(text) for text in dict.fromkeys(texts or ["finalized"]))


def _check_count(count: int) -> None:
    if count > _BLOCK_COUNT_MAX:
        raise LimitError("headers.too-many", "blocks", found=count, limit=_BLOCK_COUNT_MAX)
