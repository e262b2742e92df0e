"""Findings in a report: timed by blocks, in both languages, and never part of a verdict."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from evidence import CORRECTED_BYTES, LI, WANG, Scene, office, plain
from office import Person
from trusted import START
from vermilion_ledger.encoding import encode_time
from vermilion_ledger.findings import Severity
from vermilion_verify.printing import render_report
from vermilion_verify.report import NOT_PROVEN_FINDINGS, CheckStatus, Report
from vermilion_verify.texts import TEXTS

DRAFTER = Person(name="drafter", may=("register", "regrade"), officer=True)
SIGNED = {"step": "sign-off", "decision": "approved"}
BLOCK_SECONDS = 12


def time_of(block: int) -> str:
    return encode_time(datetime.fromtimestamp(START + BLOCK_SECONDS * block, tz=UTC))


def lapsed() -> Scene:
    """Changed after its sign-off, and sealed."""
    scene = office(rules=None)
    scene.event("register", detail={})
    scene.event("approve", WANG, detail=SIGNED)
    scene.event("version", content=CORRECTED_BYTES, detail={})
    scene.event("seal", WANG, content=CORRECTED_BYTES, detail={})
    return scene


def tasked(due: str, *, answered_behind: int | None = None, anchored: int = 120) -> Scene:
    """A task, perhaps answered behind the block that a seal quotes."""
    scene = office(rules=None)
    scene.event("register", detail={})
    task = scene.event("handle", detail={"due": due, "owner": "综合科"})
    if answered_behind is not None:
        scene.event("seal", WANG, detail={}, seen=scene.chain.seen(answered_behind))
        named = {"sequence": task.sequence, "envelope": task.envelope.hash.hex()}
        scene.event("handle", detail={"of": named, "outcome": "done"})
    scene.anchor(number=anchored)
    return scene


def listed(report: Report) -> list[tuple[str, str, bool]]:
    return [
        (each.code.removeprefix("finding."), each.severity.value, each.certain)
        for each in report.findings
    ]


def test_a_finding_changes_no_check_and_no_verdict() -> None:
    scene = lapsed()
    scene.anchor()

    report = scene.verify(content=CORRECTED_BYTES)

    assert report.verdict == "proven"
    assert CheckStatus.FAIL not in {check.status for check in report.checks}
    assert listed(report) == [("changed-after-sign-off", "critical", True)]


def test_the_report_always_has_its_findings() -> None:
    value = plain().verify().to_json()

    assert value["findings"] == []
    assert list(value)[-3:] == ["findings", "notProven", "verifier"]
    assert plain().verify(b"{}").to_json()["findings"] == []


def test_a_finding_has_the_members_of_the_document() -> None:
    scene = lapsed()
    scene.anchor()

    (found,) = scene.verify(content=CORRECTED_BYTES).to_json()["findings"]

    assert list(found) == ["code", "severity", "sequence", "certain", "detail", "en", "zh"]
    assert found["detail"] == {"signedOff": 1, "used": 3}


@pytest.mark.parametrize(
    ("due", "behind", "expected"),
    [
        (120, 50, []),  # anchored at 120, so not after it
        (119, 50, [("overdue", "notice", False)]),  # between the quoted block and the anchor
        (50, 50, [("overdue", "notice", False)]),
        (49, 50, [("overdue", "warning", True)]),  # the quoted block is later already
        (120, None, [("overdue", "notice", False)]),  # no answer, and no block behind
        (10, None, [("overdue", "notice", False)]),
        (9, None, [("overdue", "warning", True)]),  # a key event quotes block 10 already
    ],
)
def test_late_is_what_blocks_say(
    due: int, behind: int | None, expected: list[tuple[str, str, bool]]
) -> None:
    assert listed(tasked(time_of(due), answered_behind=behind).verify()) == expected


def test_what_has_no_answer_is_late_for_certain_behind_a_later_block() -> None:
    scene = tasked(time_of(49))
    before = listed(scene.verify())
    scene.event("seal", WANG, detail={}, seen=scene.chain.seen(50))
    scene.event("seal", WANG, detail={}, seen=scene.chain.seen(20))  # an older block takes nothing
    scene.anchor(number=130)

    assert before == [("overdue", "notice", False)]
    assert listed(scene.verify()) == [("overdue", "warning", True)]


def test_a_block_that_nobody_vouches_for_proves_nothing() -> None:
    scene = tasked(time_of(49), answered_behind=50)

    assert listed(scene.verify(hashes={})) == [("overdue", "notice", False)]


def test_what_is_not_due_by_the_verifiers_clock_is_not_late() -> None:
    scene = tasked("2030-01-01T00:00:00Z")

    assert listed(scene.verify()) == []
    (found,) = scene.verify(now=datetime(2031, 1, 1, tzinfo=UTC)).findings
    assert found.detail["asOf"] == "2031-01-01T00:00:00Z"


def test_claimed_times_are_never_looked_at() -> None:
    scene = tasked(time_of(49))
    last = scene.log.items[-1][0]
    named = {"sequence": last.sequence, "envelope": last.envelope.hash.hex()}
    scene.event("seal", WANG, detail={}, seen=scene.chain.seen(50))
    detail = {"of": named, "outcome": "done"}
    scene.event("handle", detail=detail, time="2020-01-01T00:00:00Z")
    scene.anchor(number=130)

    assert listed(scene.verify()) == [("overdue", "warning", True)]


def test_with_an_entry_left_out_the_report_says_so() -> None:
    scene = lapsed()
    scene.event("access", content=CORRECTED_BYTES, detail={"how": "view"})
    scene.anchor()

    whole = scene.verify(content=CORRECTED_BYTES)
    cut = scene.verify(scene.bundle(withhold=True, without=[4]), content=CORRECTED_BYTES)

    assert listed(cut) == [("changed-after-sign-off", "critical", False)]
    assert NOT_PROVEN_FINDINGS in cut.not_proven
    assert NOT_PROVEN_FINDINGS not in whole.not_proven
    assert cut.verdict == whole.verdict == "proven"


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_text_lists_them_after_the_checks_with_the_next_step(language: str) -> None:
    scene = lapsed()
    scene.event("dispatch", content=CORRECTED_BYTES, detail={})
    scene.event("dispatch", content=CORRECTED_BYTES, detail={})
    scene.anchor()
    report = scene.verify(content=CORRECTED_BYTES)
    cut = replace(report, findings=tuple(replace(each, certain=False) for each in report.findings))

    text = render_report(report, language=language, colour=False, name="a", size=None)
    doubtful = render_report(cut, language=language, colour=True, name="a", size=None)

    first, second, third = report.findings
    sentences = [each.zh if language == "zh-CN" else each.en for each in (first, second, third)]
    assert all(sentence in text for sentence in sentences)
    assert text.index("time.interval") < text.index(sentences[0]) < text.index(sentences[1])
    assert text.index(sentences[2]) < text.index(TEXTS["does-not-prove"].say(language))
    assert text.count("[finding.undelivered]") == 2
    assert text.count(TEXTS["next-step"].say(language)) == 2  # once for each code
    assert TEXTS["perhaps"].say(language) not in text
    assert doubtful.count(TEXTS["perhaps"].say(language)) == 3


@pytest.mark.parametrize("severity", list(Severity))
def test_each_severity_has_its_word_in_both_languages(severity: Severity) -> None:
    assert TEXTS[severity.value].zh != TEXTS[severity.value].en


def test_a_hostile_detail_is_only_not_there() -> None:
    odd: dict[str, Any] = {"of": [], "due": {}, "to": [[]], "copy": 1, "from": 1, "step": {}}
    scene = office(rules=None)
    scene.event("register", detail={"flow": []})
    for word in ("dispatch", "receive", "handle", "supervise", "fixity", "review", "urge"):
        scene.event(word, detail=odd | {"decision": [], "outcome": {}})
    scene.event("seal", LI, detail=odd)
    scene.anchor()

    assert listed(scene.verify()) == [("undelivered", "notice", True)]


def test_a_change_of_grade_by_a_drafter_is_told_and_one_by_an_officer_is_not() -> None:
    guard = Person(name="guard", may=("regrade",), officer=True)
    change = {"from": "公开", "to": "内部", "reason": "names of persons"}

    def regraded(by: Person) -> Report:
        scene = office(rules=None, people=(WANG, LI, guard, DRAFTER))
        scene.event("register", DRAFTER, detail={"grade": "公开"})
        scene.event("regrade", by, detail=change)
        scene.anchor()
        return scene.verify()

    assert listed(regraded(guard)) == []
    unlawful = regraded(DRAFTER)
    assert listed(unlawful) == [("regraded", "critical", True)]
    assert unlawful.findings[0].detail == {"problem": "grade.drafter"}
    assert unlawful.verdict == "proven"
