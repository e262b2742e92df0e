"""Rules: who counts, in which order, and who is left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import office
from office import DOCUMENT, LI, OTHER_DOCUMENT, WANG, ZHAO, Person, placed
from vermilion_ledger.approvals import RuleOutcome, evaluate_rules
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.rules import Rule
from vermilion_ledger.statement import Subject

WANG_TWO = Person(name="wang at home", owner="wang", unit="home")
REGISTRY = office.registry_of(WANG, LI, ZHAO, WANG_TWO)
DRAFT = Rule(event="approve", count=1, step="draft")


def record(*events: LoggedEnvelope) -> tuple[LoggedEnvelope, ...]:
    return tuple(
        replace(event, index=10 + place, sequence=place) for place, event in enumerate(events)
    )


def decide(
    *people: Person,
    step: str = "draft",
    decision: str = "approved",
    event: str = "approve",
    digest: bytes = DOCUMENT,
) -> LoggedEnvelope:
    detail: dict[str, Any] = (
        {"step": step, "decision": decision} if event in {"approve", "countersign"} else {}
    )
    made = office.statement(
        event, seen=office.SEEN, detail=detail, subject=Subject(name="d", sha256=digest)
    )
    return placed(made, *people, index=0)


def outcome(
    rules: list[Rule], *events: LoggedEnvelope, digest: bytes = DOCUMENT
) -> list[tuple[tuple[str, ...], int]]:
    outcomes = evaluate_rules(rules, record(*events), REGISTRY, digest)
    assert [found.rule for found in outcomes] == rules
    return [(found.owners, found.missing) for found in outcomes]


def test_two_owners_meet_a_rule_of_two() -> None:
    assert outcome([replace(DRAFT, count=2)], decide(WANG), decide(LI)) == [(("li", "wang"), 0)]


def test_one_owner_with_two_keys_counts_once() -> None:
    assert outcome([replace(DRAFT, count=2)], decide(WANG), decide(WANG_TWO)) == [(("wang",), 1)]


def test_both_signers_of_one_envelope_count() -> None:
    assert outcome([replace(DRAFT, count=2)], decide(WANG, LI)) == [(("li", "wang"), 0)]


def test_the_last_decision_of_an_owner_stands_by_any_of_their_keys() -> None:
    rejected = decide(WANG_TWO, decision="rejected")

    assert outcome([DRAFT], decide(WANG), rejected) == [((), 1)]
    assert outcome([DRAFT], rejected, decide(WANG)) == [(("wang",), 0)]


def test_a_later_key_without_the_post_takes_the_approval_back() -> None:
    rule = replace(DRAFT, unit="finance")

    assert outcome([rule], decide(WANG), decide(WANG_TWO)) == [((), 1)]
    assert outcome([rule], decide(WANG_TWO), decide(WANG)) == [(("wang",), 0)]
    assert outcome([rule], decide(WANG, WANG_TWO)) == [(("wang",), 0)]


@pytest.mark.parametrize(
    "event",
    [
        decide(WANG, step="final"),
        decide(WANG, event="countersign"),
        decide(WANG, digest=OTHER_DOCUMENT),
        decide(WANG, decision="rejected"),
        decide(Person(name="stranger")),
        decide(),
        decide(WANG, event="seal"),
    ],
)
def test_a_decision_of_another_kind_does_not_count(event: LoggedEnvelope) -> None:
    assert outcome([DRAFT], event) == [((), 1)]


def test_an_event_without_a_decision_counts_as_approved() -> None:
    assert outcome([Rule(event="seal", count=1)], decide(WANG, event="seal")) == [(("wang",), 0)]


@pytest.mark.parametrize(("post", "missing"), [("director", 0), ("clerk", 1), ("", 1)])
def test_only_keys_with_the_post_count(post: str, missing: int) -> None:
    assert outcome([replace(DRAFT, post=post)], decide(ZHAO))[0][1] == missing


def test_a_decision_before_its_turn_does_not_count() -> None:
    final = Rule(event="approve", count=1, step="final", after="draft")
    early, late = decide(LI, step="final"), decide(WANG)

    assert outcome([DRAFT, final], early, late) == [(("wang",), 0), ((), 1)]
    assert outcome([DRAFT, final], late, early) == [(("wang",), 0), (("li",), 0)]


def test_a_decision_counts_only_if_all_rules_of_the_step_stood_met() -> None:
    director = Rule(event="approve", count=1, step="draft", post="director")
    final = Rule(event="approve", count=1, step="final", after="draft")

    rules = [DRAFT, director, final]

    assert outcome(rules, decide(WANG), decide(LI, step="final"))[2] == ((), 1)
    assert outcome(rules, decide(WANG, ZHAO), decide(LI, step="final"))[2] == (("li",), 0)


def test_a_step_that_was_taken_back_no_longer_stands_met() -> None:
    final = Rule(event="approve", count=1, step="final", after="draft")
    events = decide(WANG), decide(WANG, decision="rejected"), decide(LI, step="final")

    assert outcome([DRAFT, final], *events) == [((), 1), ((), 1)]


def test_a_decision_in_its_turn_stays_when_the_step_is_taken_back() -> None:
    final = Rule(event="approve", count=1, step="final", after="draft")
    events = decide(WANG), decide(LI, step="final"), decide(WANG, decision="rejected")

    assert outcome([DRAFT, final], *events) == [((), 1), (("li",), 0)]


def test_one_envelope_does_not_meet_a_step_and_follow_it() -> None:
    follow = Rule(event="approve", count=1, after="draft")

    assert outcome([DRAFT, follow], decide(WANG)) == [(("wang",), 0), ((), 1)]


def test_whoever_signed_the_named_event_does_not_count_in_either_order() -> None:
    rule = replace(DRAFT, not_by="seal")
    seal = decide(WANG_TWO, event="seal", digest=OTHER_DOCUMENT)

    assert outcome([rule], decide(WANG), seal) == [((), 1)]
    assert outcome([rule], seal, decide(WANG), decide(LI)) == [(("li",), 0)]


def test_the_outcome_names_the_rule() -> None:
    assert evaluate_rules([DRAFT], (), REGISTRY, DOCUMENT) == (
        RuleOutcome(rule=DRAFT, decisions=()),
    )
    assert evaluate_rules([], record(decide(WANG)), REGISTRY, DOCUMENT) == ()


def test_a_long_record_under_many_rules_is_judged_in_one_pass() -> None:
    chain = [DRAFT] + [
        Rule(event="approve", count=1, step=f"s{n}", after="draft" if n == 1 else f"s{n - 1}")
        for n in range(1, 64)
    ]
    entry = decide(WANG)

    found = evaluate_rules(chain, [entry] * 3000, REGISTRY, DOCUMENT)

    assert [rule.missing for rule in found] == [0] + [1] * 63
