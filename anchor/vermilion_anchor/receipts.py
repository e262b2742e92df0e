"""Building anchor receipts: raw headers and receipt proofs from a node's answers.

A node's JSON is believed in nothing: the header must hash to the block hash,
the receipts to the header's root, and the finished anchor receipt must pass
`vermilion_ledger.evm.receipt`, the very check a stranger will run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from vermilion_ledger.anchor_rows import AnchorJob
from vermilion_ledger.errors import InputError, UnavailableError, VerificationError
from vermilion_ledger.evm import answers
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
from vermilion_ledger.limits import JSON_INTEGER_MAX

__all__ = [
    "build_anchor_receipt",
    "encode_header",
    "encode_receipt",
    "parse_count",
    "parse_data",
    "parse_list",
    "parse_members",
    "parse_quantity",
    "parse_remark",
]

_TYPE_MAX = 0x7F  # EIP-2718; FORMATS section 8 knows fewer


def parse_quantity(value: Any, what: str) -> int:
    """Read a number of a node's answer.

    Raises:
        UnavailableError: ``chain.bad-answer``.
    """
    with _unavailable():
        return answers.parse_quantity(value, what)


def parse_count(value: Any, what: str) -> int:
    """Read a height, a size or another number that counts: one that JSON cannot write is none.

    Raises:
        UnavailableError: ``chain.bad-answer``.
    """
    number = parse_quantity(value, what)
    if number > JSON_INTEGER_MAX:
        raise UnavailableError("chain.bad-answer", f"the node gave {number} as {what}")
    return number


def parse_remark(value: Any, what: str) -> int | None:
    """Read a number that nothing rests on: one that is missing, or too large to keep, is none.

    Raises:
        UnavailableError: ``chain.bad-answer``.
    """
    number = None if value is None else parse_quantity(value, what)
    return None if number is None or number > JSON_INTEGER_MAX else number


def parse_members(value: Any, what: str) -> Mapping[str, Any]:
    """Return an object of a node's answer.

    Raises:
        UnavailableError: ``chain.bad-answer``.
    """
    if not isinstance(value, dict):
        raise UnavailableError("chain.bad-answer", f"the node gave no object as {what}")
    return value


def parse_list(value: Any, what: str) -> Sequence[Any]:
    """Return a list of a node's answer.

    Raises:
        UnavailableError: ``chain.bad-answer``.
    """
    if not isinstance(value, list):
        raise UnavailableError("chain.bad-answer", f"the node gave no list as {what}")
    return value


def parse_data(value: Any, what: str, *, size: int | None = None) -> bytes:
    """Read bytes of a node's answer.

    Raises:
        UnavailableError: ``chain.bad-answer``: not hex, or another size.
    """
    with _unavailable():
        return answers.parse_data(value, what, size=size)


def encode_header(block: Mapping[str, Any]) -> bytes:
    """Return the RLP of a block's header, as `vermilion_ledger.evm.answers` reads it.

    Raises:
        UnavailableError: ``chain.bad-answer``: a field is missing or no hex.
    """
    with _unavailable():
        return answers.encode_header(block)


def encode_receipt(answer: Any) -> bytes:
    """Return the EIP-2718 bytes of a receipt from the members of ``eth_getTransactionReceipt``.

    Raises:
        UnavailableError: ``chain.bad-answer``: a member is missing or no hex.
    """
    receipt = parse_members(answer, "receipt")
    kind = parse_quantity(receipt.get("type", "0x0"), "type")
    status = (
        encode_integer(parse_quantity(receipt["status"], "status"))
        if receipt.get("status") is not None
        else parse_data(receipt.get("root"), "root")  # before Byzantium
    )
    if kind > _TYPE_MAX:
        raise UnavailableError("chain.bad-answer", f"the node gave a receipt of type {kind}")
    body = (
        status,
        encode_integer(parse_quantity(receipt.get("cumulativeGasUsed"), "cumulativeGasUsed")),
        parse_data(receipt.get("logsBloom"), "logsBloom"),
        tuple(_encode_log(event) for event in parse_list(receipt.get("logs"), "logs")),
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
            those of the header, or have no such event; ``chain.bad-answer``:
            they are, and yet malformed. Another node, or the same one later,
            may answer better.
        VerificationError: The result does not pass the verifier's check.
    """
    with _unavailable():
        trie = build_ordered_trie(receipts)
        if trie.root != parse_header(header).receipts_root or transaction_index >= len(receipts):
            raise UnavailableError(
                "chain.receipts-root",
                f"the node's {len(receipts)} receipts are not those of the block",
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


def _encode_log(event: Any) -> Item:
    members = parse_members(event, "event")
    return (
        parse_data(members.get("address"), "address"),
        tuple(parse_data(topic, "topic") for topic in parse_list(members.get("topics"), "topics")),
        parse_data(members.get("data"), "data"),
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


@contextmanager
def _unavailable() -> Iterator[None]:
    """Call an odd answer unavailable: another node, or the same one later, may do better."""
    try:
        yield
    except InputError as exc:
        raise UnavailableError("chain.bad-answer", exc.message) from exc
