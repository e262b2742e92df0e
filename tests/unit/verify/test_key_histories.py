"""What a report says of decisions by delegated, stolen and revoked keys."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.joint_cases import AN, EVERYBODY, approved_by
from conformance.key_history_cases import DEPUTY, moment
from evidence import LI, WANG, ZHAO, Scene, codes, office
from office import REGISTRY_KEY, ROOT, key_revocation
from vermilion_verify.printing import render_report
from vermilion_verify.report import CheckStatus, Report, Verdict

STEP = {"step": "sign-off", "decision": "approved"}
QUOTED, ANCHORED = 10, 200  # blocks


def begun() -> Scene:
    scene = office(rules=None)
    scene.event("register", detail={})
    return scene


def decided(until: str) -> Scene:
    """A delegate's decision that quotes block 10, under a delegation until a moment."""
    scene, deputy = begun(), replace(DEPUTY, until=until)
    scene.register_key(deputy, ROOT)
    scene.event("approve", deputy, detail=STEP)
    return scene


def judged(scene: Scene) -> Report:
    scene.anchor(number=ANCHORED)
    return scene.verify()


def text_of(report: Report, language: str) -> str:
    return render_report(report, language=language, colour=False, name="f", size=1)


@pytest.mark.parametrize(
    ("block", "verdict", "code"),
    [
        (ANCHORED, Verdict.PROVEN, None),
        (ANCHORED - 1, Verdict.CANNOT_TELL, "key.maybe-expired"),
        (QUOTED, Verdict.CANNOT_TELL, "key.maybe-expired"),
        (QUOTED - 1, Verdict.REFUTED, "key.expired"),
    ],
)
def test_a_delegation_ends_by_the_clock_of_the_chain(
    block: int, verdict: Verdict, code: str | None
) -> None:
    report = judged(decided(moment(block)))

    assert report.verdict is verdict
    found = codes(report) | codes(report, CheckStatus.UNKNOWN)
    assert found == ({} if code is None else {"key.validity": code})
    assert report.approvals[0]["keys"][0].get("trouble") == code


def test_a_quoted_block_that_nobody_vouches_for_refutes_nothing() -> None:
    scene = decided(moment(QUOTED - 1))
    scene.anchor(number=ANCHORED)
    hashes = {place: value for place, value in scene.hashes().items() if place[1] != QUOTED}

    report = scene.verify(hashes=hashes)

    assert codes(report, CheckStatus.UNKNOWN) == {"key.validity": "key.maybe-expired"}


def test_the_anchor_that_is_awaited_will_tell_whether_a_delegation_had_ended() -> None:
    report = decided(moment(ANCHORED)).verify()

    assert report.verdict is Verdict.PENDING
    assert report.approvals[0]["keys"][0]["trouble"] == "key.maybe-expired"


def test_a_delegation_that_had_ended_is_refuted_before_any_anchor() -> None:
    assert decided(moment(QUOTED - 1)).verify().verdict is Verdict.REFUTED


def test_where_no_anchor_is_awaited_nobody_can_tell_whether_a_delegation_had_ended() -> None:
    scene = decided(moment(ANCHORED))

    report = scene.verify(policy=scene.trust(anchors="0"))

    assert report.verdict is Verdict.CANNOT_TELL
    assert codes(report, CheckStatus.UNKNOWN) == {"key.validity": "key.maybe-expired"}


def test_an_ended_delegation_says_nothing_about_what_others_signed() -> None:
    scene = begun()
    scene.register_key(replace(DEPUTY, until=moment(QUOTED - 1)), ROOT)
    scene.approve(WANG)

    assert judged(scene).verdict is Verdict.PROVEN


def test_a_delegate_who_revokes_the_key_late_disowns_nothing() -> None:
    scene, deputy = begun(), replace(DEPUTY, until=moment(150))
    scene.register_key(deputy, ROOT)
    scene.event("approve", deputy, detail=STEP)
    scene.anchor(number=140)
    revocation = scene.chain.seen(160)
    made = replace(key_revocation(deputy, by=deputy.actor), seen=revocation)
    scene.add(made, deputy, record_key=REGISTRY_KEY)

    assert judged(scene).verdict is Verdict.PROVEN


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "on behalf of wang; not before 2026-11-18T11:08:40Z (block 10 of chain 31337); not"),
        ("zh-CN", "代 wang; 不早于 2026-11-18T11:08:40Z(链 31337 区块 10); 不晚于"),
    ],
)
def test_a_decision_is_told_with_its_delegator_and_both_bounds(language: str, words: str) -> None:
    report = judged(decided(moment(ANCHORED)))

    assert report.approvals[0]["keys"][0]["onBehalfOf"] == "wang"
    assert report.approvals[0]["actor"]["id"] == "chen"
    assert words in text_of(report, language)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "? signed when somebody else may have had the key [key.in-doubt]"),
        ("zh-CN", "? 签署时密钥可能已被他人掌握 [key.in-doubt]"),
    ],
)
def test_a_compromise_that_reaches_back_turns_a_decision_amber(language: str, words: str) -> None:
    scene = begun()
    place = scene.approve(WANG)
    scene.revoke_key(WANG, ROOT, compromisedSince=place.index)

    report = judged(scene)

    assert report.verdict is Verdict.CANNOT_TELL
    assert codes(report) == {}
    assert report.approvals[0]["keys"][0]["trouble"] == "key.in-doubt"
    assert words in text_of(report, language)


def test_a_key_in_doubt_whose_delegation_had_ended_is_refuted() -> None:
    scene, deputy = begun(), replace(DEPUTY, until=moment(QUOTED - 1))
    scene.register_key(deputy, ROOT)
    place = scene.event("approve", deputy, detail=STEP)
    scene.revoke_key(deputy, ROOT, compromisedSince=place.index)

    assert codes(judged(scene)) == {"key.validity": "key.expired"}


def test_a_good_decision_is_told_without_trouble() -> None:
    scene = begun()
    scene.approve(WANG)

    report = judged(scene)

    assert list(report.approvals[0]["keys"][0]) == ["keyid", "scheme"]
    assert "[key." not in text_of(report, "en")


def test_a_delegate_beside_the_delegator_in_one_envelope_refutes() -> None:
    scene = begun()
    scene.register_key(DEPUTY, ROOT)
    delegator = next(each for each in (WANG, LI, ZHAO) if each.actor.id == DEPUTY.on_behalf_of)
    scene.event("approve", DEPUTY, delegator, detail=STEP)

    assert codes(judged(scene)) == {"key.validity": "key.two-voices"}


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_report_names_everybody_who_signed_a_joint_approval(language: str) -> None:
    report, owners = judged(approved_by(EVERYBODY)), [person.actor for person in EVERYBODY]

    signed = report.approvals[0]["keys"]
    assert [key["keyid"] for key in signed if "owner" not in key] == [AN.keyid]  # the actor's
    names = ", ".join(" ".join(filter(None, (each.name, each.post, each.unit))) for each in owners)
    assert f"– {names} (bls12381-g2-pop); " in text_of(report, language)


@pytest.mark.parametrize(
    ("language", "line"),
    [("en", "Checking f (1 bytes)"), ("zh-CN", "正在核验 f(1 字节)")],
)
def test_a_report_states_the_size_in_its_own_language(language: str, line: str) -> None:
    assert text_of(judged(begun()), language).splitlines()[0] == line
