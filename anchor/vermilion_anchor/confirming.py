"""Towards finality and beyond it: from `mined` to `final`, and looking again afterwards.

A block counts only as long as the chain has it at its height; that is asked
anew each time, and no ``removed`` event is relied upon. What passes for final
may still vanish: an anchor is looked at again for a while, and one that
vanished is an alarm, kept as evidence of what was shown, and anchored anew.
"""

from __future__ import annotations

from datetime import timedelta

from vermilion_anchor.blocks import BlockReader
from vermilion_anchor.ports import AnchorPorts, TransactionReceipt
from vermilion_anchor.receipts import build_anchor_receipt
from vermilion_anchor.settings import AnchorSettings, Progress
from vermilion_ledger.anchor_rows import AnchorJob, FinalAnchor, JobState, MinedIn
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.errors import EvidenceError, IntegrityError
from vermilion_ledger.evm.receipt import AnchorHints, encode_anchor_receipt

__all__ = ["Confirmer"]


class Confirmer:
    """Watches the anchors of one target from their block on."""

    def __init__(self, settings: AnchorSettings, ports: AnchorPorts, blocks: BlockReader) -> None:
        """Take what the anchorer has; nothing is asked yet."""
        self._settings = settings
        self._target = settings.target
        self._ports = ports
        self._chain = ports.chain
        self._blocks = blocks

    def confirm(self, job: AnchorJob) -> Progress:
        """Look at the block again; when it is final, prove and store the anchor.

        Raises:
            UnavailableError: The node is out of reach, disagrees with another,
                or gives what proves nothing.
            ConflictError: ``anchor.job-moved``.
        """
        mined = job.mined
        assert mined is not None  # noqa: S101 - AnchorJob holds this in state MINED
        height = self._blocks.final_height()
        block = self._chain.block(mined.block_number)
        receipt = self._chain.receipt(mined.transaction)
        if (
            block is None
            or receipt is None
            or mined.block_hash != block.hash
            or mined.block_hash != receipt.block_hash
        ):
            saved = self._ports.journal.save_state(job, JobState.REORGED)
            note = f"block {mined.block_number} was reorganised"
            return Progress(state=saved.state, size=saved.size, note=note)
        if mined.block_number > height:
            note = f"final at height {height}, mined at {mined.block_number}"
            return Progress(state=job.state, size=job.size, note=note, is_waiting=True)
        anchor = self._prove(job, mined, block.header, receipt)
        self._ports.journal.save_receipt(job, anchor)
        return Progress(state=JobState.FINAL, size=job.size)

    def find_vanished(self, *, is_suspect: bool = False) -> EvidenceError | None:
        """Look at final anchors again; return an alarm until a vanished one is made good.

        The newest is enough where it stands: the blocks before it are its ancestors.

        Args:
            is_suspect: Look however long ago it was.

        Raises:
            UnavailableError: The node is out of reach, or disagrees with another.
        """
        journal, now = self._ports.journal, self._ports.clock()
        period = timedelta(seconds=self._settings.recheck_seconds)
        while (anchor := journal.load_final(self._target)) is not None:
            # a chain's clock may run ahead of ours: then the age is negative, and small
            if not is_suspect and abs(now - anchor.block_time) > period:
                break
            block = self._chain.block(anchor.block_number)
            if block is None or block.hash == anchor.block_hash:
                break  # without a block of that height: the chain is to grow there again first
            journal.save_vanished(anchor, now=now)
        vanished = journal.load_vanished(self._target)
        if vanished is None or (anchor is not None and anchor.size >= vanished.size):
            return None
        return IntegrityError(
            "anchor.final-reorged",
            f"chain {self._target.chain_id} dropped block {vanished.block_number}, with the final"
            f" anchor of size {vanished.size}: it is anchored anew",
        )

    def _prove(
        self, job: AnchorJob, mined: MinedIn, header: bytes, found: TransactionReceipt
    ) -> FinalAnchor:
        hints = AnchorHints(
            transaction=mined.transaction,
            finality=self._settings.finality.text,
            observed_block=self._chain.block_number(),
            observed_at=self._ports.clock().replace(microsecond=0),
        )
        receipt, anchor = build_anchor_receipt(
            job,
            header=header,
            receipts=self._chain.receipts(mined.block_hash),
            transaction_index=found.transaction_index,
            hints=hints,
        )
        return FinalAnchor(
            target=job.target,
            size=anchor.size,
            root=anchor.root,
            transaction=mined.transaction,
            transaction_index=receipt.transaction_index,
            log_index=receipt.log_index,
            block_number=anchor.block_number,
            block_hash=anchor.block_hash,
            block_time=anchor.block_time,
            header=header,
            receipt=encode_json(encode_anchor_receipt(receipt)),
            gas_used=found.gas_used,
            gas_price=found.gas_price,
        )
