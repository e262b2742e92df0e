"""The tables beside the log: anchors, quoted blocks, answers kept for callers.

What a hash proves is compared with it (FORMATS section 8); what only has to
lead somewhere is followed. What nothing proves is listed in
docs/how-to/check-and-repair.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from vermilion_ledger.cells import AuditView
from vermilion_ledger.encoding import encode_parsed, parse_json
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.evm.header import parse_header
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.receipt import parse_anchor_receipt, verify_anchor_receipt
from vermilion_ledger.evm.rlp import decode_rlp
from vermilion_ledger.fsck.findings import Finding, Findings, first_difference
from vermilion_ledger.limits import BUNDLE_SIZE_MAX
from vermilion_ledger.timestamp.token import parse_token

__all__ = ["check_journal"]

_Row = Mapping[str, Any]
_Difference = tuple[str, Any, Any]  # column, stored, expected
_PAGE = 1000  # rows
_FEE_MARKET = 2  # EIP-1559 transactions
_NAMES = {
    "anchor_receipts": ("chain_id", "block_hash", "transaction_index", "log_index"),
    "anchor_attempts": ("anchor_id", "attempt"),
    "blocks": ("chain_id", "hash"),
    "timestamps": ("size", "authority"),
    "idempotency": ("key",),
    "responses": ("key",),
}


def check_journal(view: AuditView, findings: Findings) -> None:
    """Compare the rows of the tables beside the log with what proves them."""
    checks = {
        "anchor_receipts": _check_receipt,
        "anchor_attempts": _check_attempt,
        "blocks": _check_block,
        "timestamps": _check_timestamp,
    }
    for table, check in checks.items():
        for row in view.scan(table):
            try:
                for difference in check(row):
                    _report(findings, table, row, difference)
            except EvidenceError as exc:
                _report(findings, table, row, ("", "", f"{exc.code}: {exc.message}"))
    rows = view.scan("idempotency")
    while page := list(islice(rows, _PAGE)):
        _check_positions(view, page, findings)
    for row in view.scan("responses"):
        if not 100 <= row["status"] < 600:
            _report(findings, "responses", row, ("status", row["status"], "100 to 599"))


def _check_receipt(row: _Row) -> Iterator[_Difference]:
    value = parse_json(row["receipt"], size_max=BUNDLE_SIZE_MAX, what="anchor receipt")
    if encode_parsed(value) != row["receipt"]:
        yield "receipt", row["receipt"], encode_parsed(value)
    receipt = parse_anchor_receipt(value)
    found = verify_anchor_receipt(receipt)
    yield from _differences(
        row,
        {
            "chain_id": receipt.chain_id,
            "contract": receipt.contract,
            "log": receipt.log,
            "size": receipt.size,
            "root": receipt.root,
            "transaction_index": receipt.transaction_index,
            "log_index": receipt.log_index,
            "block_number": found.block_number,
            "block_hash": found.block_hash,
            "block_time": _microseconds(found.block_time),
            "header": receipt.header,
        },
    )
    if receipt.hints is not None and receipt.hints.transaction is not None:
        yield from _differences(row, {"transaction_hash": receipt.hints.transaction})


def _check_attempt(row: _Row) -> Iterator[_Difference]:
    yield from _differences(row, {"transaction_hash": keccak256(row["raw"])})
    if row["raw"][:1] != bytes([_FEE_MARKET]):
        return
    fields = decode_rlp(row["raw"][1:], what="transaction")
    names = ("nonce", "priority_fee", "max_fee", "gas_limit")
    if isinstance(fields, bytes) or len(fields) <= len(names):
        return
    yield from _differences(
        row,
        {
            name: int.from_bytes(field, "big")
            for name, field in zip(names, fields[1:], strict=False)
            if isinstance(field, bytes)
        },
    )


def _check_block(row: _Row) -> Iterator[_Difference]:
    header = parse_header(row["header"])
    yield from _differences(
        row,
        {"hash": header.hash, "number": header.number, "time": _microseconds(header.time)},
    )


def _check_timestamp(row: _Row) -> Iterator[_Difference]:
    yield from _differences(row, {"time": _microseconds(parse_token(row["token"]).info.time)})


def _check_positions(view: AuditView, page: Sequence[_Row], findings: Findings) -> None:
    """Check that the submissions are there to which answers under a key lead."""
    listed = [_parse_positions(row["positions"]) for row in page]
    known = view.find_positions([position for each in listed for position in each])
    for row, positions in zip(page, listed, strict=True):
        if not positions or not known.issuperset(positions):
            _report(findings, "idempotency", row, ("positions", row["positions"], "submissions"))


def _parse_positions(data: bytes) -> list[int]:
    """Return a list of positions; nothing if it is none, or none that a database could hold."""
    try:
        found = json.loads(data)
    except ValueError:
        return []
    if not isinstance(found, list) or not all(type(each) is int for each in found):
        return []
    return found if all(0 < each < 1 << 63 for each in found) else []


def _differences(row: _Row, expected: Mapping[str, Any]) -> Iterator[_Difference]:
    for column, value in expected.items():
        if row[column] != value:
            yield column, row[column], value


def _report(findings: Findings, table: str, row: _Row, difference: _Difference) -> None:
    column, stored, expected = difference
    is_binary = isinstance(stored, bytes) and isinstance(expected, bytes)
    findings.add(
        Finding(
            code="fsck.row-differs",
            message=f"stored {_show(stored)}, expected {_show(expected)}",
            table=table,
            row=" ".join(f"{name}={_show(row[name])}" for name in _NAMES[table]),
            column=column,
            byte=first_difference(stored, expected) if is_binary else None,
        )
    )


def _show(value: Any) -> str:
    text = value.hex() if isinstance(value, bytes) else str(value)
    return text if len(text) <= 130 else f"{text[:130]}…"


def _microseconds(moment: datetime) -> int:
    span = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return span.days * 86_400_000_000 + span.seconds * 1_000_000 + span.microseconds
