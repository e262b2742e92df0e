"""Who registers a key that adds up has its private half; a rogue key has nobody's."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from py_arkworks_bls12381 import G1Point, G2Point

import office
from missing import PAIRINGS, without
from office import ROOT, ROOTS, Person, placed
from vermilion_ledger.encoding import encode_base64
from vermilion_ledger.envelope import Envelope, make_envelope
from vermilion_ledger.errors import EvidenceError, UnavailableError, VerificationError
from vermilion_ledger.keys import check_key_events, collect_keys, verify_actor_signature
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.possession import check_possession
from vermilion_ledger.schemes import bls12381, make_keyid

BLS = bls12381.NAME
AN, BAI = (Person(name=name, scheme=BLS) for name in ("an", "bai"))
POST_QUANTUM = Person(name="pq", scheme="ml-dsa-44")
UNSIGNED = make_envelope(office.statement("approve", seen=office.SEEN).encode(), ())


def code_of(caught: pytest.ExceptionInfo[EvidenceError]) -> str:
    return caught.value.code


# --- registration


REGISTER_ROOT = placed(office.key_registration(ROOT), ROOT, index=0)


def registration(person: Person, **detail: Any) -> LoggedEnvelope:
    return placed(office.key_registration(person, **detail), ROOT, person, index=3)


@pytest.mark.parametrize("person", [AN, POST_QUANTUM], ids=lambda person: person.scheme)
def test_a_key_is_registered_with_all_that_its_scheme_asks(person: Person) -> None:
    events = [REGISTER_ROOT, registration(person)]

    check_key_events(events, ROOTS)
    check_possession(events[1])
    assert collect_keys(events).find(person.keyid).public_key == person.public_key


def test_an_event_without_a_proof_is_let_through_where_none_is_asked() -> None:
    check_possession(REGISTER_ROOT)
    check_possession(placed(office.key_revocation(AN), ROOT, index=5))


@pytest.mark.parametrize(
    ("scheme", "detail", "code"),
    [
        (BLS, {"pop": None}, "json.missing-member"),
        (BLS, {"pop": "AAAA" * 33}, "base64.too-long"),
        ("ed25519", {"pop": "AAAA"}, "json.unknown-member"),
        ("ml-dsa-44", {"pop": "AAAA"}, "json.unknown-member"),
    ],
)
def test_a_proof_belongs_to_keys_that_add_up_alone(
    scheme: str, detail: dict[str, Any], code: str
) -> None:
    made = office.key_registration(Person(name="somebody", scheme=scheme))
    members = {**made.detail, **detail}
    members = {name: value for name, value in members.items() if value is not None}

    with pytest.raises(EvidenceError) as caught:
        make_envelope(replace(made, detail=members).encode(), ())

    assert code_of(caught) == code


@pytest.mark.parametrize(
    "pop",
    [
        bls12381.prove_possession(BAI.seed),  # of another key
        bls12381.sign(AN.seed, AN.public_key),  # a signature, not a proof
        b"\xc0" + bytes(95),
        b"",
        bytes(95),
    ],
)
def test_a_key_whose_possession_is_not_proved_is_refused(pop: bytes) -> None:
    with pytest.raises(VerificationError) as caught:
        check_possession(registration(AN, pop=encode_base64(pop)))

    assert code_of(caught) == "key-event.possession"


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (b"\xc0" + bytes(47), "key.identity"),
        (b"\x80" + bytes(47), "key.not-in-group"),
        (bytes(48), "key.not-canonical"),
        (bytes(47), "key.size"),
    ],
)
def test_a_refused_key_is_not_registered(key: bytes, code: str) -> None:
    events = [REGISTER_ROOT, registration(AN, key=key.hex())]

    with pytest.raises(VerificationError) as caught:
        check_key_events(
            [events[0], replace(events[1], envelope=_about(events[1].envelope, key))], ROOTS
        )

    assert code_of(caught) == code


def _about(envelope: Envelope, key: bytes) -> Envelope:
    """The registration with the subject that belongs to a key."""
    said = envelope.statement
    subject = replace(said.subject, sha256=hashlib.sha256(key).digest())
    return replace(envelope, statement=replace(said, subject=subject))


def test_a_key_of_a_scheme_that_this_build_lacks_cannot_be_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registered, signature = registration(AN), AN.sign(UNSIGNED).signatures[0]
    registry = office.registry_of(AN)
    without(monkeypatch, *PAIRINGS)

    judges = (
        partial(check_key_events, [REGISTER_ROOT, registered], ROOTS),
        partial(check_possession, registered),
        partial(verify_actor_signature, signature, UNSIGNED.message, registry),
    )
    for judge in judges:
        with pytest.raises(UnavailableError) as caught:
            judge()
        assert code_of(caught) == "scheme.unsupported"


# --- a rogue key


def rogue_key(attacker: Person, victim: Person) -> bytes:
    """The attacker's key minus the victim's: both together are the attacker's alone."""
    own = G1Point.from_compressed_bytes(attacker.public_key)
    return (own - G1Point.from_compressed_bytes(victim.public_key)).to_compressed_bytes()


def test_a_rogue_key_would_sign_for_its_victim_and_cannot_be_registered() -> None:
    attacker, victim = Person(name="mallory", scheme=BLS), AN
    rogue = rogue_key(attacker, victim)
    bls12381.check_public_key(rogue)  # a proper key in every other way

    # Mallory alone signs, and the sum says that victim and rogue key both did.
    forged = bls12381.sign(attacker.seed, UNSIGNED.message.pae)
    bls12381.verify_aggregate([victim.public_key, rogue], UNSIGNED.message, forged)

    # Nobody has the private half of the rogue key; these are all that Mallory can make.
    own = bls12381.prove_possession(attacker.seed)
    minus_victims = (
        G2Point.from_compressed_bytes(own)
        - G2Point.from_compressed_bytes(bls12381.prove_possession(victim.seed))
    ).to_compressed_bytes()
    for pop in (own, minus_victims, bls12381.sign(attacker.seed, rogue)):
        said = office.key_registration(
            Person(name="mallory"), scheme=BLS, key=rogue.hex(), pop=encode_base64(pop)
        )
        with pytest.raises(VerificationError) as caught:
            check_possession(placed(said, ROOT, index=4))
        assert code_of(caught) == "key-event.possession"
    assert make_keyid(BLS, rogue) != make_keyid(BLS, attacker.public_key)
