"""What ties a statement to its ledger, record and place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import office
from office import DOCUMENT, LI, OTHER_DOCUMENT, SEEN, WANG, Person, placed, prior_of
from vermilion_ledger.binding import (
    Incomplete,
    check_entry,
    check_nonces,
    check_place,
    check_record,
    needs_prior,
    needs_seen,
)
from vermilion_ledger.errors import VerificationError
from vermilion_ledger.events import Predicate
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.statement import Prior, Subject

OFFICER = Person(name="officer", officer=True)
WALLET = Person(name="wallet", scheme="secp256k1-eip712")
WANG_TWO = Person(name="wang at home", owner="wang")
REGISTRY = office.registry_of(WANG, LI, OFFICER, WALLET, WANG_TWO)
REGISTER = placed(office.statement("register"), index=4)
REVIEW = placed(office.statement("review"), index=5, sequence=1)
OTHER = Subject(name="d", sha256=OTHER_DOCUMENT)


def event(word: str, *signers: Person, sequence: int = 2, **changes: Any) -> LoggedEnvelope:
    """An event at sequence 2, after a registration and a review, which its signer saw."""
    if word in {"approve", "countersign", "seal", "revoke"}:
        changes = {"seen": SEEN, "prior": prior_of(REVIEW)} | changes
    return placed(office.statement(word, **changes), *signers, index=9, sequence=sequence)


def check(entry: LoggedEnvelope, *earlier: LoggedEnvelope, complete: bool = True) -> None:
    check_entry(entry, earlier or (REGISTER, REVIEW), REGISTRY, complete=complete)


def refusal(entry: LoggedEnvelope, *earlier: LoggedEnvelope, complete: bool = True) -> str:
    with pytest.raises(VerificationError) as caught:
        check(entry, *earlier, complete=complete)
    return caught.value.code


@pytest.mark.parametrize("word", ["review", "archive", "version", "correct", "convert"])
def test_an_ordinary_event_fits_behind_its_register(word: str) -> None:
    check(event(word))


def test_a_register_comes_first_and_once() -> None:
    check_entry(REGISTER, (), REGISTRY, complete=True)
    assert refusal(event("register")) == "statement.register-place"
    with pytest.raises(VerificationError):
        check_entry(replace(REVIEW, sequence=0), (), REGISTRY, complete=True)


@pytest.mark.parametrize("word", ["approve", "countersign", "seal", "revoke"])
def test_a_weighty_event_quotes_a_block_and_the_last_entry(word: str) -> None:
    assert refusal(event(word, WANG, seen=None)) == "statement.seen-missing"
    assert refusal(event(word, WANG, prior=None)) == "statement.prior-missing"


def test_a_wallet_always_quotes_a_block() -> None:
    signed = placed(
        office.statement("review", seen=SEEN, prior=prior_of(REVIEW)), WALLET, index=9, sequence=2
    )
    check(signed)
    without = replace(signed, envelope=event("review").envelope)

    assert needs_seen(signed, REGISTRY)
    assert needs_prior(signed, REGISTRY)
    assert refusal(without) == "statement.seen-missing"
    assert not needs_seen(signed, office.registry_of(LI))  # an unknown key asks for nothing


def test_key_events_of_a_wallet_quote_a_block_too() -> None:
    made = placed(office.key_registration(WALLET, by=WALLET.actor), index=1)
    signed = replace(made, actors=event("seal", WALLET).actors)

    assert needs_seen(signed, REGISTRY)
    assert not needs_prior(signed, REGISTRY)


def test_a_register_names_no_prior() -> None:
    made = office.statement("register", prior=Prior(sequence=0, envelope=bytes(32)))

    with pytest.raises(VerificationError) as caught:
        check_entry(placed(made, index=4), (), REGISTRY, complete=True)
    assert caught.value.code == "statement.prior-refused"


@pytest.mark.parametrize(
    ("prior", "code"),
    [
        (Prior(sequence=2, envelope=bytes(32)), "statement.prior-later"),
        (Prior(sequence=99, envelope=bytes(32)), "statement.prior-later"),
        (Prior(sequence=1, envelope=bytes(32)), "statement.prior-differs"),
        (Prior(sequence=1, envelope=REGISTER.envelope.hash), "statement.prior-differs"),
    ],
)
def test_a_prior_that_does_not_hold_is_refused(prior: Prior, code: str) -> None:
    assert refusal(event("seal", WANG, prior=prior)) == code
    assert refusal(event("review", prior=prior)) == code  # also where it was not asked for


def test_a_prior_that_was_left_out_is_neither_right_nor_wrong() -> None:
    with pytest.raises(Incomplete):
        check(event("seal", WANG), REGISTER, complete=False)
    assert refusal(event("seal", WANG), REGISTER) == "statement.prior-unknown"


# --- decisions


def decision(
    word: str, *signers: Person, saw: LoggedEnvelope, sequence: int, step: str = "s"
) -> LoggedEnvelope:
    return event(
        "approve",
        *signers,
        sequence=sequence,
        prior=prior_of(saw),
        detail={"step": step, "decision": word},
    )


def test_a_held_back_approval_does_not_undo_a_later_rejection() -> None:
    rejected = decision("rejected", WANG, saw=REVIEW, sequence=2)
    stale = decision("approved", WANG_TWO, saw=REVIEW, sequence=3)
    fresh = decision("approved", WANG_TWO, saw=rejected, sequence=3)

    check(fresh, REGISTER, REVIEW, rejected)
    assert refusal(stale, REGISTER, REVIEW, rejected) == "statement.decision-order"
    assert refusal(stale, REGISTER, rejected, complete=False) == "statement.decision-order"


@pytest.mark.parametrize(
    "other",
    [
        decision("rejected", LI, saw=REVIEW, sequence=2),
        decision("rejected", WANG, saw=REVIEW, sequence=2, step="t"),
        event("approve", WANG, sequence=2, subject=OTHER),
        event("countersign", WANG, detail={"step": "s", "decision": "rejected"}),
    ],
)
def test_decisions_of_others_or_on_other_matters_do_not_stand_in_the_way(
    other: LoggedEnvelope,
) -> None:
    check(decision("approved", WANG, saw=REVIEW, sequence=3), REGISTER, REVIEW, other)


def test_a_decision_names_the_policy_of_its_record_exactly() -> None:
    bound = placed(office.statement("register", detail={"policy": "ab" * 32}), index=4)
    step = {"step": "s", "decision": "approved"}

    def approve(**detail: str) -> LoggedEnvelope:
        return event("approve", WANG, detail=step | detail)

    check(approve(policy="ab" * 32), bound, REVIEW)
    assert refusal(approve(policy="cd" * 32), bound, REVIEW) == "statement.other-policy"
    assert refusal(approve(), bound, REVIEW) == "statement.other-policy"
    assert refusal(approve(policy="ab" * 32)) == "statement.other-policy"


# --- versions


def test_an_event_about_a_digest_that_nobody_recorded_is_refused() -> None:
    assert refusal(event("review", subject=OTHER)) == "statement.unrecorded-digest"
    with pytest.raises(Incomplete):
        check(event("review", subject=OTHER), REGISTER, complete=False)


def test_a_conversion_comes_from_an_earlier_version() -> None:
    check(event("convert", subject=OTHER))
    from_nowhere = event("convert", subject=OTHER, detail={"from": "ab" * 32})
    from_itself = event("convert", subject=OTHER, detail={"from": OTHER_DOCUMENT.hex()})

    assert refusal(from_nowhere) == "statement.unrecorded-digest"
    assert refusal(from_itself) == "statement.unrecorded-digest"


def test_a_review_records_no_version() -> None:
    review = event("review", subject=OTHER)

    assert refusal(event("review", subject=OTHER, sequence=3), REGISTER, review) == (
        "statement.unrecorded-digest"
    )


# --- owners


@pytest.mark.parametrize("word", ["revoke", "supersede", "dispose"])
def test_only_who_signed_here_or_an_officer_ends_a_record(word: str) -> None:
    signed = placed(office.statement("review"), WANG, index=5, sequence=1)
    prior = prior_of(signed)

    check(event(word, WANG_TWO, prior=prior), REGISTER, signed)
    check(event(word, OFFICER, prior=prior), REGISTER, signed)
    check(event(word, LI, OFFICER, prior=prior), REGISTER, signed)
    assert refusal(event(word, LI, prior=prior), REGISTER, signed) == "statement.not-owner"
    assert refusal(event(word, prior=prior), REGISTER, signed) == "statement.not-owner"
    with pytest.raises(Incomplete):
        check(event(word, LI, prior=prior), REGISTER, signed, complete=False)


# --- place and nonce


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ({"ledger": "other.example/log"}, "statement.other-ledger"),
        ({"record": office.POLICIES}, "statement.other-record"),
        ({"predicate": Predicate.KEY}, "statement.other-family"),
    ],
)
def test_a_statement_for_another_place_is_refused(place: dict[str, Any], code: str) -> None:
    here: dict[str, Any] = {
        "ledger": office.ORIGIN,
        "record": office.RECORD,
        "predicate": Predicate.RECORD,
    }

    check_place(REGISTER, **here)
    with pytest.raises(VerificationError) as caught:
        check_place(REGISTER, **(here | place))
    assert caught.value.code == code


def test_a_key_uses_a_nonce_once() -> None:
    one, two = event("review", WANG), event("archive", WANG)
    again = event("seal", WANG, nonce=one.statement.nonce)
    by_li = event("seal", LI, nonce=one.statement.nonce)

    check_nonces([one, two, by_li])
    with pytest.raises(VerificationError):
        check_nonces([one, two, again])
    with pytest.raises(VerificationError):
        check_nonces([one, event("seal", LI, WANG, nonce=one.statement.nonce)])


def test_without_an_actor_the_nonce_is_the_ledgers() -> None:
    one = event("review")

    with pytest.raises(VerificationError):
        check_nonces([one, event("archive", nonce=one.statement.nonce)])
    check_nonces([one, event("archive", WANG, nonce=one.statement.nonce)])


def test_the_document_of_these_tests_is_recorded() -> None:
    assert REGISTER.statement.subject.sha256 == DOCUMENT


# --- a whole record


def test_a_whole_record_is_checked_in_one_pass() -> None:
    approval = decision("approved", WANG, saw=REVIEW, sequence=2)
    revocation = event("revoke", WANG, sequence=3, prior=prior_of(approval))

    assert check_record((REGISTER, REVIEW, approval, revocation), REGISTRY) == ()


def test_a_record_with_one_bad_event_is_refused() -> None:
    stranger = event("revoke", LI, sequence=2)

    with pytest.raises(VerificationError) as caught:
        check_record((REGISTER, REVIEW, stranger), REGISTRY)
    assert caught.value.code == "statement.not-owner"


def test_events_that_hang_on_an_entry_left_out_are_named() -> None:
    approval = decision("approved", WANG, saw=REVIEW, sequence=2)
    about_nothing = event("review", subject=OTHER, sequence=3)
    later = event("archive", sequence=4)

    assert check_record((REGISTER, approval, about_nothing, later), REGISTRY) == (
        approval,
        about_nothing,
    )


def test_what_is_wrong_in_any_case_is_refused_though_entries_were_left_out() -> None:
    stale = decision("approved", WANG, saw=REGISTER, sequence=5)
    rejected = decision("rejected", WANG_TWO, saw=REVIEW, sequence=2)

    with pytest.raises(VerificationError) as caught:
        check_record((REGISTER, rejected, stale), REGISTRY)
    assert caught.value.code == "statement.decision-order"


def test_a_long_record_costs_linear_time() -> None:
    entries = [replace(REVIEW, sequence=1 + n, index=5 + n) for n in range(20_000)]

    assert check_record((REGISTER, *entries), REGISTRY) == ()
