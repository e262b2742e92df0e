"""Policies: which lists of rules are in force from which leaf on.

Policy events (FORMATS section 3) adopt and withdraw a list of rules; a
record names one by the SHA-256 of its canonical bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

from vermilion_ledger.errors import VerificationError
from vermilion_ledger.events import Predicate
from vermilion_ledger.keys import KeyRegistry, Roots, check_root_quorum
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.rules import Rule, hash_rules, parse_rules

__all__ = ["check_policy_events", "find_policy"]


def check_policy_events(
    events: Sequence[LoggedEnvelope], registry: KeyRegistry, roots: Roots
) -> None:
    """Check that each policy event is about its rules and by the roots alone.

    Raises:
        VerificationError: A rule of FORMATS section 3, "Policy events", is broken.
    """
    for event in events:
        statement = event.statement
        if statement.predicate is not Predicate.POLICY:
            raise VerificationError("statement.other-family", "not a policy event")
        if statement.prior is not None:
            raise VerificationError("policy-event.prior", "a policy event carries no prior")
        if statement.subject.sha256 != hash_rules(parse_rules(statement.detail["rules"])):
            raise VerificationError("policy-event.subject", "the subject is not the rules' digest")
        if event.signers - roots.keyids:
            raise VerificationError("policy-event.stranger", "somebody but a root signed")
        check_root_quorum(event, registry, roots)


def find_policy(
    events: Sequence[LoggedEnvelope], policy: bytes, *, before: int
) -> tuple[Rule, ...] | None:
    """Return the rules in force for a record, or None.

    Args:
        events: Policy events in the order of their leaf index.
        policy: SHA-256 of the canonical rules, as the record names it.
        before: Leaf index of the record's ``register``.
    """
    last = None
    for event in events:
        statement = event.statement
        if (
            statement.predicate is Predicate.POLICY
            and event.index < before
            and statement.subject.sha256 == policy
        ):
            last = event
    if last is None or last.statement.event != "adopt":
        return None
    return parse_rules(last.statement.detail["rules"])
