"""Delegated keys: what may be given away, to whom, and whose decision it then is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from office import (
    LI,
    ROOT,
    ROOTS,
    SEEN,
    WANG,
    ZHAO,
    Person,
    key_registration,
    key_revocation,
    placed,
    prior_of,
    registry_of,
    statement,
)
from vermilion_ledger.approvals import RuleOutcome, evaluate_rules
from vermilion_ledger.binding import check_entry, needs_prior, needs_seen
from vermilion_ledger.errors import EvidenceError, VerificationError
from vermilion_ledger.involved import find_involved
from vermilion_ledger.keys import (
    RegisteredKey,
    check_key_events,
    check_one_voice,
    collect_keys,
)
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.rules import Rule
from vermilion_ledger.statement import Statement

UNTIL = "2026-12-01T00:00:00Z"
FOR_WANG = Person(
    name="li for wang", owner="li", may=("approve",), until=UNTIL, on_behalf_of="wang"
)
ALSO_FOR_WANG = replace(FOR_WANG, name="zhao for wang", owner="zhao")
RULE = (Rule(event="approve", count=1),)
TWO = (Rule(event="approve", count=2),)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(EvidenceError) as caught:
        call()
    return caught.value.code


# -- the registration


def delegation(person: Person = FOR_WANG, **detail: Any) -> Statement:
    return replace(key_registration(person, **detail), seen=SEEN)


def history(*more: LoggedEnvelope) -> list[LoggedEnvelope]:
    """A root at 0, Wang at 1, and what follows."""
    return [
        placed(key_registration(ROOT), ROOT, index=0),
        placed(key_registration(WANG), ROOT, WANG, index=1),
        *more,
    ]


def checked(*more: LoggedEnvelope) -> None:
    check_key_events(history(*more), ROOTS)


def test_the_roots_delegate_to_a_key_of_the_delegates_own() -> None:
    made = placed(delegation(), ROOT, FOR_WANG, index=2)

    checked(made)

    key = collect_keys(history(made)).find(FOR_WANG.keyid)
    assert (key.owner.id, key.counts_for) == ("li", "wang")
    assert key.people == {"li", "wang"}


@pytest.mark.parametrize(
    ("detail", "code"),
    [
        ({"officer": True}, "detail.delegation"),
        ({"officer": False}, "detail.delegation"),
        ({"onBehalfOf": "li"}, "detail.delegation"),
        ({"onBehalfOf": ""}, "text.empty"),
        ({"onBehalfOf": 7}, "text.shape"),
        ({"onBehalfOf": "x" * 201}, "text.too-long"),
        ({"until": "2026-12-01"}, "time.malformed"),
        ({"until": "2026-02-30T00:00:00Z"}, "time.malformed"),
        ({"until": None}, "time.malformed"),
    ],
)
def test_a_malformed_delegation_is_refused(detail: dict[str, Any], code: str) -> None:
    assert refused(lambda: delegation(**detail).encode()) == code


@pytest.mark.parametrize("left", ["until", "onBehalfOf"])
def test_a_delegation_has_an_end_and_a_delegator(left: str) -> None:
    made = delegation()
    detail = {name: value for name, value in made.detail.items() if name != left}

    assert refused(lambda: replace(made, detail=detail).encode()) == "detail.delegation"


@pytest.mark.parametrize(
    ("made", "signers", "code"),
    [
        (delegation(), (FOR_WANG,), "key-event.quorum"),
        (delegation(), (ROOT,), "key-event.new-key"),
        (delegation(), (ROOT, FOR_WANG, WANG), "key-event.stranger"),
        (replace(delegation(), actor=WANG.actor), (WANG, FOR_WANG), "key-event.stranger"),
        (replace(delegation(), seen=None), (ROOT, FOR_WANG), "statement.seen-missing"),
        (delegation(onBehalfOf="zhao"), (ROOT, FOR_WANG), "key-event.delegator"),
        (delegation(may=["approve", "dispose"]), (ROOT, FOR_WANG), "key-event.delegated-may"),
        (delegation(onBehalfOf="root"), (ROOT, FOR_WANG), "key-event.delegated-may"),
    ],
)
def test_what_cannot_be_delegated_is_refused(
    made: Statement, signers: tuple[Person, ...], code: str
) -> None:
    assert refused(lambda: checked(placed(made, *signers, index=2))) == code


def test_nobody_delegates_before_their_key_or_after_it() -> None:
    early = [
        placed(key_registration(ROOT), ROOT, index=0),
        placed(delegation(), ROOT, FOR_WANG, index=1),
        placed(key_registration(WANG), ROOT, WANG, index=2),
    ]
    late = (
        placed(key_revocation(WANG), ROOT, index=2),
        placed(delegation(), ROOT, FOR_WANG, index=3),
    )

    assert refused(lambda: check_key_events(early, ROOTS)) == "key-event.delegator"
    assert refused(lambda: checked(*late)) == "key-event.delegator"


def test_a_delegation_outlives_the_key_that_the_delegator_had_then() -> None:
    checked(
        placed(delegation(), ROOT, FOR_WANG, index=2),
        placed(key_revocation(WANG), ROOT, index=3),
    )


def test_a_delegate_delegates_nothing_further() -> None:
    first = placed(delegation(), ROOT, FOR_WANG, index=2)
    further = replace(ZHAO, until=UNTIL, on_behalf_of="li", may=("approve",))
    second = placed(delegation(further), ROOT, further, index=3)

    assert refused(lambda: checked(first, second)) == "key-event.delegator"


def test_a_root_is_nobodys_delegate() -> None:
    root = replace(ROOT, until=UNTIL, on_behalf_of="wang")
    made = [placed(delegation(root, owner=ROOT.actor.to_json()), ROOT, index=0)]

    assert refused(lambda: check_key_events(made, ROOTS)) == "key-event.root-powers"


def test_a_delegated_key_that_revokes_itself_quotes_a_block() -> None:
    first = placed(delegation(), ROOT, FOR_WANG, index=2)
    revocation = key_revocation(FOR_WANG, by=FOR_WANG.actor)

    assert refused(lambda: checked(first, placed(revocation, FOR_WANG, index=3))) == (
        "statement.seen-missing"
    )
    checked(first, placed(replace(revocation, seen=SEEN), FOR_WANG, index=3))


# -- what it signs


def test_whatever_a_delegated_key_signs_quotes_a_block() -> None:
    registry = registry_of(WANG, FOR_WANG)
    entry = placed(statement("archive"), FOR_WANG, index=7, sequence=1)
    own = placed(statement("archive"), WANG, index=7, sequence=1)

    assert needs_seen(entry, registry)
    assert needs_prior(entry, registry)
    assert not needs_seen(own, registry)


def decision(person: Person, sequence: int, **changes: Any) -> LoggedEnvelope:
    made = statement("approve", actor=person.actor, seen=SEEN, **changes)
    return placed(made, person, index=5 + sequence, sequence=sequence)


REJECTED = {"detail": {"step": "sign-off", "decision": "rejected"}}


@pytest.mark.parametrize(("first", "second"), [(WANG, FOR_WANG), (FOR_WANG, WANG)])
def test_a_delegates_held_back_approval_does_not_undo_the_delegators_rejection(
    first: Person, second: Person
) -> None:
    register = placed(statement("register"), index=5)
    prior = prior_of(register)
    rejection = decision(first, 1, prior=prior, **REJECTED)
    held_back = decision(second, 2, prior=prior)
    fresh = decision(second, 2, prior=prior_of(rejection))
    registry = registry_of(WANG, FOR_WANG)

    def check(entry: LoggedEnvelope) -> None:
        check_entry(entry, (register, rejection), registry, complete=True)

    assert refused(lambda: check(held_back)) == "statement.decision-order"
    check(fresh)


# -- the rules


def stand(
    rules: tuple[Rule, ...], *decided: tuple[Person, str], before: tuple[LoggedEnvelope, ...] = ()
) -> RuleOutcome:
    entries = list(before)
    for place, (person, word) in enumerate(decided, start=2):
        detail = {"step": "sign-off", "decision": word}
        entries.append(decision(person, place, detail=detail))
    everybody = registry_of(WANG, LI, FOR_WANG, DIRECTOR, FOR_ZHAO, ZHAO)
    return evaluate_rules(rules, entries, everybody, statement().subject.sha256)[0]


DIRECTOR = replace(FOR_WANG, name="li as director", post="director")
FOR_ZHAO = replace(FOR_WANG, name="li for zhao", on_behalf_of="zhao")


def test_a_delegates_decision_is_the_delegators() -> None:
    found = stand(RULE, (FOR_WANG, "approved"))

    assert (found.owners, found.missing) == (("wang",), 0)


@pytest.mark.parametrize(
    "who",
    [
        (WANG, FOR_WANG),  # one owner
        (FOR_WANG, WANG),
        (LI, FOR_WANG),  # one person
        (FOR_WANG, LI),
        (FOR_WANG, FOR_ZHAO),  # one person for two owners
    ],
)
def test_delegator_and_delegate_never_count_as_two(who: tuple[Person, Person]) -> None:
    assert stand(TWO, *((person, "approved") for person in who)).missing == 1


@pytest.mark.parametrize("other", [WANG, ALSO_FOR_WANG])
def test_two_voices_for_one_in_an_envelope_are_refused(other: Person) -> None:
    def keys(*people: Person) -> list[RegisteredKey]:
        return [each.registered() for each in people]

    check_one_voice(keys(WANG, ZHAO))
    check_one_voice(keys(FOR_WANG, ZHAO))
    for people in ((FOR_WANG, other), (other, ZHAO, FOR_WANG)):
        with pytest.raises(VerificationError) as caught:
            check_one_voice(keys(*people))
        assert caught.value.code == "key.two-voices"


def test_two_people_of_their_own_are_two() -> None:
    assert stand(TWO, (WANG, "approved"), (LI, "approved")).missing == 0
    assert stand(TWO, (FOR_WANG, "approved"), (ZHAO, "approved")).missing == 0


def test_the_delegators_own_word_replaces_the_delegates() -> None:
    assert stand(RULE, (FOR_WANG, "approved"), (WANG, "rejected")).missing == 1
    assert stand(TWO, (FOR_WANG, "approved"), (WANG, "approved"), (LI, "approved")).missing == 0


@pytest.mark.parametrize("drafter", [WANG, LI, FOR_WANG])
def test_who_drafted_for_or_through_somebody_is_excluded(drafter: Person) -> None:
    rule = (Rule(event="approve", count=1, not_by="version"),)
    draft = placed(statement("version"), drafter, index=5, sequence=1)

    assert stand(rule, (FOR_WANG, "approved"), before=(draft,)).missing == 1


def test_post_and_unit_are_those_of_the_delegated_key() -> None:
    rule = (Rule(event="approve", count=1, post="director"),)

    assert stand(rule, (FOR_WANG, "approved")).missing == 1
    assert stand(rule, (DIRECTOR, "approved")).missing == 0


# -- what a bundle needs


def test_a_delegation_brings_the_keys_of_the_delegator_along() -> None:
    revoked = placed(key_revocation(WANG), ROOT, index=4)
    stranger = placed(key_registration(ZHAO), ROOT, ZHAO, index=3)
    made = placed(delegation(), ROOT, FOR_WANG, index=2)
    events = history(made, stranger, revoked)

    found = [event.index for event in find_involved(events, [FOR_WANG.keyid])]

    assert found == [0, 1, 2, 4]
    assert [event.index for event in find_involved(events, [WANG.keyid])] == [0, 1, 4]


def test_events_of_another_family_involve_nobody() -> None:
    entry = placed(statement("register"), WANG, index=9)

    assert find_involved([entry], [WANG.keyid]) == ()


def test_a_key_that_is_no_delegates_has_no_end() -> None:
    key = registry_of(WANG).find(WANG.keyid)

    assert (key.until, key.on_behalf_of, key.counts_for) == (None, None, "wang")
    with pytest.raises(VerificationError):
        registry_of(WANG).find(LI.keyid)
