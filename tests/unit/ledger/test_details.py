"""Details of events and signatures that the vectors do not reach."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

import office
from office import DOCUMENT, WANG
from vermilion_ledger.encoding import encode_base64, encode_json
from vermilion_ledger.envelope import Signature, make_envelope, parse_envelope, verify_intake
from vermilion_ledger.errors import InputError, LimitError, VerificationError
from vermilion_ledger.events import (
    ACTOR_SIGNED_EVENTS,
    DECISION_EVENTS,
    KEY_EVENTS,
    OWNER_EVENTS,
    POLICY_EVENTS,
    RECORD_EVENTS,
    SEEN_EVENTS,
    VERSION_EVENTS,
)
from vermilion_ledger.statement import Subject, parse_statement

BLS: dict[str, Any] = {
    "scheme": "bls12381-g2-pop",
    "key": "11" * 48,
    "pop": encode_base64(bytes(96)),
}
PASSKEY: dict[str, Any] = {
    "scheme": "webauthn-es256",
    "key": "02" * 33,
    "rpId": "office.example",
    "origin": "https://office.example",
}
WORDS = (
    "register version review approve countersign number seal issue dispatch receive handle urge "
    "supervise access archive transfer fixity convert regrade correct revoke supersede dispose"
)


def refusal(made: Any) -> str:
    with pytest.raises(InputError) as caught:
        made.encode()
    return caught.value.code


def test_the_vocabulary_is_that_of_the_formats() -> None:
    assert frozenset(WORDS.split()) == RECORD_EVENTS
    assert frozenset({"register", "revoke"}) == KEY_EVENTS
    assert frozenset({"adopt", "withdraw"}) == POLICY_EVENTS
    for subset in (
        ACTOR_SIGNED_EVENTS,
        DECISION_EVENTS,
        OWNER_EVENTS,
        SEEN_EVENTS,
        VERSION_EVENTS,
    ):
        assert subset < RECORD_EVENTS


@pytest.mark.parametrize("event", sorted(RECORD_EVENTS))
def test_each_event_word_makes_a_statement_that_comes_back(event: str) -> None:
    made = office.statement(event)

    assert parse_statement(made.encode()) == made


def test_a_second_digest_comes_back() -> None:
    made = office.statement(subject=Subject(name="d", sha256=DOCUMENT, sm3=bytes(32)))

    assert parse_statement(made.encode()) == made


def test_a_register_may_name_policy_and_grade() -> None:
    office.statement("register", detail={"policy": "ab" * 32, "grade": "内部"}).encode()
    assert refusal(office.statement("register", detail={"grade": 1})) == "text.shape"
    assert refusal(office.statement("register", detail={"policy": None})) == "hex.malformed"


def test_a_reason_may_have_several_lines_and_is_text() -> None:
    office.statement("revoke", seen=office.SEEN, detail={"reason": "one\ntwo"}).encode()
    assert refusal(office.statement("revoke", detail={})) == "text.shape"


@pytest.mark.parametrize(
    ("event", "detail", "code"),
    [
        ("supersede", {}, "record.malformed-id"),
        ("supersede", {"by": ["rec_"]}, "record.malformed-id"),
        ("convert", {}, "hex.malformed"),
        ("convert", {"from": "AB" * 32}, "hex.malformed"),
    ],
)
def test_a_reference_to_nothing_is_refused(event: str, detail: dict[str, Any], code: str) -> None:
    assert refusal(office.statement(event, detail=detail)) == code


@pytest.mark.parametrize("members", [BLS, PASSKEY])
def test_a_key_of_another_scheme_brings_its_own_members(members: dict[str, Any]) -> None:
    office.key_registration(WANG, **members).encode()
    for name in members.keys() - {"scheme", "key"}:
        made = office.key_registration(WANG, **members)
        less = {key: value for key, value in made.detail.items() if key != name}
        assert refusal(replace(made, detail=less)) == "json.missing-member"


def test_the_members_of_another_scheme_are_checked() -> None:
    assert refusal(office.key_registration(WANG, **(BLS | {"pop": "?"}))) == "base64.malformed"
    too_long = BLS | {"pop": encode_base64(bytes(97))}
    assert refusal(office.key_registration(WANG, **too_long)) == "base64.too-long"
    assert refusal(office.key_registration(WANG, **(PASSKEY | {"rpId": ""}))) == "text.empty"
    assert refusal(office.key_registration(WANG, scheme=None)) == "text.shape"
    assert refusal(office.key_registration(WANG, key="11" * 4097)) == "detail.key"


def test_a_policy_event_has_rules_and_nothing_more() -> None:
    made = office.policy_event(())

    assert refusal(replace(made, detail={})) == "json.missing-member"
    assert refusal(replace(made, detail={"rules": [], "note": 1})) == "json.unknown-member"
    assert refusal(replace(made, detail={"rules": None})) == "rules.shape"


# --- envelopes


def test_an_aggregate_comes_back_with_its_keys() -> None:
    aggregate = Signature(
        keyids=("11" * 32, "22" * 32), scheme="bls12381-g2-pop", sig=bytes(96), extra={}
    )
    made = make_envelope(office.statement().encode(), [aggregate])

    assert parse_envelope(made.data).signatures == (aggregate,)


def test_a_passkey_signature_comes_back_with_its_data() -> None:
    extra = {"authenticatorData": b"\x01", "clientDataJSON": b"{}"}
    passkey = Signature(keyids=("11" * 32,), scheme="webauthn-es256", sig=b"\x30", extra=extra)

    assert make_envelope(office.statement().encode(), [passkey]).signatures == (passkey,)


def test_a_key_cannot_be_added_twice() -> None:
    signed = WANG.sign(make_envelope(office.statement().encode(), ()))

    with pytest.raises(InputError) as caught:
        WANG.sign(signed)

    assert caught.value.code == "envelope.repeated-signer"


def test_an_envelope_above_64_kib_is_refused_unread() -> None:
    with pytest.raises(LimitError):
        parse_envelope(b" " * 65_537)


def test_a_small_order_intake_key_verifies_nothing() -> None:
    entry = office.placed(office.statement(), index=0)
    assert entry.intake is not None

    with pytest.raises(VerificationError) as caught:
        verify_intake(entry.envelope, entry.intake, entry.actors, bytes(32))

    assert caught.value.code == "key.small-order"


def test_an_envelope_is_hashed_as_it_was_read() -> None:
    signed = office.envelope(office.statement(), WANG)

    assert encode_json(json.loads(signed.data)) == signed.data
    assert signed.to_json() == json.loads(signed.data)
