"""Opening the chains that the settings name; web3 is imported when one is asked first.

`open_chain` is the one way from a ``[[chain]]`` table to its endpoints, so that
each is checked, whoever asks.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vermilion_api.services.seen import BlockSource
from vermilion_api.settings import ChainSettings
from vermilion_ledger.anchor_rows import AnchorTarget, ChainBlock
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.evm.finality import parse_finality
from vermilion_ledger.rows import ObservedHead

if TYPE_CHECKING:
    from vermilion_anchor.endpoints import ChainEndpoints

__all__ = ["LazyBlocks", "observe_chains", "open_chain", "target_of"]

_TIMEOUT_SECONDS = 10.0
_OBSERVE_SECONDS = 3.0  # how long the start waits for an endpoint
_NODE_SECONDS = 5.0  # how long a request may wait for an endpoint


def target_of(chain: ChainSettings) -> AnchorTarget:
    """Return the log in a contract that a chain table names."""
    return AnchorTarget(
        chain_id=chain.id,
        contract=bytes.fromhex(chain.contract[2:]),
        log=bytes.fromhex(chain.log[2:]),
    )


def open_chain(
    chain: ChainSettings, *, timeout_seconds: float = _TIMEOUT_SECONDS
) -> ChainEndpoints:
    """Return the endpoints of a chain table; nothing is asked yet.

    Args:
        chain: The table.
        timeout_seconds: For each answer of each endpoint as a whole.
    """
    from vermilion_anchor.artifact import load_artifact
    from vermilion_anchor.endpoint import ExpectedChain
    from vermilion_anchor.endpoints import ChainEndpoints
    from vermilion_anchor.evm import EvmChain

    artifact, target = load_artifact(), target_of(chain)
    clients = [EvmChain(url, artifact, timeout_seconds=timeout_seconds) for url in chain.endpoints]
    return ChainEndpoints(
        [(client.name, client) for client in clients],
        expected=ExpectedChain(
            chain_id=chain.id,
            contract=target.contract,
            code_hash=bytes.fromhex(chain.code_hash[2:]),
            genesis=bytes.fromhex(chain.genesis[2:]) or None,
        ),
        agree=chain.rpc_agree,
        clock=time.monotonic,
    )


def observe_chains(chains: Sequence[ChainSettings]) -> list[ObservedHead]:
    """Return the head that each chain has; one out of reach does not keep the log from starting."""
    heads = []
    for chain in chains:
        target = target_of(chain)
        try:
            client = open_chain(chain, timeout_seconds=_OBSERVE_SECONDS)
            head = client.head(target.contract, target.log)
        except EvidenceError as exc:
            logging.getLogger(__name__).warning(
                "not compared with chain %d: %s: %s", chain.id, exc.code, exc.message
            )
            continue
        if head.size:
            heads.append(ObservedHead(size=head.size, root=head.root, source=f"chain {chain.id}"))
    return heads


class LazyBlocks:
    """A chain's blocks, opened when the first is asked for, which may be never."""

    def __init__(self, chain: ChainSettings) -> None:
        self._chain = chain
        self._made: BlockSource | None = None

    def offer_block(self) -> ChainBlock | None:
        """Return the newest final block."""
        return self._reader().offer_block()

    def load_block(self, block_hash: bytes) -> ChainBlock | None:
        """Return a block by its hash, canonical or not."""
        return self._reader().load_block(block_hash)

    def is_final(self, number: int, block_hash: bytes) -> bool:
        """Tell whether a block is on the chain and final."""
        return self._reader().is_final(number, block_hash)

    def _reader(self) -> BlockSource:
        if self._made is None:
            from vermilion_anchor.blocks import BlockReader

            self._made = BlockReader(
                open_chain(self._chain, timeout_seconds=_NODE_SECONDS),
                chain_id=self._chain.id,
                finality=parse_finality(self._chain.finality),
            )
        return self._made
