"""Reasons are sentences in both languages, and name nobody's hosts."""

from __future__ import annotations

import re

import pytest

from vermilion_api.services import reasons
from vermilion_api.services.reasons import Reason
from vermilion_ledger.codes import all_codes

SAMPLE = {"due": "D", "size": 1, "block": 2, "finality": "F", "attempts": 3, "told": "T"}
CODES = sorted(reasons._TEXTS)


@pytest.mark.parametrize("code", CODES)
def test_a_reason_is_documented_and_complete_in_both_languages(code: str) -> None:
    told = Reason(code=code, values=SAMPLE).to_json()

    assert code in all_codes()
    assert re.search("[\u4e00-\u9fff]", told["zh"])
    assert not set("{}") & set(told["en"] + told["zh"])
    assert told["en"][0].islower()
    assert not told["en"].endswith(".")
    assert not told["zh"].endswith("。")


def test_every_code_of_waiting_has_a_sentence() -> None:
    waits = {code for code in all_codes() if code.startswith(("wait.", "expect."))}

    assert waits <= set(CODES)


@pytest.mark.parametrize("code", ["signer.unreachable", "store.unreachable", "made.up"])
def test_an_error_without_a_sentence_is_told_by_its_code(code: str) -> None:
    told = Reason(code=code, note="https://signer.office.example:9000 is away").to_json()

    assert told["en"] == f"the anchorer reports {code}"
    assert code in told["zh"]
    assert told["note"] is None


@pytest.mark.parametrize("code", ["chain.unreachable", "chain.bad-answer"])
def test_messages_that_may_name_hosts_stay_inside(code: str) -> None:
    assert Reason(code=code, note="node.office.example").to_json()["note"] is None


def test_the_amounts_of_a_cap_are_told() -> None:
    note = "a block costs 7 wei per gas, the cap is 5"

    assert Reason(code="anchor.fee-cap", note=note).to_json()["note"] == note


def test_braces_in_a_value_are_text() -> None:
    told = Reason(code="wait.mined", values=SAMPLE | {"finality": "{0.__class__}"}).to_json()

    assert "{0.__class__}" in told["en"]
