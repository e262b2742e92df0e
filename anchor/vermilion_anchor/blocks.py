"""Blocks for ``seen``: what the ledger offers to be quoted, and what it accepts.

Follows FORMATS section 3. Needs no key: the API asks this, the anchorer anchors.
"""

from __future__ import annotations

from vermilion_anchor.ports import BlockData, ChainClient
from vermilion_ledger.anchor_rows import ChainBlock
from vermilion_ledger.errors import ConflictError, UnavailableError
from vermilion_ledger.evm.finality import FinalityRule
from vermilion_ledger.evm.header import parse_header

__all__ = ["BlockReader"]


class BlockReader:
    """Reads blocks of one chain and judges their finality."""

    def __init__(self, chain: ChainClient, *, chain_id: int, finality: FinalityRule) -> None:
        """Take a node and the rule by which its blocks become final."""
        self._chain = chain
        self._chain_id = chain_id
        self._finality = finality

    def check_chain(self) -> None:
        """Check that the node is of the expected chain.

        Raises:
            UnavailableError: The node is out of reach.
            ConflictError: ``chain.other-chain``.
        """
        found = self._chain.chain_id()
        if found != self._chain_id:
            raise ConflictError(
                "chain.other-chain", f"the node is of chain {found}, configured is {self._chain_id}"
            )

    def final_height(self) -> int:
        """Return the height up to which blocks are final; negative if none is.

        Raises:
            UnavailableError: The node is out of reach, or (``chain.no-finality``)
                does not say what is final where the rule is ``finalized``.
        """
        # a block and not only a number: several endpoints must have reached it
        tag = "finalized" if self._finality.confirmations is None else "latest"
        block = self._chain.block(tag)
        if block is None:
            raise UnavailableError("chain.no-finality", f"the node has no {tag} block")
        return self._finality.final_height(head=block.number, finalized=block.number)

    def offer_block(self) -> ChainBlock | None:
        """Return the newest final block, to be quoted as ``seen``; None before there is one.

        Raises:
            UnavailableError: The node is out of reach.
            ConflictError: ``chain.other-chain``.
        """
        self.check_chain()
        height = self.final_height()
        block = self._chain.block(height) if height >= 0 else None
        return None if block is None else self._read(block)

    def load_block(self, block_hash: bytes) -> ChainBlock | None:
        """Return a block by its hash, canonical or not; None where the node does not know it."""
        block = self._chain.block_by_hash(block_hash)
        return None if block is None or block.hash != block_hash else self._read(block)

    def is_canonical(self, number: int, block_hash: bytes) -> bool:
        """Tell whether the chain has this block at this height now."""
        block = self._chain.block(number)
        return block is not None and block.hash == block_hash

    def is_final(self, number: int, block_hash: bytes) -> bool:
        """Tell whether a block is on the chain and final by the rule."""
        # the height first: a block that is canonical afterwards was so at that height
        return number <= self.final_height() and self.is_canonical(number, block_hash)

    def _read(self, block: BlockData) -> ChainBlock:
        header = parse_header(block.header)
        return ChainBlock(
            chain_id=self._chain_id,
            number=header.number,
            hash=header.hash,
            time=header.time,
            header=block.header,
        )
