"""Rows that no envelope implies: looked for once counting has shown that there are some.

Each table is read through once and each row is derived again from the entry
or the submission that it names. Only ``nonces`` names none: there the nonces
of all envelopes are held in memory, a bounded part at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from vermilion_ledger.admission import LedgerIdentity
from vermilion_ledger.cells import AuditView
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.fsck.findings import Finding, Findings
from vermilion_ledger.implied import Implied, imply
from vermilion_ledger.store.prefixes import digest_prefix, record_prefix

__all__ = ["find_strays"]

_PAGE = 4096  # rows
_HELD_MAX = 1_000_000  # nonces


def find_strays(view: AuditView, table: str, identity: LedgerIdentity, findings: Findings) -> None:
    """Report every row of a table that no envelope implies."""
    if table == "nonces":
        _find_nonces(view, identity, findings)
        return
    checks = {
        "places": _is_place,
        "digests": _is_digest,
        "known_envelopes": _is_known,
        "erased": _is_erased,
    }
    for page in _pages(view.scan(table)):
        for row, is_implied in zip(page, checks[table](view, page, identity), strict=True):
            if not is_implied:
                _report(findings, table, row)


def _is_place(
    view: AuditView, page: Sequence[Mapping[str, Any]], identity: LedgerIdentity
) -> Iterator[bool]:
    sequences, implied = _implied_at(view, page, identity)
    for row in page:
        found = implied.get(row["leaf_index"])
        yield found is not None and (row["record"], row["sequence"]) == (
            record_prefix(found.record_id, row["leaf_index"]),
            sequences[row["leaf_index"]],
        )


def _is_digest(
    view: AuditView, page: Sequence[Mapping[str, Any]], identity: LedgerIdentity
) -> Iterator[bool]:
    _, implied = _implied_at(view, page, identity)
    for row in page:
        found = implied.get(row["leaf_index"])
        yield found is not None and row["digest"] == digest_prefix(found.digest, row["leaf_index"])


def _is_known(
    view: AuditView, page: Sequence[Mapping[str, Any]], identity: LedgerIdentity
) -> Iterator[bool]:
    envelopes = view.load_envelopes([row["position"] for row in page])
    for row in page:
        envelope = envelopes.get(row["position"], b"")
        found = _imply(envelope, identity)
        is_same = hashlib.sha256(envelope).digest() == row["envelope_hash"]
        yield is_same and found is not None and not found.is_plain


def _is_erased(
    view: AuditView, page: Sequence[Mapping[str, Any]], _identity: LedgerIdentity
) -> Iterator[bool]:
    """Yield for each row whether its place has no entry with a record."""
    stored = {each.leaf_index for each in view.load_entries_at([row["leaf_index"] for row in page])}
    for row in page:
        yield row["leaf_index"] not in stored


def _find_nonces(view: AuditView, identity: LedgerIdentity, findings: Findings) -> None:
    parts = view.counts().nonces // _HELD_MAX + 1
    for part in range(parts):
        implied = {
            pair
            for row in view.scan("submissions")
            if (found := _imply(row["envelope"], identity)) is not None
            for pair in found.nonces
            if pair[1][0] % parts == part
        }
        for row in view.scan("nonces"):
            if row["nonce"][0] % parts == part and (row["keyid"], row["nonce"]) not in implied:
                _report(findings, "nonces", row)


def _implied_at(
    view: AuditView, page: Sequence[Mapping[str, Any]], identity: LedgerIdentity
) -> tuple[Mapping[int, int], Mapping[int, Implied]]:
    """Return, by leaf index, the sequences and what the envelopes imply."""
    entries = view.load_entries_at([row["leaf_index"] for row in page])
    sequences = {cells.leaf_index: cells.sequence for cells in entries}
    implied = {}
    for cells in entries:
        found = _imply(cells.envelope or b"", identity)
        if found is not None:
            implied[cells.leaf_index] = found
    return sequences, implied


def _imply(envelope: bytes, identity: LedgerIdentity) -> Implied | None:
    """Return what an envelope implies; None if it is damaged, which is told elsewhere."""
    try:
        return imply(envelope, identity.intake_keyids)
    except EvidenceError:
        return None


def _pages(rows: Iterator[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    while page := list(islice(rows, _PAGE)):
        yield page


def _report(findings: Findings, table: str, row: Mapping[str, Any]) -> None:
    shown = " ".join(
        f"{name}={value.hex() if isinstance(value, bytes) else value}"
        for name, value in row.items()
    )
    findings.add(
        Finding(
            code="fsck.row-stray", message="no envelope implies this row", table=table, row=shown
        )
    )
