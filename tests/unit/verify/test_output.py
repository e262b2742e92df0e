"""The command: two streams, two languages, and nothing that steers a terminal."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest

from desk import Desk, Terminal
from evidence import WANG, office, plain
from office import Person
from vermilion_verify.cli import main

# -- output


def test_json_is_one_line_on_standard_output_and_text_goes_to_standard_error(desk: Desk) -> None:
    code, out, err = desk.run("--json")

    assert code == 0
    assert out.count("\n") == 1
    assert json.loads(out)["verdict"] == "proven"
    assert "PROVEN" in err


def test_an_error_is_one_line_of_json_too(desk: Desk) -> None:
    (desk.folder / "bundle").unlink()

    code, out, err = desk.run("--json")

    assert code == 2
    assert json.loads(out)["error"]["code"] == "bundle.missing"
    assert "bundle.missing" in err


def test_chinese_is_spoken_where_asked_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "已证实" in desk.run("--lang", "zh-CN")[1]
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "已证实" in desk.run()[1]
    assert "PROVEN" in desk.run("--lang", "en")[1]
    monkeypatch.setenv("LC_ALL", "C")
    assert "PROVEN" in desk.run()[1]


def test_codes_are_never_translated(desk: Desk) -> None:
    out = desk.lay(plain(), content=b"another").run("--lang", "zh-CN")[1]

    assert "[document.other-bytes]" in out
    assert "下一步" in out


def test_colours_are_for_terminals_without_no_color(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "\x1b" not in desk.run()[1]
    for no_color, is_coloured in (("", True), ("1", False)):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stdout", terminal)
        monkeypatch.setenv("NO_COLOR", no_color)
        assert main(desk.arguments()) == 0
        assert ("\x1b[32m" in terminal.getvalue()) is is_coloured


ESCAPE = "\x1b[2J\x9b31m\u202egood"


def test_a_file_name_cannot_steer_the_terminal(desk: Desk) -> None:
    evil = desk.folder / f"{ESCAPE}.pdf"
    (desk.folder / "paper.pdf").rename(evil)
    arguments = desk.arguments()
    arguments[0] = str(evil)

    code, out, _ = desk.raw(*arguments)

    assert code == 0
    assert "\\u001b[2J\\u009b31m\\u202egood.pdf" in out
    assert not {"\x1b", "\x9b", "\u202e"} & set(out)


def test_a_missing_evil_name_cannot_either(desk: Desk) -> None:
    arguments = desk.arguments()
    arguments[2] = str(desk.folder / ESCAPE)

    _, _, err = desk.raw(*arguments, "--json")

    assert not {"\x1b", "\x9b", "\u202e"} & set(err)


def test_free_text_of_a_statement_cannot_steer_whoever_inspects_it(desk: Desk) -> None:
    scene = office(rules=None)
    scene.event("register", detail={"grade": ESCAPE, ESCAPE: "\U000e0041\u2028"})
    scene.anchor()
    desk.lay(scene)

    for more in ([], ["--json"]):
        code, out, _ = desk.raw("inspect", str(desk.folder / "bundle"), *more)
        assert code == 0
        assert not {"\x1b", "\x9b", "\u202e", "\u2028", "\U000e0041"} & set(out)
        statement = json.loads(out)["entries"][0]["statement"]
        assert statement["predicate"]["detail"]["grade"] == ESCAPE


def test_chinese_names_are_printed_as_they_are(desk: Desk) -> None:
    wang = replace(WANG, name="王芳")
    scene = office(rules=None, people=(wang,))
    scene.event("register", detail={})
    scene.approve(wang)
    scene.anchor()

    out = desk.lay(scene).run()[1]

    assert "sign-off approved – 王芳" in out


def test_a_recording_that_nobody_signed_is_marked_as_the_ledgers_word(desk: Desk) -> None:
    scene = office(rules=None, people=(Person(name="clerk", may=("register",)),))
    scene.event("register", Person(name="clerk", may=("register",)))
    scene.anchor()

    assert "(as stated by the ledger)" in desk.run()[1]
    assert "(as stated by the ledger)" not in desk.lay(scene).run()[1]
