"""Building anchor receipts: raw headers and receipt proofs from a node's answers.

A node's JSON is believed in nothing: the header must hash to the block hash,
the receipts to the header's root, and the finished anchor receipt must pass
`vermilion_ledger.evm.receipt`, the very check a stranger will run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from vermilion_ledger.anchor_rows import AnchorJob
from vermilion_ledger.errors import UnavailableError, VerificationError
from vermilion_ledger.evm.header import parse_header
from vermilion_ledger.evm.receipt import (
    ANCHORED_TOPIC,
    AnchorHints,
    AnchorReceipt,
    VerifiedAnchor,
    parse_successful_logs,
    verify_anchor_receipt,
)
from vermilion_ledger.evm.rlp import Item, encode_integer, encode_rlp
from vermilion_ledger.evm.trie import build_ordered_trie

__all__ = [
    "build_anchor_receipt",
    "encode_header",
    "encode_receipt",
    "parse_data",
    "parse_quantity",
]

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}\Z")
_DATA = re.compile(r"0x(?:[0-9a-fA-F]{2})*\Z")

# Order of RLP (Yellow Paper 4.3 and the forks' EIPs); True marks integers
_HEADER_FIELDS = (
    ("parentHash", False),
    ("sha3Uncles", False),
    ("miner", False),
    ("stateRoot", False),
    ("transactionsRoot", False),
    ("receiptsRoot", False),
    ("logsBloom", False),
    ("difficulty", True),
    ("number", True),
    ("gasLimit", True),
    ("gasUsed", True),
    ("timestamp", True),
    ("extraData", False),
    ("mixHash", False),
    ("nonce", False),
)
_LATER_FIELDS = (
    ("baseFeePerGas", True),  # London
    ("withdrawalsRoot", False),  # Shanghai
    ("blobGasUsed", True),  # Cancun
    ("excessBlobGas", True),
    ("parentBeaconBlockRoot", False),
    ("requestsHash", False),  # Prague
)


def parse_quantity(value: Any, what: str) -> int:
    """Read a number of a node's answer.

    Raises:
        UnavailableError: ``chain.bad-answer``.
    """
    if isinstance(value, str) and _QUANTITY.match(value):
        return int(value, 16)
    raise UnavailableError("chain.bad-answer", f"the node gave no number as {what}")


def parse_data(value: Any, what: str, *, size: int | None = None) -> bytes:
    """Read bytes of a node's answer.

    Raises:
        UnavailableError: ``chain.bad-answer``: not hex, or another size.
    """
    if isinstance(value, str) and _DATA.match(value):
        data = bytes.fromhex(value[2:])
        if size is None or len(data) == size:
            return data
    raise UnavailableError("chain.bad-answer", f"the node gave no bytes as {what}")


def encode_header(block: Mapping[str, Any]) -> bytes:
    """Return the RLP of a block's header from the members of ``eth_getBlockBy…``.

    Fields that later forks append are taken as far as the node gives them
    without a gap. The caller compares the hash.

    Raises:
        UnavailableError: ``chain.bad-answer``: a field is missing or no hex.
    """
    fields = list(_HEADER_FIELDS)
    for field in _LATER_FIELDS:
        if block.get(field[0]) is None:
            break
        fields.append(field)
    return encode_rlp(
        tuple(
            encode_integer(parse_quantity(block.get(name), name))
            if is_integer
            else parse_data(block.get(name), name)
            for name, is_integer in fields
        )
    )


def encode_receipt(receipt: Mapping[str, Any]) -> bytes:
    """Return the EIP-2718 bytes of a receipt from the members of ``eth_getTransactionReceipt``.

    Raises:
        UnavailableError: ``chain.bad-answer``: a member is missing or no hex.
    """
    kind = parse_quantity(receipt.get("type", "0x0"), "type")
    status = (
        encode_integer(parse_quantity(receipt["status"], "status"))
        if receipt.get("status") is not None
        else parse_data(receipt.get("root"), "root")  # before Byzantium
    )
    body = (
        status,
        encode_integer(parse_quantity(receipt.get("cumulativeGasUsed"), "cumulativeGasUsed")),
        parse_data(receipt.get("logsBloom"), "logsBloom"),
        tuple(_encode_log(event) for event in receipt.get("logs") or ()),
    )
    return (bytes((kind,)) if kind else b"") + encode_rlp(body)


def build_anchor_receipt(
    job: AnchorJob,
    *,
    header: bytes,
    receipts: Sequence[bytes],
    transaction_index: int,
    hints: AnchorHints,
) -> tuple[AnchorReceipt, VerifiedAnchor]:
    """Return the verified receipt of a mined job (FORMATS section 8).

    Args:
        job: A job that is mined.
        header: Raw header of its block.
        receipts: Every EIP-2718 receipt of that block, in order.
        transaction_index: Position of the anchoring transaction in the block.
        hints: Remarks for people.

    Raises:
        UnavailableError: ``chain.receipts-root``: the node's receipts are not
            those of the header, or have no such event. Another node, or the
            same one later, may answer better.
        VerificationError: The result does not pass the verifier's check.
    """
    trie = build_ordered_trie(receipts)
    if trie.root != parse_header(header).receipts_root or transaction_index >= len(receipts):
        raise UnavailableError(
            "chain.receipts-root", f"the node's {len(receipts)} receipts are not those of the block"
        )
    receipt = AnchorReceipt(
        chain_id=job.target.chain_id,
        contract=job.target.contract,
        log=job.target.log,
        size=job.size,
        root=job.root,
        transaction_index=transaction_index,
        log_index=_find_event(receipts[transaction_index], job),
        header=header,
        receipt=receipts[transaction_index],
        receipt_proof=trie.prove(transaction_index),
        hints=hints,
    )
    anchor = verify_anchor_receipt(receipt)
    if job.mined is None or anchor.block_hash != job.mined.block_hash:
        raise VerificationError(
            "receipt.header", f"the header is of block {anchor.block_hash.hex()}, not of the job's"
        )
    return receipt, anchor


def _encode_log(event: Mapping[str, Any]) -> Item:
    return (
        parse_data(event.get("address"), "address"),
        tuple(parse_data(topic, "topic") for topic in event.get("topics") or ()),
        parse_data(event.get("data"), "data"),
    )


def _find_event(receipt: bytes, job: AnchorJob) -> int:
    """Return the position of the job's event within its receipt."""
    wanted = (
        job.target.contract,
        (ANCHORED_TOPIC, job.target.log),
        job.size.to_bytes(32, "big") + job.root,
    )
    for index, event in enumerate(parse_successful_logs(receipt)):
        if event == wanted:
            return index
    raise UnavailableError("chain.receipts-root", "the receipt has no such anchor event")
