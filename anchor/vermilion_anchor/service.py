"""The anchorer: a durable state machine that brings the newest checkpoint onto the chain.

::

    planned ─▶ signed ─▶ sent ─▶ mined ─▶ final
       │          ▲        │       │
       │          └────────┴───────┘  dropped, too cheap, reorganised
       └─▶ superseded                 another publisher anchored a larger tree

Each `Anchorer.step` does one thing and may be killed anywhere: the journal
holds every signed transaction before it is sent, and what happened to it is
read back from the chain (the contract's head, the receipt, the nonce), never
concluded from what a node said. A head is anchored at most once, since the
contract itself refuses every second time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Event

from vermilion_anchor.blocks import BlockReader
from vermilion_anchor.deploy import check_contract, check_publisher
from vermilion_anchor.fees import Fees
from vermilion_anchor.ports import (
    ChainClient,
    ChainHead,
    Clock,
    JournalStore,
    LogView,
    Signer,
)
from vermilion_anchor.receipts import build_anchor_receipt
from vermilion_anchor.settings import AnchorSettings, Progress
from vermilion_anchor.spending import SPEND_PERIOD
from vermilion_anchor.transactions import prepare_transaction, sign_transaction
from vermilion_ledger.anchor_rows import (
    AnchorAttempt,
    AnchorJob,
    FinalAnchor,
    JobState,
    MinedIn,
)
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    IntegrityError,
    UnavailableError,
    VerificationError,
)
from vermilion_ledger.evm.receipt import AnchorHints, encode_anchor_receipt

__all__ = ["Anchorer"]


class Anchorer:
    """Anchors one log in one contract on one chain. One per target; not for several threads."""

    def __init__(
        self,
        settings: AnchorSettings,
        *,
        chain: ChainClient,
        journal: JournalStore,
        log: LogView,
        signer: Signer,
        clock: Clock,
    ) -> None:
        """Take the ports; nothing is asked before the first step."""
        self._settings = settings
        self._target = settings.target
        self._chain = chain
        self._journal = journal
        self._log = log
        self._signer = signer
        self._clock = clock
        self._blocks = BlockReader(
            chain, chain_id=settings.target.chain_id, finality=settings.finality
        )
        self._is_checked = False  # set by `check`, cleared when the node was out of reach
        # the transaction sent last and the height then: how long it has been waiting. Lost
        # with the process, which makes a replacement come sooner, and nothing else
        self._resent = (b"", 0)

    def check(self) -> None:
        """Check chain, contract and permission to publish.

        Raises:
            UnavailableError: ``chain.unreachable``.
            NotFoundError: ``chain.no-contract``.
            ConflictError: ``chain.other-chain``, ``chain.other-contract``,
                ``chain.unknown-log`` or ``chain.not-publisher``.
        """
        self._blocks.check_chain()
        check_contract(self._chain, self._target.contract, self._settings.code_hash)
        check_publisher(
            self._chain,
            contract=self._target.contract,
            log=self._target.log,
            publisher=self._signer.address,
        )
        self._is_checked = True

    def step(self, *, is_urgent: bool = False) -> Progress:
        """Do the next thing.

        Args:
            is_urgent: Anchor now even if ``interval_seconds`` have not passed.

        Raises:
            UnavailableError: Node, journal, log or signer out of reach, too dear, or
                ``anchor.spend-cap``; retry.
            VerificationError: The signer signed something else, as for `sign_transaction`.
            InputError: ``signer.pin``.
            NotFoundError: ``signer.no-key``.
            ConflictError: As for `check`; ``chain.reverted`` or
                ``anchor.job-moved`` where another publisher was faster.
            IntegrityError: ``anchor.head-conflict`` or ``anchor.final-vanished``: stop.
        """
        try:
            if not self._is_checked:
                self.check()
            return replace(self._advance(is_urgent=is_urgent), alarm=self._find_alarm())
        except UnavailableError:
            self._is_checked = False  # what answers next may be another node
            raise

    def run(self, stop: Event, *, notify: Callable[[Progress], None]) -> None:
        """Step until told to stop; wait longer and longer while the node is out of reach.

        Raises:
            EvidenceError: What no retry will mend, as for `step`.
        """
        pause = self._settings.poll_seconds
        while not stop.is_set():
            try:
                progress = self.step()
                pause = self._settings.poll_seconds
            except EvidenceError as error:
                if not _is_passing(error):
                    raise
                progress = Progress(state=None, note=str(error), is_waiting=True, error=error)
                pause = min(2 * pause, self._settings.retry_seconds_max)
            notify(progress)
            if progress.is_waiting:
                stop.wait(pause)

    def _advance(self, *, is_urgent: bool) -> Progress:
        job = self._journal.load_open(self._target)
        if job is None:
            return self._begin(is_urgent=is_urgent)
        if job.state is JobState.MINED:
            return self._confirm(job)
        return self._push(job)

    def _find_alarm(self) -> EvidenceError | None:
        spending, address = self._settings.spending, self._signer.address
        if not spending.balance_min:
            return None
        return spending.find_alarm(address, self._chain.balance(address))

    # --- no job is open ---

    def _begin(self, *, is_urgent: bool) -> Progress:
        """Plan the next anchor, if one is due."""
        head = self._read_head()
        newest = self._log.newest()
        last = self._journal.load_final(self._target)
        if last is not None and head.size < last.size:
            raise IntegrityError(
                "anchor.final-vanished",
                f"size {last.size} was final, the contract's head is {head.size}",
            )
        if newest is None or (last is not None and newest[0] <= last.size):
            return Progress(state=None, note="nothing to anchor", is_waiting=True)
        if last is not None and not is_urgent and head.size < newest[0]:
            # a chain's clock may run ahead of ours: then the age is negative, and small
            age = abs((self._clock() - last.block_time).total_seconds())
            if age < self._settings.interval_seconds:
                return Progress(state=None, note="not due yet", is_waiting=True)
        size, root = newest
        job = self._journal.plan(self._target, size=size, root=root, now=self._clock())
        return Progress(state=job.state, size=job.size)

    def _read_head(self) -> ChainHead:
        """Read the contract's head and compare it with our own tree.

        The head is read first: our log only grows, so it cannot fall behind a
        head that is its own.
        """
        head = self._chain.head(self._target.contract, self._target.log)
        if head.size == 0:
            return head
        newest = self._log.newest()
        size = 0 if newest is None else newest[0]
        if head.size > size:
            raise IntegrityError(
                "anchor.head-conflict", f"the chain has size {head.size}, our log {size}"
            )
        root = self._log.root_at(head.size)
        if root != head.root:
            raise IntegrityError(
                "anchor.head-conflict",
                f"at size {head.size} the chain has root {head.root.hex()}, our log {root.hex()}",
            )
        return head

    # --- planned, signed, sent: towards a block ---

    def _push(self, job: AnchorJob) -> Progress:
        """Bring a job a step closer to being mined, after looking what the chain has."""
        # the nonce first: if it is used up and neither our transaction nor the tree is
        # found afterwards, then it was used for something else
        nonce = self._chain.nonce(self._signer.address)
        if (mined := self._find_own(job)) is not None:
            return self._save(job, JobState.MINED, mined=mined)
        head = self._read_head()
        if head.size == job.size:
            return self._adopt(job, head)
        if head.size > job.size:
            return self._save(job, JobState.SUPERSEDED, note=f"the head is {head.size} already")
        if job.state is JobState.PLANNED:
            newest = self._log.newest()
            if not job.attempts and newest is not None and newest[0] > job.size:
                # nothing was signed for it: the newer tree includes it, at the same price
                return self._save(job, JobState.SUPERSEDED, note=f"size {newest[0]} is newer")
            return self._sign(job, head, nonce, self._first_fees())
        return self._deliver(job, head, nonce)

    def _find_own(self, job: AnchorJob) -> MinedIn | None:
        """Return where one of the job's own transactions anchored it."""
        for attempt in reversed(job.attempts):
            receipt = self._chain.receipt(attempt.transaction)
            if receipt is not None and receipt.is_success:
                found = self._find_event(job, receipt.block_number)
                if found is not None and found.transaction == attempt.transaction:
                    return found
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
        return self._save(job, JobState.MINED, mined=mined)

    def _deliver(self, job: AnchorJob, head: ChainHead, nonce: int) -> Progress:
        """Send the newest attempt, again if it was lost, or replace it."""
        last = job.attempts[-1]
        if nonce != last.nonce:
            # higher: the nonce went to a transaction that did not anchor this tree;
            # lower: a reorg undid earlier ones, and this one would wait for ever
            note = f"nonce {last.nonce} no longer fits, the account is at {nonce}"
            return replace(self._sign(job, head, nonce, self._first_fees()), note=note)
        note = "waiting for a block"
        height = self._chain.block_number()
        if not self._chain.has_transaction(last.transaction):
            note = f"the node said: {self._chain.send(last.raw)}"
            if self._chain.has_transaction(last.transaction):
                self._resent = (last.transaction, height)
        resent, resent_block = self._resent
        since = resent_block if resent == last.transaction else last.signed_block
        if (
            job.state is JobState.SENT
            and height - since >= self._settings.fees.replace_after_blocks
            and (dearer := self._settings.fees.raised(last, self._chain.fee_history()))
        ):
            return self._sign(job, head, nonce, dearer)
        if job.state is JobState.SIGNED:
            return self._save(job, JobState.SENT, note=note)
        return Progress(state=job.state, size=job.size, note=note, is_waiting=True)

    def _first_fees(self) -> Fees:
        return self._settings.fees.first(self._chain.fee_history())

    def _sign(self, job: AnchorJob, head: ChainHead, nonce: int, fees: Fees) -> Progress:
        """Sign a transaction and store it; sending is the next step's."""
        proof = self._log.consistency(head.size, job.size) if head.size else ()
        data = self._chain.anchor_data(
            log=self._target.log, size=job.size, root=job.root, proof=proof
        )
        fields = prepare_transaction(
            self._chain,
            sender=self._signer.address,
            chain_id=self._target.chain_id,
            nonce=nonce,
            to=self._target.contract,
            data=data,
            fees=fees,
        )
        now, spending = self._clock(), self._settings.spending
        costs = (
            self._journal.load_costs(self._target, since=now - SPEND_PERIOD)
            if spending.day_max
            else {}
        )
        spending.check_cost(fields, costs)
        signed = sign_transaction(self._signer, fields)
        attempt = AnchorAttempt(
            nonce=nonce,
            gas_limit=fields.gas_limit,
            max_fee=fees.max_fee,
            priority_fee=fees.priority_fee,
            raw=signed.raw,
            transaction=signed.hash,
            signed_block=self._chain.block_number(),
            signed_at=now,
        )
        saved = self._journal.save_signed(job, attempt)
        return Progress(state=saved.state, size=saved.size, note=f"0x{attempt.transaction.hex()}")

    # --- mined: towards finality ---

    def _confirm(self, job: AnchorJob) -> Progress:
        """Look at the block again; when it is final, prove and store the anchor."""
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
            state = JobState.SENT if job.attempts else JobState.PLANNED
            return self._save(job, state, note=f"block {mined.block_number} was reorganised")
        if mined.block_number > height:
            note = f"final at height {height}, mined at {mined.block_number}"
            return Progress(state=job.state, size=job.size, note=note, is_waiting=True)
        anchor = self._prove(job, mined, block.header, receipt.transaction_index)
        self._journal.save_receipt(job, anchor)
        return Progress(state=JobState.FINAL, size=job.size)

    def _prove(
        self, job: AnchorJob, mined: MinedIn, header: bytes, transaction_index: int
    ) -> FinalAnchor:
        hints = AnchorHints(
            transaction=mined.transaction,
            finality=self._settings.finality.text,
            observed_block=self._chain.block_number(),
            observed_at=self._clock().replace(microsecond=0),
        )
        receipt, anchor = build_anchor_receipt(
            job,
            header=header,
            receipts=self._chain.receipts(mined.block_hash),
            transaction_index=transaction_index,
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
        )

    def _save(
        self, job: AnchorJob, state: JobState, *, mined: MinedIn | None = None, note: str = ""
    ) -> Progress:
        saved = self._journal.save_state(job, state, mined=mined)
        return Progress(state=saved.state, size=saved.size, note=note)


def _is_passing(error: EvidenceError) -> bool:
    """Tell whether the next step may fare better: it reads anew what has moved."""
    if isinstance(error, ConflictError):
        return error.code in {"chain.reverted", "anchor.job-moved", "anchor.job-open"}
    return isinstance(error, UnavailableError | VerificationError)
