"""Details of events: what is described is held to its kind, and what is not passes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from vermilion_ledger.codes import all_codes
from vermilion_ledger.errors import InputError
from vermilion_ledger.event_details import all_members, check_members_of, members_of
from vermilion_ledger.events import RECORD_EVENTS
from vermilion_ledger.findings import load_flows

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "formats" / "events.md"
HEX = "ab" * 32
ENTRY = {"sequence": 3, "envelope": HEX}
RECORD = "rec_" + "0" * 32

GOOD: list[tuple[str, dict[str, Any]]] = [
    ("register", {"flow": "outgoing", "size": 0, "format": "OFD", "policy": HEX}),
    ("register", {"derivedFrom": [{"sha256": HEX}, {"record": RECORD}]}),
    ("version", {"derivedFrom": [{"sha256": HEX, "record": RECORD}], "note": "两处\n改动"}),
    ("correct", {"reason": ""}),
    ("review", {"step": "recheck", "decision": "returned", "reason": "缺附件"}),
    ("approve", {"step": "sign-off", "decision": "approved", "opinion": "同意"}),
    ("countersign", {"step": "会签", "decision": "rejected", "policy": HEX}),
    ("seal", {"seal": "公章", "certificate": HEX}),
    ("issue", {"copies": 30, "press": "文印室"}),
    ("dispatch", {"to": [HEX, "cd" * 32], "mode": "circulate", "due": "2026-12-05T09:00:00Z"}),
    ("receive", {"of": ENTRY, "copy": HEX, "sender": "财政局", "state": "whole"}),
    ("receive", {"of": ENTRY | {"record": RECORD, "ledger": "elsewhere.example"}}),
    ("handle", {"owner": "综合科", "due": "2026-12-05T09:00:00Z", "task": "请\n阅处"}),
    ("handle", {"of": ENTRY, "outcome": "replied"}),
    ("urge", {"of": ENTRY, "note": "催"}),
    ("supervise", {"of": ENTRY, "matter": "", "owner": "督查室", "outcome": "done"}),
    ("access", {"how": "print", "copies": 2, "zone": "阅览室", "purpose": "诉讼"}),
    ("archive", {"place": "2026-J-1", "keep": "永久", "package": HEX}),
    ("transfer", {"holder": "市档案馆", "list": HEX, "package": HEX}),
    ("fixity", {"outcome": "fail", "found": HEX, "tool": "fsck 1"}),
    ("convert", {"from": HEX, "fromFormat": "PDF 1.7", "toFormat": "OFD", "tool": "x"}),
    ("revoke", {"reason": "错发"}),
    ("supersede", {"by": RECORD}),
    ("dispose", {"reason": "保管期满", "basis": "7.2", "appraisal": HEX}),
]
BAD: list[tuple[str, dict[str, Any], str]] = [
    ("register", {"flow": "sideways"}, "flow"),
    ("register", {"flow": ["outgoing"]}, "flow"),
    ("register", {"size": -1}, "size"),
    ("register", {"size": True}, "size"),
    ("register", {"format": ""}, "format"),
    ("register", {"format": "x" * 201}, "format"),
    ("register", {"format": "a\u202eb"}, "format"),
    ("register", {"derivedFrom": {}}, "derivedFrom"),
    ("register", {"derivedFrom": []}, "derivedFrom"),
    ("register", {"derivedFrom": [{}]}, "derivedFrom[0]"),
    ("version", {"derivedFrom": [{"sha256": HEX}, {"sha256": "AB" * 32}]}, "derivedFrom[1]"),
    ("version", {"derivedFrom": [{"record": "rec_1"}]}, "derivedFrom[0].record"),
    ("version", {"derivedFrom": [{"sha256": HEX}, {"sha256": HEX}]}, "derivedFrom"),
    ("version", {"derivedFrom": [{"sha256": f"{n:064x}"} for n in range(65)]}, "derivedFrom"),
    ("version", {"note": 1}, "note"),
    ("correct", {"reason": None}, "reason"),
    ("review", {"decision": "perhaps"}, "decision"),
    ("review", {"step": ""}, "step"),
    ("approve", {"decision": "approved"}, "step"),
    ("approve", {"step": "sign-off"}, "decision"),
    ("countersign", {"step": "a", "decision": "returned"}, "decision"),
    ("seal", {"certificate": HEX[:-2]}, "certificate"),
    ("issue", {"copies": "30"}, "copies"),
    ("dispatch", {"to": []}, "to"),
    ("dispatch", {"to": "财政局"}, "to"),
    ("dispatch", {"to": ["财政局"]}, "to[0]"),
    ("dispatch", {"to": [HEX, HEX]}, "to"),
    ("dispatch", {"to": [f"{n:064x}" for n in range(401)]}, "to"),
    ("dispatch", {"due": "2026-12-05"}, "due"),
    ("dispatch", {"due": "2026-02-30T00:00:00Z"}, "due"),
    ("dispatch", {"mode": "post"}, "mode"),
    ("receive", {"of": 3}, "of"),
    ("receive", {"of": {"sequence": 3}}, "of"),
    ("receive", {"of": ENTRY | {"event": "dispatch"}}, "of"),
    ("receive", {"of": ENTRY | {"sequence": "3"}}, "of.sequence"),
    ("receive", {"of": ENTRY | {"envelope": "00"}}, "of.envelope"),
    ("receive", {"of": ENTRY | {"record": "keys"}}, "of.record"),
    ("receive", {"of": ENTRY | {"ledger": ""}}, "of.ledger"),
    ("receive", {"copy": "财政局"}, "copy"),
    ("receive", {"state": "lost"}, "state"),
    ("handle", {"owner": 7}, "owner"),
    ("handle", {"due": 1795000000}, "due"),
    ("handle", {"outcome": "later"}, "outcome"),
    ("urge", {"of": None}, "of"),
    ("supervise", {"outcome": "replied"}, "outcome"),
    ("access", {}, "how"),
    ("access", {"how": "steal"}, "how"),
    ("archive", {"package": ""}, "package"),
    ("transfer", {"holder": "\n"}, "holder"),
    ("fixity", {}, "outcome"),
    ("fixity", {"outcome": True}, "outcome"),
    ("convert", {}, "from"),
    ("convert", {"from": HEX, "toFormat": {}}, "toFormat"),
    ("revoke", {}, "reason"),
    ("supersede", {"by": "rec_"}, "by"),
    ("dispose", {"reason": ["7.2"]}, "reason"),
    ("dispose", {"basis": "\n"}, "basis"),
    ("dispose", {"appraisal": "7.2"}, "appraisal"),
]


@pytest.mark.parametrize(("event", "detail"), GOOD)
def test_what_is_as_described_is_taken(event: str, detail: dict[str, Any]) -> None:
    check_members_of(event, detail)


@pytest.mark.parametrize(("event", "detail", "member"), BAD)
def test_what_is_not_as_described_is_refused_by_name(
    event: str, detail: dict[str, Any], member: str
) -> None:
    with pytest.raises(InputError) as caught:
        check_members_of(event, detail)

    assert caught.value.code == "detail.schema"
    assert f"{event} detail.{member}" in caught.value.message


@pytest.mark.parametrize("event", sorted(RECORD_EVENTS))
def test_members_that_nobody_describes_pass(event: str) -> None:
    needed = next((dict(detail) for word, detail in GOOD if word == event), {})
    needed |= {"x-office": [{"a": None}], "é": 2**53 - 1, "": True}

    check_members_of(event, needed)


def test_every_event_word_is_described_and_nothing_else() -> None:
    assert all_members().keys() == RECORD_EVENTS
    assert members_of("adopt") == ()


def test_the_document_has_each_member_with_its_value_and_no_other() -> None:
    sections = re.split(r"^### `", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    documented = {
        section.partition("`")[0]: re.findall(
            r"^\| `(\w+)` \| ([^|]*?) \| (required|) \| ([^|]+?) \|$", section, re.MULTILINE
        )
        for section in sections[1:]
        if section.partition("`")[0] in RECORD_EVENTS
    }

    assert documented == {
        event: [
            (each.name, each.kind.name, "required" if each.required else "", each.meaning)
            for each in members
        ]
        for event, members in all_members().items()
    }


def test_the_document_has_the_steps_of_each_flow_and_no_other() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")

    for name, flow in load_flows().items():
        section = text.partition(f"### `{name}`")[2].partition("\n#")[0]
        documented = [
            (
                step,
                event,
                set(re.findall("`([^`]+)`", needs)),
                set(re.findall("`([^`]+)`", follows)),
            )
            for step, event, needs, follows in re.findall(
                r"^\| `([\w-]+)` [^|]+ \| `(\w+)` \| [^|]* \| ([^|]*) \| ([^|]*) \|$",
                section,
                re.MULTILINE,
            )
        ]

        assert documented == [
            (step.id, step.event, set(step.needs), set(step.follows)) for step in flow.steps
        ]


def test_the_document_has_every_finding_of_the_registry_and_no_other() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    documented = re.findall(r"^\| `(finding\.[a-z-]+)` \|", text, re.MULTILINE)

    assert documented == sorted(code for code in all_codes() if code.startswith("finding."))
