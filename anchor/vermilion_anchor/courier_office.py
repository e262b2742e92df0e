"""The isolated office's side of anchoring by courier: orders out, answers in.

Works on the same journal as `vermilion_anchor.service`, for chains that no node
is configured for. The rules are the same: a signed transaction is durable
before anybody sees it, one anchor is under way at a time, every attempt counts,
and what happened is read from proofs, not from what the courier says. An answer's
status only helps to make the next order; the worst that a false one does is to
waste a trip.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from vermilion_anchor.anchor_call import encode_anchor_call
from vermilion_anchor.courier import CourierAnswer, CourierAttempt, CourierOrder, CourierStatus
from vermilion_anchor.courier_proof import check_listed, prove_anchor
from vermilion_anchor.courier_wish import OrderWish, choose_fees, choose_nonce
from vermilion_anchor.eip1559 import check_signed, parse_signed
from vermilion_anchor.fees import FeePolicy
from vermilion_anchor.ports import Clock, JournalStore, LogView, Signer, TransactionFields
from vermilion_anchor.spending import SPEND_PERIOD, SpendPolicy
from vermilion_anchor.transactions import anchored_tree, sign_transaction
from vermilion_ledger.anchor_rows import (
    AnchorAttempt,
    AnchorJob,
    AnchorTarget,
    FinalAnchor,
    JobState,
)
from vermilion_ledger.errors import (
    ConflictError,
    InputError,
    IntegrityError,
    NotFoundError,
    UnavailableError,
    VerificationError,
)
from vermilion_ledger.evm.finality import FinalityRule
from vermilion_ledger.evm.keccak import keccak256

__all__ = ["CourierOffice", "CourierSettings"]

# Nobody can be asked: 71,337 for a first anchor and 63,982 for one with 29 hashes were measured,
# and what is not used is not paid
_GAS_BASE, _GAS_PER_HASH = 90_000, 1_500


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierSettings:
    """What to anchor, where, and what it may cost.

    Attributes:
        target: Log, contract and chain.
        code_hash: Keccak-256 of the contract's runtime code.
        finality: When an anchor counts.
        fees: What to offer where a status tells the chain's, in wei per gas.
        spending: What it may cost, in wei.
    """

    target: AnchorTarget
    code_hash: bytes
    finality: FinalityRule
    fees: FeePolicy = field(default_factory=FeePolicy)
    spending: SpendPolicy = field(default_factory=SpendPolicy)


class CourierOffice:
    """Anchors one log on one chain without ever asking a node. Not for several threads."""

    def __init__(
        self,
        settings: CourierSettings,
        *,
        account: bytes,
        journal: JournalStore,
        log: LogView,
        clock: Clock,
    ) -> None:
        """Take the ports; ``account`` is the 20-byte address that pays."""
        self._settings = settings
        self._target = settings.target
        self._account = account
        self._journal = journal
        self._log = log
        self._clock = clock

    def ask(self) -> CourierOrder:
        """Return an inquiry: how the chain and the account stand. Nothing is written."""
        return CourierOrder(
            target=self._target,
            code_hash=self._settings.code_hash,
            finality=self._settings.finality,
            account=self._account,
            fields=None,
            raw=None,
            attempts=(),
            created_at=self._clock(),
        )

    def read_status(self, answer: CourierAnswer) -> CourierStatus:
        """Return what an answer tells of our chain and account.

        Raises:
            VerificationError: ``courier.other-target``: it is about others.
        """
        self._check_target(answer.target)
        self._check_account(answer.account)
        return answer.status

    def export(self, wish: OrderWish, *, signer: Signer | None) -> CourierOrder:
        """Return the transaction that anchors the open job's tree, or the newest one.

        What was signed before is returned again, whatever is wished, unless it
        shall be replaced. What is signed carries the newest tree; one that was given
        out unsigned stays as it is while nothing is signed here.

        Args:
            wish: Fees, nonce and what is known of the chain.
            signer: Signs; None leaves that to a cold wallet, and writes the job alone.

        Raises:
            NotFoundError: ``courier.nothing-new``.
            InputError: ``courier.no-nonce``, ``courier.no-fees``, ``courier.fee-too-low``
                or ``courier.head``: the wish lacks or contradicts something.
            UnavailableError: ``anchor.fee-cap``, ``anchor.spend-cap`` or
                ``anchor.no-funds``; the signer or the journal is out of reach.
            ConflictError: ``anchor.job-moved``, ``anchor.job-open`` or ``anchor.nonce-moved``.
            IntegrityError: ``anchor.head-conflict``: the chain holds another tree.
            VerificationError: The signer signed something else.
        """
        head = self._find_head(wish)
        job = self._journal.load_open(self._target)
        if job is not None and not job.attempts and job.size < head:
            # nothing was signed for it, and the contract would take it no more
            self._journal.save_state(job, JobState.SUPERSEDED)
            job = None
        if job is None:
            job = self._plan(head, wish)
        elif job.attempts and (not wish.is_replacing or head == job.size):
            last = job.attempts[-1]  # where the chain has its tree, it is to be fetched only
            return self._order(job, parse_signed(last.raw), raw=last.raw)
        elif signer is not None:
            job = self._widen(job, head, wish)
        fields = self._prepare(job, wish, head)
        if signer is None:
            return self._order(job, fields, raw=None)
        self._check_cost(fields, wish)
        signed = sign_transaction(signer, fields)
        height = wish.status.height if wish.status is not None else 0
        return self._order(self._save(job, fields, signed.raw, height), fields, raw=signed.raw)

    def take_signed(self, order: CourierOrder, raw: bytes) -> CourierOrder:
        """Store what a cold wallet signed; return the order that a courier can send.

        The same bytes again change nothing.

        Args:
            order: As it was exported.
            raw: Signed EIP-2718 bytes.

        Raises:
            InputError: ``courier.no-transaction``.
            VerificationError: ``courier.other-target``; ``signer.other-transaction``,
                ``signer.bad-signature`` or ``signer.other-key``: not what was asked for.
            ConflictError: ``courier.no-job``, or as for `export`.
            UnavailableError: ``anchor.spend-cap``.
        """
        self._check_target(order.target)
        self._check_account(order.account)
        call, fields = order.call, order.fields
        assert fields is not None  # noqa: S101 - an order with a call has them
        check_signed(raw, fields, address=self._account)
        job = self._find_job(call.size, call.root)
        if keccak256(raw) not in {each.transaction for each in job.attempts}:
            self._check_cost(fields, OrderWish())
            job = self._save(job, fields, raw, 0)
        return self._order(job, fields, raw=raw)

    def take_answer(
        self, answer: CourierAnswer, listed: Mapping[tuple[int, int], bytes]
    ) -> FinalAnchor | None:
        """Store the anchor that an answer proves; return it, or None where it brings none.

        The same answer again changes nothing.

        Args:
            answer: What the courier brought.
            listed: Trusted block hashes by chain id and height, which the
                courier's word cannot replace.

        Raises:
            VerificationError: ``courier.other-target``; ``courier.block-not-listed``,
                ``courier.block-differs``; the receipt does not hold.
            ConflictError: ``courier.no-job``: nothing of ours waits for this
                tree; ``anchor.job-moved``.
            IntegrityError: ``anchor.head-conflict``: the chain holds another tree.
        """
        self._check_target(answer.target)  # whoever paid: a key may have been replaced meanwhile
        if answer.receipt is None:
            self._check_tree(answer.status.head_size, answer.status.head_root)
            return None
        anchor = replace(
            prove_anchor(answer.receipt), gas_used=answer.gas_used, gas_price=answer.gas_price
        )
        check_listed(listed, anchor.target.chain_id, anchor.block_number, anchor.block_hash)
        self._check_tree(anchor.size, anchor.root)
        known = self._journal.load_final(self._target, size=anchor.size)
        if known is not None and known.block_hash == anchor.block_hash:
            return known
        self._journal.save_receipt(self._find_job(anchor.size, anchor.root), anchor)
        return anchor

    # --- below: making a transaction ---

    def _find_head(self, wish: OrderWish) -> int:
        """Return the size of the contract's head as well as the office can know it."""
        newest = self._log.newest()
        size = 0 if newest is None else newest[0]
        if wish.head_size is not None:
            if not 0 <= wish.head_size <= size:
                raise InputError("courier.head", f"the head {wish.head_size} is not in 0..{size}")
            return wish.head_size
        last = self._journal.load_final(self._target)
        known = 0 if last is None else last.size
        if wish.status is None:
            return known
        self._check_tree(wish.status.head_size, wish.status.head_root)
        return max(known, wish.status.head_size)

    def _plan(self, head: int, wish: OrderWish) -> AnchorJob:
        newest = self._log.newest()
        if newest is None or newest[0] <= head:
            raise NotFoundError("courier.nothing-new", f"nothing was published beyond size {head}")
        # a wish that will not do plans nothing
        choose_fees(self._settings.fees, (), wish, nonce=choose_nonce((), wish))
        return self._journal.plan(self._target, size=newest[0], root=newest[1], now=self._clock())

    def _widen(self, job: AnchorJob, head: int, wish: OrderWish) -> AnchorJob:
        """Return a job that is signed anew with the newest tree: it includes the one before."""
        newest = self._log.newest()
        if newest is not None and newest[0] > job.size:
            job = replace(job, size=newest[0], root=newest[1])
        if job.size > head or not job.attempts:
            return job
        self._journal.save_state(job, JobState.SUPERSEDED)
        return self._plan(head, wish)

    def _prepare(self, job: AnchorJob, wish: OrderWish, head: int) -> TransactionFields:
        proof = self._log.consistency(head, job.size) if 0 < head < job.size else ()
        nonce = self._journal.reserve_nonce(
            job, self._account, nonce_min=choose_nonce(job.attempts, wish)
        )
        fees = choose_fees(self._settings.fees, job.attempts, wish, nonce=nonce)
        return TransactionFields(
            chain_id=self._target.chain_id,
            nonce=nonce,
            to=self._target.contract,
            data=encode_anchor_call(self._target.log, job.size, job.root, proof),
            gas_limit=wish.gas_limit or _GAS_BASE + _GAS_PER_HASH * len(proof),
            max_fee=fees.max_fee,
            priority_fee=fees.priority_fee,
        )

    def _check_cost(self, fields: TransactionFields, wish: OrderWish) -> None:
        cap = self._settings.fees.max_fee_cap
        if fields.max_fee > cap:
            raise UnavailableError(
                "anchor.fee-cap", f"{fields.max_fee} wei per gas are offered, the cap is {cap}"
            )
        since = self._clock() - SPEND_PERIOD
        spending = self._settings.spending
        spending.check_cost(fields, self._journal.load_costs(self._target, since=since))
        if wish.status is not None and wish.status.balance < fields.cost_max:
            raise UnavailableError(
                "anchor.no-funds",
                f"0x{self._account.hex()} had {wish.status.balance} wei,"
                f" {fields.cost_max} may be needed",
            )

    def _save(
        self, job: AnchorJob, fields: TransactionFields, raw: bytes, height: int
    ) -> AnchorJob:
        return self._journal.save_signed(
            job,
            AnchorAttempt(
                nonce=fields.nonce,
                gas_limit=fields.gas_limit,
                max_fee=fields.max_fee,
                priority_fee=fields.priority_fee,
                raw=raw,
                transaction=keccak256(raw),
                signed_block=height,
                signed_at=self._clock(),
            ),
        )

    def _order(
        self, job: AnchorJob, fields: TransactionFields, *, raw: bytes | None
    ) -> CourierOrder:
        """Return a file's content; the same job gives the same file."""
        return replace(
            self.ask(),
            fields=fields,
            raw=raw,
            attempts=tuple(CourierAttempt.of(each) for each in job.attempts),
            created_at=job.attempts[-1].signed_at if job.attempts else job.planned_at,
        )

    # --- below: judging what came back ---

    def _check_target(self, target: AnchorTarget) -> None:
        if target != self._target:
            raise VerificationError(
                "courier.other-target",
                f"the file is about log 0x{target.log.hex()} in 0x{target.contract.hex()}"
                f" on chain {target.chain_id}",
            )

    def _check_account(self, account: bytes) -> None:
        if account != self._account:
            raise VerificationError(
                "courier.other-target",
                f"the file is about account 0x{account.hex()}, not 0x{self._account.hex()}",
            )

    def _check_tree(self, size: int, root: bytes) -> None:
        """Compare a head or an anchor with our own tree; size 0 is no tree."""
        newest = self._log.newest()
        published = 0 if newest is None else newest[0]
        if size > published:
            raise IntegrityError(
                "anchor.head-conflict", f"the chain has size {size}, our log {published}"
            )
        if size and self._log.root_at(size) != root:
            raise IntegrityError(
                "anchor.head-conflict",
                f"at size {size} the chain has root {root.hex()},"
                f" our log {self._log.root_at(size).hex()}",
            )

    def _find_job(self, size: int, root: bytes) -> AnchorJob:
        """Return the open job with that tree, which it or one of its attempts is for."""
        job = self._journal.load_open(self._target)
        trees = set()
        if job is not None:
            trees = {(job.size, job.root), *(anchored_tree(each.raw) for each in job.attempts)}
        if job is None or (size, root) not in trees:
            waiting = "no anchor" if job is None else f"size {job.size}"
            raise ConflictError(
                "courier.no-job", f"the file is about size {size}, {waiting} is under way"
            )
        return replace(job, size=size, root=root)
