"""Admission: who may enter the log at which index. Refusals first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from missing import PAIRINGS, without
from office import (
    INTAKE_KEYID,
    LI,
    ORIGIN,
    OTHER_DOCUMENT,
    POLICIES,
    POLICIES_KEY,
    RECORD,
    RECORD_KEY,
    REGISTRY,
    REGISTRY_KEY,
    ROOT,
    ROOTS,
    SEEN,
    WANG,
    ZHAO,
    Log,
    Person,
    envelope,
    key_registration,
    key_revocation,
    policy_event,
    prior_of,
    statement,
)
from vermilion_ledger.admission import LedgerAdmission, LedgerIdentity
from vermilion_ledger.envelope import Envelope, make_envelope
from vermilion_ledger.errors import EvidenceError, VerificationError
from vermilion_ledger.logged import LoggedEnvelope, place_envelope
from vermilion_ledger.rows import Pending, RecordEntry, RecordKind
from vermilion_ledger.rules import Rule, hash_rules
from vermilion_ledger.schemes import secp256k1
from vermilion_ledger.statement import Prior, Statement, Subject

IDENTITY = LedgerIdentity(
    origin=ORIGIN,
    roots=ROOTS,
    intake_keyids=frozenset({INTAKE_KEYID}),
    keys_record=REGISTRY,
    policies_record=POLICIES,
)
KEYS = {"document": RECORD_KEY, "keys": REGISTRY_KEY, "policies": POLICIES_KEY}
RECORDS = {"document": RECORD, "keys": REGISTRY, "policies": POLICIES}
RULES = (Rule(event="approve", count=2, step="sign-off"),)


class Desk:
    """A log in memory with admission before it: a `HistoryView` over what was admitted."""

    def __init__(self) -> None:
        self.log = Log()
        self.admission = LedgerAdmission(IDENTITY)

    def history(self, record_id: str, *, since: int = 0) -> Sequence[RecordEntry]:
        found = [
            RecordEntry(
                record_id=record_id,
                index=place.index,
                sequence=place.sequence,
                position=place.index,
                salt=salt,
                envelope=place.envelope.data,
            )
            for place, salt, key in self.log.items
            if key == {RECORDS[kind]: key for kind, key in KEYS.items()}.get(record_id)
        ]
        return found[since:]

    def submit(self, signed: Envelope, kind: RecordKind = "document") -> LoggedEnvelope:
        """Admit an envelope and append it."""
        pending = Pending(
            position=1,
            record_id=RECORDS[kind],
            record_key=KEYS[kind],
            kind=kind,
            envelope=signed.data,
            salt=bytes(32),
            digest=signed.statement.subject.sha256,
            is_plain=False,
        )
        sequence = len(self.history(RECORDS[kind]))
        self.admission.admit(pending, index=self.log.size, sequence=sequence, view=self)
        if kind == "document":
            place = place_envelope(
                signed, index=self.log.size, sequence=sequence, intake_keyids={INTAKE_KEYID}
            )
            self.admission.verify_actors(place, kind=kind, view=self)
        return self.log.add(signed, KEYS[kind])

    def last(self) -> LoggedEnvelope:
        return next(place for place, _, key in reversed(self.log.items) if key == RECORD_KEY)

    def decide(self, person: Person, **changes: Any) -> Statement:
        """A decision of a person over what stands in the record now."""
        members = {"seen": SEEN, "prior": prior_of(self.last()), "actor": person.actor} | changes
        return statement("approve", **members)


@pytest.fixture
def desk() -> Desk:
    """A ledger with a root, two people and a registered document."""
    desk = Desk()
    desk.submit(envelope(key_registration(ROOT), ROOT), "keys")
    for person in (WANG, LI):
        desk.submit(envelope(key_registration(person), ROOT, person), "keys")
    desk.submit(envelope(statement("register")))
    return desk


def refused(desk: Desk, signed: Envelope, kind: RecordKind = "document") -> str:
    size = desk.log.size
    with pytest.raises(EvidenceError) as caught:
        desk.submit(signed, kind)
    assert desk.log.size == size
    return caught.value.code


def test_two_owners_approve_a_document(desk: Desk) -> None:
    desk.submit(envelope(desk.decide(WANG), WANG))
    desk.submit(envelope(desk.decide(LI), LI))

    assert len(desk.history(RECORD)) == 3


def test_an_unregistered_key_is_refused(desk: Desk) -> None:
    assert refused(desk, envelope(desk.decide(ZHAO), ZHAO)) == "key.unknown"


def test_a_revoked_key_is_refused(desk: Desk) -> None:
    desk.submit(envelope(key_revocation(WANG), ROOT), "keys")

    assert refused(desk, envelope(desk.decide(WANG), WANG)) == "key.after-revocation"


def test_a_key_that_revoked_itself_is_refused(desk: Desk) -> None:
    desk.submit(envelope(key_revocation(WANG, by=WANG.actor), WANG), "keys")

    assert refused(desk, envelope(desk.decide(WANG), WANG)) == "key.after-revocation"


def test_a_key_must_have_the_event_among_its_may(desk: Desk) -> None:
    clerk = Person(name="clerk", may=("approve",))
    desk.submit(envelope(key_registration(clerk), ROOT, clerk), "keys")
    seal = statement("seal", seen=SEEN, prior=prior_of(desk.last()), actor=clerk.actor)

    assert refused(desk, envelope(seal, clerk)) == "key.may-not"


def test_every_signing_key_must_be_allowed(desk: Desk) -> None:
    clerk = Person(name="clerk", may=("archive",))
    desk.submit(envelope(key_registration(clerk), ROOT, clerk), "keys")

    assert refused(desk, envelope(desk.decide(WANG), WANG, clerk)) == "key.may-not"


def test_a_root_signs_no_record_event(desk: Desk) -> None:
    assert refused(desk, envelope(desk.decide(ROOT), ROOT)) == "key.may-not"


def test_the_actor_owns_a_signing_key(desk: Desk) -> None:
    assert refused(desk, envelope(desk.decide(LI), WANG)) == "key.other-actor"


@pytest.mark.parametrize(
    "event",
    ["approve", "countersign", "seal", "revoke", "supersede", "correct", "dispose", "regrade"],
)
def test_an_event_that_needs_a_signature_is_refused_without(desk: Desk, event: str) -> None:
    made = statement(event, seen=SEEN, prior=prior_of(desk.last()))

    assert refused(desk, envelope(made)) == "statement.unsigned"


def test_a_second_registration_is_refused(desk: Desk) -> None:
    again = statement("register", nonce=b"another nonce 16")

    assert refused(desk, envelope(again)) == "statement.register-place"


def test_a_record_begins_with_its_registration() -> None:
    assert refused(Desk(), envelope(statement("review"))) == "statement.register-place"


def test_a_statement_for_another_ledger_is_refused(desk: Desk) -> None:
    made = statement("review", ledger="ledger.example.gov/office-2")

    assert refused(desk, envelope(made)) == "statement.other-ledger"


def test_a_registration_for_another_ledger_is_refused() -> None:
    made = statement("register", ledger="ledger.example.gov/office-2")

    assert refused(Desk(), envelope(made)) == "statement.other-ledger"


def test_a_registration_for_another_record_is_refused() -> None:
    assert refused(Desk(), envelope(statement("register", record=POLICIES))) == (
        "statement.other-record"
    )


def test_an_event_for_another_record_is_refused(desk: Desk) -> None:
    assert refused(desk, envelope(statement("review", record=POLICIES))) == "statement.other-record"


def test_an_event_of_another_family_is_refused(desk: Desk) -> None:
    made = replace(policy_event(RULES), record=RECORD)

    assert refused(desk, envelope(made, ROOT)) == "statement.other-family"
    assert refused(desk, envelope(statement("review", record=REGISTRY)), "keys") == (
        "statement.other-family"
    )


def test_a_foreign_intake_signature_is_refused(desk: Desk) -> None:
    unsigned = make_envelope(statement("review").encode(), ())

    assert refused(desk, unsigned) == "intake.not-one"


def test_a_registration_without_the_intake_signature_is_refused() -> None:
    unsigned = make_envelope(statement("register").encode(), ())

    assert refused(Desk(), unsigned) == "intake.not-one"


def test_a_registration_that_quotes_prior_is_refused() -> None:
    made = statement("register", prior=Prior(sequence=0, envelope=bytes(32)))

    assert refused(Desk(), envelope(made)) == "statement.prior-refused"


def test_an_approval_without_a_quoted_block_is_refused(desk: Desk) -> None:
    made = desk.decide(WANG, seen=None)

    assert refused(desk, envelope(made, WANG)) == "statement.seen-missing"


def test_a_wallet_must_quote_a_block_on_any_event(desk: Desk) -> None:
    wallet = Person(name="wallet", scheme=secp256k1.NAME, may=("archive",))
    registration = replace(key_registration(wallet), seen=SEEN)
    desk.submit(envelope(registration, ROOT, wallet), "keys")
    made = statement("archive", actor=wallet.actor, seen=SEEN)

    assert refused(desk, envelope(made, wallet)) == "statement.prior-missing"


def test_a_prior_with_another_hash_is_refused(desk: Desk) -> None:
    made = desk.decide(WANG, prior=Prior(sequence=0, envelope=bytes(32)))

    assert refused(desk, envelope(made, WANG)) == "statement.prior-differs"


def test_a_prior_that_comes_later_is_refused(desk: Desk) -> None:
    made = desk.decide(WANG, prior=Prior(sequence=1, envelope=bytes(32)))

    assert refused(desk, envelope(made, WANG)) == "statement.prior-later"


def test_a_held_back_approval_cannot_undo_a_rejection(desk: Desk) -> None:
    held_back = desk.decide(WANG)
    rejected = desk.decide(WANG, detail={"step": "sign-off", "decision": "rejected"})
    desk.submit(envelope(rejected, WANG))

    assert refused(desk, envelope(held_back, WANG)) == "statement.decision-order"


def test_a_digest_that_nobody_recorded_is_refused(desk: Desk) -> None:
    made = desk.decide(WANG, subject=Subject(name="x", sha256=OTHER_DOCUMENT))

    assert refused(desk, envelope(made, WANG)) == "statement.unrecorded-digest"


def test_only_who_signed_before_may_revoke(desk: Desk) -> None:
    revocation = statement("revoke", seen=SEEN, prior=prior_of(desk.last()), actor=WANG.actor)

    assert refused(desk, envelope(revocation, WANG)) == "statement.not-owner"

    desk.submit(envelope(desk.decide(WANG), WANG))
    later = replace(revocation, prior=prior_of(desk.last()))
    desk.submit(envelope(later, WANG))


def test_a_decision_binds_no_policy_that_the_record_does_not_name(desk: Desk) -> None:
    detail = {"step": "s", "decision": "approved", "policy": hash_rules(RULES).hex()}

    assert refused(desk, envelope(desk.decide(WANG, detail=detail), WANG)) == (
        "statement.other-policy"
    )


def test_a_registration_names_a_policy_in_force() -> None:
    desk = Desk()
    desk.submit(envelope(key_registration(ROOT), ROOT), "keys")
    named = statement("register", detail={"policy": hash_rules(RULES).hex()})

    assert refused(desk, envelope(named)) == "policy.not-in-force"

    desk.submit(envelope(policy_event(RULES), ROOT), "policies")
    desk.submit(envelope(named))


def test_a_withdrawn_policy_is_not_in_force() -> None:
    desk = Desk()
    desk.submit(envelope(key_registration(ROOT), ROOT), "keys")
    desk.submit(envelope(policy_event(RULES), ROOT), "policies")
    desk.submit(envelope(policy_event(RULES, "withdraw"), ROOT), "policies")
    named = statement("register", detail={"policy": hash_rules(RULES).hex()})

    assert refused(desk, envelope(named)) == "policy.not-in-force"


def test_a_policy_event_by_somebody_but_a_root_is_refused(desk: Desk) -> None:
    made = replace(policy_event(RULES), actor=WANG.actor)

    assert refused(desk, envelope(made, WANG), "policies") == "policy-event.stranger"
    assert refused(desk, envelope(policy_event(RULES)), "policies") == "key-event.quorum"


def test_a_key_is_registered_by_roots_and_by_itself(desk: Desk) -> None:
    made = key_registration(ZHAO)

    assert refused(desk, envelope(made, ZHAO), "keys") == "key-event.quorum"
    assert refused(desk, envelope(made, ROOT), "keys") == "key-event.new-key"
    assert refused(desk, envelope(made, ROOT, ZHAO, WANG), "keys") == "key-event.stranger"
    desk.submit(envelope(made, ROOT, ZHAO), "keys")


def test_a_key_is_registered_once(desk: Desk) -> None:
    assert (
        refused(desk, envelope(key_registration(WANG), ROOT, WANG), "keys")
        == "key.registered-twice"
    )


def test_a_scheme_that_this_build_lacks_is_refused_for_good(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = replace(ZHAO, scheme="bls12381-g2-pop")
    signed = envelope(key_registration(person), ROOT, person)
    without(monkeypatch, *PAIRINGS)

    with pytest.raises(VerificationError) as caught:
        desk.submit(signed, "keys")

    assert caught.value.code == "scheme.unsupported"


def test_a_root_that_is_not_registered_yet_signs_nothing() -> None:
    assert refused(Desk(), envelope(key_registration(WANG), ROOT, WANG), "keys") == (
        "key-event.quorum"
    )


def test_a_bad_signature_is_found_before_anything_is_queued(desk: Desk) -> None:
    good = envelope(desk.decide(WANG), WANG)
    other = envelope(desk.decide(WANG, nonce=b"another nonce 16"), WANG)
    mixed = make_envelope(good.payload, other.signatures)
    entry = LoggedEnvelope(
        index=desk.log.size,
        sequence=1,
        envelope=mixed,
        intake=mixed.signatures[-1],
        actors=mixed.signatures[:-1],
    )

    with pytest.raises(EvidenceError) as caught:
        desk.admission.verify_actors(entry, kind="document", view=desk)

    assert caught.value.code == "signature.bad"


def test_a_batch_that_was_rolled_back_is_forgotten(desk: Desk) -> None:
    desk.submit(envelope(key_registration(ZHAO), ROOT, ZHAO), "keys")
    desk.submit(envelope(desk.decide(ZHAO), ZHAO))

    undone = Desk()
    undone.admission = desk.admission  # the same cache over a log without ZHAO
    undone.log = Log()
    for place, _, key in desk.log.items:
        if ZHAO.keyid not in place.signers:
            undone.log.add(place.envelope, key)

    assert refused(undone, envelope(undone.decide(ZHAO), ZHAO)) == "key.unknown"
