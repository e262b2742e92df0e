"""Signed events: two schemes, rules that are met or not, and what is refused."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

from served import (
    CHAIN_ID,
    DECISION,
    Served,
    envelope_of,
    prepare,
    refused,
    send,
    sha256,
)
from vermilion_ledger.encoding import encode_base64, encode_json
from vermilion_ledger.statement import Prior

WALLET = "secp256k1-eip712"


def test_two_owners_with_two_schemes_meet_the_rule(served: Served) -> None:
    wang, li = served.enrol("wang"), served.enrol("li", scheme=WALLET)
    record = served.register("contract", policy=served.adopt())["record"]

    served.decide(record, wang)
    missing = served.api.get(f"/v1/records/{record}")["rules"]
    served.decide(record, li)
    met = served.api.get(f"/v1/records/{record}")

    assert [(each["owners"], each["missing"]) for each in missing] == [(["wang"], 1)]
    assert [(each["owners"], each["missing"]) for each in met["rules"]] == [(["li", "wang"], 0)]
    assert [each["owners"] for each in met["approvals"]] == [["wang"], ["li"]]
    assert met["entries"][1]["signers"] == [{"keyid": wang.keyid, "scheme": "ed25519"}]


def test_one_envelope_may_carry_two_signatures(served: Served) -> None:
    one, two = served.enrol("one"), served.enrol("two", scheme=WALLET)
    record = served.register("together", policy=served.adopt())["record"]

    served.decide(record, one, two)

    assert served.api.get(f"/v1/records/{record}")["rules"][0]["missing"] == 0


def test_a_missing_second_owner_is_shown_and_not_proven(served: Served) -> None:
    alone = served.enrol("alone")
    record = served.register("half done", policy=served.adopt())["record"]
    served.decide(record, alone)
    served.decide(record, alone)

    shown = served.api.get(f"/v1/records/{record}")["rules"][0]
    digest = f"sha256:{sha256('half done')}"
    size = {"size": str(served.api.get("/v1/log")["tree"]["size"])}
    bundle = json.loads(served.api.fetch(f"/v1/records/{record}/bundle", size))
    report = served.api.post("/v1/verify", {"digest": digest, "bundle": bundle})

    assert (shown["owners"], shown["missing"]) == (["alone"], 1)
    checks = {check["id"]: check["status"] for check in report["checks"]}
    assert checks["approval.rule"] == "fail"
    assert checks["signature.actor"] == "pass"
    assert report["verdict"] == "refuted"


def test_the_statement_prepared_has_every_form_to_sign(served: Served) -> None:
    key = served.enrol("forms", scheme=WALLET)
    record = served.register("forms")["record"]

    found = served.api.post(
        f"/v1/records/{record}/statements",
        {"event": "approve", "detail": DECISION, "keyid": key.keyid},
    )

    assert found["payloadType"] == "application/vnd.in-toto+json"
    assert base64.b64decode(found["pae"]).startswith(b"DSSEv1 28 application/vnd.in-toto+json ")
    assert found["typedData"]["domain"]["chainId"] == CHAIN_ID
    assert found["typedData"]["message"]["document"] == "0x" + sha256("forms")
    assert found["seen"]["number"] == 42
    assert found["prior"]["sequence"] == 0
    assert found["statement"]["predicate"]["actor"]["id"] == "forms"


def test_a_corrected_version_becomes_the_current_one(served: Served) -> None:
    key = served.enrol("corrector", may=("correct",))
    record = served.register("draft")["record"]
    asked = {"event": "correct", "detail": {}, "name": "f.pdf", "digest": {"sha256": sha256("f")}}

    served.event(record, asked, key)

    found = served.api.get(f"/v1/records/{record}")
    assert found["digest"] == sha256("f")
    assert [each["status"] for each in found["versions"]] == ["superseded", "current"]


def test_an_approval_that_nobody_signed_is_refused(served: Served) -> None:
    record = served.register("unsigned")["record"]
    made = prepare(served, record, actor={"id": "x", "name": "", "post": "", "unit": ""})

    assert refused(lambda: send(served, record, made)) == "statement.unsigned"


def test_a_held_back_approval_is_refused_after_a_rejection(served: Served) -> None:
    key = served.enrol("undecided")
    record = served.register("undecided")["record"]
    held_back = prepare(served, record, key)

    served.decide(record, key, decision="rejected")

    assert refused(lambda: send(served, record, held_back, key)) == "statement.decision-order"


def test_a_prior_that_names_another_envelope_is_refused(served: Served) -> None:
    key = served.enrol("mistaken")
    record = served.register("mistaken")["record"]
    made = replace(prepare(served, record, key), prior=Prior(sequence=0, envelope=bytes(32)))

    assert refused(lambda: send(served, record, made, key)) == "statement.prior-differs"


def test_a_nonce_is_used_once_by_a_key(served: Served) -> None:
    key = served.enrol("repeater")
    record = served.register("repeater")["record"]
    made = prepare(served, record, key)
    send(served, record, made, key)

    again = replace(prepare(served, record, key), nonce=made.nonce)

    assert refused(lambda: send(served, record, again, key)) == "statement.nonce-reused"


def test_the_same_envelope_again_is_the_same_entry(served: Served) -> None:
    key = served.enrol("sender")
    record = served.register("sender")["record"]
    made = prepare(served, record, key)

    first = send(served, record, made, key)

    assert send(served, record, made, key)["index"] == first["index"]


def test_an_envelope_of_another_order_of_members_is_the_same_entry(served: Served) -> None:
    key = served.enrol("formatter")
    record = served.register("formatter")["record"]
    data = envelope_of(prepare(served, record, key), key)
    loose = json.dumps(dict(reversed(json.loads(data).items())), indent=4).encode()

    first = served.api.post(f"/v1/records/{record}/events", loose)

    assert served.api.post(f"/v1/records/{record}/events", data)["index"] == first["index"]


def test_a_statement_for_another_record_is_refused(served: Served) -> None:
    key = served.enrol("traveller")
    here, there = served.register("here")["record"], served.register("there")["record"]

    made = prepare(served, here, key)

    assert refused(lambda: send(served, there, made, key)) == "statement.other-record"


def test_a_bad_signature_is_refused_before_anything_is_stored(served: Served) -> None:
    key = served.enrol("forger")
    record = served.register("forged")["record"]
    made = prepare(served, record, key)
    value = json.loads(envelope_of(made, key))
    value["signatures"][0]["sig"] = encode_base64(bytes(64))

    code = refused(lambda: served.api.post(f"/v1/records/{record}/events", encode_json(value)))

    assert code == "signature.bad"
    assert len(served.api.get(f"/v1/records/{record}")["entries"]) == 1


def test_a_payload_that_is_not_canonical_is_refused(served: Served) -> None:
    key = served.enrol("loose")
    record = served.register("loose")["record"]
    value = json.loads(envelope_of(prepare(served, record, key), key))
    payload = base64.b64decode(value["payload"])
    value["payload"] = encode_base64(payload.replace(b'{"_type"', b'{ "_type"'))

    code = refused(lambda: served.api.post(f"/v1/records/{record}/events", encode_json(value)))

    assert code == "json.not-canonical"


def test_the_ledgers_own_signature_is_not_taken_from_outside(served: Served) -> None:
    record = served.register("double")["record"]
    stored = served.ledger.reader().record_entries(record)[0].envelope

    code = refused(lambda: served.api.post(f"/v1/records/{record}/events", stored))

    assert code == "envelope.intake-signed"


def test_an_event_of_a_high_grade_is_refused(served: Served) -> None:
    key = served.enrol("grader", may=("regrade",))
    record = served.register("graded")["record"]
    asked = {"event": "regrade", "detail": {"grade": "机密"}}

    assert refused(lambda: served.event(record, asked, key)) == "grade.refused"


def test_a_version_that_the_record_has_not_is_not_prepared(served: Served) -> None:
    key = served.enrol("seeker")
    record = served.register("seeker")["record"]
    asked = {"event": "approve", "detail": DECISION, "digest": {"sha256": sha256("no")}}

    assert refused(lambda: served.event(record, asked, key)) == "record.no-such-version"
