"""approval.rule: who had to decide, under the record's policy and the verifier's own."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from evidence import DOCUMENT_BYTES, LI, RULES, WANG, ZHAO, Scene, approved, codes, office
from office import ROOT, Person
from vermilion_ledger.rules import Rule, hash_rules
from vermilion_verify.report import CheckStatus, Report, Verdict

OTHER = (Rule(event="approve", count=1, step="legal"),)
LEGAL_FIRST = (
    Rule(event="approve", count=1, step="legal"),
    Rule(event="approve", count=1, step="sign-off", after="legal"),
)


def under(rules: tuple[Rule, ...] = RULES) -> Scene:
    scene = office(rules=rules)
    scene.event("register", detail={"policy": hash_rules(rules).hex()})
    return scene


def judged(scene: Scene, **question: Any) -> Report:
    scene.anchor()
    return scene.verify(**question)


def is_unmet(scene: Scene) -> bool:
    report = judged(scene)
    return report.verdict is Verdict.REFUTED and codes(report) == {"approval.rule": "rules.unmet"}


def test_one_of_two_owners_is_not_enough() -> None:
    scene = under()
    scene.approve(WANG)

    report = judged(scene)

    assert codes(report) == {"approval.rule": "rules.unmet"}
    found = report.check("approval.rule")
    assert found is not None
    assert "1 of 2 (wang)" in found.detail["message"]


def test_two_approvals_by_one_owner_are_one() -> None:
    second = Person(name="wang's tablet", owner="wang", may=("approve",))
    scene = under()
    scene.register_key(second, ROOT)
    scene.approve(WANG)
    scene.approve(second)

    assert is_unmet(scene)


def test_a_rejection_takes_an_approval_back() -> None:
    scene = under()
    scene.approve(WANG)
    scene.approve(LI)
    scene.approve(WANG, decision="rejected")

    assert is_unmet(scene)


def test_another_step_does_not_count() -> None:
    scene = under()
    scene.approve(WANG)
    scene.approve(LI, step="legal")

    assert is_unmet(scene)


def test_approvals_of_another_version_do_not_count() -> None:
    scene = under()
    scene.approve(WANG)
    scene.approve(LI)
    scene.event("version", content=b"second")
    scene.anchor()

    first, second = scene.verify(), scene.verify(content=b"second")

    assert first.verdict is Verdict.SUPERSEDED
    assert codes(second) == {"approval.rule": "rules.unmet"}


def test_approvals_of_the_source_of_a_conversion_do_not_count() -> None:
    scene = under()
    scene.approve(WANG)
    scene.approve(LI)
    source = hashlib.sha256(DOCUMENT_BYTES).hexdigest()
    scene.event("convert", content=b"pdf/a", detail={"from": source})
    scene.anchor()

    assert scene.verify().verdict is Verdict.PROVEN
    assert codes(scene.verify(content=b"pdf/a")) == {"approval.rule": "rules.unmet"}


def test_a_decision_out_of_order_does_not_count() -> None:
    scene = under(LEGAL_FIRST)
    scene.approve(WANG)
    scene.approve(LI, step="legal")

    assert is_unmet(scene)


def test_a_decision_in_order_counts() -> None:
    scene = under(LEGAL_FIRST)
    scene.approve(LI, step="legal")
    scene.approve(WANG)

    assert judged(scene).verdict is Verdict.PROVEN


@pytest.mark.parametrize("member", ["post", "unit"])
def test_an_owner_of_another_post_or_unit_does_not_count(member: str) -> None:
    scene = under((Rule(event="approve", count=1, **{member: "minister"}),))
    scene.approve(WANG)

    assert is_unmet(scene)


def test_who_did_the_excluded_event_does_not_count() -> None:
    scene = under((Rule(event="approve", count=1, not_by="seal"),))
    scene.approve(WANG)
    scene.event("seal", WANG)

    assert is_unmet(scene)


# -- a policy that is not in force


def named(scene: Scene, rules: tuple[Rule, ...]) -> Scene:
    scene.event("register", detail={"policy": hash_rules(rules).hex()})
    scene.approve(WANG)
    scene.approve(LI)
    return scene


def is_unknown(scene: Scene) -> bool:
    report = judged(scene)
    return report.verdict is Verdict.CANNOT_TELL and codes(report, CheckStatus.UNKNOWN) == {
        "approval.rule": "policy.not-in-force"
    }


def test_a_policy_that_nobody_adopted_cannot_be_judged() -> None:
    assert is_unknown(named(office(), OTHER))


def test_a_policy_adopted_after_the_registration_was_not_in_force() -> None:
    scene = named(office(rules=None), RULES)
    scene.policy(RULES)

    assert is_unknown(scene)


def test_a_policy_withdrawn_before_the_registration_was_not_in_force() -> None:
    scene = office()
    scene.policy(RULES, "withdraw")

    assert is_unknown(named(scene, RULES))


def test_a_policy_withdrawn_after_the_registration_was_in_force() -> None:
    scene = named(office(), RULES)
    scene.policy(RULES, "withdraw")

    assert judged(scene).verdict is Verdict.PROVEN


def test_a_policy_adopted_again_is_in_force() -> None:
    scene = office()
    scene.policy(RULES, "withdraw")
    scene.policy(RULES)

    assert judged(named(scene, RULES)).verdict is Verdict.PROVEN


# -- the verifier's own rules


def test_the_rules_of_the_trust_policy_apply_to_every_record() -> None:
    scene = approved()
    seal = scene.trust(rules='[{event = "seal", count = 1}]')

    report = scene.verify(policy=seal)

    assert codes(report) == {"approval.rule": "rules.unmet"}


def test_both_lists_apply() -> None:
    scene = under()
    scene.approve(WANG)
    scene.approve(LI)
    scene.anchor()
    three = scene.trust(rules='[{event = "approve", count = 3}]')
    two = scene.trust(rules='[{event = "approve", count = 2, step = "sign-off"}]')

    assert codes(scene.verify(policy=three)) == {"approval.rule": "rules.unmet"}
    assert scene.verify(policy=two).verdict is Verdict.PROVEN


def test_a_rule_on_an_event_that_nobody_signs_is_met_by_nobody() -> None:
    scene = under()
    scene.event("review")
    scene.approve(WANG)
    scene.approve(LI)
    scene.anchor()

    report = scene.verify(policy=scene.trust(rules='[{event = "review", count = 1}]'))

    assert codes(report) == {"approval.rule": "rules.unmet"}


@pytest.mark.parametrize("without", [[1], [2], [1, 2]])
def test_rules_of_a_cut_record_cannot_be_judged_met_or_not(without: list[int]) -> None:
    scene = under()
    scene.approve(WANG)
    scene.event("review")
    scene.approve(LI)
    scene.anchor()

    report = scene.verify(scene.bundle(withhold=True, without=without))

    assert report.verdict is Verdict.CANNOT_TELL
    assert codes(report, CheckStatus.UNKNOWN)["approval.rule"] == "rules.left-out"


def test_rules_of_a_whole_record_are_judged_without_its_key() -> None:
    scene = under()
    scene.approve(ZHAO)
    scene.approve(LI)
    scene.anchor()

    assert scene.verify(scene.bundle(withhold=True)).verdict is Verdict.PROVEN
