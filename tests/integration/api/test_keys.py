"""Keys and policies: what only the root may do, and what a key may sign."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from served import (
    DECISION,
    TWO_OWNERS,
    Served,
    prepare,
    refused,
    send,
    serving,
)
from vermilion_ledger.rules import hash_rules


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

    assert refused(lambda: served.decide(record, key)) == "key.after-revocation"
    listed = served.api.get("/v1/keys")["keys"]
    assert next(each["revoked"] for each in listed if each["keyid"] == key.keyid) is not None


def test_a_key_signs_only_what_it_may(served: Served) -> None:
    key = served.enrol("sealer", may=("seal",))
    record = served.register("sealer")["record"]

    assert refused(lambda: served.decide(record, key)) == "key.may-not"


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
    record = served.register("bound", policy=served.adopt())["record"]
    made = prepare(served, record, key)

    assert made.detail["policy"] == hash_rules(TWO_OWNERS).hex()
    freed = replace(made, detail=DECISION)
    assert refused(lambda: send(served, record, freed, key)) == "statement.other-policy"


def test_the_public_records_refuse_other_events(served: Served) -> None:
    record = served.api.record_id("keys")
    body = {"event": "approve", "detail": {}, "actor": served.root.owner.to_json()}

    code = refused(lambda: served.api.post(f"/v1/records/{record}/statements", body))

    assert code in {"statement.event", "key.unknown"}
