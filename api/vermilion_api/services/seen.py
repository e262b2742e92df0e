"""Blocks that statements quote: what is offered, what is accepted.

FORMATS section 3, ``seen``. Offered is the block of the newest final anchor
while it is young, otherwise the newest final block of an anchoring chain.
Whatever is accepted has its header kept, as bundles must carry it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from vermilion_ledger.anchor_rows import AnchorTarget, ChainBlock, FinalAnchor
from vermilion_ledger.errors import EvidenceError, UnavailableError, VerificationError
from vermilion_ledger.ports import Clock
from vermilion_ledger.statement import Seen

__all__ = ["BlockSource", "BlockStore", "FinalAnchors", "SeenDesk"]

_ACCEPT = timedelta(days=7)  # FORMATS section 3
_ACCEPT_OFFERED = _ACCEPT + timedelta(minutes=1)  # offers of a block are written a minute apart


class BlockSource(Protocol):
    """One anchoring chain; `vermilion_anchor.blocks.BlockReader` is one."""

    def offer_block(self) -> ChainBlock | None:
        """Return the newest final block."""
        ...

    def load_block(self, block_hash: bytes) -> ChainBlock | None:
        """Return a block by its hash, canonical or not."""
        ...

    def is_final(self, number: int, block_hash: bytes) -> bool:
        """Tell whether a block is on the chain and final."""
        ...


class BlockStore(Protocol):
    """Keeps headers for ever."""

    def save(self, block: ChainBlock, *, offered_at: datetime) -> None:
        """Keep a block and when it was offered last; durable on return."""
        ...

    def load(self, chain_id: int, block_hash: bytes) -> tuple[ChainBlock, datetime] | None:
        """Return a block and when it was offered last, or None."""
        ...

    def load_newest(self, chain_id: int) -> tuple[ChainBlock, datetime] | None:
        """Return the block of a chain offered last and when, or None."""
        ...


class FinalAnchors(Protocol):
    """The anchorer's journal, as far as offering needs it."""

    def load_final(self, target: AnchorTarget, *, size: int | None = None) -> FinalAnchor | None:
        """Return the final anchor of the largest size, or None."""
        ...


class SeenDesk:
    """Offers blocks and judges quoted ones. Safe to share between threads."""

    def __init__(
        self,
        *,
        targets: Sequence[AnchorTarget],
        chains: Mapping[int, BlockSource],
        blocks: BlockStore,
        anchors: FinalAnchors,
        clock: Clock,
        offered_days: float,
    ) -> None:
        self._targets = tuple(targets)
        self._chains = chains
        self._blocks = blocks
        self._anchors = anchors
        self._clock = clock
        self._young = timedelta(days=offered_days)

    def offer(self) -> Seen:
        """Return the block to be quoted in a statement prepared now; its header is kept.

        Raises:
            UnavailableError: ``seen.unavailable``: no anchor is young enough,
                no chain answers, and nothing was offered lately.
        """
        block = self._from_anchor() or self._from_chain()
        if block is not None:
            self._blocks.save(block, offered_at=self._clock())
        else:  # not offered anew: a chain that stays away would have its block grow old
            block = self._offered_before()
        if block is None:
            raise UnavailableError(
                "seen.unavailable", "no anchoring chain answers, and no block was offered lately"
            )
        return Seen(chain_id=block.chain_id, number=block.number, hash=block.hash)

    def check(self, seen: Seen) -> ChainBlock:
        """Accept a quoted block or refuse it; an accepted one is returned, its header kept.

        Raises:
            VerificationError: ``seen.other-chain`` or ``seen.not-on-chain``.
            UnavailableError: The chain must be asked and does not answer.
        """
        if seen.chain_id not in {target.chain_id for target in self._targets}:
            raise VerificationError("seen.other-chain", f"nothing anchors on chain {seen.chain_id}")
        now = self._clock()
        kept = self._blocks.load(seen.chain_id, seen.hash)
        if kept is not None and kept[0].number == seen.number and now - kept[1] <= _ACCEPT_OFFERED:
            return kept[0]
        chain = self._chains.get(seen.chain_id)
        block = chain.load_block(seen.hash) if chain is not None else None
        if (
            chain is None
            or block is None
            or block.number != seen.number
            or now - block.time > _ACCEPT
            or not chain.is_final(seen.number, seen.hash)
        ):
            raise VerificationError(
                "seen.not-on-chain",
                f"block 0x{seen.hash.hex()[:16]}… is not a final block of the last 7 days",
            )
        # Taken without the chain for as long as the block is young enough, as if offered then.
        self._blocks.save(block, offered_at=block.time)
        return block

    def _from_anchor(self) -> ChainBlock | None:
        found = [
            anchor
            for target in self._targets
            if (anchor := self._anchors.load_final(target)) is not None
        ]
        if not found:
            return None
        newest = max(found, key=lambda anchor: anchor.block_time)
        if self._clock() - newest.block_time >= self._young:
            return None
        return ChainBlock(
            chain_id=newest.target.chain_id,
            number=newest.block_number,
            hash=newest.block_hash,
            time=newest.block_time,
            header=newest.header,
        )

    def _from_chain(self) -> ChainBlock | None:
        for chain in self._chains.values():
            try:
                block = chain.offer_block()
            except EvidenceError:
                continue  # out of reach, or another chain: the next one may do
            if block is not None:
                return block
        return None

    def _offered_before(self) -> ChainBlock | None:
        for target in self._targets:
            kept = self._blocks.load_newest(target.chain_id)
            if kept is not None and self._clock() - kept[1] < self._young:
                return kept[0]
        return None
