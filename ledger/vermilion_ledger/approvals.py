"""Evaluating rules: who has decided, who is missing (FORMATS section 3, "Rules").

Pure logic over the entries of one record. Signatures are checked elsewhere;
here a signer is taken as the owner of the key that the registry has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vermilion_ledger.keys import KeyRegistry, RegisteredKey
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.rules import Rule

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
    evaluation = _Evaluation(rules, entries, registry, digest)
    outcomes = []
    for position, rule in enumerate(rules):
        owners = evaluation.owners(position, end=len(entries))
        outcomes.append(
            RuleOutcome(
                rule=rule, owners=tuple(sorted(owners)), missing=max(0, rule.count - len(owners))
            )
        )
    return tuple(outcomes)


class _Evaluation:
    """One pass over a record, with the results that `after` asks for again."""

    def __init__(
        self,
        rules: Sequence[Rule],
        entries: Sequence[LoggedEnvelope],
        registry: KeyRegistry,
        digest: bytes,
    ) -> None:
        self._rules = rules
        self._entries = entries
        self._digest = digest
        self._keys = [_signing_keys(entry, registry) for entry in entries]
        self._known: dict[tuple[int, int], frozenset[str]] = {}

    def owners(self, position: int, *, end: int) -> frozenset[str]:
        """Return the owners that count for a rule, looking at ``entries[:end]``."""
        known = self._known.get((position, end))
        if known is not None:
            return known
        rule = self._rules[position]
        standing: dict[str, bool] = {}  # owner id -> whether the last decision counts
        for place in range(end):
            if not self._matches(rule, self._entries[place]):
                continue
            in_order = rule.after is None or self._steps_met(position, rule.after, end=place)
            approved = in_order and self._is_approval(self._entries[place])
            for owner, fits in _owners_that_fit(rule, self._keys[place]).items():
                standing[owner] = approved and fits
        excluded = self._excluded(rule)
        result = frozenset(o for o, counts in standing.items() if counts and o not in excluded)
        self._known[(position, end)] = result
        return result

    def _matches(self, rule: Rule, entry: LoggedEnvelope) -> bool:
        statement = entry.statement
        return (
            statement.event == rule.event
            and statement.subject.sha256 == self._digest
            and (rule.step is None or statement.detail.get("step") == rule.step)
        )

    @staticmethod
    def _is_approval(entry: LoggedEnvelope) -> bool:
        return bool(entry.statement.detail.get("decision", "approved") == "approved")

    def _steps_met(self, position: int, step: str, *, end: int) -> bool:
        """Tell whether all earlier rules with a step stood met before a place."""
        return all(
            len(self.owners(earlier, end=end)) >= self._rules[earlier].count
            for earlier in range(position)
            if self._rules[earlier].step == step
        )

    def _excluded(self, rule: Rule) -> frozenset[str]:
        if rule.not_by is None:
            return frozenset()
        return frozenset(
            key.owner.id
            for entry, keys in zip(self._entries, self._keys, strict=True)
            if entry.statement.event == rule.not_by
            for key in keys
        )


def _signing_keys(entry: LoggedEnvelope, registry: KeyRegistry) -> tuple[RegisteredKey, ...]:
    return tuple(registry.keys[keyid] for keyid in sorted(entry.signers) if keyid in registry.keys)


def _owners_that_fit(rule: Rule, keys: Sequence[RegisteredKey]) -> dict[str, bool]:
    """Return, per owner of one entry, whether a key of theirs has the post and unit."""
    fits: dict[str, bool] = {}
    for key in keys:
        fit = (rule.post is None or key.owner.post == rule.post) and (
            rule.unit is None or key.owner.unit == rule.unit
        )
        fits[key.owner.id] = fits.get(key.owner.id, False) or fit
    return fits
