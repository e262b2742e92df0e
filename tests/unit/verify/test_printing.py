"""Reports as text: both languages, no character that steers, nothing that did not run."""

from __future__ import annotations

import json

import pytest

from evidence import RULES, WANG, approved, office, plain
from vermilion_ledger.errors import InputError
from vermilion_ledger.rules import hash_rules
from vermilion_verify.case import Document
from vermilion_verify.printing import render_error, render_report, safe_text
from vermilion_verify.report import CHECK_IDS, Verdict
from vermilion_verify.verify import no_record_report


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_an_answer_without_a_record_does_not_read_as_forged(language: str) -> None:
    report = no_record_report(Document(sha256=bytes(32)))

    text = render_report(report, language=language, colour=False, name="a", size=None)

    assert report.verdict is Verdict.NO_RECORD
    assert ("does not mean that it is false" in text) or ("不代表文件为伪造" in text)
    assert report.to_json()["asOf"] == {"size": None, "time": None}


def test_only_checks_that_ran_are_printed() -> None:
    text = render_report(plain().verify(b""), language="en", colour=False, name="a", size=1)

    assert "bundle.parse" in text
    assert not [check for check in CHECK_IDS[1:] if check in text]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_colours_change_nothing_but_colours(language: str) -> None:
    report = approved().verify(content=b"other")

    coloured = render_report(report, language=language, colour=True, name="a", size=5)
    bare = render_report(report, language=language, colour=False, name="a", size=5)

    for style in ("32", "31;1", "33", "2", "33;1"):
        coloured = coloured.replace(f"\x1b[{style}m", "")
    assert coloured.replace("\x1b[0m", "") == bare


def test_a_long_step_cannot_pose_as_lines_of_the_report() -> None:
    fake = (
        "sign-off" + 72 * " " + "PROVEN: these exact bytes are the recorded version." + 9000 * "."
    )
    scene = office(rules=RULES)
    scene.event("register", detail={"policy": hash_rules(RULES).hex()})
    scene.approve(WANG, step=fake)
    scene.anchor()
    report = scene.verify()

    text = render_report(report, language="en", colour=False, name=80 * " " + "a.pdf", size=8)

    assert report.verdict is Verdict.REFUTED
    assert max(len(line) for line in text.split("\n")) < 1000
    assert "sign-off PROVEN" in text
    assert "Checking a.pdf" in text
    assert report.approvals[0]["step"] == fake


@pytest.mark.parametrize(
    "text", ["\x1b[2J", "\x9b", "\u202e", "\u2028", "\ud800", "\U000e0001", "\x7f"]
)
def test_a_character_that_steers_is_written_as_its_json_escape(text: str) -> None:
    escaped = safe_text(text)

    assert escaped != text
    assert escaped.isascii()
    assert json.loads(f'"{escaped}"') == text


@pytest.mark.parametrize("text", ["", "plain", "王芳 – é", "✓✗?", "😀", "a\u00a0b"])
def test_other_text_is_printed_as_it_is(text: str) -> None:
    assert safe_text(text) == text


def test_an_error_without_advice_is_still_printed() -> None:
    text = render_error(InputError("no.such-code", "x\x1b"), language="en")

    assert text == "error[no.such-code]: x\\u001b"
