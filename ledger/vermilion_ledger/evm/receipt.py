"""The anchor receipt: proof that a contract recorded a size and root in a block.

Follows FORMATS section 8. Parsing reads the members; verifying leads from the
event to the hash of a block. Whether that block is on its chain and final is
decided by the trust policy, never here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from vermilion_ledger.encoding import (
    Json,
    check_members,
    check_text,
    encode_time,
    parse_count,
    parse_hex,
    parse_time,
    parse_wire_hex,
)
from vermilion_ledger.errors import InputError, LimitError, VerificationError
from vermilion_ledger.evm.header import BlockHeader, parse_header
from vermilion_ledger.evm.rlp import Item, decode_rlp, encode_integer, encode_rlp, parse_integer
from vermilion_ledger.evm.trie import verify_trie_proof
from vermilion_ledger.limits import (
    BUNDLE_SIZE_MAX,
    HEADER_SIZE_MAX,
    JSON_INTEGER_MAX,
    PROOF_LENGTH_MAX,
    RECEIPT_NODE_COUNT_MAX,
    TEXT_SIZE_MAX,
    TREE_SIZE_MAX,
)

__all__ = [
    "ANCHORED_TOPIC",
    "AnchorHints",
    "AnchorReceipt",
    "VerifiedAnchor",
    "encode_anchor_receipt",
    "parse_anchor_receipt",
    "parse_successful_logs",
    "verify_anchor_receipt",
]

# Keccak-256 of "Anchored(bytes32,uint64,bytes32)"
ANCHORED_TOPIC = bytes.fromhex("bea4d11b910aad40d2df2a90d97a3329219b6389f85777c99daad7eb5fafd439")

_TYPE = "evm-receipt:v1"
_MEMBERS = (
    "type",
    "chainId",
    "contract",
    "log",
    "size",
    "root",
    "transactionIndex",
    "logIndex",
    "header",
    "receipt",
    "receiptProof",
)
_HINTS = ("transaction", "finality", "observedBlock", "observedAt")
_HASH_SIZE, _ADDRESS_SIZE, _BLOOM_SIZE = 32, 20, 256
_TYPED = range(1, 5)  # EIP-2718 types 1 to 4
_LEGACY_MIN = 0xC0  # a legacy receipt is an RLP list
_GAS_MAX = 2**64 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorHints:
    """What the ledger remarks for people. Nothing here is ever checked."""

    transaction: bytes | None = None
    finality: str | None = None
    observed_block: int | None = None
    observed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorReceipt:
    """A parsed anchor receipt; well formed, not yet verified.

    Attributes:
        chain_id: EIP-155 chain id the anchor is said to be on.
        contract: 20-byte address that emitted the event.
        log: 32-byte identifier of the log in the contract.
        size: Tree size anchored.
        root: Root anchored.
        transaction_index: Position of the transaction in its block.
        log_index: Position of the event within the receipt.
        header: Raw RLP of the block header.
        receipt: EIP-2718 receipt of the transaction.
        receipt_proof: Trie nodes from the receipts root, the root first.
        consistency: RFC 9162 proof to the bundle's checkpoint, None if absent.
            Checked where the checkpoint is known.
        hints: Remarks for people.
    """

    chain_id: int
    contract: bytes
    log: bytes
    size: int
    root: bytes
    transaction_index: int
    log_index: int
    header: bytes
    receipt: bytes
    receipt_proof: tuple[bytes, ...]
    consistency: tuple[bytes, ...] | None = None
    hints: AnchorHints | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedAnchor:
    """What a verified receipt proves, if its block is on the chain.

    Attributes:
        chain_id: As stated; a receipt does not bind its chain, the block does.
        contract: Address that emitted the event.
        log: Identifier of the log.
        size: Tree size anchored.
        root: Root anchored.
        block_hash: Hash of the block that has the event.
        block_number: Its height.
        block_time: Its time, UTC.
    """

    chain_id: int
    contract: bytes
    log: bytes
    size: int
    root: bytes
    block_hash: bytes
    block_number: int
    block_time: datetime


def parse_anchor_receipt(value: Json) -> AnchorReceipt:
    """Read the members of an anchor receipt (FORMATS section 8).

    Raises:
        InputError: A member is missing, unknown or malformed.
        LimitError: A member exceeds its bound.
    """
    members = check_members(
        value, required=_MEMBERS, optional=("consistency", "hints"), what="anchor receipt"
    )
    if members["type"] != _TYPE:
        raise InputError("receipt.type", f"the anchor receipt is not of type {_TYPE}")
    return AnchorReceipt(
        chain_id=_integer(members["chainId"], minimum=1, what="chainId"),
        contract=parse_wire_hex(members["contract"], size=_ADDRESS_SIZE, what="contract"),
        log=parse_wire_hex(members["log"], size=_HASH_SIZE, what="log"),
        size=_integer(members["size"], minimum=1, maximum=TREE_SIZE_MAX, what="size"),
        root=parse_hex(members["root"], size=_HASH_SIZE, what="root"),
        transaction_index=parse_count(members["transactionIndex"], what="transactionIndex"),
        log_index=parse_count(members["logIndex"], what="logIndex"),
        header=parse_wire_hex(members["header"], size_max=HEADER_SIZE_MAX, what="header"),
        receipt=parse_wire_hex(members["receipt"], size_max=BUNDLE_SIZE_MAX, what="receipt"),
        receipt_proof=tuple(
            parse_wire_hex(node, size_max=BUNDLE_SIZE_MAX, what="receiptProof")
            for node in _array(members["receiptProof"], RECEIPT_NODE_COUNT_MAX, "receiptProof")
        ),
        consistency=tuple(
            parse_hex(node, size=_HASH_SIZE, what="consistency")
            for node in _array(members["consistency"], PROOF_LENGTH_MAX, "consistency")
        )
        if "consistency" in members
        else None,
        hints=_parse_hints(members["hints"]) if "hints" in members else None,
    )


def encode_anchor_receipt(receipt: AnchorReceipt) -> dict[str, Json]:
    """Return the members that `parse_anchor_receipt` reads back unchanged."""
    members: dict[str, Json] = {
        "type": _TYPE,
        "chainId": receipt.chain_id,
        "contract": _wire(receipt.contract),
        "log": _wire(receipt.log),
        "size": receipt.size,
        "root": receipt.root.hex(),
        "transactionIndex": receipt.transaction_index,
        "logIndex": receipt.log_index,
        "header": _wire(receipt.header),
        "receipt": _wire(receipt.receipt),
        "receiptProof": [_wire(node) for node in receipt.receipt_proof],
    }
    if receipt.consistency is not None:
        members["consistency"] = [node.hex() for node in receipt.consistency]
    if receipt.hints is not None:
        members["hints"] = _encode_hints(receipt.hints)
    return members


def verify_anchor_receipt(receipt: AnchorReceipt) -> VerifiedAnchor:
    """Check that the header's block has the event that the receipt states.

    Returns the block to be looked up: its number and time are only as good as
    its hash is trusted. `AnchorReceipt.consistency` is not looked at.

    Raises:
        VerificationError: Anything in header, proof or receipt is malformed,
            or does not lead to this event of this contract.
    """
    header = _read_header(receipt.header)
    try:
        verify_trie_proof(
            header.receipts_root,
            encode_rlp(encode_integer(receipt.transaction_index)),
            receipt.receipt,
            receipt.receipt_proof,
        )
        logs = parse_successful_logs(receipt.receipt)
    except InputError as exc:
        raise VerificationError("receipt.malformed", f"the receipt proof: {exc}") from exc
    if receipt.log_index >= len(logs):
        raise VerificationError(
            "receipt.no-event", f"the receipt has {len(logs)} logs, none at {receipt.log_index}"
        )
    _check_event(logs[receipt.log_index], receipt)
    return VerifiedAnchor(
        chain_id=receipt.chain_id,
        contract=receipt.contract,
        log=receipt.log,
        size=receipt.size,
        root=receipt.root,
        block_hash=header.hash,
        block_number=header.number,
        block_time=header.time,
    )


def _read_header(raw: bytes) -> BlockHeader:
    try:
        return parse_header(raw)
    except InputError as exc:
        raise VerificationError("receipt.header", f"the block header: {exc}") from exc


def parse_successful_logs(receipt: bytes) -> Sequence[Item]:
    """Return the logs of an EIP-2718 receipt whose transaction succeeded.

    Raises:
        InputError: Not a receipt of type 1 to 4 or legacy, with four fields.
        VerificationError: The transaction failed.
    """
    if receipt[:1] and receipt[0] in _TYPED:
        body = receipt[1:]
    elif receipt[:1] and receipt[0] >= _LEGACY_MIN:
        body = receipt
    else:
        raise InputError(
            "receipt.shape", f"no receipt starts with {receipt[:1].hex() or 'nothing'}"
        )
    fields = decode_rlp(body, what="receipt")
    if isinstance(fields, bytes) or len(fields) != 4:
        raise InputError("receipt.shape", "a receipt has exactly four fields")
    status, gas_used, bloom, logs = fields
    parse_integer(gas_used, maximum=_GAS_MAX, what="cumulative gas")
    if not isinstance(bloom, bytes) or len(bloom) != _BLOOM_SIZE or isinstance(logs, bytes):
        raise InputError("receipt.shape", "bloom or logs of the receipt are malformed")
    if status != b"\x01":
        raise VerificationError("receipt.failed-transaction", "the anchoring transaction failed")
    return logs


def _check_event(event: Item, receipt: AnchorReceipt) -> None:
    """Check address, topics and data of one log against what the receipt states."""
    if isinstance(event, bytes) or len(event) != 3:
        raise VerificationError("receipt.malformed", "a log has exactly three fields")
    address, topics, data = event
    if address != receipt.contract:
        raise VerificationError(
            "receipt.other-contract", f"the event is not of contract {_wire(receipt.contract)}"
        )
    if topics != (ANCHORED_TOPIC, receipt.log):
        raise VerificationError(
            "receipt.other-event", f"the event is not Anchored of log {_wire(receipt.log)}"
        )
    if data != receipt.size.to_bytes(_HASH_SIZE, "big") + receipt.root:
        raise VerificationError(
            "receipt.other-tree",
            f"the event is not about size {receipt.size} and root {receipt.root.hex()}",
        )


def _parse_hints(value: Json) -> AnchorHints:
    members = check_members(value, required=(), optional=_HINTS, what="hints")
    return AnchorHints(
        transaction=parse_wire_hex(members["transaction"], size=_HASH_SIZE, what="transaction")
        if "transaction" in members
        else None,
        finality=check_text(members["finality"], size_max=TEXT_SIZE_MAX, what="finality")
        if "finality" in members
        else None,
        observed_block=parse_count(members["observedBlock"], what="observedBlock")
        if "observedBlock" in members
        else None,
        observed_at=parse_time(members["observedAt"], what="observedAt")
        if "observedAt" in members
        else None,
    )


def _encode_hints(hints: AnchorHints) -> Mapping[str, Json]:
    members: dict[str, Json] = {}
    if hints.transaction is not None:
        members["transaction"] = _wire(hints.transaction)
    if hints.finality is not None:
        members["finality"] = hints.finality
    if hints.observed_block is not None:
        members["observedBlock"] = hints.observed_block
    if hints.observed_at is not None:
        members["observedAt"] = encode_time(hints.observed_at)
    return members


def _integer(value: Json, *, minimum: int, maximum: int = JSON_INTEGER_MAX, what: str) -> int:
    number = parse_count(value, what=what)
    if not minimum <= number <= maximum:
        raise InputError("receipt.integer-range", f"{what} {number} not in {minimum}..{maximum}")
    return number


def _array(value: Json, count_max: int, what: str) -> Sequence[Json]:
    if not isinstance(value, list):
        raise InputError("json.shape", f"{what} is not an array")
    if len(value) > count_max:
        raise LimitError("receipt.too-many", f"{what} items", found=len(value), limit=count_max)
    return value


def _wire(value: bytes) -> str:
    return "0x" + value.hex()
