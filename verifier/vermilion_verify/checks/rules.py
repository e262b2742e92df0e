"""Did those decide who had to, in their turn and in time?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from vermilion_ledger.approvals import Decision, RuleOutcome, evaluate_rules
from vermilion_ledger.encoding import encode_time
from vermilion_ledger.rules import Rule
from vermilion_verify.blocks import Standing
from vermilion_verify.case import Case
from vermilion_verify.checks.time import bound_event, interval_of, is_pending
from vermilion_verify.closing import Patience
from vermilion_verify.outcome import Absent, Detail, DetailedError, Unknown

__all__ = ["check_approval_rule"]

_LISTED_MAX = 100  # decisions of one rule that a report lists: whoever writes a bundle adds more
_STRANGE_COUNT_MAX = 200_000  # signers times rules, in a bundle that the ledger did not close
_NAMED_MAX = 10  # of those that do not count, in a message


def check_approval_rule(case: Case) -> Detail:
    """Evaluate the rules of the record's policy and of the trust policy.

    Asked of the digest being verified (FORMATS section 12; terms as in
    ``docs/formats/rules.md``). While the verdict waits for an anchor, a
    decision whose time only that anchor can tell does not hold it up.

    Raises:
        VerificationError: A rule is unmet and no entry was left out.
        Unknown: Entries were left out, the named policy is not in force, nobody
            can tell whether a decision was made in time, or the bundle is not
            the ledger's and there is too much of it.
        Absent: No rule applies.
    """
    named, rules = case.record_policy
    if named is not None and rules is None:
        raise Unknown("policy.not-in-force", f"policy {named.hex()[:16]}… is not in force")
    lists = case.rule_lists
    if not lists:
        raise Absent("no rule applies")
    decided = sum(len(entry.signers) for entry in case.entries)
    patience = Patience(is_closed=case.is_closed, count_max=_STRANGE_COUNT_MAX)
    if not patience.lasts(decided * sum(len(rules) for rules in lists)):
        raise Unknown("bundle.not-closed", "too many signers and rules in a bundle of nobody's")
    outcomes = _evaluate(case, lists)
    detail: Detail = {"rules": [_describe(case, outcome) for outcome in outcomes]}
    if not case.is_complete:
        raise Unknown("rules.left-out", "entries were left out", detail)
    if unmet := [each for each in outcomes if each.missing and not each.is_open]:
        raise DetailedError("rules.unmet", f"missing decisions: {_name_all(unmet)}", detail)
    undecided = [each for each in outcomes if each.is_open]
    if undecided and not is_pending(case):
        raise Unknown("rules.undecided", f"in time or not: {_name_all(undecided)}", detail)
    return detail


def _evaluate(case: Case, lists: Sequence[Sequence[Rule]]) -> list[RuleOutcome]:
    intervals, start_least = None, None
    if any(rule.within is not None for rules in lists for rule in rules):
        intervals = {entry.index: interval_of(case, entry) for entry in case.entries}
        start_least = _earliest_claimed(case)
    return [
        outcome
        for rules in lists
        for outcome in evaluate_rules(
            rules,
            case.entries,
            case.registry,
            case.document.sha256,
            intervals=intervals,
            start_least=start_least,
        )
    ]


def _earliest_claimed(case: Case) -> datetime | None:
    """Return the earliest time of an anchor of the registration that nobody contradicts.

    One whose block nobody vouches for may be true as well: nobody may win time
    by leaving its block out of a list.
    """
    return min(
        (
            each.anchor.block_time
            for each in case.anchors.judged
            if each.standing is not Standing.CONTRADICTED
            and each.anchor.size > case.entries[0].index
        ),
        default=None,
    )


def _describe(case: Case, outcome: RuleOutcome) -> Detail:
    listed = outcome.decisions[:_LISTED_MAX]
    value: Detail = {
        "rule": outcome.rule.to_json(),
        "owners": list(outcome.owners),
        "missing": outcome.missing,
        "undecided": list(outcome.undecided),
        "decisions": [_describe_decision(case, each) for each in listed],
    }
    if more := len(outcome.decisions) - len(listed):
        value["more"] = more
    if outcome.rule.term is not None:
        start = bound_event(case, case.entries[0])["notAfter"]
        value["term"] = {"start": start, "end": _end_of_term(case, outcome.rule)}
    return value


def _describe_decision(case: Case, decision: Decision) -> Detail:
    value: Detail = {
        "owner": decision.signer.to_json(),
        "sequence": decision.entry.sequence,
        "index": decision.entry.index,
        "status": "counted" if decision.reason is None else decision.reason.value,
        "interval": bound_event(case, decision.entry),
    }
    if decision.owner != decision.signer.id:
        value["onBehalfOf"] = decision.owner
    return value


def _end_of_term(case: Case, rule: Rule) -> str | None:
    start = interval_of(case, case.entries[0]).not_after
    if start is None or rule.term is None:
        return None
    try:
        return encode_time(start + rule.term)
    except OverflowError:  # no block will ever be so late
        return None


def _name_all(outcomes: Sequence[RuleOutcome]) -> str:
    return "; ".join(_name(outcome) for outcome in outcomes)


def _name(outcome: RuleOutcome) -> str:
    rule = outcome.rule
    others = [f"{each.owner} {each.reason}" for each in outcome.decisions if each.reason]
    return (
        " ".join(word for word in (rule.event, rule.step, rule.post, rule.unit) if word)
        + f": {rule.count - outcome.missing} of {rule.count} ({', '.join(outcome.owners)})"
        + (f", not {', '.join(others[:_NAMED_MAX])}" if others else "")
    )
