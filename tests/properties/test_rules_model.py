"""Rules against a slow, plain model of their text: FORMATS section 3, docs/formats/rules.md.

The model asks, for every owner and every moment anew, what the text asks. A
decision of which nobody can tell whether it was in time is tried both ways.
Delegates decide as in docs/formats/delegation.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain, combinations
from random import Random

import pytest

import office
from office import DOCUMENT, OTHER_DOCUMENT, SEEN, Person
from vermilion_ledger.approvals import Interval, evaluate_rules
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.rules import Rule
from vermilion_ledger.statement import Subject

PEOPLE = (
    Person(name="an", post="clerk", unit="a"),
    Person(name="an's other", owner="an", post="head", unit="b"),
    Person(name="bo", post="head", unit="a"),
    Person(name="cai", post="head", unit="b"),
    Person(name="di for bo", owner="di", post="head", unit="b", on_behalf_of="bo"),
    Person(name="cai for bo", owner="cai", post="clerk", unit="a", on_behalf_of="bo"),
)
REGISTRY = office.registry_of(*PEOPLE)
EVENTS, STEPS = ("approve", "approve", "approve", "seal"), ("one", "two")
T0 = datetime(2026, 11, 22, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Said:
    """One entry: what it says, who signed it, and between which hours it was made."""

    event: str
    step: str
    approved: bool
    digest: bytes
    signers: frozenset[Person]
    hours: tuple[int | None, int | None]

    @property
    def step_or_none(self) -> str | None:
        return None if self.event == "seal" else self.step


@lru_cache(None)
def signed(said: Said) -> LoggedEnvelope:
    detail = {"step": said.step, "decision": "approved" if said.approved else "rejected"}
    made = office.statement(
        said.event,
        seen=SEEN,
        detail={} if said.event == "seal" else detail,
        subject=Subject(name="d", sha256=said.digest),
    )
    return office.placed(made, *sorted(said.signers, key=lambda each: each.name), index=0)


# -- the model


def is_late(said: Said, rule: Rule, start: int | None) -> bool | None:
    """Whether a decision was after the term; None if nobody can tell."""
    if rule.within is None:
        return False
    end = None if start is None else start + int(rule.within[2:-1])
    lower, upper = said.hours
    if end is not None and upper is not None and upper <= end:
        return False
    if end is not None and lower is not None and lower > end:
        return True
    return None


def counting(
    rules: Sequence[Rule], place: int, record: Sequence[Said], length: int, late: Collection[int]
) -> dict[str, str]:
    """Owners that count for a rule after the first entries of a record, and who signed for each.

    `late` has the entries that nobody can judge, and that are taken to have been late.
    """
    rule = rules[place]
    excluded = {
        name
        for said in record
        if said.event == rule.not_by
        for person in said.signers
        for name in (person.actor.id, whose(person))
    }
    found = {}
    for owner in {whose(person) for person in PEOPLE}:
        theirs = [
            at
            for at, said in enumerate(record[:length])
            if said.event == rule.event
            and rule.step in {None, said.step_or_none}
            and said.digest == DOCUMENT
            and any(whose(person) == owner for person in said.signers)
        ]
        if not theirs:
            continue
        last, said = theirs[-1], record[theirs[-1]]
        fitting = [
            person
            for person in said.signers
            if whose(person) == owner
            and rule.post in {None, person.post}
            and rule.unit in {None, person.unit}
        ]
        # An owner's own signature goes before a delegate's.
        signers = [person.actor.id for person in fitting if not person.on_behalf_of] or [
            person.actor.id for person in fitting
        ]
        in_turn = all(
            is_met(rules[earlier], counting(rules, earlier, record, last, late))
            for earlier in range(place)
            if rule.after is not None and rules[earlier].step == rule.after
        )
        overdue = is_late(said, rule, record[0].hours[1])
        if overdue is None:
            overdue = last in late
        approved = said.approved or said.event == "seal"
        if approved and signers and not excluded & {owner, signers[0]} and in_turn and not overdue:
            found[owner] = signers[0]
    return found


def is_met(rule: Rule, owners: Mapping[str, str]) -> bool:
    """One person counts once, however many they decide for."""
    return len(set(owners.values())) >= rule.count


def whose(person: Person) -> str:
    """Id of the owner whose decision a signature is."""
    return person.on_behalf_of or person.actor.id


# -- random rules and histories


def make_rules(draw: Random) -> list[Rule]:
    rules: list[Rule] = []
    for _ in range(draw.randint(1, 4)):
        steps = [rule.step for rule in rules if rule.step is not None]
        rules.append(
            Rule(
                event=draw.choice(EVENTS),
                count=draw.choice((1, 2, 2)),
                step=draw.choice((None, *STEPS)),
                post=draw.choice((None, None, None, "head")),
                unit=draw.choice((None, None, None, "a")),
                after=draw.choice((None, *steps, *steps)),
                not_by=draw.choice((None, None, None, "seal")),
                within=draw.choice((None, "PT2H", "PT4H")),
            )
        )
    return rules


def make_history(draw: Random) -> list[Said]:
    return [
        Said(
            event=draw.choice(EVENTS),
            step=draw.choice(STEPS),
            approved=draw.random() < 0.8,
            digest=DOCUMENT if draw.random() < 0.9 else OTHER_DOCUMENT,
            signers=frozenset(draw.sample(PEOPLE, draw.choice((1, 1, 2, 2)))),
            hours=(draw.choice((None, 1, 3, 4, 5, 6)), draw.choice((None, 1, 2, 3, 5, 5))),
        )
        for _ in range(draw.randint(1, 6))
    ]


@pytest.mark.parametrize("seed", range(10))
def test_rules_are_met_as_their_text_says(seed: int) -> None:
    draw = Random(seed)
    for _ in range(100):
        compare(make_rules(draw), make_history(draw))


def compare(rules: list[Rule], history: list[Said]) -> None:
    timeless = [replace(said, hours=(None, None)) for said in history]
    entries = [replace(signed(said), index=at, sequence=at) for at, said in enumerate(timeless)]
    intervals = {
        at: Interval(
            not_before=None if lower is None else T0 + timedelta(hours=lower),
            not_after=None if upper is None else T0 + timedelta(hours=upper),
        )
        for at, (lower, upper) in enumerate(said.hours for said in history)
    }

    found = evaluate_rules(rules, entries, REGISTRY, DOCUMENT, intervals=intervals)

    open_entries = [
        at
        for at, said in enumerate(history)
        if any(is_late(said, rule, history[0].hours[1]) is None for rule in rules)
    ]
    choices = chain.from_iterable(
        combinations(open_entries, size) for size in range(len(open_entries) + 1)
    )
    outcomes = [
        [counting(rules, place, history, len(history), late) for place in range(len(rules))]
        for late in choices
    ]
    for place, outcome in enumerate(found):
        results = [each[place] for each in outcomes]
        surely, possibly = set.intersection(*map(set, results)), set.union(*map(set, results))
        counted = {owner: signer for result in results for owner, signer in result.items()}
        people = {counted[owner] for owner in surely}
        assert set(outcome.owners) == surely, (place, rules)
        assert set(outcome.undecided) == possibly - surely, (place, rules)
        assert outcome.missing == max(0, rules[place].count - len(people)), (place, rules)
        met = {is_met(rules[place], result) for result in results}
        assert outcome.is_open == (met == {True, False})
