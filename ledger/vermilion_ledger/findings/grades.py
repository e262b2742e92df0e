"""Changes of grade that nobody should have taken in (`docs/formats/grades.md`).

The ledger refuses them at intake; a report tells of a ledger that did not.
"""

from __future__ import annotations

from collections.abc import Sequence

from vermilion_ledger.findings.finding import Finding, Severity, make_finding
from vermilion_ledger.grades import check_regrades
from vermilion_ledger.keys import KeyRegistry
from vermilion_ledger.logged import LoggedEnvelope

__all__ = ["find_grade_lapses"]


def find_grade_lapses(
    entries: Sequence[LoggedEnvelope], registry: KeyRegistry, *, complete: bool
) -> list[Finding]:
    """Return a finding for each change of grade that breaks a rule.

    Args:
        entries: Of one record, in order.
        registry: The keys of their signers.
        complete: Whether no entry was left out; one could have changed the grade before.
    """
    return [
        make_finding(
            "finding.regraded",
            Severity.CRITICAL,
            problem.sequence,
            certain=complete,
            detail={"problem": problem.code},
        )
        for problem in check_regrades(entries, registry)
    ]
