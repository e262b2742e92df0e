"""Towards a block: from `planned` to `mined`, through every way in which that goes wrong.

All attempts of a job are watched until it is closed, whichever is mined
counts: each carries the tree that was newest when it was signed, and that tree
is read back from its bytes. Whether an attempt is known, mined or beyond hope
is asked of the chain; what a node said when it was sent is passed on to
people and nothing else.
"""

from __future__ import annotations

from dataclasses import replace

from vermilion_anchor.fees import Fees
from vermilion_anchor.heads import read_head
from vermilion_anchor.ports import AnchorPorts, ChainHead
from vermilion_anchor.settings import AnchorSettings, Progress
from vermilion_anchor.spending import SPEND_PERIOD
from vermilion_anchor.transactions import anchored_tree, prepare_transaction, sign_transaction
from vermilion_ledger.anchor_rows import AnchorAttempt, AnchorJob, JobState, MinedIn

__all__ = ["Pusher"]


class Pusher:
    """Brings the open job of one target into a block. Not for several threads."""

    def __init__(self, settings: AnchorSettings, ports: AnchorPorts) -> None:
        """Take what the anchorer has; nothing is asked yet."""
        self._settings = settings
        self._target = settings.target
        self._ports = ports
        self._chain = ports.chain
        # the transaction sent last and the height then: how long it has been waiting. Lost
        # with the process, which makes a replacement come sooner, and nothing else
        self._resent = (b"", 0)

    def push(self, job: AnchorJob) -> Progress:
        """Bring a job a step closer to being mined, after looking what the chain has.

        Raises:
            UnavailableError: As for `Anchorer.step`.
            VerificationError: As for `sign_transaction`.
            ConflictError: ``chain.reverted``, ``anchor.job-moved`` or
                ``anchor.nonce-moved``: retry.
            IntegrityError: ``anchor.head-conflict``.
        """
        # the nonce first: if it is used up and neither our transaction nor the tree is
        # found afterwards, then it was used for something else
        used = self._chain.nonce(self._ports.signer.address)
        if (found := self._find_own(job)) is not None:
            return self._save_mined(*found)
        head = read_head(self._ports, self._target)
        if (tree := _find_tree(job, head)) is not None:
            return self._adopt(tree, head)
        if head.size > job.size:
            return self._save(job, JobState.SUPERSEDED, note=f"the head is {head.size} already")
        nonce = self._ports.journal.reserve_nonce(job, self._ports.signer.address, nonce_min=used)
        current = next((each for each in reversed(job.attempts) if each.nonce == nonce), None)
        if current is not None:
            return self._deliver(job, head, current)
        if job.attempts and job.state is not JobState.DROPPED:
            # the next nonce is higher: theirs went to a transaction that did not anchor this
            # tree; or lower: a reorg undid earlier ones, and they would wait for ever
            note = f"nonce {job.attempts[-1].nonce} no longer fits, {nonce} is the next"
            return self._save(job, JobState.DROPPED, note=note)
        fees = self._settings.fees.first(self._chain.fee_history())
        return self._sign(job, head, nonce, fees)

    # --- what the chain has ---

    def _find_own(self, job: AnchorJob) -> tuple[AnchorJob, MinedIn] | None:
        """Return the job with the tree that one of its own transactions anchored, and where."""
        for attempt in reversed(job.attempts):
            receipt = self._chain.receipt(attempt.transaction)
            if receipt is None or not receipt.is_success:
                continue
            size, root = anchored_tree(attempt.raw)
            tree = replace(job, size=size, root=root)
            mined = self._find_event(tree, receipt.block_number)
            if mined is not None and mined.transaction == attempt.transaction:
                return tree, mined
        return None

    def _find_event(self, job: AnchorJob, block_number: int) -> MinedIn | None:
        events = self._chain.anchored_events(
            self._target.contract, self._target.log, block_number=block_number
        )
        for event in events:
            if (event.size, event.root) == (job.size, job.root):
                return MinedIn(
                    transaction=event.transaction,
                    block_number=event.block_number,
                    block_hash=event.block_hash,
                )
        return None

    def _adopt(self, job: AnchorJob, head: ChainHead) -> Progress:
        """Take over an anchor of this very tree, whoever sent it."""
        mined = self._find_event(job, head.block_number)
        if mined is None:
            return Progress(
                state=job.state, size=job.size, note="the node has no event yet", is_waiting=True
            )
        return self._save_mined(job, mined)

    # --- what it has not ---

    def _deliver(self, job: AnchorJob, head: ChainHead, last: AnchorAttempt) -> Progress:
        """Send the newest attempt of a nonce, again if it was lost, or replace it."""
        note = "waiting for a block"
        height = self._chain.block_number()
        if not self._chain.has_transaction(last.transaction):
            note = f"the node said: {self._chain.send(last.raw)}"
            if self._chain.has_transaction(last.transaction):
                self._resent = (last.transaction, height)
        resent, resent_block = self._resent
        since = resent_block if resent == last.transaction else last.signed_block
        is_late = height - since >= self._settings.fees.replace_after_blocks
        if job.state in {JobState.SENT, JobState.STUCK} and is_late:
            dearer = self._settings.fees.raised(last, self._chain.fee_history())
            if dearer is not None:
                return self._sign(job, head, last.nonce, dearer)
            if job.state is JobState.SENT:
                return self._save(job, JobState.STUCK, note="a dearer one would pass the cap")
        elif job.state is not JobState.SENT:
            return self._save(job, JobState.SENT, note=note)
        return Progress(state=job.state, size=job.size, note=note, is_waiting=True)

    def _sign(self, job: AnchorJob, head: ChainHead, nonce: int, fees: Fees) -> Progress:
        """Sign a transaction for the newest tree and store it; sending is the next step's."""
        chain, signer = self._chain, self._ports.signer
        newest = self._ports.log.newest()
        if newest is not None and newest[0] > job.size:
            # it includes the tree that was planned, at the same price
            job = replace(job, size=newest[0], root=newest[1])
        proof = self._ports.log.consistency(head.size, job.size) if head.size else ()
        fields = prepare_transaction(
            chain,
            sender=signer.address,
            chain_id=self._target.chain_id,
            nonce=nonce,
            to=self._target.contract,
            data=chain.anchor_data(log=self._target.log, size=job.size, root=job.root, proof=proof),
            fees=fees,
        )
        now, spending = self._ports.clock(), self._settings.spending
        costs = (
            self._ports.journal.load_costs(self._target, since=now - SPEND_PERIOD)
            if spending.day_max
            else {}
        )
        spending.check_cost(fields, costs)
        signed = sign_transaction(signer, fields)
        while self._ports.journal.has_attempt(signed.hash):
            # an earlier job, undone by a reorg, signed the very same: a transaction belongs to one
            fields = replace(fields, gas_limit=fields.gas_limit + 1)
            signed = sign_transaction(signer, fields)
        attempt = AnchorAttempt(
            nonce=nonce,
            gas_limit=fields.gas_limit,
            max_fee=fees.max_fee,
            priority_fee=fees.priority_fee,
            raw=signed.raw,
            transaction=signed.hash,
            signed_block=chain.block_number(),
            signed_at=now,
        )
        saved = self._ports.journal.save_signed(job, attempt)
        return Progress(state=saved.state, size=saved.size, note=f"0x{attempt.transaction.hex()}")

    def _save_mined(self, job: AnchorJob, mined: MinedIn) -> Progress:
        saved = self._ports.journal.save_state(job, JobState.MINED, mined=mined)
        return Progress(state=saved.state, size=saved.size)

    def _save(self, job: AnchorJob, state: JobState, *, note: str) -> Progress:
        saved = self._ports.journal.save_state(job, state)
        return Progress(state=saved.state, size=saved.size, note=note)


def _find_tree(job: AnchorJob, head: ChainHead) -> AnchorJob | None:
    """Return the job with the tree that the chain has as its head, if it ever was to anchor it."""
    for size, root in (
        (job.size, job.root),
        *(anchored_tree(attempt.raw) for attempt in job.attempts),
    ):
        if (size, root) == (head.size, head.root):
            return replace(job, size=size, root=root)
    return None
