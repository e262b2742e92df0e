"""The policies that we hand out: read like any other, and explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.rule_cases import DRAFTER, HEAD, LAW, MONEY, PEOPLE, REVIEWER
from evidence import office
from office import Person
from vermilion_api.rulebook import load_rules
from vermilion_ledger.rules import encode_rules, hash_rules, parse_rules
from vermilion_verify.report import Verdict

FOLDER = Path(__file__).resolve().parents[3] / "examples" / "policies"
FILES = sorted(FOLDER.glob("*.json"), key=lambda each: each.name)


def test_there_are_some() -> None:
    assert [file.name for file in FILES] == ["committee.json", "发文.json", "收文.json"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_policy_that_is_handed_out_is_one(file: Path) -> None:
    rules = load_rules(file)

    assert rules
    assert encode_rules(rules)
    assert parse_rules([rule.to_json() for rule in rules]) == rules


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_policy_that_is_handed_out_has_a_line(file: Path) -> None:
    assert f"| [{file.name}]({file.name}) |" in (FOLDER / "README.md").read_text("utf-8")


def test_a_drafter_neither_reviews_nor_signs_off() -> None:
    by_step = {rule.step: rule for rule in load_rules(FOLDER / "发文.json")}

    assert by_step["审核"].not_by == by_step["签发"].not_by == "version"
    assert by_step["签发"].after == "会签"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_who_is_kept_away_as_the_drafter_must_have_signed_as_one(file: Path) -> None:
    """Nobody but the ledger signs a registration, so that `notBy` alone keeps nobody away."""
    rules = load_rules(file)

    kept_away = {rule.not_by for rule in rules} - {None}

    assert kept_away <= {rule.event for rule in rules if rule.step is None}


@pytest.mark.parametrize(
    ("drafter", "verdict"),
    [(DRAFTER, Verdict.PROVEN), (HEAD, Verdict.REFUTED), (None, Verdict.REFUTED)],
    ids=["another drafts", "the head drafts", "nobody signed as the drafter"],
)
def test_an_outgoing_paper_is_signed_off_by_another_than_the_drafter(
    drafter: Person | None, verdict: Verdict
) -> None:
    rules = load_rules(FOLDER / "发文.json")
    scene = office(rules=rules, people=PEOPLE)
    policy = hash_rules(rules).hex()
    signing = {"step": "签发", "decision": "approved", "policy": policy}
    scene.event("register", detail={"policy": policy}, actor=HEAD.actor)
    if drafter is not None:
        scene.event("version", drafter)
    scene.event("review", REVIEWER, detail={"step": "审核"})
    for each in (MONEY, LAW):
        scene.event("countersign", each, detail=signing | {"step": "会签"})
    scene.event("approve", HEAD, detail=signing)
    scene.anchor()

    assert scene.verify().verdict is verdict


def test_one_rule_for_each_unit_that_countersigns() -> None:
    units = [rule.unit for rule in load_rules(FOLDER / "发文.json") if rule.step == "会签"]

    assert len(units) == len(set(units)) == 2
