"""Evaluating rules: who has decided, who is missing (FORMATS section 3, "Rules").

Pure logic over the entries of one record. Signatures are checked elsewhere;
here a signer is taken as the owner of the key that the registry has. A decision
with a delegated key is the delegator's, made by the delegate; one person counts
once for a rule, however many they decide for (docs/formats/delegation.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vermilion_ledger.keys import KeyRegistry, RegisteredKey
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.rules import Rule
from vermilion_ledger.statement import Statement

__all__ = ["RuleOutcome", "evaluate_rules"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleOutcome:
    """How one rule stands.

    Attributes:
        owners: Ids of the owners that count, sorted.
        missing: How many more are needed; 0 when the rule is met.
    """

    rule: Rule
    owners: tuple[str, ...]
    missing: int


def evaluate_rules(
    rules: Sequence[Rule],
    entries: Sequence[LoggedEnvelope],
    registry: KeyRegistry,
    digest: bytes,
) -> tuple[RuleOutcome, ...]:
    """Return how each rule stands for one document version.

    Args:
        rules: One list; ``after`` refers to earlier rules of the same list.
        entries: Entries of the record in log order.
        registry: Keys of the signers; unknown signers do not count.
        digest: SHA-256 of the version that is asked about.
    """
    keys = [_signing_keys(entry, registry) for entry in entries]
    tallies = [_Tally(rule, _excluded(rule, entries, keys)) for rule in rules]
    for entry, signing in zip(entries, keys, strict=True):
        if entry.statement.subject.sha256 == digest:
            _count_entry(entry, signing, tallies)
    return tuple(tally.outcome() for tally in tallies)


class _Tally:
    """How one rule stands while the entries of a record pass by in log order."""

    def __init__(self, rule: Rule, excluded: frozenset[str]) -> None:
        self.rule = rule
        self._excluded = excluded
        self._owners: dict[str, str] = {}  # whose decisions count, and who signed each

    @property
    def missing(self) -> int:
        return max(0, self.rule.count - len(set(self._owners.values())))

    @property
    def is_met(self) -> bool:
        return not self.missing

    def matches(self, statement: Statement) -> bool:
        return statement.event == self.rule.event and (
            self.rule.step is None or statement.detail.get("step") == self.rule.step
        )

    def decide(self, owner: str, signer: str, *, counts: bool) -> None:
        """Take an owner's decision; it replaces their earlier one."""
        self._owners.pop(owner, None)
        if counts and not self._excluded & {owner, signer}:
            self._owners[owner] = signer

    def outcome(self) -> RuleOutcome:
        return RuleOutcome(
            rule=self.rule,
            owners=tuple(sorted(self._owners)),
            missing=self.missing,
        )


def _count_entry(
    entry: LoggedEnvelope, keys: Sequence[RegisteredKey], tallies: Sequence[_Tally]
) -> None:
    """Let each rule take one decision, with `after` as things stood before it."""
    statement = entry.statement
    met = [tally.is_met for tally in tallies]
    approved = statement.detail.get("decision", "approved") == "approved"
    for position, tally in enumerate(tallies):
        if not tally.matches(statement):
            continue
        in_order = tally.rule.after is None or all(
            met[earlier]
            for earlier in range(position)
            if tallies[earlier].rule.step == tally.rule.after
        )
        for owner, (fits, signer) in _owners_that_fit(tally.rule, keys).items():
            tally.decide(owner, signer, counts=approved and in_order and fits)


def _excluded(
    rule: Rule,
    entries: Sequence[LoggedEnvelope],
    keys: Sequence[Sequence[RegisteredKey]],
) -> frozenset[str]:
    """Return the owners who signed an event of `notBy`, or for whom, anywhere in the record."""
    return frozenset(
        person
        for entry, signing in zip(entries, keys, strict=True)
        if entry.statement.event == rule.not_by
        for key in signing
        for person in key.people
    )


def _signing_keys(entry: LoggedEnvelope, registry: KeyRegistry) -> tuple[RegisteredKey, ...]:
    return tuple(registry.keys[keyid] for keyid in sorted(entry.signers) if keyid in registry.keys)


def _owners_that_fit(rule: Rule, keys: Sequence[RegisteredKey]) -> dict[str, tuple[bool, str]]:
    """Return, per owner of one entry, whether a key has the post and unit, and who signed.

    An owner's own signature goes before a delegate's.
    """
    found: dict[str, tuple[bool, str]] = {}
    for key in sorted(keys, key=lambda each: each.on_behalf_of is not None):
        fits = (rule.post is None or key.owner.post == rule.post) and (
            rule.unit is None or key.owner.unit == rule.unit
        )
        if key.counts_for not in found or (fits and not found[key.counts_for][0]):
            found[key.counts_for] = (fits, key.owner.id)
    return found
