"""The connected machine's side of anchoring by courier: it has neither home nor key.

An order is judged before anything is sent, so that a transaction which the
contract would refuse costs nothing. What comes back is made with the verifier's own
code: all nodes named must agree on the blocks (`vermilion_verify.panel`), and the
receipt passes the check that the office will run. The office believes none of it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from vermilion_anchor.artifact import load_artifact
from vermilion_anchor.courier import CourierAnswer, CourierOrder, CourierStatus
from vermilion_anchor.courier_files import parse_order
from vermilion_anchor.evm import EvmChain
from vermilion_anchor.ports import AnchorEvent, Clock
from vermilion_anchor.receipts import build_anchor_receipt
from vermilion_ledger.anchor_rows import AnchorJob, JobState, MinedIn
from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    InputError,
    RootMismatchError,
    UnavailableError,
)
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.receipt import AnchorHints, AnchorReceipt
from vermilion_ledger.merkle import verify_consistency
from vermilion_verify.collecting import BlockWish, CollectedBlocks, collect_blocks
from vermilion_verify.panel import Panel, open_panel
from vermilion_verify.policy import ChainTrust
from vermilion_verify.rpc import RpcClient

__all__ = ["Carried", "Carrier"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What a trip brought.

    Attributes:
        answer: To be taken back to the office, whatever happened.
        collected: The trusted hashes of its blocks; None before the chain has a final block.
        trouble: Why there is no receipt although one was wanted.
    """

    answer: CourierAnswer
    collected: CollectedBlocks | None
    trouble: EvidenceError | None


class Carrier:
    """Carries one order to the nodes of its chain. Not for several threads."""

    def __init__(
        self,
        data: bytes,
        urls: Sequence[str],
        *,
        clock: Clock,
        poll_seconds: float = 1.0,
        sleep: Callable[[float], None] = time.sleep,
        notify: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Read the order; nothing is asked yet.

        Args:
            data: The order's file.
            urls: Nodes, which must all agree. Nobody contradicts a single one.
            clock: Tells when something was observed.
            poll_seconds: Pause between looks at the chain.
            sleep: Waits.
            notify: Is told, while waiting, how far the transaction is.

        Raises:
            InputError: The file is no order; ``rpc.url`` or ``headers.one-endpoint``.
            VerificationError: What is signed is not what is asked for.
        """
        self.order = parse_order(data)
        self._digest = hashlib.sha256(data).digest()
        self._urls = tuple(dict.fromkeys(urls))
        self._nodes = [EvmChain(url, load_artifact()) for url in self._urls]
        self._clients = [RpcClient(url) for url in self._urls]
        self._trust = _trust_in(self.order)
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._sleep = sleep
        self._notify = notify

    def carry(self, *, wait_seconds: float, is_asking: bool = False) -> Carried:
        """Send the order's transaction, wait until it is final, and return what it brought.

        Args:
            wait_seconds: How long to wait for finality.
            is_asking: Send nothing: only look how things stand.

        Raises:
            InputError: ``headers.other-chain``, ``headers.one-endpoint``, ``rpc.answer``.
            VerificationError: ``headers.other-code``, ``headers.disagreement`` and
                their like: the nodes contradict the order or one another.
            UnavailableError: A node does not answer; ``headers.no-finality``.
        """
        panel = self._open_panel()
        panel.check_code(self._trust)
        found = trouble = None
        if self.order.fields is not None:
            try:
                found = self._find() if is_asking else self._deliver(wait_seconds)
                panel = self._open_panel()
                if found is not None and _block_of(found).block_number > panel.final_height:
                    found = None  # only looked at: too early for a receipt
            except EvidenceError as exc:
                trouble = exc
        return self._conclude(panel, found, trouble)

    def _conclude(
        self, panel: Panel, found: AnchorJob | None, trouble: EvidenceError | None
    ) -> Carried:
        """Collect the blocks and make the answer."""
        heights = {panel.final_height} if panel.final_height >= 0 else set()
        if found is not None:
            heights.add(_block_of(found).block_number)
        collected = self._collect(heights) if heights else None
        trusted = {} if collected is None else _hashes(collected)
        receipt = None
        paid: tuple[int | None, int | None] = (None, None)
        if found is not None:
            mined = _block_of(found)
            if trusted[mined.block_number] != mined.block_hash:
                raise UnavailableError(
                    "courier.not-final", f"block {mined.block_number} was reorganised"
                )
            receipt, paid = self._prove(found)
        answer = CourierAnswer(
            order=self._digest,
            target=self.order.target,
            account=self.order.account,
            status=self._status(trusted.get(panel.final_height)),
            receipt=receipt,
            gas_used=paid[0],
            gas_price=paid[1],
            endpoints=tuple(node.name for node in panel.nodes),
            created_at=self._clock(),
        )
        return Carried(answer=answer, collected=collected, trouble=trouble)

    def _open_panel(self) -> Panel:
        return open_panel(
            self._clients,
            rules=[self.order.finality],
            chain_id=self.order.target.chain_id,
            is_single=len(self._urls) == 1,
        )

    def _collect(self, heights: set[int]) -> CollectedBlocks:
        wish = BlockWish(
            chain_id=self.order.target.chain_id,
            urls=self._urls,
            rules=(self.order.finality,),
            tables=(self._trust,),
            heights=tuple(range(number, number + 1) for number in sorted(heights)),
            named=(),
        )
        return collect_blocks(wish, now=self._clock(), is_single=len(self._urls) == 1)

    # --- towards a final block ---

    def _deliver(self, wait_seconds: float) -> AnchorJob:
        """Send what is not on the chain yet, and wait until it is final for all nodes."""
        waited, said, told = 0.0, "", ""
        found = self._find()
        if found is None:
            self._check_sendable(self._nodes[0])
        while found is None or _block_of(found).block_number > self._open_panel().final_height:
            if found is None:
                said = self._send() or said
            where = "not mined" if found is None else f"in block {_block_of(found).block_number}"
            if waited >= wait_seconds:
                raise UnavailableError(
                    "courier.not-final",
                    f"the transaction is {where}; the nodes said: {said or '-'}",
                )
            if where != told:
                told = where
                self._notify(f"the transaction is {where}, and not final yet")
            self._sleep(self._poll_seconds)
            waited += self._poll_seconds
            found = self._find()
        return found

    def _send(self) -> str:
        """Hand the transaction to every node that does not know it; return what they said."""
        if (raw := self.order.raw) is None:
            raise _not_signed()
        transaction = keccak256(raw)
        return ", ".join(
            f"{node.name}: {node.send(raw)}"
            for node in self._nodes
            if not node.has_transaction(transaction)
        )

    def _find(self) -> AnchorJob | None:
        """Return the tree that was anchored, by whichever transaction, and where."""
        target = self.order.target
        for node in self._nodes:
            for number in self._candidates(node):
                for event in node.anchored_events(target.contract, target.log, block_number=number):
                    if (event.size, event.root) in self.order.trees:
                        return _mined_job(self.order, event)
        return None

    def _candidates(self, node: EvmChain) -> Iterator[int]:
        """Yield blocks that may have the anchor: that of the head, those of all attempts."""
        head = node.head(self.order.target.contract, self.order.target.log)
        if (head.size, head.root) in self.order.trees:
            yield head.block_number
        for attempt in reversed(self.order.attempts):
            receipt = node.receipt(attempt.transaction)
            if receipt is not None and receipt.is_success:
                yield receipt.block_number

    def _check_sendable(self, node: EvmChain) -> None:
        """Refuse what the chain would refuse, while it still costs nothing."""
        fields, account = self.order.fields, self.order.account
        if fields is None or fields.to is None or self.order.raw is None:
            raise _not_signed()
        self._check_head(node)
        if (nonce := node.nonce(account)) != fields.nonce:
            raise ConflictError(
                "courier.nonce", f"the order has nonce {fields.nonce}, the account is at {nonce}"
            )
        gas = node.estimate_gas(sender=account, to=fields.to, data=fields.data)
        if gas > fields.gas_limit:
            raise ConflictError(
                "courier.gas-limit", f"{gas} gas are needed, the order allows {fields.gas_limit}"
            )
        if (balance := node.balance(account)) < fields.cost_max:
            raise UnavailableError(
                "anchor.no-funds",
                f"0x{account.hex()} has {balance} wei, {fields.cost_max} may be needed",
            )

    def _check_head(self, node: EvmChain) -> None:
        call = self.order.call
        head = node.head(self.order.target.contract, self.order.target.log)
        if head.size >= call.size:
            raise ConflictError(
                "courier.overtaken",
                f"the order is about size {call.size}, the contract's head is {head.size}",
            )
        try:
            if head.size:
                verify_consistency(head.size, head.root, call.size, call.root, call.proof)
        except (InputError, RootMismatchError) as exc:
            raise ConflictError(
                "courier.stale-head", f"the proof does not start at the head {head.size}: {exc}"
            ) from exc
        if not head.size and call.proof:
            raise ConflictError("courier.stale-head", "the contract has no head, the order a proof")

    # --- what is taken back ---

    def _prove(self, found: AnchorJob) -> tuple[AnchorReceipt, tuple[int | None, int | None]]:
        """Return the receipt of the first node whose answers make one, and what was paid."""
        hints = AnchorHints(
            transaction=_block_of(found).transaction,
            finality=self.order.finality.text,
            observed_block=self._nodes[0].block_number(),
            observed_at=self._clock(),
        )
        return _first(self._nodes, partial(_read_receipt, job=found, hints=hints))

    def _status(self, final: bytes | None) -> CourierStatus:
        """Return how things stand for the first node that answers."""
        return _first(self._nodes, partial(_read_status, order=self.order, final=final))


def _trust_in(order: CourierOrder) -> ChainTrust:
    return ChainTrust(
        chain_id=order.target.chain_id,
        contract=order.target.contract,
        code_hash=order.code_hash,
        log=order.target.log,
        finality=order.finality,
        rpc=(),
    )


def _mined_job(order: CourierOrder, event: AnchorEvent) -> AnchorJob:
    """Return what the office's journal would hold of it."""
    mined = MinedIn(
        transaction=event.transaction,
        block_number=event.block_number,
        block_hash=event.block_hash,
    )
    return AnchorJob(
        number=0,
        target=order.target,
        size=event.size,
        root=event.root,
        state=JobState.MINED,
        mined=mined,
        planned_at=order.created_at,
    )


def _block_of(job: AnchorJob) -> MinedIn:
    assert job.mined is not None  # noqa: S101 - AnchorJob holds this in state MINED
    return job.mined


def _not_signed() -> InputError:
    return InputError("courier.not-signed", "a cold wallet has to sign the order first")


def _hashes(collected: CollectedBlocks) -> dict[int, bytes]:
    return {block.number: block.hash for block in collected.section.blocks}


def _first(nodes: Sequence[EvmChain], ask: Callable[[EvmChain], _T]) -> _T:
    """Return the first node's answer, or that of the next one where it cannot serve us."""
    for node in nodes[:-1]:
        try:
            return ask(node)
        except UnavailableError:
            continue
    return ask(nodes[-1])


def _read_receipt(
    node: EvmChain, *, job: AnchorJob, hints: AnchorHints
) -> tuple[AnchorReceipt, tuple[int | None, int | None]]:
    mined = _block_of(job)
    block = node.block_by_hash(mined.block_hash)
    found = node.receipt(mined.transaction)
    if block is None or found is None:
        raise UnavailableError("courier.not-final", f"{node.name} lost block {mined.block_number}")
    receipt, _ = build_anchor_receipt(
        job,
        header=block.header,
        receipts=node.receipts(mined.block_hash),
        transaction_index=found.transaction_index,
        hints=hints,
    )
    return receipt, (found.gas_used, found.gas_price)


def _read_status(node: EvmChain, *, order: CourierOrder, final: bytes | None) -> CourierStatus:
    head = node.head(order.target.contract, order.target.log)
    history = node.fee_history()
    rewards = sorted(history.rewards)
    block = node.block_by_hash(final) if final is not None else None
    return CourierStatus(
        height=node.block_number(),
        head_size=head.size,
        head_root=head.root,
        nonce=node.nonce(order.account),
        balance=node.balance(order.account),
        base_fee=history.base_fee,
        priority_fee=rewards[len(rewards) // 2] if rewards else 0,
        header=None if block is None else block.header,
    )
