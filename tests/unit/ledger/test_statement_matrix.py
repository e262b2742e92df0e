"""Statements of every family, event, ledger and record: a signature is good under one alone.

Each is signed with a key of every scheme and fed to the verification of the
others; of schemes against schemes see `test_scheme_matrix`, of what the whole
verifier says where a statement stands in another place, `test_place_matrix`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import pytest

import office
from office import ORIGIN, RECORD, REGISTRY, WANG, Person
from vermilion_ledger.binding import check_place
from vermilion_ledger.envelope import make_envelope
from vermilion_ledger.errors import SignatureError, VerificationError
from vermilion_ledger.events import KEY_EVENTS, POLICY_EVENTS, RECORD_EVENTS, Predicate
from vermilion_ledger.keys import verify_actor_signature
from vermilion_ledger.schemes import SCHEME_NAMES, bls12381, sm2
from vermilion_ledger.statement import Statement

SCHEMES = tuple(sorted(SCHEME_NAMES))
SLOW = {bls12381.NAME, sm2.NAME}  # milliseconds for one question


class Kind(NamedTuple):
    """What a statement is about; all else is the same in every one of the table."""

    family: Predicate
    event: str
    ledger: str
    record: str


PLACES = tuple(product((ORIGIN, "another.example/office"), (RECORD, REGISTRY)))
WORDS = tuple(
    (family, word)
    for family, words in (
        (Predicate.RECORD, RECORD_EVENTS),
        (Predicate.KEY, KEY_EVENTS),
        (Predicate.POLICY, POLICY_EVENTS),
    )
    for word in sorted(words)
)
KINDS = tuple(Kind(*word, *place) for word, place in product(WORDS, PLACES))


def write(kind: Kind) -> Statement:
    """The statement of a kind; record events have one detail, so that the word alone differs."""
    made = {
        (Predicate.KEY, "register"): office.key_registration(WANG),
        (Predicate.KEY, "revoke"): office.key_revocation(WANG),
        (Predicate.POLICY, "adopt"): office.policy_event(()),
        (Predicate.POLICY, "withdraw"): office.policy_event((), "withdraw"),
    }.get((kind.family, kind.event), office.statement(kind.event))
    if kind.family is Predicate.RECORD:
        detail = {"step": "sign-off", "decision": "approved", "reason": "wrong amount"}
        made = replace(made, detail=detail | {"by": RECORD, "from": bytes(32).hex()})
    return replace(
        made,
        subject=office.statement().subject,
        ledger=kind.ledger,
        record=kind.record,
        actor=WANG.actor,
        nonce=bytes(16),
        seen=office.SEEN,
    )


UNSIGNED = {kind: make_envelope(write(kind).encode(), ()) for kind in KINDS}


def pairs(scheme: str) -> Iterator[tuple[Kind, Kind]]:
    """What is signed, each event once and each place in turn, and what is shown for it.

    Everything is shown; to the slow schemes what has another word alone, or another place alone.
    """
    for at, word in enumerate(WORDS):
        here = PLACES[at % len(PLACES)]
        shown = KINDS
        if scheme in SLOW:
            further = (WORDS[(at + step) % len(WORDS)] for step in (1, 2, 3))
            shown = (
                *(Kind(*word, *place) for place in PLACES),
                *(Kind(*w, *here) for w in further),
            )
        for kind in shown:
            yield Kind(*word, *here), kind


def test_the_table_has_every_event_of_every_family_four_times() -> None:
    words = len(RECORD_EVENTS) + len(KEY_EVENTS) + len(POLICY_EVENTS)

    assert len(set(KINDS)) == len(UNSIGNED) == 4 * words
    assert len({each.message.pae for each in UNSIGNED.values()}) == len(KINDS)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_signature_is_good_under_the_one_statement_that_was_signed(scheme: str) -> None:
    person = Person(name="somebody", scheme=scheme)
    registry = office.registry_of(person)
    signed = {
        kind: person.sign(UNSIGNED[kind]).signatures[0]
        for kind in {made for made, _ in pairs(scheme)}
    }

    good = 0
    for made, shown in pairs(scheme):
        if made == shown:
            verify_actor_signature(signed[made], UNSIGNED[shown].message, registry)
            good += 1
            continue
        with pytest.raises(SignatureError):
            verify_actor_signature(signed[made], UNSIGNED[shown].message, registry)

    assert good == len(WORDS)


def test_a_statement_is_taken_in_the_one_family_ledger_and_record_that_it_names() -> None:
    for kind in KINDS:
        entry = office.placed(write(kind), index=7)
        for family, (ledger, record) in product(Predicate, PLACES):
            if (family, ledger, record) == (kind.family, kind.ledger, kind.record):
                check_place(entry, ledger=ledger, record=record, predicate=family)
                continue
            with pytest.raises(VerificationError, match="is"):
                check_place(entry, ledger=ledger, record=record, predicate=family)
