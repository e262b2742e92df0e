"""approval.rule, the report: who approved, who is missing, who did not count and why.

The papers of an office: reviewed, countersigned by several units, signed by
somebody who did not draft them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from evidence import Scene, codes, office
from office import Person
from vermilion_ledger.rules import Rule, hash_rules
from vermilion_verify.printing import render_report
from vermilion_verify.report import CheckStatus, Report, Verdict

DRAFTER = Person(name="drafter", may=("approve", "countersign", "review", "version"))
REVIEWER = Person(name="reviewer", may=("review",), unit="办公室")
MONEY = Person(name="money", may=("countersign",), unit="财务处")
LAW = Person(name="law", may=("countersign",), unit="法规处")
HEAD = Person(name="head", may=("approve", "version"), post="局长", unit="办公室")
DEPUTY = Person(name="deputy", may=("approve",), post="副局长", unit="办公室")
PEOPLE = (DRAFTER, REVIEWER, MONEY, LAW, HEAD, DEPUTY)
RULES = (
    Rule(event="review", count=1, step="审核", not_by="version"),
    Rule(event="countersign", count=1, step="会签", unit="财务处", after="审核"),
    Rule(event="countersign", count=1, step="会签", unit="法规处", after="审核"),
    Rule(event="approve", count=1, step="签发", post="局长", after="会签", not_by="version"),
)


class Paper:
    """A paper that its drafter signed as the version to be decided on."""

    def __init__(
        self, rules: tuple[Rule, ...] = RULES, people: tuple[Person, ...] = PEOPLE
    ) -> None:
        self.policy = hash_rules(rules).hex()
        self.scene: Scene = office(rules=rules, people=people)
        self.scene.event("register", detail={"policy": self.policy})
        self.scene.event("version", DRAFTER)

    def review(self, who: Person = REVIEWER) -> Paper:
        self.scene.event("review", who, detail={"step": "审核"})
        return self

    def decide(self, event: str, step: str, who: Person, decision: str = "approved") -> Paper:
        detail = {"step": step, "decision": decision, "policy": self.policy}
        self.scene.event(event, who, detail=detail)
        return self

    def sign_all(self) -> Paper:
        return (
            self.review()
            .decide("countersign", "会签", MONEY)
            .decide("countersign", "会签", LAW)
            .decide("approve", "签发", HEAD)
        )

    def report(self, **question: Any) -> Report:
        self.scene.anchor()
        return self.scene.verify(**question)


def ruling(report: Report) -> list[tuple[list[str], int, dict[str, str]]]:
    """Of each rule: who counts, how many are missing, and what the decisions came to."""
    found = report.check("approval.rule")
    assert found is not None
    return [
        (
            each["owners"],
            each["missing"],
            {decision["owner"]["id"]: decision["status"] for decision in each["decisions"]},
        )
        for each in found.detail["rules"]
    ]


def unmet(paper: Paper, place: int) -> dict[str, str]:
    """The decisions of a rule which alone is unmet."""
    report = paper.report()
    assert codes(report) == {"approval.rule": "rules.unmet"}
    missing = [found[1] for found in ruling(report)]
    assert missing[place] == 1, missing
    return ruling(report)[place][2]


def test_a_paper_that_went_the_whole_way_is_proven_from_the_bundle_alone() -> None:
    report = Paper().sign_all().report()

    assert report.verdict is Verdict.PROVEN
    assert ruling(report) == [
        (["reviewer"], 0, {"reviewer": "counted"}),
        (["money"], 0, {"law": "other-post", "money": "counted"}),
        (["law"], 0, {"law": "counted", "money": "other-post"}),
        (["head"], 0, {"head": "counted"}),
    ]


def test_who_counts_is_named_with_post_unit_and_interval() -> None:
    report = Paper().sign_all().report()

    found = report.check("approval.rule")
    assert found is not None
    last = found.detail["rules"][3]["decisions"][0]
    assert last["owner"] == {"id": "head", "name": "Head", "post": "局长", "unit": "办公室"}
    assert last["interval"] == report.approvals[-1]["interval"]
    assert last["interval"]["notBefore"]["number"] == 10
    assert (last["sequence"], last["index"]) == (5, report.approvals[-1]["index"])


def test_one_office_that_did_not_countersign_is_missing() -> None:
    paper = Paper().review().decide("countersign", "会签", MONEY).decide("approve", "签发", HEAD)

    report = paper.report()

    assert codes(report) == {"approval.rule": "rules.unmet"}
    assert [missing for _, missing, _ in ruling(report)] == [0, 0, 1, 1]
    assert ruling(report)[3][2] == {"head": "out-of-order"}
    found = report.check("approval.rule")
    assert found is not None
    assert "countersign 会签 法规处: 0 of 1 (), not money other-post" in found.detail["message"]
    assert "approve 签发 局长: 0 of 1 (), not head out-of-order" in found.detail["message"]


def test_one_person_does_not_stand_for_two_offices() -> None:
    both = Person(name="money's seal", owner="money", may=("countersign",), unit="法规处")
    paper = Paper(people=(*PEOPLE, both))
    paper.review().decide("countersign", "会签", MONEY).decide("countersign", "会签", both)
    paper.decide("approve", "签发", HEAD)

    assert unmet(paper, 1) == {"money": "other-post"}


def test_a_step_before_its_turn_has_to_be_taken_again() -> None:
    early = Paper().review().decide("approve", "签发", HEAD)
    early.decide("countersign", "会签", MONEY).decide("countersign", "会签", LAW)

    assert unmet(early, 3) == {"head": "out-of-order"}
    assert early.decide("approve", "签发", HEAD).report().verdict is Verdict.PROVEN


def test_a_countersignature_before_the_review_does_not_count() -> None:
    paper = Paper().decide("countersign", "会签", MONEY).review()
    paper.decide("countersign", "会签", LAW).decide("approve", "签发", HEAD)

    assert unmet(paper, 1) == {"law": "other-post", "money": "out-of-order"}


def test_whoever_drafted_a_paper_does_not_review_it() -> None:
    paper = Paper().review(DRAFTER)

    assert unmet(paper, 0) == {"drafter": "excluded"}


def test_whoever_changes_a_paper_later_has_no_longer_signed_it_off() -> None:
    paper = Paper().sign_all()
    paper.scene.event("version", HEAD)

    assert unmet(paper, 3) == {"head": "excluded"}


def test_a_deputy_does_not_sign_in_place_of_the_head() -> None:
    paper = Paper().review().decide("countersign", "会签", MONEY)
    paper.decide("countersign", "会签", LAW).decide("approve", "签发", DEPUTY)

    assert unmet(paper, 3) == {"deputy": "other-post"}


def test_a_rejection_is_named_as_one() -> None:
    paper = Paper().sign_all().decide("approve", "签发", HEAD, "rejected")

    assert unmet(paper, 3) == {"head": "rejected"}


def test_an_unknown_stranger_is_nobody() -> None:
    stranger = Person(name="stranger", post="局长")
    paper = Paper().review().decide("countersign", "会签", MONEY)
    paper.decide("countersign", "会签", LAW).decide("approve", "签发", stranger)

    report = paper.report()

    assert codes(report)["approval.rule"] == "rules.unmet"
    assert ruling(report)[3][2] == {}


def test_k_of_n_counts_owners_of_the_unit() -> None:
    members = tuple(Person(name=f"m{n}", unit="评审委员会") for n in range(5))
    rules = (Rule(event="approve", count=3, step="表决", unit="评审委员会"),)
    paper = Paper(rules, (*PEOPLE, *members))
    for member in members[:2]:
        paper.decide("approve", "表决", member)
    paper.decide("approve", "表决", HEAD)

    report = paper.report()

    assert ruling(report)[0][:2] == (["m0", "m1"], 1)
    assert codes(report) == {"approval.rule": "rules.unmet"}
    assert paper.decide("approve", "表决", members[4]).report().verdict is Verdict.PROVEN


def test_a_decision_on_behalf_of_somebody_names_both() -> None:
    delegate = Person(
        name="deputy for head",
        owner="deputy",
        post="局长",
        may=("approve",),
        until="2026-12-31T00:00:00Z",
        on_behalf_of="head",
    )
    paper = Paper(people=(*PEOPLE, delegate)).review().decide("countersign", "会签", MONEY)
    paper.decide("countersign", "会签", LAW).decide("approve", "签发", delegate)

    report = paper.report()

    assert report.verdict is Verdict.PROVEN
    found = report.check("approval.rule")
    assert found is not None
    rule = found.detail["rules"][3]
    assert rule["owners"] == ["head"]
    assert rule["decisions"][0]["owner"]["id"] == "deputy"
    assert rule["decisions"][0]["onBehalfOf"] == "head"
    text = render_report(report, language="zh-CN", colour=False, name="a", size=3)
    assert "局长 finance, 代 head – 有效" in text


def test_a_policy_of_another_record_is_not_the_one_that_a_decision_binds() -> None:
    paper = Paper()
    detail = {"step": "签发", "decision": "approved", "policy": "ab" * 32}
    paper.scene.event("approve", HEAD, detail=detail)

    assert codes(paper.report())["statement.binding"] == "statement.other-policy"


def test_a_decision_that_binds_no_policy_is_refused_where_the_record_names_one() -> None:
    paper = Paper()
    paper.scene.event("approve", HEAD, detail={"step": "签发", "decision": "approved"})

    assert codes(paper.report())["statement.binding"] == "statement.other-policy"


def test_a_change_of_policy_is_an_entry_of_the_log_signed_by_the_roots() -> None:
    paper = Paper().sign_all()
    paper.scene.policy(RULES, "withdraw", by=(HEAD,))

    assert codes(paper.report()) == {"key.validity": "policy-event.stranger"}


def test_a_report_lists_no_more_than_a_hundred_decisions_of_a_rule() -> None:
    crowd = tuple(Person(name=f"p{n:03}", may=("approve",)) for n in range(101))
    rules = (Rule(event="approve", count=1, step="sign-off"),)
    scene = office(rules=rules, people=crowd)
    scene.event("register", detail={"policy": hash_rules(rules).hex()})
    for person in crowd:
        scene.approve(person)
    scene.anchor(number=500)

    found = scene.verify().check("approval.rule")

    assert found is not None
    rule = found.detail["rules"][0]
    assert (len(rule["decisions"]), rule["more"], len(rule["owners"])) == (100, 1, 101)


# -- the same for people


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("1 needed, unit 法规处, after 审核: 1 missing", "out of order", "another post")),
        ("zh-CN", ("须 1 人, 单位 法规处, 在 审核 之后: 尚缺 1 人", "次序不符", "职务或单位不符")),
    ],
)
def test_people_read_who_is_missing_and_why(language: str, words: tuple[str, ...]) -> None:
    paper = Paper().review().decide("countersign", "会签", MONEY).decide("approve", "签发", HEAD)

    text = render_report(paper.report(), language=language, colour=False, name="a", size=3)

    for word in words:
        assert word in text


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_reason_has_its_words(language: str) -> None:
    paper = Paper().sign_all()
    report = paper.report()
    found = report.check("approval.rule")
    assert found is not None
    rule = found.detail["rules"][3]
    for status in ("rejected", "other-post", "excluded", "out-of-order", "late", "undecided"):
        decision = rule["decisions"][0] | {"status": status}
        detail = {"rules": [rule | {"decisions": [decision], "undecided": [], "missing": 1}]}
        shown = replace(report, checks=(replace(found, status=CheckStatus.FAIL, detail=detail),))

        text = render_report(shown, language=language, colour=False, name="a", size=3)

        assert "局长" in text
        assert f"decided.{status}" not in text


def test_a_post_cannot_steer_the_terminal() -> None:
    evil = Person(name="evil", may=("approve",), post="\u2028\U000e0041局长")
    paper = Paper((Rule(event="approve", count=1, unit="finance\u2028"),), (DRAFTER, evil))
    paper.decide("approve", "签发", evil)

    text = render_report(paper.report(), language="en", colour=False, name="a", size=3)

    assert not {"\u2028", "\U000e0041"} & set(text)
