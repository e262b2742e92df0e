"""What a courier carries: an order out of the office, an answer back. Values alone.

Follows docs/formats/README.md, "Courier files"; `vermilion_anchor.courier_files`
reads and writes them. A value that exists is one whole: what is signed is what is
asked for, and all of it is about one log in one contract on one chain.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from vermilion_anchor.anchor_call import AnchorCall, parse_anchor_call
from vermilion_anchor.eip1559 import check_signed
from vermilion_anchor.ports import FeeHistory, TransactionFields
from vermilion_anchor.transactions import anchored_tree
from vermilion_ledger.anchor_rows import AnchorAttempt, AnchorTarget
from vermilion_ledger.errors import InputError
from vermilion_ledger.evm.finality import FinalityRule
from vermilion_ledger.evm.header import parse_header
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.receipt import AnchorReceipt

__all__ = ["CourierAnswer", "CourierAttempt", "CourierOrder", "CourierStatus"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierAttempt:
    """A transaction that was signed for this anchor, by its hash, and the tree it carries."""

    transaction: bytes
    size: int
    root: bytes

    @classmethod
    def of(cls, attempt: AnchorAttempt) -> CourierAttempt:
        """Return what is to be watched of a row of the journal."""
        size, root = anchored_tree(attempt.raw)
        return cls(transaction=attempt.transaction, size=size, root=root)


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierOrder:
    """What leaves the office: a transaction to be sent, or only a question.

    Attributes:
        target: Log, contract and chain.
        code_hash: Keccak-256 of the contract's runtime code.
        finality: When the office's anchors count.
        account: 20-byte address that pays.
        fields: The call of ``anchor``; None asks for the status alone.
        raw: It signed, as EIP-2718 bytes; None leaves that to a cold wallet.
        attempts: Every transaction signed for this anchor, oldest first: any
            of them may have been mined.
        created_at: UTC moment, for people.
    """

    target: AnchorTarget
    code_hash: bytes
    finality: FinalityRule
    account: bytes
    fields: TransactionFields | None
    raw: bytes | None
    attempts: tuple[CourierAttempt, ...]
    created_at: datetime

    def __post_init__(self) -> None:
        """Refuse a transaction that is not this log's anchor, or not this account's."""
        if self.fields is None:
            if self.raw is not None or self.attempts:
                raise InputError("courier.contradiction", "signed bytes without a transaction")
            return
        if (self.fields.chain_id, self.fields.to, parse_anchor_call(self.fields.data).log) != (
            self.target.chain_id,
            self.target.contract,
            self.target.log,
        ):
            raise InputError(
                "courier.contradiction", "the transaction is of another chain, contract or log"
            )
        if self.raw is not None:
            check_signed(self.raw, self.fields, address=self.account)
            own = CourierAttempt(
                transaction=keccak256(self.raw), size=self.call.size, root=self.call.root
            )
            if own not in self.attempts:
                raise InputError("courier.contradiction", "the signed transaction is no attempt")

    @property
    def call(self) -> AnchorCall:
        """What the transaction would anchor; an inquiry has none."""
        if self.fields is None:
            raise InputError("courier.no-transaction", "the order is an inquiry")
        return parse_anchor_call(self.fields.data)

    @property
    def trees(self) -> frozenset[tuple[int, bytes]]:
        """Size and root of every tree that this order may have brought onto the chain."""
        call = self.call
        return frozenset(
            {(call.size, call.root), *((each.size, each.root) for each in self.attempts)}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierStatus:
    """What one node said of chain and account: a help for the next order, never evidence.

    Attributes:
        height: Newest block.
        head_size: Size of the contract's head; 0 before the first anchor.
        head_root: Its root.
        nonce: Mined transactions of the account.
        balance: Of the account, in wei.
        base_fee: Of the next block, in wei per gas.
        priority_fee: Median tip of recent blocks, in wei per gas; 0 says nothing.
        header: Raw header of the newest final block; None where there is none.
    """

    height: int
    head_size: int
    head_root: bytes
    nonce: int
    balance: int
    base_fee: int
    priority_fee: int
    header: bytes | None

    @property
    def fee_history(self) -> FeeHistory:
        """What recent blocks cost."""
        rewards = (self.priority_fee,) if self.priority_fee else ()
        return FeeHistory(base_fee=self.base_fee, rewards=rewards)


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierAnswer:
    """What comes back.

    Attributes:
        order: SHA-256 of the order's file.
        target: Log, contract and chain.
        account: Whose nonce and balance the status tells.
        status: As the courier found it.
        receipt: The anchor receipt (FORMATS section 8) without ``consistency``;
            None while there is no final anchor.
        gas_used: Gas of its transaction, as a node said; None where none did.
        gas_price: What was paid, in wei per gas, as a node said.
        endpoints: Host and port of the nodes asked, for people.
        created_at: UTC moment, for people.
    """

    order: bytes
    target: AnchorTarget
    account: bytes
    status: CourierStatus
    receipt: AnchorReceipt | None
    gas_used: int | None
    gas_price: int | None
    endpoints: tuple[str, ...]
    created_at: datetime

    def __post_init__(self) -> None:
        """Refuse a receipt of another log, and a header that is none."""
        found = self.receipt
        if found is not None and (found.chain_id, found.contract, found.log) != (
            self.target.chain_id,
            self.target.contract,
            self.target.log,
        ):
            raise InputError(
                "courier.contradiction", "the receipt is of another chain, contract or log"
            )
        _ = self.blocks

    @property
    def blocks(self) -> tuple[tuple[int, bytes], ...]:
        """Height and hash of each block it speaks of, by height."""
        raws = [self.status.header, self.receipt.header if self.receipt is not None else None]
        headers = [parse_header(raw) for raw in raws if raw is not None]
        return tuple(sorted({(header.number, header.hash) for header in headers}))
