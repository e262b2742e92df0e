"""Flows: steps that are missing, or came too early; and templates that are none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from life_kit import SIGNED, Life, codes, incoming, outgoing
from vermilion_ledger.errors import InputError
from vermilion_ledger.findings.flow import FLOW_NAMES, load_flow, load_flows, parse_flow

OUTGOING = [
    ("review", ["missing"], "review", "sign-off"),
    ("sign-off", ["missing"], "sign-off", "recheck"),
    ("recheck", ["missing"], "recheck", "issue"),
    ("number", ["missing"], "number", "issue"),
    ("issue", ["missing"], "issue", "dispatch"),
    ("archive", ["missing"], "archive", "transfer"),
]
INCOMING = [
    ("receive", "receive", "review"),
    ("review", "review", "handle"),
    ("answer", "answer", "archive"),
]


@pytest.mark.parametrize("life", [outgoing(), incoming(), outgoing(without="seal")])
def test_a_lawful_life_has_no_finding(life: Life) -> None:
    assert life.find() == ()


@pytest.mark.parametrize(("left", "expected", "step", "before"), OUTGOING)
def test_a_step_of_outgoing_that_is_left_out_is_found_once(
    left: str, expected: list[str], step: str, before: str
) -> None:
    found = outgoing(without=left).find()

    assert codes(found) == expected
    assert found[0].detail == {"step": step, "before": before}
    assert found[0].certain
    assert found[0].severity == ("critical" if left == "sign-off" else "warning")


@pytest.mark.parametrize(("left", "step", "before"), INCOMING)
def test_a_step_of_incoming_that_is_left_out_is_found(left: str, step: str, before: str) -> None:
    found = [each for each in incoming(without=left).find() if each.code == "finding.missing"]

    assert [each.detail for each in found] == [{"step": step, "before": before}]


def test_what_has_not_come_yet_is_not_missing() -> None:
    life = Life()
    life.add("register", flow="outgoing")
    life.add("review")
    life.add("approve", SIGNED)

    assert life.find() == ()


def test_archived_without_issue_is_found_where_it_was_archived() -> None:
    life = Life()
    life.add("register", flow="outgoing")
    life.add("review")
    life.add("approve", SIGNED)
    archived = life.add("archive")

    (found,) = life.find()

    assert (found.code, found.sequence) == ("finding.missing", archived.sequence)
    assert found.en == "archiving took place, and no issue is recorded"
    assert found.zh == "已有归档,但未见印制核发"


def test_a_step_that_comes_too_late_is_out_of_order_and_not_missing() -> None:
    life = Life()
    life.add("register", flow="outgoing")
    life.add("review")
    numbered = life.add("number")
    life.add("approve", SIGNED)

    (found,) = life.find()

    assert (found.code, found.sequence) == ("finding.out-of-order", numbered.sequence)
    assert found.detail == {"step": "sign-off", "before": "number"}
    assert found.severity == "warning"


def test_a_seal_after_the_issue_is_out_of_order_and_none_at_all_is_not() -> None:
    life = outgoing(without="seal")
    life.add("seal")

    assert codes(life.find()) == ["out-of-order"]


def test_going_round_again_is_no_lapse() -> None:
    life = Life()
    life.add("register", flow="outgoing")
    life.add("review")
    life.add("approve", SIGNED)
    life.add("version", content="second")
    life.add("review", content="second")
    life.add("approve", SIGNED, content="second")
    life.add("seal", content="second")

    assert life.find() == ()


@pytest.mark.parametrize("decision", ["rejected", "returned", ["approved"], 1])
def test_a_review_that_did_not_approve_is_no_review(decision: object) -> None:
    life = Life()
    life.add("register", flow="outgoing")
    life.add("review", decision=decision)
    life.add("approve", SIGNED)

    assert codes(life.find()) == ["missing"]


@pytest.mark.parametrize("flow", [None, "", "sideways", 7, ["outgoing"], {"flow": "outgoing"}])
def test_without_a_flow_that_is_known_no_step_is_expected(flow: object) -> None:
    life = Life()
    life.add("register", {} if flow is None else {"flow": flow})
    life.add("archive")

    assert life.find() == ()


def test_with_an_entry_left_out_nothing_missing_is_certain() -> None:
    life = outgoing()

    found = life.find(without=2)

    assert codes(found) == ["missing"]
    assert not found[0].certain


def test_a_receipt_from_elsewhere_is_one_of_the_incoming_document() -> None:
    life = Life()
    life.add("register", flow="incoming")
    elsewhere = {"sequence": 7, "envelope": "ab" * 32, "ledger": "another.example/office"}
    life.add("receive", of=elsewhere)
    life.add("review")

    assert life.find() == ()


def test_a_record_that_does_not_begin_with_its_registration_follows_nothing() -> None:
    life = Life()
    life.add("review", flow="outgoing")
    life.add("archive")

    assert life.find() == ()


# --- templates


def test_the_templates_of_the_release_are_those_that_are_named() -> None:
    assert {name: flow.name for name, flow in load_flows().items()} == {
        name: name for name in FLOW_NAMES
    }


@pytest.mark.parametrize("name", ["", "sideways", "../outgoing"])
def test_a_template_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(InputError) as caught:
        load_flow(name)

    assert caught.value.code == "flow.unknown"


STEP: dict[str, Any] = {"id": "a", "en": "a", "zh": "甲", "event": "issue"}


@pytest.mark.parametrize(
    "steps",
    [
        [],
        {},
        [STEP, STEP],
        [STEP | {"event": "dance"}],
        [STEP | {"event": ["issue"]}],
        [STEP | {"needs": ["b"]}],
        [STEP | {"follows": ["b"]}],
        [STEP | {"needs": "a"}],
        [STEP | {"where": []}],
        [STEP | {"where": {"step": []}}],
        [STEP | {"where": {"step": [1]}}],
        [STEP | {"critical": 1}],
        [STEP | {"answers": None}],
        [STEP | {"id": str(n)} for n in range(65)],
    ],
)
def test_a_malformed_template_is_refused(steps: object) -> None:
    with pytest.raises(InputError) as caught:
        parse_flow(json.dumps({"flow": "test", "steps": steps}).encode())

    assert caught.value.code == "flow.malformed"


@pytest.mark.parametrize("value", [[], {"flow": "x"}, {"flow": "x", "steps": [{"id": "a"}]}])
def test_a_template_of_another_shape_is_refused(value: object) -> None:
    with pytest.raises(InputError):
        parse_flow(json.dumps(value).encode())
