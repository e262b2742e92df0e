"""What is told of a run: in two languages, and nothing that a terminal obeys."""

from __future__ import annotations

import json

import pytest

from vermilion_hooks.entries import Acknowledged
from vermilion_hooks.outcomes import AlreadyRecorded, Outcome, Recorded, Summary
from vermilion_hooks.printing import JsonPrinter, TextPrinter
from vermilion_hooks.walk import Failed, Skipped
from vermilion_ledger.codes import all_codes, hooking
from vermilion_ledger.errors import InputError, UnavailableError

ANSWER = Acknowledged(record="rec_" + "0" * 32, index=17)
OUTCOMES: list[Outcome] = [
    Recorded(path="/a", sha256=bytes(32), acknowledged=ANSWER, changed=False, resumed=False),
    Recorded(path="/b", sha256=bytes(32), acknowledged=ANSWER, changed=True, resumed=False),
    AlreadyRecorded(path="/c", sha256=bytes(32), acknowledged=ANSWER),
    Skipped(path="/d\x1b[2J", code="walk.symlink"),
    Failed(path="/e", error=UnavailableError("file.unreadable", "/e may not be read")),
]


def _text(*, language: str, terse: bool) -> list[str]:
    lines: list[str] = []
    printer = TextPrinter(lines.append, language=language, terse=terse)
    summary = Summary()
    for outcome in OUTCOMES:
        summary.count(outcome)
        printer.show(outcome)
    printer.finish(summary)
    return lines


def test_every_file_is_told_with_code_and_next_step() -> None:
    lines = _text(language="en_US.UTF-8", terse=False)

    assert lines[0] == f"recorded  {ANSWER.record}  index 17  /a"
    assert lines[1].endswith("(changed: a new record)")
    assert lines[3] == "skipped [walk.symlink]  /d\\x1b[2J"
    assert lines[4].startswith("error[file.unreadable]: /e may not be read\n  Give the user")
    assert lines[5] == "2 recorded (1 of them changed), 1 already recorded, 1 skipped, 1 failed"


def test_beside_a_bar_only_what_matters_is_told() -> None:
    lines = _text(language="en", terse=True)

    assert [line.split()[0] for line in lines] == [
        "recorded",
        "skipped",
        "error[file.unreadable]:",
        "2",
    ]


@pytest.mark.parametrize("language", ["zh", "zh-CN", "zh_CN.UTF-8", "ZH"])
def test_chinese_is_spoken_where_asked_for(language: str) -> None:
    lines = _text(language=language, terse=False)

    assert lines[0].startswith("已登记")
    assert "请给运行此命令的用户" in lines[4]


def test_json_lines_hold_everything() -> None:
    lines: list[str] = []
    printer = JsonPrinter(lines.append, language="en")
    for outcome in OUTCOMES:
        printer.show(outcome)
    printer.finish(Summary(recorded=2))

    values = [json.loads(line) for line in lines]

    assert [value["outcome"] for value in values] == [
        "recorded",
        "recorded",
        "known",
        "skipped",
        "failed",
        "summary",
    ]
    assert values[0]["record"] == ANSWER.record
    assert values[4]["code"] == "file.unreadable"
    assert values[4]["hint"] == all_codes()["file.unreadable"].en
    assert not any("\n" in line for line in lines)


def test_an_unknown_code_is_told_without_a_next_step() -> None:
    lines: list[str] = []
    error = InputError("future.code", "something new")

    TextPrinter(lines.append, language="en", terse=False).show(Failed(path="/a", error=error))

    assert lines == ["error[future.code]: something new"]


def test_going_on_after_an_interrupt_is_explained() -> None:
    lines: list[str] = []

    TextPrinter(lines.append, language="en", terse=True).interrupted("/state/\x1bjournal")

    assert "run the same command again" in lines[0]
    assert "/state/\\x1bjournal" in lines[0]


def test_every_code_of_this_area_has_advice_in_both_languages() -> None:
    for code, advice in hooking.CODES.items():
        assert advice.en.endswith("."), code
        assert advice.zh.endswith("。"), code
