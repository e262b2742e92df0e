"""Evaluating rules: who has decided, who is missing (FORMATS section 3, "Rules").

Pure logic over the entries of one record, and over the bounds of their time
where a rule has a term (``docs/formats/rules.md``). Signatures are checked
elsewhere; here a signer is taken as the owner of the key that the registry has.
A decision with a delegated key is the delegator's, made by the delegate; one
person counts once for a rule, however many they decide for
(``docs/formats/delegation.md``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vermilion_ledger.actor import Actor
from vermilion_ledger.keys import KeyRegistry, RegisteredKey
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.rules import Rule
from vermilion_ledger.statement import Statement

__all__ = ["Decision", "Interval", "Reason", "RuleOutcome", "evaluate_rules"]


_Start = tuple[datetime, datetime]  # from when a term runs: at the earliest, and as is vouched for


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """The time of an entry, as far as somebody vouches for it; UTC.

    Attributes:
        not_before: Time of the block that it quotes, or None.
        not_after: Time of the earliest final anchor that covers it, or None.
    """

    not_before: datetime | None = None
    not_after: datetime | None = None


class Reason(StrEnum):
    """Why a decision does not count: the first of these that applies."""

    REJECTED = "rejected"
    OTHER_POST = "other-post"
    EXCLUDED = "excluded"
    OUT_OF_ORDER = "out-of-order"
    LATE = "late"
    UNDECIDED = "undecided"
    """Nobody can tell whether it was made in time, or after one that was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The last decision of one owner that matches a rule.

    Attributes:
        owner: Id of the owner whose decision it is.
        signer: Who made it, in the post of the key that they signed with:
            the owner, or a delegate.
        entry: Where they did.
        reason: Why it does not count; None where it does.
    """

    owner: str
    signer: Actor
    entry: LoggedEnvelope
    reason: Reason | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleOutcome:
    """How one rule stands.

    Attributes:
        decisions: One of each owner who decided, by owner id.
    """

    rule: Rule
    decisions: tuple[Decision, ...]

    @property
    def owners(self) -> tuple[str, ...]:
        """Ids of the owners that count, sorted."""
        return self._having(None)

    @property
    def undecided(self) -> tuple[str, ...]:
        """Ids of the owners of whom nobody can tell whether they count, sorted."""
        return self._having(Reason.UNDECIDED)

    @property
    def missing(self) -> int:
        """How many more are needed; 0 when the rule is met."""
        return max(0, self.rule.count - self._count_people(None))

    @property
    def is_open(self) -> bool:
        """Whether the rule is met with the undecided ones, and not without them."""
        return (
            self._count_people(None) < self.rule.count <= self._count_people(None, Reason.UNDECIDED)
        )

    def _having(self, reason: Reason | None) -> tuple[str, ...]:
        return tuple(each.owner for each in self.decisions if each.reason is reason)

    def _count_people(self, *reasons: Reason | None) -> int:
        """Count those who decided, each once, however many they decided for."""
        return len({each.signer.id for each in self.decisions if each.reason in reasons})


def evaluate_rules(
    rules: Sequence[Rule],
    entries: Sequence[LoggedEnvelope],
    registry: KeyRegistry,
    digest: bytes,
    *,
    intervals: Mapping[int, Interval] | None = None,
    start_least: datetime | None = None,
) -> tuple[RuleOutcome, ...]:
    """Return how each rule stands for one document version.

    Args:
        rules: One list; ``after`` refers to earlier rules of the same list.
        entries: Entries of the record in log order, the first one included.
        registry: Keys of the signers; unknown signers do not count.
        digest: SHA-256 of the version that is asked about.
        intervals: Time of entries by leaf index; a term runs from when the
            first entry was not after. Without them no term can be judged.
        start_least: An earlier time from which the term would run if somebody
            vouched for a block that nobody vouches for, or None.
    """
    known = intervals or {}
    keys = [_signing_keys(entry, registry) for entry in entries]
    excluded = {word: _excluded(word, entries, keys) for word in {rule.not_by for rule in rules}}
    tallies = [_Tally(rule, excluded[rule.not_by]) for rule in rules]
    first = known.get(entries[0].index, Interval()).not_after if entries else None
    start = None if first is None else (min(first, start_least or first), first)
    for entry, signing in zip(entries, keys, strict=True):
        if entry.statement.subject.sha256 == digest:
            _count_entry(entry, signing, tallies, start, known.get(entry.index, Interval()))
    return tuple(tally.outcome() for tally in tallies)


class _Tally:
    """How one rule stands while the entries of a record pass by in log order."""

    def __init__(self, rule: Rule, excluded: frozenset[str]) -> None:
        self.rule = rule
        self._term = rule.term
        self._excluded = excluded
        self._last: dict[str, Decision] = {}
        # Who decided, and for how many owners each: without the undecided, and with them.
        self._surely: dict[str, int] = {}
        self._possibly: dict[str, int] = {}

    @property
    def is_met(self) -> bool:
        return len(self._surely) >= self.rule.count

    @property
    def may_be_met(self) -> bool:
        return len(self._possibly) >= self.rule.count

    def matches(self, statement: Statement) -> bool:
        return statement.event == self.rule.event and (
            self.rule.step is None or statement.detail.get("step") == self.rule.step
        )

    def judge_time(self, start: _Start | None, interval: Interval) -> Reason | None:
        """Return whether a decision was late, in time (None), or nobody can tell."""
        if self._term is None:
            return None
        if start is None:
            return Reason.UNDECIDED
        least, most = start
        if interval.not_after is not None and interval.not_after - least <= self._term:
            return None
        if interval.not_before is not None and interval.not_before - most > self._term:
            return Reason.LATE
        return Reason.UNDECIDED

    def judge_key(self, key: RegisteredKey) -> Reason | None:
        """Return why a signature of a key does not count, whenever it is made."""
        if not _fits(self.rule, key):
            return Reason.OTHER_POST
        is_excluded = key.owner.id in self._excluded or key.counts_for in self._excluded
        return Reason.EXCLUDED if is_excluded else None

    def take(self, decisions: Mapping[str, Decision]) -> None:
        """Take decisions by owner; each replaces that owner's earlier one."""
        for owner, decision in decisions.items():
            if (replaced := self._last.get(owner)) is not None:
                self._count(replaced, -1)
            self._count(decision, 1)
        self._last.update(decisions)

    def _count(self, decision: Decision, change: int) -> None:
        person, reason = decision.signer.id, decision.reason
        if reason is None:
            _change(self._surely, person, change)
        if reason is None or reason is Reason.UNDECIDED:
            _change(self._possibly, person, change)

    def outcome(self) -> RuleOutcome:
        decisions = tuple(self._last[owner] for owner in sorted(self._last))
        return RuleOutcome(rule=self.rule, decisions=decisions)


def _count_entry(
    entry: LoggedEnvelope,
    keys: Sequence[RegisteredKey],
    tallies: Sequence[_Tally],
    start: _Start | None,
    interval: Interval,
) -> None:
    """Let each rule take one decision, with `after` as things stood before it."""
    statement = entry.statement
    standings = [(tally.rule.step, tally.is_met, tally.may_be_met) for tally in tallies]
    approved = statement.detail.get("decision", "approved") == "approved"
    # Many rules ask for the same, and an aggregate has many keys.
    taken: dict[tuple[str | None, str | None, str | None, Reason | None], dict[str, Decision]] = {}
    for position, tally in enumerate(tallies):
        if not tally.matches(statement):
            continue
        rule = tally.rule
        here = _judge_place(tally, standings[:position], tally.judge_time(start, interval))
        same = rule.post, rule.unit, rule.not_by, here
        if same not in taken:
            taken[same] = {
                key.counts_for: Decision(
                    owner=key.counts_for,
                    signer=key.owner,
                    entry=entry,
                    reason=(tally.judge_key(key) if approved else Reason.REJECTED) or here,
                )
                for key in _key_of_each_owner(rule, keys)
            }
        tally.take(taken[same])


def _change(counts: dict[str, int], person: str, change: int) -> None:
    """Count up or down; who has none left is not there."""
    left = counts.get(person, 0) + change
    if left:
        counts[person] = left
    else:
        del counts[person]


def _judge_place(
    tally: _Tally, earlier: Sequence[tuple[str | None, bool, bool]], time: Reason | None
) -> Reason | None:
    """Return why nobody's decision counts here: out of its turn, or by its time."""
    after = tally.rule.after
    awaited = [each for each in earlier if after is not None and each[0] == after]
    if not all(may_be_met for _, _, may_be_met in awaited):
        return Reason.OUT_OF_ORDER
    if time is None and not all(is_met for _, is_met, _ in awaited):
        return Reason.UNDECIDED
    return time


def _excluded(
    not_by: str | None,
    entries: Sequence[LoggedEnvelope],
    keys: Sequence[Sequence[RegisteredKey]],
) -> frozenset[str]:
    """Return the owners who signed an event of `notBy`, or for whom, anywhere in the record."""
    return frozenset(
        person
        for entry, signing in zip(entries, keys, strict=True)
        if entry.statement.event == not_by
        for key in signing
        for person in key.people
    )


def _signing_keys(entry: LoggedEnvelope, registry: KeyRegistry) -> tuple[RegisteredKey, ...]:
    return tuple(registry.keys[keyid] for keyid in sorted(entry.signers) if keyid in registry.keys)


def _key_of_each_owner(rule: Rule, keys: Sequence[RegisteredKey]) -> list[RegisteredKey]:
    """Return for each owner of one entry the key that speaks for them.

    One with the post and unit goes before others, an owner's own before a delegate's.
    """
    found: dict[str, RegisteredKey] = {}
    for key in sorted(keys, key=lambda each: each.on_behalf_of is not None):
        known = found.get(key.counts_for)
        if known is None or (_fits(rule, key) and not _fits(rule, known)):
            found[key.counts_for] = key
    return list(found.values())


def _fits(rule: Rule, key: RegisteredKey) -> bool:
    return (rule.post is None or key.owner.post == rule.post) and (
        rule.unit is None or key.owner.unit == rule.unit
    )
