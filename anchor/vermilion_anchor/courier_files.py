"""The bytes of a courier's files: canonical JSON, sealed against slips.

Follows docs/formats/README.md, "Courier files". Pure. A file says most things twice,
once for people and once as the bytes that count; whatever `encode_order` or
`encode_answer` would not write of the same content is refused, so that the two can
never differ.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Any

from vermilion_anchor.anchor_call import parse_anchor_call
from vermilion_anchor.courier import CourierAnswer, CourierAttempt, CourierOrder, CourierStatus
from vermilion_anchor.eip1559 import encode_unsigned, parse_unsigned, signing_digest
from vermilion_anchor.ports import TransactionFields
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
from vermilion_ledger.evm.finality import parse_finality
from vermilion_ledger.evm.receipt import encode_anchor_receipt, parse_anchor_receipt
from vermilion_ledger.limits import BUNDLE_SIZE_MAX, HEADER_SIZE_MAX, TEXT_SIZE_MAX

__all__ = ["FILE_SIZE_MAX", "encode_answer", "encode_order", "parse_answer", "parse_order"]

FILE_SIZE_MAX = BUNDLE_SIZE_MAX
_ORDER = "application/vnd.vermilion.courier-order.v1+json"
_ANSWER = "application/vnd.vermilion.courier-answer.v1+json"
_SEAL = b"vermilion/courier/v1\x00"
_TRANSACTION_SIZE_MAX = 128 * 1024  # bytes; nodes take no larger one
_ATTEMPT_COUNT_MAX = 1000
_ENDPOINT_COUNT_MAX = 64
_COMMON = ("mediaType", "chainId", "contract", "log", "account", "createdAt", "checksum")
_TRANSACTION = ("size", "root", "nonce", "gasLimit", "maxFee", "priorityFee", "unsigned", "digest")
_ATTEMPT = ("transaction", "size", "root")
_STATUS = ("height", "headSize", "headRoot", "nonce", "balance", "baseFee", "priorityFee")
_ADDRESS, _HASH = 20, 32
_WEI = re.compile(r"(?:0|[1-9][0-9]{0,77})\Z", re.ASCII)


def encode_order(order: CourierOrder) -> bytes:
    """Return the bytes of the file: canonical JSON."""
    members = _encode_target(_ORDER, order.target, order.account, order.created_at)
    members["codeHash"] = _wire(order.code_hash)
    members["finality"] = order.finality.text
    if order.fields is not None:
        members["transaction"] = _encode_transaction(order.fields)
        members["attempts"] = [
            {"transaction": _wire(each.transaction), "size": each.size, "root": each.root.hex()}
            for each in order.attempts
        ]
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
            _parse_attempt(each)
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
    if answer.gas_used is not None:
        members["gasUsed"] = answer.gas_used
    if answer.gas_price is not None:
        members["gasPrice"] = str(answer.gas_price)
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
    members = _open(data, _ANSWER, required, ("receipt", "gasUsed", "gasPrice"))
    endpoints = _array(members["endpoints"], _ENDPOINT_COUNT_MAX, "endpoints")
    answer = CourierAnswer(
        order=parse_hex(members["order"], size=_HASH, what="order"),
        target=_parse_target(members),
        account=parse_wire_hex(members["account"], size=_ADDRESS, what="account"),
        status=_parse_status(members["status"]),
        receipt=parse_anchor_receipt(members["receipt"]) if "receipt" in members else None,
        gas_used=parse_count(members["gasUsed"], what="gasUsed") if "gasUsed" in members else None,
        gas_price=_wei(members["gasPrice"], "gasPrice") if "gasPrice" in members else None,
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


def _parse_attempt(value: Json) -> CourierAttempt:
    members = check_members(value, required=_ATTEMPT, what="attempt")
    return CourierAttempt(
        transaction=parse_wire_hex(members["transaction"], size=_HASH, what="transaction"),
        size=parse_count(members["size"], what="size"),
        root=parse_hex(members["root"], size=_HASH, what="root"),
    )


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
