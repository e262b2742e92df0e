"""People who sign one statement in turn, and the one signature that comes of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from served import DECISION, TWO_OWNERS, Served, refused, sha256
from vermilion_api.cli import main
from vermilion_api.joint import fetch_registry, join_parts, load_part
from vermilion_api.keyfiles import KeyFile
from vermilion_api.signing import describe_key, prepare_event, sign_envelope, submit_envelope
from vermilion_ledger.encoding import encode_base64
from vermilion_ledger.envelope import Envelope, make_envelope
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.schemes import bls12381

BLS = bls12381.NAME
ASKED = {"event": "approve", "detail": DECISION}


@pytest.fixture(scope="module")
def people(served: Served) -> list[KeyFile]:
    return [served.enrol(name, scheme=BLS) for name in ("an", "bai", "cao")]


def parts_of(served: Served, record: str, people: Sequence[KeyFile]) -> list[Envelope]:
    """What each signs on their own copy of one statement."""
    unsigned = prepare_event(served.api, record, ASKED, people[:1])
    return [sign_envelope(unsigned, [person]) for person in people]


def report_of(served: Served, record: str, name: str) -> dict[str, Any]:
    size = {"size": str(served.api.get("/v1/log")["tree"]["size"])}
    bundle = json.loads(served.api.fetch(f"/v1/records/{record}/bundle", size))
    return served.api.post("/v1/verify", {"digest": f"sha256:{sha256(name)}", "bundle": bundle})


def test_three_approvals_become_one_entry_with_one_signature(
    served: Served, people: list[KeyFile]
) -> None:
    record = served.register("joint", policy=served.adopt())["record"]

    joint = join_parts(served.api, parts_of(served, record, people))
    submit_envelope(served.api, joint)

    [signature] = joint.signatures
    assert len(signature.sig) == 96
    report = report_of(served, record, "joint")
    found = {check["id"]: check["status"] for check in report["checks"]}
    assert found["signature.actor"] == found["key.validity"] == found["approval.rule"] == "pass"
    assert [each["keyid"] for each in report["approvals"][0]["keys"]] == list(signature.keyids)
    assert TWO_OWNERS[0].count == 2


def test_the_command_joins_what_people_signed_apart(
    served: Served, people: list[KeyFile], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = served.register("by command")["record"]
    paths = [str(tmp_path / f"{person.owner.id}.json") for person in people]
    keys = [str(served.folder / f"{person.owner.id}.json") for person in people]
    url = ("--url", served.api.url)
    nowhere = ("--url", "http://127.0.0.1:9")  # who signs a file asks nobody

    assert main(["approve", record, "--key", keys[0], "-o", paths[0], *url]) == 0
    for key, path in zip(keys[1:], paths[1:], strict=True):
        signing = ["--key", key, "--statement", paths[0], "-o", path]
        assert main(["approve", record, *signing, *nowhere]) == 0
        assert f"approved by {Path(path).stem} on" in capsys.readouterr().out  # not by the actor
    joining = [option for path in paths for option in ("--aggregate", path)]
    doubled = [*joining, "--aggregate", paths[1]]
    assert main(["approve", record, *doubled, *url]) != 0
    assert main(["approve", record, *joining, *url]) == 0

    last = served.api.get(f"/v1/records/{record}")["entries"][-1]
    assert [each["keyid"] for each in last["signers"]] == sorted(each.keyid for each in people)
    capsys.readouterr()
    assert main(["status", record, *url]) == 0
    assert f"{people[0].owner.id} and 2 more  " in capsys.readouterr().out


def test_the_status_does_not_call_those_missing_who_have_decided(
    served: Served, people: list[KeyFile], capsys: pytest.CaptureFixture[str]
) -> None:
    record = served.register("half decided", policy=served.adopt())["record"]
    asking = ["status", record, "--url", served.api.url]

    assert main(asking) == 0
    assert "x2: 2 missing; nobody decided yet" in capsys.readouterr().out
    submit_envelope(served.api, parts_of(served, record, people[1:])[0])
    assert main(asking) == 0
    assert f"x2: 1 missing; decided by {people[1].owner.id}" in capsys.readouterr().out


def test_files_about_another_decision_are_not_joined(
    served: Served, people: list[KeyFile], tmp_path: Path
) -> None:
    record = served.register("decided")["record"]
    path = tmp_path / "part.json"
    path.write_bytes(sign_envelope(parts_of(served, record, people)[0], people[1:]).data)
    other = served.register("undecided")["record"]
    url = ("--url", served.api.url)

    for asked in (
        [other, "--aggregate", str(path)],
        [record, "--aggregate", str(path), "--decision", "rejected"],
        [record, "--aggregate", str(path), "--step", "draft"],
        [record, "--aggregate", str(path), "--sha256", "00" * 32],
        [record, "--aggregate", str(path), "--statement", str(path)],
        [record, "--aggregate", str(tmp_path / "none.json")],
    ):
        assert main(["approve", *asked, *url]) != 0
    assert len(served.api.get(f"/v1/records/{record}")["entries"]) == 1


def test_a_file_that_is_no_envelope_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b"{}")

    with pytest.raises(EvidenceError, match=r"x\.json"):
        load_part(tmp_path / "x.json")
    assert refused(lambda: load_part(tmp_path / "none.json")) == "input.missing"


def test_the_ledger_refuses_an_aggregate_that_names_who_did_not_sign(
    served: Served, people: list[KeyFile]
) -> None:
    record = served.register("claimed")["record"]
    joint = join_parts(served.api, parts_of(served, record, people[:2]))
    [signature] = joint.signatures
    keyids = tuple(sorted((*signature.keyids, people[2].keyid)))
    claimed = make_envelope(joint.payload, [replace(signature, keyids=keyids)])

    assert refused(lambda: submit_envelope(served.api, claimed)) == "signature.bad"


def test_the_ledger_registers_no_key_without_a_proof_of_its_own(
    served: Served, people: list[KeyFile]
) -> None:
    key = served.person("rogue", scheme=BLS)
    detail = describe_key(key, ["approve"])
    detail["pop"] = encode_base64(bls12381.prove_possession(people[0].private))
    asked = {"event": "register", "detail": detail, "actor": served.root.owner.to_json()}

    assert refused(lambda: served.event("keys", asked, served.root, key)) == "key-event.possession"
    assert key.keyid not in fetch_registry(served.api).keys


def test_a_key_of_ml_dsa_approves(served: Served) -> None:
    key = served.enrol("post quantum", scheme="ml-dsa-44")
    record = served.register("lattice")["record"]

    served.decide(record, key)

    found = {each["id"]: each["status"] for each in report_of(served, record, "lattice")["checks"]}
    assert found["signature.actor"] == found["key.validity"] == "pass"
