"""Numbers and grades in records: no verdict hangs on them, and what carries them must hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from conformance.case import Case, begun, case, log_of, made
from evidence import WANG, Scene
from office import INTAKE_SEED, OTHER_DOCUMENT, REGISTRY, ROOT, Person, statement
from vermilion_ledger.envelope import make_envelope, sign_intake
from vermilion_ledger.numbering import make_number_detail
from vermilion_ledger.numbers import DocumentNumber, commit_number
from vermilion_ledger.statement import Subject

_CLERK = Person(name="clerk", may=("number", "version"))
_GUARD = Person(name="guard", may=("regrade", "version"), officer=True)
_NOBODY = Person(name="nobody", may=("number", "regrade"))
_FIRST, _SECOND = (
    commit_number(DocumentNumber(office="国办发", year=2026, serial=serial), bytes([serial] * 32))
    for serial in (1, 2)
)
_DETAIL = make_number_detail(_FIRST)
_REGRADE = {"from": "内部", "to": "工作秘密", "reason": "人事"}
_ELSEWHERE = Subject(name="x", sha256=OTHER_DOCUMENT)


def number_cases() -> Iterator[Case]:
    """Good ones first: details that a ledger would refuse today prove as much as ever."""
    for name, why, scene in (
        ("numbered", "a number, and one that replaces it", with_staff(number, replacing)),
        ("numbered_by_a_clerk", "a clerk signed the number", with_staff(signed_number)),
        (
            "numbered_in_clear",
            "an older ledger took the number itself",
            made(lambda s: s.event("number", detail={"number": "国办发〔2026〕1号"})),
        ),
        ("regraded", "an officer changed the grade", with_staff(regrade)),
        (
            "regraded_by_the_drafter",
            "who drafts may not regrade: asked at intake, not by verifiers",
            with_staff(lambda s: s.event("version", _GUARD), regrade),
        ),
    ):
        yield case(name, why, "proven", scene)
    yield from _binding_cases()
    yield from _key_cases()
    yield from _signature_cases()
    yield from _log_cases()


def _binding_cases() -> Iterator[Case]:
    binding = "statement.binding"
    for name, why, step in (
        (
            "number_other_ledger",
            "the number was given by another ledger",
            lambda s: s.event("number", detail=_DETAIL, ledger="x.example"),
        ),
        (
            "number_other_record",
            "the number was given to another record",
            lambda s: s.event("number", detail=_DETAIL, record=REGISTRY),
        ),
        (
            "number_unrecorded",
            "the number is for a version that was never recorded",
            lambda s: s.event("number", detail=_DETAIL, subject=_ELSEWHERE),
        ),
        (
            "regrade_unrecorded",
            "the grade is of a version that was never recorded",
            lambda s: s.event("regrade", _GUARD, detail=_REGRADE, subject=_ELSEWHERE),
        ),
        (
            "regrade_other_record",
            "the grade of another record",
            lambda s: s.event("regrade", _GUARD, detail=_REGRADE, record=REGISTRY),
        ),
    ):
        yield case(name, why, "refuted", with_staff(step), binding)
    twice: list[Callable[[Scene], object]] = [
        lambda s: s.event("number", detail=_DETAIL, nonce=bytes(16))
    ] * 2
    scene = with_staff(*twice)
    yield case("number_nonce_reused", "one nonce for two numbers", "refuted", scene, binding)


def _key_cases() -> Iterator[Case]:
    validity = "key.validity"
    for name, why, steps in (
        (
            "number_may_not",
            "the key may not give numbers",
            [lambda s: s.event("number", WANG, detail=_DETAIL)],
        ),
        (
            "number_other_actor",
            "the actor owns none of the keys",
            [lambda s: s.event("number", _CLERK, detail=_DETAIL, actor=WANG.actor)],
        ),
        (
            "regrade_may_not",
            "the key may not change grades",
            [lambda s: s.event("regrade", _CLERK, detail=_REGRADE)],
        ),
        (
            "regrade_other_actor",
            "the actor is not the officer",
            [lambda s: s.event("regrade", _GUARD, detail=_REGRADE, actor=WANG.actor)],
        ),
        (
            "regrade_after_revocation",
            "the officer's key had been revoked",
            [lambda s: s.revoke_key(_GUARD, ROOT), regrade],
        ),
    ):
        yield case(name, why, "refuted", with_staff(*steps), validity)
    scene = begun()
    regrade(scene)
    scene.register_key(_GUARD, ROOT)
    why = "the officer's key was registered later"
    yield case("regrade_before_registration", why, "refuted", scene, validity)


def _signature_cases() -> Iterator[Case]:
    actor = "signature.actor"
    scene = with_staff(lambda s: s.event("regrade", detail=_REGRADE))
    yield case("regrade_unsigned", "nobody signed the new grade", "refuted", scene, actor)
    scene = with_staff(lambda s: s.event("regrade", _NOBODY, detail=_REGRADE))
    why = "nobody registered the officer's key"
    yield case("regrade_unknown_key", why, "refuted", scene, actor)
    scene = with_staff(exchanged)
    why = "the officer signed another grade"
    yield case("regrade_other_statement", why, "refuted", scene, actor)
    scene = begun()
    said = statement("number", detail=_DETAIL, nonce=bytes(16))
    scene.smuggle(make_envelope(said.encode(), ()))
    why = "the ledger did not answer for the number"
    yield case("number_no_intake", why, "refuted", scene, "signature.intake")


def _log_cases() -> Iterator[Case]:
    scene = with_staff(number)
    scene.anchor()
    bundle = scene.bundle()
    salted = (*bundle.entries[:-1], replace(bundle.entries[-1], salt=bytes(32)))
    why = "another salt than the one that was committed to"
    given = scene.bundle(entries=salted)
    yield case("number_other_salt", why, "refuted", scene, "log.inclusion", bundle=given)
    part = scene.bundle(entries=bundle.entries[:-1])
    why = "the closing counts the number, the bundle has it not"
    yield case("number_cut", why, "refuted", scene, "bundle.parse", bundle=part)
    hiding = with_staff()
    hidden = hiding.log.items
    shown = len(hidden)
    number(hiding)
    del hidden[shown:]
    hiding.anchor()
    more = {"log-entries.bin": log_of(hiding)}
    why = "the log has a number that the bundle hides"
    yield case("number_hidden", why, "refuted", hiding, "record.completeness", more=more)


def with_staff(*steps: Callable[[Scene], object]) -> Scene:
    """A begun record, with a clerk and an officer, in which some things happened."""
    scene = begun()
    for person in (_CLERK, _GUARD):
        scene.register_key(person, ROOT)
    for step in steps:
        step(scene)
    return scene


def number(scene: Scene) -> None:
    scene.event("number", detail=_DETAIL)


def replacing(scene: Scene) -> None:
    scene.event("number", detail=make_number_detail(_SECOND, replaces=_FIRST))


def signed_number(scene: Scene) -> None:
    scene.event("number", _CLERK, detail=_DETAIL)


def regrade(scene: Scene) -> None:
    scene.event("regrade", _GUARD, detail=_REGRADE)


def exchanged(scene: Scene) -> None:
    """Put the officer's signature on one change beneath another."""
    said, other = (
        statement(
            "regrade",
            actor=_GUARD.actor,
            nonce=bytes(16),
            detail={**_REGRADE, "to": to},
        )
        for to in ("公开", "工作秘密")
    )
    signed = _GUARD.sign(make_envelope(said.encode(), ()))
    scene.smuggle(sign_intake(make_envelope(other.encode(), signed.signatures), INTAKE_SEED))
