"""The two files that a courier carries: an order out of the office, an answer back.

Follows docs/formats/README.md, "Courier files". Pure: bytes to values and back.
A file says most things twice, once for people and once as the bytes that count;
whatever `encode_order` or `encode_answer` would not write of the same content
is refused, so that the two can never differ.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vermilion_anchor.anchor_call import AnchorCall, parse_anchor_call
from vermilion_anchor.eip1559 import check_signed, encode_unsigned, parse_unsigned, signing_digest
from vermilion_anchor.ports import FeeHistory, TransactionFields
from vermilion_ledger.anchor_rows import AnchorTarget
from vermilion_ledger.encoding import (
    Json,
    JsonObject,
    check_members,
    check_text,
    encode_json,
    encode_time,
    parse_count,
    parse_hex,
    parse_json,
    parse_time,
    parse_wire_hex,
)
from vermilion_ledger.errors import InputError, LimitError
from vermilion_ledger.evm.finality import FinalityRule, parse_finality
from vermilion_ledger.evm.header import parse_header
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.receipt import (
    AnchorReceipt,
    encode_anchor_receipt,
    parse_anchor_receipt,
)
from vermilion_ledger.limits import BUNDLE_SIZE_MAX, HEADER_SIZE_MAX, TEXT_SIZE_MAX

__all__ = [
    "FILE_SIZE_MAX",
    "CourierAnswer",
    "CourierOrder",
    "CourierStatus",
    "encode_answer",
    "encode_order",
    "parse_answer",
    "parse_order",
]

FILE_SIZE_MAX = BUNDLE_SIZE_MAX
_ORDER = "application/vnd.vermilion.courier-order.v1+json"
_ANSWER = "application/vnd.vermilion.courier-answer.v1+json"
_SEAL = b"vermilion/courier/v1\x00"
_TRANSACTION_SIZE_MAX = 128 * 1024  # bytes; nodes take no larger one
_ATTEMPT_COUNT_MAX = 1000
_ENDPOINT_COUNT_MAX = 64
_COMMON = ("mediaType", "chainId", "contract", "log", "account", "createdAt", "checksum")
_TRANSACTION = ("size", "root", "nonce", "gasLimit", "maxFee", "priorityFee", "unsigned", "digest")
_STATUS = ("height", "headSize", "headRoot", "nonce", "balance", "baseFee", "priorityFee")
_ADDRESS, _HASH = 20, 32
_WEI = re.compile(r"(?:0|[1-9][0-9]{0,77})\Z", re.ASCII)


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
        attempts: Hashes of every transaction signed for this anchor, oldest
            first: any of them may have been mined.
        created_at: UTC moment, for people.
    """

    target: AnchorTarget
    code_hash: bytes
    finality: FinalityRule
    account: bytes
    fields: TransactionFields | None
    raw: bytes | None
    attempts: tuple[bytes, ...]
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
            if keccak256(self.raw) not in self.attempts:
                raise InputError("courier.contradiction", "the signed transaction is no attempt")

    @property
    def call(self) -> AnchorCall:
        """What the transaction would anchor; an inquiry has none."""
        if self.fields is None:
            raise InputError("courier.no-transaction", "the order is an inquiry")
        return parse_anchor_call(self.fields.data)


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
        endpoints: Host and port of the nodes asked, for people.
        created_at: UTC moment, for people.
    """

    order: bytes
    target: AnchorTarget
    account: bytes
    status: CourierStatus
    receipt: AnchorReceipt | None
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


def encode_order(order: CourierOrder) -> bytes:
    """Return the bytes of the file: canonical JSON."""
    members = _encode_target(_ORDER, order.target, order.account, order.created_at)
    members["codeHash"] = _wire(order.code_hash)
    members["finality"] = order.finality.text
    if order.fields is not None:
        members["transaction"] = _encode_transaction(order.fields)
        members["attempts"] = [_wire(each) for each in order.attempts]
    if order.raw is not None:
        members["signed"] = _wire(order.raw)
    return _seal(members)


def parse_order(data: bytes) -> CourierOrder:
    """Read an order.

    Raises:
        InputError: ``courier.kind``, ``courier.damaged``, ``courier.contradiction``
            or ``courier.call``; a member is missing, unknown or malformed.
        VerificationError: ``signer.other-transaction``, ``signer.bad-signature``
            or ``signer.other-key``: what is signed is not what is asked for.
    """
    required = (*_COMMON, "codeHash", "finality")
    members = _open(data, _ORDER, required, ("transaction", "attempts", "signed"))
    fields = None
    if "transaction" in members:
        stated = check_members(members["transaction"], required=_TRANSACTION, what="transaction")
        fields = parse_unsigned(_bytes(stated["unsigned"], "unsigned"))
    order = CourierOrder(
        target=_parse_target(members),
        code_hash=parse_wire_hex(members["codeHash"], size=_HASH, what="codeHash"),
        finality=parse_finality(check_text(members["finality"], size_max=40, what="finality")),
        account=parse_wire_hex(members["account"], size=_ADDRESS, what="account"),
        fields=fields,
        raw=_bytes(members["signed"], "signed") if "signed" in members else None,
        attempts=tuple(
            parse_wire_hex(each, size=_HASH, what="attempts")
            for each in _array(members.get("attempts", []), _ATTEMPT_COUNT_MAX, "attempts")
        ),
        created_at=parse_time(members["createdAt"], what="createdAt"),
    )
    _check_same(encode_order(order), data)
    return order


def encode_answer(answer: CourierAnswer) -> bytes:
    """Return the bytes of the file: canonical JSON."""
    status = answer.status
    members = _encode_target(_ANSWER, answer.target, answer.account, answer.created_at)
    members["order"] = answer.order.hex()
    members["status"] = {
        "height": status.height,
        "headSize": status.head_size,
        "headRoot": status.head_root.hex(),
        "nonce": status.nonce,
        "balance": str(status.balance),
        "baseFee": str(status.base_fee),
        "priorityFee": str(status.priority_fee),
    }
    if status.header is not None:
        members["status"]["header"] = _wire(status.header)
    if answer.receipt is not None:
        members["receipt"] = encode_anchor_receipt(answer.receipt)
    chain = answer.target.chain_id
    members["blocks"] = [f"{chain} {number} {_wire(each)}" for number, each in answer.blocks]
    members["endpoints"] = list(answer.endpoints)
    return _seal(members)


def parse_answer(data: bytes) -> CourierAnswer:
    """Read an answer; its receipt is not verified here.

    Raises:
        InputError: ``courier.kind``, ``courier.damaged`` or
            ``courier.contradiction``; a member is missing, unknown or malformed.
    """
    required = (*_COMMON, "order", "status", "blocks", "endpoints")
    members = _open(data, _ANSWER, required, ("receipt",))
    endpoints = _array(members["endpoints"], _ENDPOINT_COUNT_MAX, "endpoints")
    answer = CourierAnswer(
        order=parse_hex(members["order"], size=_HASH, what="order"),
        target=_parse_target(members),
        account=parse_wire_hex(members["account"], size=_ADDRESS, what="account"),
        status=_parse_status(members["status"]),
        receipt=parse_anchor_receipt(members["receipt"]) if "receipt" in members else None,
        endpoints=tuple(
            check_text(each, size_max=TEXT_SIZE_MAX, what="endpoints") for each in endpoints
        ),
        created_at=parse_time(members["createdAt"], what="createdAt"),
    )
    _check_same(encode_answer(answer), data)
    return answer


def _encode_target(
    kind: str, target: AnchorTarget, account: bytes, created_at: datetime
) -> dict[str, Any]:
    return {
        "mediaType": kind,
        "chainId": target.chain_id,
        "contract": _wire(target.contract),
        "log": _wire(target.log),
        "account": _wire(account),
        "createdAt": encode_time(created_at),
    }


def _parse_target(members: JsonObject) -> AnchorTarget:
    return AnchorTarget(
        chain_id=parse_count(members["chainId"], what="chainId"),
        contract=parse_wire_hex(members["contract"], size=_ADDRESS, what="contract"),
        log=parse_wire_hex(members["log"], size=_HASH, what="log"),
    )


def _encode_transaction(fields: TransactionFields) -> dict[str, Json]:
    """Return what people and wallets read, beside the bytes that it is read from again."""
    call = parse_anchor_call(fields.data)
    return {
        "size": call.size,
        "root": call.root.hex(),
        "nonce": fields.nonce,
        "gasLimit": fields.gas_limit,
        "maxFee": str(fields.max_fee),
        "priorityFee": str(fields.priority_fee),
        "unsigned": _wire(encode_unsigned(fields)),
        "digest": _wire(signing_digest(fields)),
    }


def _parse_status(value: Json) -> CourierStatus:
    members = check_members(value, required=_STATUS, optional=("header",), what="status")
    return CourierStatus(
        height=parse_count(members["height"], what="height"),
        head_size=parse_count(members["headSize"], what="headSize"),
        head_root=parse_hex(members["headRoot"], size=_HASH, what="headRoot"),
        nonce=parse_count(members["nonce"], what="nonce"),
        balance=_wei(members["balance"], "balance"),
        base_fee=_wei(members["baseFee"], "baseFee"),
        priority_fee=_wei(members["priorityFee"], "priorityFee"),
        header=parse_wire_hex(members["header"], size_max=HEADER_SIZE_MAX, what="header")
        if "header" in members
        else None,
    )


def _seal(members: dict[str, Any]) -> bytes:
    """Add the checksum, against slips of a hand or a disk; whoever forges can forge it too."""
    checksum = hashlib.sha256(_SEAL + encode_json(members)).hexdigest()
    return encode_json({**members, "checksum": checksum})


def _open(
    data: bytes, kind: str, required: tuple[str, ...], optional: tuple[str, ...]
) -> JsonObject:
    value = parse_json(data, size_max=FILE_SIZE_MAX, what="courier file")
    if not isinstance(value, dict) or value.get("mediaType") != kind:
        raise InputError("courier.kind", f"the file is no {kind}")
    rest = {name: each for name, each in value.items() if name != "checksum"}
    if value.get("checksum") != hashlib.sha256(_SEAL + encode_json(rest)).hexdigest():
        raise InputError("courier.damaged", "the checksum is of another content")
    return check_members(value, required=required, optional=optional, what="courier file")


def _check_same(expected: bytes, data: bytes) -> None:
    if expected != data:
        raise InputError("courier.contradiction", "what is stated twice differs, or is out of form")


def _array(value: Json, count_max: int, what: str) -> list[Json]:
    if not isinstance(value, list):
        raise InputError("json.shape", f"{what} is not an array")
    if len(value) > count_max:
        raise LimitError("courier.too-many", what, found=len(value), limit=count_max)
    return value


def _bytes(value: Json, what: str) -> bytes:
    return parse_wire_hex(value, size_max=_TRANSACTION_SIZE_MAX, what=what)


def _wei(value: Json, what: str) -> int:
    if not isinstance(value, str) or not _WEI.match(value):
        raise InputError("courier.wei", f"{what} is no number of wei")
    return int(value)


def _wire(value: bytes) -> str:
    return "0x" + value.hex()
