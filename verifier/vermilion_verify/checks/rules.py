"""Did those decide who had to?"""

from __future__ import annotations

from vermilion_ledger.approvals import RuleOutcome, evaluate_rules
from vermilion_ledger.errors import VerificationError
from vermilion_verify.case import Case
from vermilion_verify.outcome import Absent, Detail, Unknown

__all__ = ["check_approval_rule"]


def check_approval_rule(case: Case) -> Detail:
    """Evaluate the rules of the record's policy and of the trust policy.

    Asked of the digest being verified (FORMATS section 12).

    Raises:
        VerificationError: A rule is unmet and no entry was left out.
        Unknown: Entries were left out, or the named policy is not in force.
        Absent: No rule applies.
    """
    named, rules = case.record_policy
    if named is not None and rules is None:
        raise Unknown("policy.not-in-force", f"policy {named.hex()[:16]}… is not in force")
    lists = [given for given in (rules, case.policy.approval_rules) if given]
    if not lists:
        raise Absent("no rule applies")
    outcomes = [
        outcome
        for given in lists
        for outcome in evaluate_rules(given, case.entries, case.registry, case.document.sha256)
    ]
    detail: Detail = {"rules": [_describe(outcome) for outcome in outcomes]}
    if not case.is_complete:
        raise Unknown("rules.left-out", "entries were left out", detail)
    unmet = [outcome for outcome in outcomes if outcome.missing]
    if unmet:
        wanted = "; ".join(
            f"{outcome.rule.event} {outcome.rule.step or ''}".strip()
            + f": {outcome.rule.count - outcome.missing} of {outcome.rule.count}"
            + f" ({', '.join(outcome.owners)})"
            for outcome in unmet
        )
        raise VerificationError("rules.unmet", f"missing decisions: {wanted}")
    return detail


def _describe(outcome: RuleOutcome) -> Detail:
    return {
        "rule": outcome.rule.to_json(),
        "owners": list(outcome.owners),
        "missing": outcome.missing,
    }
