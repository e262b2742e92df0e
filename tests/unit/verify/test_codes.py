"""Every code that the verifier raises has its next step, in both languages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from vermilion_ledger.codes import all_codes, verifying
from vermilion_verify.report import CHECK_IDS, Verdict
from vermilion_verify.texts import TEXTS

SOURCES = Path(__file__).resolve().parents[3] / "verifier" / "vermilion_verify"


def raised() -> Iterator[str]:
    for source in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            match node:
                case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(code)), *_]):
                    if name.endswith("Error") or name == "Unknown":
                        yield code


@pytest.mark.parametrize("code", sorted(set(raised())))
def test_a_raised_code_has_advice(code: str) -> None:
    advice = all_codes()[code]

    assert advice.en.endswith(".")
    assert advice.zh.endswith("。")
    assert len(advice.en) <= 100


def test_no_code_is_left_that_nobody_raises() -> None:
    assert verifying.CODES.keys() <= set(raised())


@pytest.mark.parametrize("key", [*CHECK_IDS, *(f"verdict.{verdict}" for verdict in Verdict)])
def test_checks_and_verdicts_have_their_sentence_in_both_languages(key: str) -> None:
    phrase = TEXTS[key]

    assert phrase.en
    assert phrase.zh != phrase.en
