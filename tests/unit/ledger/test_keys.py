"""Who may register and revoke keys, and from where to where a key is valid."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import office
from office import LI, ROOT, ROOT_TWO, ROOTS, WANG, ZHAO, Person, placed
from vermilion_ledger.envelope import Signature
from vermilion_ledger.errors import (
    InputError,
    SignatureError,
    VerificationError,
)
from vermilion_ledger.keys import (
    KeyRegistry,
    Roots,
    check_key_events,
    check_root_quorum,
    collect_keys,
    touched_key,
    verify_actor_signature,
)
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.policies import check_policy_events, find_policy
from vermilion_ledger.rules import Rule, hash_rules
from vermilion_ledger.schemes import SCHEME_NAMES
from vermilion_ledger.statement import Prior, Subject

REGISTER_ROOT = placed(office.key_registration(ROOT, by=ROOT.actor), ROOT, index=0)
REGISTER_WANG = placed(office.key_registration(WANG), ROOT, WANG, index=3)
TWO_ROOTS = Roots(keyids=frozenset({ROOT.keyid, ROOT_TWO.keyid}), quorum=2)
RULES = (Rule(event="approve", count=1, step="sign-off"),)


def refusal(events: list[LoggedEnvelope], roots: Roots = ROOTS) -> str:
    with pytest.raises(VerificationError) as caught:
        check_key_events(events, roots)
    return caught.value.code


# --- registration


def test_a_key_is_valid_strictly_between_registration_and_revocation() -> None:
    events = [
        REGISTER_ROOT,
        REGISTER_WANG,
        placed(office.key_revocation(WANG), ROOT, index=9, sequence=2),
    ]

    check_key_events(events, ROOTS)
    key = collect_keys(events).find(WANG.keyid)

    assert [index for index in range(12) if key.is_valid_at(index)] == [4, 5, 6, 7, 8]
    assert (key.owner, key.may, key.officer) == (WANG.actor, frozenset(WANG.may), False)


def test_a_root_registers_by_its_own_signature() -> None:
    check_key_events([REGISTER_ROOT], ROOTS)


def test_a_key_without_the_root_is_refused() -> None:
    assert refusal([REGISTER_ROOT, placed(office.key_registration(LI), LI, index=1)]) == (
        "key-event.quorum"
    )


def test_a_key_that_did_not_sign_its_registration_is_refused() -> None:
    assert refusal([REGISTER_ROOT, placed(office.key_registration(LI), ROOT, index=1)]) == (
        "key-event.new-key"
    )


def test_one_root_of_two_is_no_quorum() -> None:
    events = [
        REGISTER_ROOT,
        placed(office.key_registration(ROOT_TWO, by=ROOT_TWO.actor), ROOT_TWO, index=1),
        placed(office.key_registration(LI), ROOT, LI, index=2),
    ]

    assert refusal(events, TWO_ROOTS) == "key-event.quorum"
    events[2] = placed(office.key_registration(LI), ROOT, ROOT_TWO, LI, index=2)
    check_key_events(events, TWO_ROOTS)


def test_a_root_that_is_registered_later_does_not_count() -> None:
    early = placed(office.key_registration(LI), ROOT, LI, index=0)

    assert refusal([early, replace(REGISTER_ROOT, index=1)]) == "key-event.quorum"


def test_a_revoked_root_does_not_count() -> None:
    events = [
        REGISTER_ROOT,
        placed(office.key_revocation(ROOT), ROOT, index=1),
        placed(office.key_registration(LI), ROOT, LI, index=2),
    ]

    assert refusal(events) == "key-event.quorum"


def test_a_registration_with_a_strangers_signature_is_refused() -> None:
    events = [REGISTER_ROOT, placed(office.key_registration(LI), ROOT, LI, ZHAO, index=1)]

    assert refusal(events) == "key-event.stranger"


@pytest.mark.parametrize(
    ("detail", "signers", "by", "code"),
    [
        ({"may": ["approve"]}, (ROOT,), ROOT, "key-event.root-powers"),
        ({"officer": True}, (ROOT,), ROOT, "key-event.root-powers"),
        ({"officer": False}, (ROOT,), ROOT, "key-event.root-powers"),
        ({}, (ROOT, ROOT_TWO), ROOT, "key-event.root-signers"),
        ({}, (), ROOT, "key-event.root-signers"),
        ({}, (ROOT,), LI, "key-event.actor"),
    ],
)
def test_a_root_registers_alone_without_powers_in_its_own_name(
    detail: dict[str, Any], signers: tuple[Person, ...], by: Person, code: str
) -> None:
    made = office.key_registration(ROOT, by=by.actor, **detail)

    assert refusal([placed(made, *signers, index=0)]) == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda s: replace(s, actor=LI.actor), "key-event.actor"),
        (lambda s: replace(s, prior=Prior(sequence=0, envelope=bytes(32))), "key-event.prior"),
        (
            lambda s: replace(s, subject=Subject(name="x", sha256=bytes(32))),
            "key-event.subject",
        ),
    ],
)
def test_a_registration_names_its_actor_and_its_key(
    change: Callable[[Any], Any], code: str
) -> None:
    event = placed(change(office.key_registration(LI)), ROOT, LI, index=1)

    assert refusal([REGISTER_ROOT, event]) == code


def test_a_key_is_registered_once_even_after_its_revocation() -> None:
    events = [
        REGISTER_ROOT,
        REGISTER_WANG,
        placed(office.key_revocation(WANG), ROOT, index=4),
        replace(REGISTER_WANG, index=5),
    ]

    assert refusal(events) == "key.registered-twice"


def _registration_of(scheme: str, key: str, **detail: Any) -> LoggedEnvelope:
    made = office.key_registration(LI, scheme=scheme, key=key, **detail)
    sha256 = hashlib.sha256(bytes.fromhex(key)).digest()
    return placed(replace(made, subject=Subject(name="k", sha256=sha256)), ROOT, LI, index=1)


@pytest.mark.parametrize(
    ("scheme", "key", "code"),
    [
        ("ed25519", "00" * 32, "key.small-order"),
        ("ed25519", "ff" * 32, "key.not-canonical"),
        ("ed25519", "11" * 31, "key.size"),
        ("ml-dsa-44", "11" * 1311, "key.size"),
        ("secp256k1-eip712", "00" * 20, "key.zero-address"),
        ("ecdsa-p256", "02" + "00" * 31 + "01", "key.off-curve"),
        ("sm2-sm3", "04" + "11" * 64, "key.off-curve"),
        ("rot13", "11" * 32, "scheme.unknown"),
    ],
)
def test_a_refused_public_key_is_not_registered(scheme: str, key: str, code: str) -> None:
    assert refusal([REGISTER_ROOT, _registration_of(scheme, key)]) == code


@pytest.mark.parametrize("made", [office.statement("register"), office.policy_event(RULES)])
def test_an_event_of_another_family_is_no_key_event(made: Any) -> None:
    assert refusal([placed(made, ROOT, index=0)]) == "statement.other-family"


def test_a_key_event_touches_the_key_it_registers_or_revokes() -> None:
    revocation = placed(office.key_revocation(WANG), ROOT, index=9)

    assert touched_key(REGISTER_WANG.statement) == touched_key(revocation.statement) == WANG.keyid
    assert touched_key(REGISTER_ROOT.statement) == ROOT.keyid


# --- revocation


def revoke_wang(*signers: Person, index: int = 9, by: Person = ROOT, **detail: Any) -> Any:
    return placed(office.key_revocation(WANG, by=by.actor, **detail), *signers, index=index)


def test_a_key_revokes_itself() -> None:
    events = [REGISTER_ROOT, REGISTER_WANG, revoke_wang(WANG, by=WANG)]

    check_key_events(events, ROOTS)
    assert collect_keys(events).find(WANG.keyid).revoked == 9


def test_a_root_revokes_itself() -> None:
    check_key_events([REGISTER_ROOT, placed(office.key_revocation(ROOT), ROOT, index=5)], ROOTS)


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (revoke_wang(LI), "key-event.stranger"),
        (revoke_wang(), "key-event.quorum"),
        (revoke_wang(WANG, by=ROOT), "key-event.quorum"),
        (revoke_wang(WANG, by=WANG, compromisedSince=5), "key-event.quorum"),
        (revoke_wang(ROOT, by=LI), "key-event.actor"),
        (revoke_wang(ROOT, index=2), "key-event.unknown-key"),
        (revoke_wang(ROOT, compromisedSince=2), "key-event.compromised-since"),
        (revoke_wang(ROOT, compromisedSince=10), "key-event.compromised-since"),
    ],
)
def test_a_revocation_by_the_wrong_people_or_of_the_wrong_span_is_refused(
    event: LoggedEnvelope, code: str
) -> None:
    events = sorted([REGISTER_ROOT, REGISTER_WANG, event], key=lambda e: e.index)

    assert refusal(events) == code


def test_a_revocation_is_about_the_bytes_of_its_key() -> None:
    made = replace(office.key_revocation(WANG), subject=Subject(name="k", sha256=bytes(32)))

    assert refusal([REGISTER_ROOT, REGISTER_WANG, placed(made, ROOT, index=9)]) == (
        "key-event.subject"
    )


def test_a_key_that_nobody_registered_cannot_be_revoked() -> None:
    assert refusal([REGISTER_ROOT, revoke_wang(ROOT)]) == "key-event.unknown-key"


def test_a_stolen_key_is_in_doubt_from_the_stated_leaf_on() -> None:
    events = [
        REGISTER_ROOT,
        REGISTER_WANG,
        revoke_wang(ROOT, index=9, compromisedSince=6),
        revoke_wang(ROOT, index=11, compromisedSince=5),
        revoke_wang(ROOT, index=12),
    ]

    check_key_events(events, ROOTS)
    key = collect_keys(events).find(WANG.keyid)

    assert (key.revoked, key.compromised_since) == (9, 5)
    assert [key.is_in_doubt_at(index) for index in (4, 5, 9)] == [False, True, True]


def test_a_key_that_was_revoked_cannot_revoke_itself_again() -> None:
    events = [REGISTER_ROOT, REGISTER_WANG, revoke_wang(ROOT), revoke_wang(WANG, index=10, by=WANG)]

    assert refusal(events) == "key-event.quorum"


# --- signatures


def _signature(person: Person) -> tuple[Signature, Any]:
    entry = placed(office.statement("seal", seen=office.SEEN), person, index=7)
    return entry.actors[0], entry.envelope.message


@pytest.mark.parametrize("scheme", sorted(SCHEME_NAMES))
def test_a_signature_verifies_under_its_registered_key(scheme: str) -> None:
    person = Person(name="somebody", scheme=scheme)

    verify_actor_signature(*_signature(person), office.registry_of(person))


def test_a_signature_of_an_unregistered_key_is_refused() -> None:
    with pytest.raises(SignatureError) as caught:
        verify_actor_signature(*_signature(WANG), office.registry_of(LI))

    assert caught.value.code == "key.unknown"


def test_the_scheme_comes_from_the_key_and_not_from_the_message() -> None:
    signature, message = _signature(WANG)

    with pytest.raises(SignatureError) as caught:
        verify_actor_signature(
            replace(signature, scheme="secp256k1-eip712"), message, office.registry_of(WANG)
        )

    assert caught.value.code == "signature.other-scheme"


def test_a_registered_key_that_is_refused_signs_nothing() -> None:
    signature, message = _signature(WANG)
    key = WANG.registered(public_key=bytes(32))

    with pytest.raises(SignatureError) as caught:
        verify_actor_signature(signature, message, KeyRegistry(keys={WANG.keyid: key}))

    assert caught.value.code == "key.small-order"


# --- policies


def registered_roots() -> KeyRegistry:
    return collect_keys([REGISTER_ROOT])


def adopt(event: str = "adopt", index: int = 2, *signers: Person) -> LoggedEnvelope:
    return placed(office.policy_event(RULES, event), *(signers or (ROOT,)), index=index)


def test_a_policy_is_in_force_from_adoption_to_withdrawal() -> None:
    events = [adopt("adopt", 2), adopt("withdraw", 5), adopt("adopt", 8)]
    check_policy_events(events, registered_roots(), ROOTS)

    found = [find_policy(events, hash_rules(RULES), before=index) for index in (2, 3, 5, 6, 9)]

    assert found == [None, RULES, RULES, None, RULES]
    assert find_policy(events, bytes(32), before=9) is None


def test_an_event_of_another_family_is_no_policy() -> None:
    register = placed(office.statement("register"), index=1)

    assert find_policy([register], office.DOCUMENT, before=9) is None


@pytest.mark.parametrize(
    ("change", "signers", "code"),
    [
        (lambda s: s, (LI,), "policy-event.stranger"),
        (lambda s: s, (ROOT, LI), "policy-event.stranger"),
        (lambda s: s, (), "key-event.quorum"),
        (lambda s: replace(s, actor=LI.actor), (ROOT,), "key-event.actor"),
        (
            lambda s: replace(s, prior=Prior(sequence=0, envelope=bytes(32))),
            (ROOT,),
            "policy-event.prior",
        ),
        (
            lambda s: replace(s, subject=Subject(name="rules", sha256=bytes(32))),
            (ROOT,),
            "policy-event.subject",
        ),
        (lambda _: office.statement("register"), (ROOT,), "statement.other-family"),
    ],
)
def test_a_policy_by_others_or_about_other_rules_is_refused(
    change: Callable[[Any], Any], signers: tuple[Person, ...], code: str
) -> None:
    event = placed(change(office.policy_event(RULES)), *signers, index=2)

    with pytest.raises(VerificationError) as caught:
        check_policy_events([event], registered_roots(), ROOTS)

    assert caught.value.code == code


def test_a_quorum_counts_distinct_roots_once() -> None:
    with pytest.raises(VerificationError, match="1 of 2"):
        check_root_quorum(adopt(), registered_roots(), TWO_ROOTS)


def test_a_statement_that_breaks_its_own_shape_is_not_encoded() -> None:
    with pytest.raises(InputError):
        office.key_registration(WANG, may=["seal", "approve"]).encode()
