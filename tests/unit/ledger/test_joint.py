"""One signature for many keys: in envelopes, in rules, and how it is joined."""

from __future__ import annotations

from dataclasses import replace

import pytest

import office
from office import INTAKE_KEYID, INTAKE_SEED, Person, joined
from vermilion_ledger.approvals import evaluate_rules
from vermilion_ledger.envelope import Envelope, Signature, make_envelope, sign_intake
from vermilion_ledger.errors import (
    EvidenceError,
    InputError,
    SignatureError,
)
from vermilion_ledger.joining import join_approvals
from vermilion_ledger.keys import verify_actor_signature
from vermilion_ledger.logged import LoggedEnvelope, place_envelope
from vermilion_ledger.rules import Rule
from vermilion_ledger.schemes import bls12381

BLS = bls12381.NAME
AN, BAI, CAO = (Person(name=name, scheme=BLS) for name in ("an", "bai", "cao"))
AN_TWO = Person(name="an at home", owner="an", scheme=BLS)
WANG, LI = office.WANG, Person(name="li", scheme="secp256k1-eip712")
POST_QUANTUM = Person(name="pq", scheme="ml-dsa-44")
PEOPLE = (AN, BAI, CAO, AN_TWO, WANG, LI, POST_QUANTUM)
REGISTRY = office.registry_of(*PEOPLE)
APPROVAL = office.statement("approve", seen=office.SEEN)
UNSIGNED = make_envelope(APPROVAL.encode(), ())


def part(*people: Person, of: Envelope = UNSIGNED) -> Envelope:
    """What somebody signed on their own copy."""
    for person in people:
        of = person.sign(of)
    return of


def verify(envelope: Envelope) -> None:
    for signature in envelope.signatures:
        verify_actor_signature(signature, envelope.message, REGISTRY)


def placed_joint(*people: Person, index: int = 10) -> LoggedEnvelope:
    return place_envelope(
        joined(APPROVAL, *people), index=index, sequence=0, intake_keyids={INTAKE_KEYID}
    )


def code_of(caught: pytest.ExceptionInfo[EvidenceError]) -> str:
    return caught.value.code


# --- envelopes


def test_an_aggregate_verifies_under_the_keys_it_names() -> None:
    entry = placed_joint(AN, BAI, CAO)

    assert len(entry.actors) == 1
    assert entry.signers == {AN.keyid, BAI.keyid, CAO.keyid}
    verify_actor_signature(entry.actors[0], entry.envelope.message, REGISTRY)


def test_a_single_signature_of_a_scheme_that_adds_up_verifies_as_before() -> None:
    verify(part(AN))
    verify(part(POST_QUANTUM, AN, WANG))


@pytest.mark.parametrize("named", [(AN, BAI, CAO), (AN, CAO), (AN_TWO, BAI)])
def test_an_aggregate_under_other_keys_is_refused(named: tuple[Person, ...]) -> None:
    [signature] = placed_joint(AN, BAI).actors
    keyids = tuple(sorted(person.keyid for person in named))

    with pytest.raises(SignatureError) as caught:
        verify_actor_signature(replace(signature, keyids=keyids), UNSIGNED.message, REGISTRY)

    assert code_of(caught) == "signature.bad"


def test_an_aggregate_over_another_statement_is_refused() -> None:
    [signature] = placed_joint(AN, BAI).actors
    other = make_envelope(office.statement("seal", seen=office.SEEN).encode(), ())

    with pytest.raises(SignatureError):
        verify_actor_signature(signature, other.message, REGISTRY)


def test_an_aggregate_with_a_key_of_another_scheme_is_refused() -> None:
    [signature] = placed_joint(AN, BAI).actors
    keyids = tuple(sorted((AN.keyid, WANG.keyid)))

    with pytest.raises(SignatureError) as caught:
        verify_actor_signature(replace(signature, keyids=keyids), UNSIGNED.message, REGISTRY)

    assert code_of(caught) == "signature.other-scheme"


def test_an_aggregate_with_an_unregistered_key_is_refused() -> None:
    stranger = Person(name="stranger", scheme=BLS)
    [signature] = placed_joint(AN, stranger).actors

    with pytest.raises(SignatureError) as caught:
        verify_actor_signature(signature, UNSIGNED.message, REGISTRY)

    assert code_of(caught) == "key.unknown"


def test_a_key_of_an_aggregate_signs_nothing_beside_it() -> None:
    together = part(AN, BAI)
    joint = join_approvals([together], REGISTRY)

    with pytest.raises(InputError) as caught:
        AN.sign(joint)

    assert code_of(caught) == "envelope.repeated-signer"


@pytest.mark.parametrize(
    "keyids",
    [(BAI.keyid,) * 2, tuple(sorted((AN.keyid, BAI.keyid), reverse=True)), (AN.keyid,) * 3],
)
def test_keyids_that_are_not_sorted_and_distinct_are_refused(keyids: tuple[str, ...]) -> None:
    signature = Signature(keyids=keyids, scheme=BLS, sig=bytes(96), extra={})

    with pytest.raises(InputError) as caught:
        UNSIGNED.with_signature(signature)

    assert code_of(caught) == "envelope.aggregate"


@pytest.mark.parametrize("scheme", ["ed25519", "ml-dsa-44", "secp256k1-eip712", "ecdsa-p256"])
def test_other_schemes_have_no_aggregates(scheme: str) -> None:
    keyids = tuple(sorted((AN.keyid, BAI.keyid)))

    with pytest.raises(InputError) as caught:
        UNSIGNED.with_signature(Signature(keyids=keyids, scheme=scheme, sig=b"", extra={}))

    assert code_of(caught) == "envelope.aggregate"


# --- rules


def count(rule: Rule, *entries: LoggedEnvelope) -> tuple[tuple[str, ...], int]:
    [outcome] = evaluate_rules([rule], entries, REGISTRY, office.DOCUMENT)
    return outcome.owners, outcome.missing


def test_each_key_of_an_aggregate_adds_its_owner() -> None:
    rule = Rule(event="approve", count=3)

    assert count(rule, placed_joint(AN, BAI, CAO)) == (("an", "bai", "cao"), 0)
    assert count(rule, placed_joint(AN, BAI)) == (("an", "bai"), 1)


def test_two_keys_of_one_owner_in_an_aggregate_count_once() -> None:
    assert count(Rule(event="approve", count=2), placed_joint(AN, AN_TWO)) == (("an",), 1)


def test_the_signers_of_an_aggregate_are_left_out_where_a_rule_excludes_them() -> None:
    rule = Rule(event="approve", count=1, not_by="review")
    reviewed = replace(APPROVAL, event="review", detail={})
    drafted = place_envelope(
        joined(reviewed, AN, BAI), index=9, sequence=0, intake_keyids={INTAKE_KEYID}
    )

    assert count(rule, drafted, placed_joint(AN, BAI)) == ((), 1)
    assert count(rule, drafted, placed_joint(AN, CAO)) == (("cao",), 0)


# --- joining


def test_signatures_given_apart_are_joined_into_one() -> None:
    made = join_approvals([part(AN), part(BAI), part(CAO)], REGISTRY)

    verify(made)
    [signature] = made.signatures
    assert signature.keyids == tuple(sorted((AN.keyid, BAI.keyid, CAO.keyid)))
    assert make_envelope(made.payload, made.signatures).data == made.data
    assert sign_intake(made, INTAKE_SEED).data == joined(APPROVAL, AN, BAI, CAO).data


def test_what_was_joined_is_joined_again() -> None:
    first = join_approvals([part(AN), part(BAI)], REGISTRY)

    assert (
        join_approvals([first, part(CAO)], REGISTRY).data
        == join_approvals([part(CAO, BAI), part(AN)], REGISTRY).data
    )


def test_signatures_of_other_schemes_stand_beside_the_aggregate() -> None:
    made = join_approvals([part(WANG), part(AN, BAI), part(LI)], REGISTRY)

    verify(made)
    assert [each.scheme for each in made.signatures] == ["ed25519", "secp256k1-eip712", BLS]


def test_a_single_signature_that_adds_up_stays_single_beside_others() -> None:
    made = join_approvals([part(AN), part(WANG)], REGISTRY)

    verify(made)
    assert [len(each.keyids) for each in made.signatures] == [1, 1]


@pytest.mark.parametrize("parts", [[], [UNSIGNED], [part(AN)], [part(AN), UNSIGNED]])
def test_fewer_than_two_signatures_are_not_joined(parts: list[Envelope]) -> None:
    with pytest.raises(InputError) as caught:
        join_approvals(parts, REGISTRY)

    assert code_of(caught) == "join.nothing"


def test_signatures_on_different_statements_are_not_joined() -> None:
    other = replace(APPROVAL, nonce=bytes(16))
    elsewhere = part(BAI, of=make_envelope(other.encode(), ()))

    with pytest.raises(InputError) as caught:
        join_approvals([part(AN), elsewhere], REGISTRY)

    assert code_of(caught) == "join.other-statement"


@pytest.mark.parametrize("twice", [[part(AN), part(AN)], [part(AN, BAI), part(CAO, AN)]])
def test_a_key_is_not_joined_twice(twice: list[Envelope]) -> None:
    with pytest.raises(InputError) as caught:
        join_approvals(twice, REGISTRY)

    assert code_of(caught) == "envelope.repeated-signer"


def test_a_bad_signature_is_found_before_it_spoils_the_others() -> None:
    [signature] = part(BAI).signatures
    forged = replace(signature, keyids=(CAO.keyid,))

    with pytest.raises(SignatureError) as caught:
        join_approvals([part(AN), UNSIGNED.with_signature(forged)], REGISTRY)

    assert code_of(caught) == "signature.bad"


def test_a_signature_of_an_unregistered_key_is_not_joined() -> None:
    with pytest.raises(SignatureError) as caught:
        join_approvals([part(AN), part(Person(name="stranger", scheme=BLS))], REGISTRY)

    assert code_of(caught) == "key.unknown"


def test_hundred_keys_fit_into_one_envelope() -> None:
    people = [Person(name=f"clerk {number}", scheme=BLS) for number in range(100)]
    entry = placed_joint(*people)

    verify_actor_signature(
        entry.actors[0], entry.envelope.message, office.registry_of(*people, index=0)
    )
    assert len(entry.envelope.data) < 10_000
