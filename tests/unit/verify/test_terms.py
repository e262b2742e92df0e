"""approval.rule: decisions in time, late, and those of which nobody can tell.

A block is 12 seconds after the one before; a term of ten minutes has 50 blocks.
"""

from __future__ import annotations

from typing import Any

import pytest

from evidence import LI, WANG, Scene, approved, codes, office
from vermilion_ledger.errors import InputError
from vermilion_ledger.rules import Rule, hash_rules
from vermilion_verify.report import NOT_PROVEN_TERM, CheckStatus, Report, Verdict

TERM = (Rule(event="approve", count=1, step="sign-off", within="PT10M"),)
OPEN = {"approval.rule": "rules.undecided"}
UNMET = {"approval.rule": "rules.unmet"}


def registered(rules: tuple[Rule, ...] = TERM, *, at: int | None = 20) -> Scene:
    """A record under rules, its registration anchored in a block."""
    scene = office(rules=rules)
    scene.event("register", detail={"policy": hash_rules(rules).hex()})
    if at is not None:
        scene.anchor(number=at)
    return scene


def decided(*, seen: int, at: int, rules: tuple[Rule, ...] = TERM, **changes: Any) -> Scene:
    """The same, with a decision that quotes a block and is anchored in another."""
    scene = registered(rules)
    scene.approve(WANG, seen=scene.chain.seen(seen), **changes)
    scene.anchor(number=at)
    return scene


def rule_of(report: Report, place: int = 0) -> dict[str, Any]:
    found = report.check("approval.rule")
    assert found is not None
    rules: list[dict[str, Any]] = found.detail["rules"]
    return rules[place]


def test_a_decision_anchored_within_the_term_counts() -> None:
    report = decided(seen=25, at=70).verify()

    assert report.verdict is Verdict.PROVEN
    assert rule_of(report)["owners"] == ["wang"]


def test_the_term_ends_with_its_last_second() -> None:
    assert decided(seen=25, at=71).verify().verdict is Verdict.CANNOT_TELL
    assert codes(decided(seen=71, at=80).verify()) == UNMET
    assert decided(seen=70, at=80).verify().verdict is Verdict.CANNOT_TELL


def test_a_decision_that_quotes_a_block_after_the_term_is_late() -> None:
    report = decided(seen=90, at=95).verify()

    assert report.verdict is Verdict.REFUTED
    assert codes(report) == UNMET
    assert [each["status"] for each in rule_of(report)["decisions"]] == ["late"]


def test_nobody_can_tell_of_a_decision_seen_before_and_anchored_after_the_end() -> None:
    report = decided(seen=60, at=90).verify()

    assert report.verdict is Verdict.CANNOT_TELL
    assert codes(report, CheckStatus.UNKNOWN) == OPEN
    assert rule_of(report)["undecided"] == ["wang"]
    assert rule_of(report)["missing"] == 1


def test_a_quoted_block_that_nobody_knows_shows_nothing_to_be_late() -> None:
    scene = decided(seen=90, at=95)
    known = {place: found for place, found in scene.hashes().items() if place[1] != 90}

    report = scene.verify(hashes=known)

    assert codes(report) == {}
    assert codes(report, CheckStatus.UNKNOWN) == OPEN


def test_a_term_does_not_run_from_a_claimed_time() -> None:
    scene = registered()
    scene.approve(WANG, seen=scene.chain.seen(90), time="2026-11-18T11:11:00Z")
    scene.anchor(number=95)

    assert codes(scene.verify()) == UNMET


def test_a_term_runs_from_the_earliest_anchor_of_the_registration() -> None:
    scene = decided(seen=25, at=90)
    scene.anchor(number=95, size=scene.log.size)

    term = rule_of(scene.verify())["term"]

    assert term["start"]["number"] == 20
    assert term["end"] == "2026-11-18T11:20:40Z"


def test_a_term_runs_from_the_earliest_anchor_on_any_chain() -> None:
    scene = registered(at=60)
    scene.anchor(number=20, chain=scene.second)
    scene.approve(WANG, seen=scene.chain.seen(75))
    scene.anchor(number=80)
    scene.anchor(number=81, chain=scene.second)

    report = scene.verify(policy=scene.trust(scene.chain, scene.second))

    assert codes(report) == UNMET
    assert rule_of(report)["term"]["start"]["chainId"] == scene.second.chain_id


def test_an_anchor_of_a_chain_that_does_not_count_begins_no_term() -> None:
    scene = registered(at=60)
    scene.anchor(number=20, chain=scene.second)
    scene.approve(WANG, seen=scene.chain.seen(75))
    scene.anchor(number=80)

    assert scene.verify().verdict is Verdict.PROVEN


def test_a_term_is_not_begun_anew_by_another_version() -> None:
    scene = registered()
    scene.event("version", content=b"second")
    scene.anchor(number=90)
    scene.approve(WANG, content=b"second", seen=scene.chain.seen(91))
    scene.anchor(number=95)

    assert codes(scene.verify(content=b"second")) == UNMET


def test_a_late_decision_takes_the_place_of_an_earlier_one() -> None:
    scene = decided(seen=25, at=40)
    scene.approve(WANG, seen=scene.chain.seen(90))
    scene.anchor(number=95)

    assert codes(scene.verify()) == UNMET


def test_a_late_rejection_takes_an_approval_back() -> None:
    scene = decided(seen=25, at=40)
    scene.approve(WANG, decision="rejected", seen=scene.chain.seen(90))
    scene.anchor(number=95)

    report = scene.verify()

    assert codes(report) == UNMET
    assert rule_of(report)["decisions"][0]["status"] == "rejected"


def test_another_owner_in_time_meets_the_rule_beside_a_late_one() -> None:
    scene = decided(seen=25, at=40)
    scene.approve(LI, seen=scene.chain.seen(90))
    scene.anchor(number=95)

    report = scene.verify()

    assert report.verdict is Verdict.PROVEN
    assert rule_of(report)["owners"] == ["wang"]
    assert [each["status"] for each in rule_of(report)["decisions"]] == ["late", "counted"]


def test_what_follows_an_undecided_step_is_undecided() -> None:
    rules = (
        Rule(event="approve", count=1, step="legal", within="PT10M"),
        Rule(event="approve", count=1, step="sign-off", after="legal"),
    )
    scene = decided(seen=60, at=90, rules=rules, step="legal")
    scene.approve(LI)
    scene.anchor(number=99)

    report = scene.verify()

    assert codes(report, CheckStatus.UNKNOWN) == OPEN
    assert rule_of(report, 1)["undecided"] == ["li"]


def test_what_follows_a_late_step_is_out_of_order() -> None:
    rules = (
        Rule(event="approve", count=1, step="legal", within="PT10M"),
        Rule(event="approve", count=1, step="sign-off", after="legal"),
    )
    scene = decided(seen=90, at=95, rules=rules, step="legal")
    scene.approve(LI)
    scene.anchor(number=99)

    report = scene.verify()

    assert codes(report) == UNMET
    assert rule_of(report, 1)["decisions"][0]["status"] == "out-of-order"


def test_a_rule_that_is_unmet_either_way_is_unmet() -> None:
    two = (Rule(event="approve", count=2, step="sign-off", within="PT10M"),)

    assert codes(decided(seen=60, at=90, rules=two).verify()) == UNMET


# -- before an anchor is final


def test_a_term_that_has_not_begun_keeps_a_record_pending() -> None:
    scene = registered(at=None)
    scene.approve(WANG)

    report = scene.verify()

    assert report.verdict is Verdict.PENDING
    assert rule_of(report)["term"] == {"start": None, "end": None}
    assert rule_of(report)["undecided"] == ["wang"]


def test_a_decision_that_waits_for_its_anchor_keeps_a_record_pending() -> None:
    scene = registered()
    scene.approve(WANG, seen=scene.chain.seen(25))

    assert scene.verify().verdict is Verdict.PENDING


def test_nobody_pending_is_excused_from_deciding() -> None:
    assert codes(registered(at=None).verify()) == UNMET


def test_a_late_decision_is_refuted_before_it_is_anchored() -> None:
    scene = registered()
    scene.approve(WANG, seen=scene.chain.seen(90))

    assert codes(scene.verify()) == UNMET


def test_a_policy_that_asks_for_no_anchor_cannot_judge_a_term() -> None:
    scene = registered(at=None)
    scene.approve(WANG)

    report = scene.verify(policy=scene.trust(anchors="0"))

    assert report.verdict is Verdict.CANNOT_TELL
    assert codes(report, CheckStatus.UNKNOWN) == OPEN


def test_a_term_cannot_be_judged_by_anchors_that_nobody_vouches_for() -> None:
    report = decided(seen=25, at=40).verify(hashes={})

    assert report.verdict is Verdict.CANNOT_TELL
    assert codes(report, CheckStatus.UNKNOWN)["approval.rule"] == "rules.undecided"


# -- the verifier's own rules, and what is not proven


def test_a_term_of_the_trust_policy_applies_too() -> None:
    scene = decided(seen=61, at=65)
    short = '[{event = "approve", count = 1, within = "PT8M"}]'

    assert scene.verify().verdict is Verdict.PROVEN
    assert codes(scene.verify(policy=scene.trust(rules=short))) == UNMET


def test_a_report_on_a_term_says_what_nobody_can_show() -> None:
    assert NOT_PROVEN_TERM in decided(seen=25, at=40).verify().not_proven
    assert NOT_PROVEN_TERM not in approved().verify().not_proven


@pytest.mark.parametrize(
    ("within", "code"),
    [
        ("P100Y", "duration.malformed"),
        ("", "duration.malformed"),
        ("p1d", "duration.malformed"),
        ("PT1.5H", "duration.malformed"),
        ("PT0S", "rules.within"),
        ("P36526D", "rules.within"),
    ],
)
def test_a_term_is_of_a_second_to_a_hundred_years(within: str, code: str) -> None:
    rules = f'[{{event = "approve", count = 1, within = "{within}"}}]'

    with pytest.raises(InputError) as error:
        office().trust(rules=rules)

    assert error.value.code == code


def test_an_early_anchor_that_nobody_vouches_for_wins_no_time() -> None:
    scene = registered(at=200)
    scene.approve(WANG, seen=scene.chain.seen(300))
    scene.anchor(number=400)
    listed = {place: found for place, found in scene.hashes().items() if place[1] != 200}

    assert codes(scene.verify()) == UNMET
    report = scene.verify(hashes=listed)
    assert report.verdict is Verdict.CANNOT_TELL
    assert codes(report, CheckStatus.UNKNOWN)["approval.rule"] == "rules.undecided"
