"""From checks to a verdict: one exhaustive function, tested as a table."""

from __future__ import annotations

from collections.abc import Mapping

from vermilion_ledger.records import Status
from vermilion_verify.report import CheckStatus, Verdict

__all__ = ["EXIT_CODES", "decide_verdict"]

EXIT_CODES = {
    Verdict.PROVEN: 0,
    Verdict.SUPERSEDED: 0,  # with a notice
    Verdict.REFUTED: 1,
    Verdict.REVOKED: 1,
    Verdict.PENDING: 3,
    Verdict.CANNOT_TELL: 5,
    Verdict.NO_RECORD: 6,
}
"""Exit codes of every command that verifies (FORMATS section 12)."""


def decide_verdict(
    checks: Mapping[str, CheckStatus],
    *,
    status: Status,
    anchors_required: int,
    timestamps_required: int,
    completeness_needed: bool,
) -> Verdict:
    """Return the verdict of a verification.

    Precedence (FORMATS section 12): a failed check, then a revocation, then
    a needed check that is unknown, then a missing anchor, then a newer
    version.

    Args:
        checks: Status of each check that ran; it may be ``bundle.parse`` alone.
        status: How the verified version stands in its record.
        anchors_required: Number of chains the policy demands.
        timestamps_required: Number of time-stamps the policy demands.
        completeness_needed: Whether an unknown ``record.completeness`` matters:
            not so where the closing holds, the verified digest is the
            current one, and no rule applies.
    """
    if CheckStatus.FAIL in checks.values():
        return Verdict.REFUTED
    if status is Status.REVOKED:
        return Verdict.REVOKED
    unneeded = set()
    if timestamps_required == 0:
        unneeded.add("timestamp.token")
    if not completeness_needed:
        unneeded.add("record.completeness")
    if any(
        outcome is CheckStatus.UNKNOWN and check not in unneeded
        for check, outcome in checks.items()
    ):
        return Verdict.CANNOT_TELL
    if checks.get("anchor.finality") is CheckStatus.ABSENT and anchors_required > 0:
        return Verdict.PENDING
    if status is Status.SUPERSEDED:
        return Verdict.SUPERSEDED
    return Verdict.PROVEN
