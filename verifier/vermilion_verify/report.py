"""The report: what was checked, how it came out, and what is not proven.

Three kinds of object stay apart: the policy (what is believed), the bundle
(what is claimed) and the report (what was found). FORMATS section 12.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from vermilion_ledger.encoding import encode_time
from vermilion_ledger.findings import Finding
from vermilion_verify import VERSION

__all__ = [
    "CHECK_IDS",
    "NOT_PROVEN_AFTER",
    "NOT_PROVEN_CERTIFICATE",
    "NOT_PROVEN_CONTENT",
    "NOT_PROVEN_FINDINGS",
    "NOT_PROVEN_LEFT_OUT",
    "NOT_PROVEN_REVOCATION",
    "NOT_PROVEN_TERM",
    "NOT_PROVEN_UNREVOKED",
    "CheckResult",
    "CheckStatus",
    "Report",
    "Verdict",
]

NOT_PROVEN_CONTENT = "that the content is true"
NOT_PROVEN_AFTER = "that nothing happened in this record after `asOf`"
NOT_PROVEN_FINDINGS = "that no further finding lies in the entries that were left out"
NOT_PROVEN_LEFT_OUT = "that the ledger itself left out no entry of this record"
NOT_PROVEN_REVOCATION = "that the ledger left out no revocation of a key"
NOT_PROVEN_TERM = "that no earlier anchor covers the registration, from which a term would run"
NOT_PROVEN_CERTIFICATE = "that the certificates kept with a key vouch for its owner"
NOT_PROVEN_UNREVOKED = "that no certificate was revoked when its key was registered"

CHECK_IDS = (
    "bundle.parse",
    "document.digest",
    "entry.commitment",
    "entry.tag",
    "log.inclusion",
    "checkpoint.signature",
    "witness.quorum",
    "statement.binding",
    "signature.intake",
    "signature.actor",
    "key.validity",
    "approval.rule",
    "record.completeness",
    "anchor.receipt",
    "anchor.block",
    "anchor.finality",
    "timestamp.token",
    "time.interval",
)
"""All checks, in the order in which they run."""


class CheckStatus(StrEnum):
    """How a check came out."""

    PASS = "pass"  # noqa: S105 - a status, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    ABSENT = "absent"
    """Nothing in the bundle or the policy asks for it."""


class Verdict(StrEnum):
    """The one sentence that a report comes to."""

    PROVEN = "proven"
    PENDING = "pending"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    REFUTED = "refuted"
    NO_RECORD = "no_record"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One check that ran.

    Attributes:
        id: One of `CHECK_IDS`.
        detail: What was found: ``code`` and ``message`` where it did not pass.
    """

    id: str
    status: CheckStatus
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a verification found.

    Attributes:
        checks: Those that ran, in order; a check that did not run is not here.
        as_of_size: Tree size of the bundle's checkpoint, or None.
        as_of_time: Block time of the newest final anchor of that size, or None.
        interval: When this version was first recorded: not before, not after.
        document: The file as it was found and how its version stands.
        approvals: Decisions on this very version, in log order.
        findings: Lapses in the life of the document; they change no verdict.
        not_proven: What nobody should conclude from this report.
        clock: The verifier's clock, where freshness was asked.
    """

    verdict: Verdict
    checks: tuple[CheckResult, ...]
    as_of_size: int | None
    as_of_time: datetime | None
    interval: Mapping[str, Any]
    document: Mapping[str, Any]
    approvals: tuple[Mapping[str, Any], ...]
    not_proven: tuple[str, ...]
    clock: datetime | None = None
    findings: tuple[Finding, ...] = ()

    def check(self, check_id: str) -> CheckResult | None:
        """Return the result of a check, or None where it did not run."""
        return next((check for check in self.checks if check.id == check_id), None)

    def to_json(self) -> dict[str, Any]:
        """Return the report object of FORMATS section 12."""
        value: dict[str, Any] = {
            "verdict": self.verdict.value,
            "asOf": {
                "size": self.as_of_size,
                "time": encode_time(self.as_of_time) if self.as_of_time else None,
            },
            "checks": [
                {"id": check.id, "status": check.status.value, "detail": dict(check.detail)}
                for check in self.checks
            ],
            "interval": dict(self.interval),
            "document": dict(self.document),
            "approvals": [dict(approval) for approval in self.approvals],
            "findings": [finding.to_json() for finding in self.findings],
            "notProven": list(self.not_proven),
            "verifier": {"name": "vermilion-verify", "version": VERSION},
        }
        if self.clock is not None:
            value["verifier"]["clock"] = encode_time(self.clock)
        return value
