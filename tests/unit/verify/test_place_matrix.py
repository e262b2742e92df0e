"""Every event of every family, as a ledger that lies puts it into each of its three records.

All are soundly signed; only what names this ledger, the record that it stands in, and
belongs to the family of that record is not refuted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

import office
from evidence import RULES, Scene
from office import (
    ORIGIN,
    POLICIES,
    POLICIES_KEY,
    RECORD,
    RECORD_KEY,
    REGISTRY,
    REGISTRY_KEY,
    ROOT,
    Person,
    prior_of,
    secret,
)
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.events import KEY_EVENTS, POLICY_EVENTS, RECORD_EVENTS, Predicate
from vermilion_ledger.statement import Statement
from vermilion_verify.report import Verdict

OTHER_LEDGER = "another.example/office"
BOSS = Person(name="boss", may=tuple(sorted(RECORD_EVENTS)), officer=True)
NEW = Person(name="new", may=("approve",))
PLACES = {
    Predicate.RECORD: (RECORD, RECORD_KEY),
    Predicate.KEY: (REGISTRY, REGISTRY_KEY),
    Predicate.POLICY: (POLICIES, POLICIES_KEY),
}
WORDS = [
    (family, word)
    for family, words in (
        (Predicate.RECORD, RECORD_EVENTS),
        (Predicate.KEY, KEY_EVENTS),
        (Predicate.POLICY, POLICY_EVENTS),
    )
    for word in sorted(words)
]
HOLDS = {Verdict.PROVEN, Verdict.SUPERSEDED, Verdict.REVOKED}


def write(scene: Scene, family: Predicate, word: str) -> tuple[Statement, Sequence[Person]]:
    """A statement that would be sound in its place, and who signs it."""
    if family is Predicate.KEY:
        made = office.key_registration(NEW) if word == "register" else office.key_revocation(NEW)
        return made, (ROOT, NEW) if word == "register" else (ROOT,)
    if family is Predicate.POLICY:
        return office.policy_event(RULES, word), (ROOT,)
    made = office.statement(word, actor=BOSS.actor, seen=scene.chain.seen())
    last = scene.last.get(RECORD_KEY)
    return made if last is None else replace(made, prior=prior_of(last)), (BOSS,)


def stood(family: Predicate, word: str, place: Predicate, ledger: str, record: str) -> Verdict:
    """The verdict on a record, where a statement of a family stands in a place."""
    scene = Scene()
    scene.register_key(ROOT)
    scene.register_key(BOSS, ROOT)
    if (family, word) == (Predicate.KEY, "revoke"):
        scene.register_key(NEW, ROOT)
    if (word, place) != ("register", Predicate.RECORD):  # which comes first, and once
        scene.event("register", detail={})
    made, signers = write(scene, family, word)
    made = replace(made, ledger=ledger, record=record)
    scene.add(made, *signers, record_key=PLACES[place][1])
    if (word, place) == ("register", Predicate.RECORD):
        scene.event("version")
    scene.anchor()
    return scene.verify().verdict


@pytest.mark.parametrize(("family", "word"), WORDS)
def test_an_event_holds_in_the_one_place_that_it_names(family: Predicate, word: str) -> None:
    home = PLACES[family][0]
    places = [
        *((place, ORIGIN, record) for place in PLACES for record, _ in PLACES.values()),
        (family, OTHER_LEDGER, home),
        (family, ORIGIN, make_record_id(secret("another record"))),
    ]

    verdicts = {each: stood(family, word, *each) for each in places}

    assert verdicts.pop((family, ORIGIN, home)) in HOLDS
    assert set(verdicts.values()) == {Verdict.REFUTED}
