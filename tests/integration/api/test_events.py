"""Signed events: two schemes, keys by the root, policies, and everything that is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from served import CHAIN_ID, TWO_OWNERS, Served, make_block, serving, sha256
from vermilion_api.keyfiles import KeyFile
from vermilion_api.signing import sign_statement
from vermilion_ledger.encoding import encode_base64, encode_json
from vermilion_ledger.envelope import make_envelope
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.rules import hash_rules
from vermilion_ledger.statement import Prior, Seen, Statement, parse_statement

WALLET = "secp256k1-eip712"
DECISION = {"step": "sign-off", "decision": "approved"}


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(EvidenceError) as caught:
        call()
    return caught.value.code


def prepare(served: Served, record: str, *keys: KeyFile, **asked: Any) -> Statement:
    body = {"event": "approve", "detail": DECISION, "keyids": [key.keyid for key in keys]}
    found = served.api.post(f"/v1/records/{record}/statements", {**body, **asked})
    return parse_statement(base64.b64decode(found["payload"]))


def envelope_of(made: Statement, *keys: KeyFile) -> bytes:
    payload = made.encode()
    return make_envelope(payload, [sign_statement(payload, made, key) for key in keys]).data


def send(served: Served, record: str, made: Statement, *keys: KeyFile) -> dict[str, Any]:
    return served.api.post(f"/v1/records/{record}/events", envelope_of(made, *keys))


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
    record = served.register("together", policy=served_policy(served))["record"]

    served.decide(record, one, two)

    assert served.api.get(f"/v1/records/{record}")["rules"][0]["missing"] == 0


def served_policy(served: Served) -> str:
    """The policy of two owners; adopting twice changes nothing."""
    return served.adopt()


def test_a_missing_second_owner_is_shown_and_not_proven(served: Served) -> None:
    alone = served.enrol("alone")
    record = served.register("half done", policy=served_policy(served))["record"]
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


def test_an_event_that_nobody_need_sign_quotes_nothing(served: Served) -> None:
    record = served.register("plain event")["record"]
    actor = {"id": "clerk", "name": "", "post": "", "unit": ""}

    made = prepare(served, record, event="dispatch", detail={}, actor=actor)
    found = send(served, record, made)

    assert made.seen is None
    assert made.prior is None
    assert found["sequence"] == 1


def test_a_corrected_version_becomes_the_current_one(served: Served) -> None:
    key = served.enrol("corrector", may=("correct",))
    record = served.register("draft")["record"]
    asked = {"event": "correct", "detail": {}, "name": "f.pdf", "digest": {"sha256": sha256("f")}}

    served.event(record, asked, key)

    found = served.api.get(f"/v1/records/{record}")
    assert found["digest"] == sha256("f")
    assert [each["status"] for each in found["versions"]] == ["superseded", "current"]


def test_an_unregistered_key_is_refused(served: Served) -> None:
    stranger = served.person("stranger")
    record = served.register("stranger")["record"]

    assert refused(lambda: served.decide(record, stranger)) == "key.unknown"
    made = prepare(served, record, actor=stranger.owner.to_json())
    assert refused(lambda: send(served, record, made, stranger)) == "key.unknown"


def test_a_revoked_key_is_refused(served: Served) -> None:
    key = served.enrol("leaver")
    record = served.register("leaver")["record"]
    detail = {"keyid": key.keyid, "reason": "left the office"}
    served.event(
        "keys", {"event": "revoke", "detail": detail, "actor": served.root.owner.to_json()},
        served.root,
    )  # fmt: skip

    assert refused(lambda: served.decide(record, key)) == "key.not-valid"
    listed = served.api.get("/v1/keys")["keys"]
    assert next(each["revoked"] for each in listed if each["keyid"] == key.keyid) is not None


def test_a_key_signs_only_what_it_may(served: Served) -> None:
    key = served.enrol("sealer", may=("seal",))
    record = served.register("sealer")["record"]

    assert refused(lambda: served.decide(record, key)) == "key.may-not"


def test_an_approval_that_nobody_signed_is_refused(served: Served) -> None:
    record = served.register("unsigned")["record"]
    made = prepare(served, record, actor={"id": "x", "name": "", "post": "", "unit": ""})

    assert refused(lambda: send(served, record, made)) == "statement.unsigned"


def test_a_key_without_the_root_is_not_registered(served: Served) -> None:
    assert refused(lambda: served.register_key(served.person("climber"))) == "key-event.quorum"


def test_another_key_cannot_stand_for_the_root(served: Served) -> None:
    other, fresh = served.enrol("other"), served.person("fresh")

    assert refused(lambda: served.register_key(fresh, other)) == "key-event.stranger"


def test_a_key_is_not_registered_without_its_own_signature(served: Served) -> None:
    fresh = served.person("absent")
    detail = {
        "scheme": fresh.scheme,
        "key": fresh.public.hex(),
        "owner": fresh.owner.to_json(),
        "may": [],
    }
    asked = {"event": "register", "detail": detail, "actor": served.root.owner.to_json()}

    assert refused(lambda: served.event("keys", asked, served.root)) == "key-event.new-key"


def test_a_policy_that_the_root_did_not_sign_is_refused(served: Served) -> None:
    key = served.enrol("lawmaker")
    asked = {
        "event": "adopt",
        "detail": {"rules": [rule.to_json() for rule in TWO_OWNERS]},
        "actor": key.owner.to_json(),
    }

    assert refused(lambda: served.event("policies", asked, key)) == "policy-event.stranger"


def test_a_policy_that_was_withdrawn_is_not_taken(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        served.register_key(served.root)
        policy = served.adopt()
        served.register("before", policy=policy)
        detail = {"rules": [rule.to_json() for rule in TWO_OWNERS]}
        served.event("policies", {"event": "withdraw", "detail": detail}, served.root)

        assert refused(lambda: served.register("after", policy=policy)) == "policy.not-in-force"


def test_a_decision_names_the_policy_of_its_record(served: Served) -> None:
    key = served.enrol("binder")
    record = served.register("bound", policy=served_policy(served))["record"]
    made = prepare(served, record, key)

    assert made.detail["policy"] == hash_rules(TWO_OWNERS).hex()
    freed = replace(made, detail=DECISION)
    assert refused(lambda: send(served, record, freed, key)) == "statement.other-policy"


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


def test_a_block_of_a_chain_that_nobody_anchors_on_is_refused(served: Served) -> None:
    key = served.enrol("elsewhere")
    record = served.register("elsewhere")["record"]
    made = prepare(served, record, key)
    assert made.seen is not None
    moved = replace(made, seen=replace(made.seen, chain_id=1))

    assert refused(lambda: send(served, record, moved, key)) == "seen.other-chain"


@pytest.mark.parametrize("change", [{"number": 43}, {"hash": bytes(32)}])
def test_a_block_that_was_not_offered_is_not_believed(
    served: Served, change: dict[str, Any]
) -> None:
    name = f"unoffered {sorted(change)}"
    key = served.enrol(name)
    record = served.register(name)["record"]
    made = prepare(served, record, key)
    assert made.seen is not None
    other = replace(made, seen=replace(made.seen, **change))

    # The chain is down: it cannot be asked, and nothing is believed without it.
    assert refused(lambda: send(served, record, other, key)) == "chain.unreachable"


def test_a_block_offered_long_ago_is_not_accepted_without_the_chain(tmp_path: Path) -> None:
    from datetime import timedelta

    from vermilion_api.wiring import now

    with serving(tmp_path) as served:
        served.register_key(served.root)
        key = served.enrol("late")
        record = served.register("late")["record"]
        old = make_block(7)
        served.ledger.database.blocks.save(old, offered_at=now() - timedelta(days=7, minutes=1))
        fresh = make_block(8)
        served.ledger.database.blocks.save(fresh, offered_at=now() - timedelta(days=6, hours=23))
        made = prepare(served, record, key)

        late = replace(made, seen=Seen(chain_id=CHAIN_ID, number=7, hash=old.hash))
        assert refused(lambda: send(served, record, late, key)) == "chain.unreachable"

        in_time = replace(made, seen=Seen(chain_id=CHAIN_ID, number=8, hash=fresh.hash))
        assert send(served, record, in_time, key)["sequence"] == 1


def test_with_the_chain_down_and_nothing_offered_only_approvals_wait(tmp_path: Path) -> None:
    with serving(tmp_path, offered=False) as served:
        served.register_key(served.root)
        key = served.enrol("waiting")
        record = served.register("waiting")["record"]

        assert refused(lambda: served.decide(record, key)) == "seen.unavailable"
        assert served.register("going on")["state"] == "published"


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


def test_the_public_records_refuse_other_events(served: Served) -> None:
    record = served.api.record_id("keys")
    body = {"event": "approve", "detail": {}, "actor": served.root.owner.to_json()}

    code = refused(lambda: served.api.post(f"/v1/records/{record}/statements", body))

    assert code in {"statement.event", "record.no-such-version"}
