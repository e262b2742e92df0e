"""key.validity: who may register, revoke and sign, and where in the log."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from evidence import LI, RULES, WANG, ZHAO, Scene, approved, codes, office
from office import (
    INTAKE_PUBLIC,
    POLICIES_KEY,
    REGISTRY_KEY,
    ROOT,
    ROOT_TWO,
    Person,
    key_registration,
    policy_event,
    prior_of,
    secret,
)
from vermilion_ledger.rules import Rule
from vermilion_ledger.schemes import ed25519
from vermilion_ledger.statement import Subject
from vermilion_verify.report import CheckStatus, Report, Verdict

ROOT_THREE = Person(name="root three", may=())
NEW = Person(name="new", may=("approve", "revoke"))


def begun() -> Scene:
    scene = office(rules=None)
    scene.event("register", detail={})
    return scene


def judged(scene: Scene, **question: Any) -> Report:
    scene.anchor()
    return scene.verify(**question)


def only_key_validity(scene: Scene, code: str) -> bool:
    report = judged(scene)
    return report.verdict is Verdict.REFUTED and codes(report) == {"key.validity": code}


# -- the right to sign


def test_a_key_does_not_sign_what_it_may_not() -> None:
    scene = begun()
    scene.event("seal", newcomer(scene))

    assert only_key_validity(scene, "key.may-not")


def newcomer(scene: Scene) -> Person:
    scene.register_key(NEW, ROOT)
    return NEW


def test_every_signing_key_must_be_allowed() -> None:
    scene = begun()
    scene.event("seal", WANG, newcomer(scene))

    assert only_key_validity(scene, "key.may-not")


def test_the_actor_owns_one_of_the_signing_keys() -> None:
    scene = begun()
    scene.event("seal", WANG, actor=LI.actor)

    assert only_key_validity(scene, "key.other-owner")


def test_the_actor_is_the_owner_to_the_letter() -> None:
    scene = begun()
    scene.event("seal", WANG, actor=replace(WANG.actor, post="minister"))

    assert only_key_validity(scene, "key.other-owner")


def test_the_actor_may_be_any_of_several_signers() -> None:
    scene = begun()
    scene.event("approve", WANG, LI, actor=LI.actor, detail=STEP)

    assert judged(scene).verdict is Verdict.PROVEN


STEP = {"step": "sign-off", "decision": "approved"}


def test_a_key_registered_after_it_signed_is_refuted() -> None:
    scene = begun()
    scene.event("approve", NEW, detail=STEP)
    scene.register_key(NEW, ROOT)

    assert only_key_validity(scene, "key.not-valid")


def test_a_key_that_was_revoked_before_it_signed_is_refuted() -> None:
    scene = begun()
    scene.revoke_key(WANG, ROOT)
    scene.approve(WANG)

    assert only_key_validity(scene, "key.after-revocation")


def test_a_key_that_was_revoked_after_it_signed_was_valid() -> None:
    scene = begun()
    scene.approve(WANG)
    scene.revoke_key(WANG, ROOT)

    assert judged(scene).verdict is Verdict.PROVEN


def test_an_entry_since_a_key_was_compromised_cannot_be_judged() -> None:
    scene = begun()
    place = scene.approve(WANG)
    scene.revoke_key(WANG, ROOT, compromisedSince=place.index)

    report = judged(scene)

    assert report.verdict is Verdict.CANNOT_TELL
    assert codes(report, CheckStatus.UNKNOWN) == {"key.validity": "key.in-doubt"}


def test_an_entry_before_a_key_was_compromised_stands() -> None:
    scene = begun()
    place = scene.approve(WANG)
    scene.revoke_key(WANG, ROOT, compromisedSince=place.index + 1)

    assert judged(scene).verdict is Verdict.PROVEN


def test_a_key_that_revoked_itself_when_in_doubt_is_good_for_what_it_signed_before() -> None:
    scene = begun()
    place = scene.approve(WANG)
    scene.revoke_key(WANG, WANG)
    scene.revoke_key(WANG, ROOT, compromisedSince=place.index + 1)

    assert judged(scene).verdict is Verdict.PROVEN


def test_a_key_registered_by_a_root_in_doubt_is_in_doubt() -> None:
    scene = begun()
    place = scene.register_key(NEW, ROOT)
    scene.event("approve", NEW, detail=STEP)
    scene.register_key(ROOT_TWO)
    scene.revoke_key(ROOT, ROOT_TWO, compromisedSince=place.index)
    scene.anchor()
    roots = f'["{ROOT.keyid}", "{ROOT_TWO.keyid}"]'

    report = scene.verify(policy=scene.trust(roots=roots))

    assert codes(report, CheckStatus.UNKNOWN) == {"key.validity": "key.in-doubt"}


# -- key events


def spoil(scene: Scene, person: Person = NEW, *signers: Person, **changes: Any) -> Scene:
    made = replace(key_registration(person), nonce=secret(f"n{scene.log.size}")[:16], **changes)
    scene.add(made, *signers, record_key=REGISTRY_KEY)
    return scene


def test_a_registration_needs_the_root() -> None:
    assert only_key_validity(spoil(begun(), NEW, NEW, actor=NEW.actor), "key-event.quorum")


def test_a_registration_needs_the_new_key() -> None:
    assert only_key_validity(spoil(begun(), NEW, ROOT), "key-event.new-key")


def test_a_registration_by_somebody_else_is_refuted() -> None:
    assert only_key_validity(spoil(begun(), NEW, ROOT, NEW, WANG), "key-event.stranger")


def test_a_registration_whose_actor_is_no_root_is_refuted() -> None:
    assert only_key_validity(spoil(begun(), NEW, ROOT, NEW, actor=NEW.actor), "key-event.actor")


def test_a_registration_about_another_key_is_refuted() -> None:
    subject = Subject(name="new", sha256=bytes(32))

    assert only_key_validity(spoil(begun(), NEW, ROOT, NEW, subject=subject), "key-event.subject")


def test_a_registration_with_a_prior_is_refuted() -> None:
    scene = begun()
    prior = prior_of(scene.last[REGISTRY_KEY])

    assert only_key_validity(spoil(scene, NEW, ROOT, NEW, prior=prior), "key-event.prior")


@pytest.mark.parametrize("key", [b"", b"\x00" * 32, b"\x01" + bytes(31), b"\xff" * 32])
def test_a_weak_key_is_not_registered(key: bytes) -> None:
    scene = begun()
    made = key_registration(WANG, key=(key or b"\x05" * 31).hex())
    key = key or b"\x05" * 31
    subject = Subject(name="weak", sha256=hashlib.sha256(key).digest())
    made = replace(made, subject=subject, nonce=secret("weak")[:16])
    scene.add(made, ROOT, record_key=REGISTRY_KEY)

    report = judged(scene)

    assert report.verdict is Verdict.REFUTED
    assert codes(report)["key.validity"].startswith("key.")


def test_a_key_is_registered_once() -> None:
    scene = begun()
    scene.register_key(WANG, ROOT, may=["approve", "seal"])

    report = judged(scene)

    assert codes(report)["key.validity"] == "key.registered-twice"


def test_a_root_that_may_sign_documents_is_refuted() -> None:
    scene = Scene()
    scene.register_key(replace(ROOT, may=("approve",)))
    scene.event("register", detail={})

    assert only_key_validity(scene, "key-event.root-powers")


@pytest.mark.parametrize("officer", [True, False])
def test_a_root_is_no_officer(officer: bool) -> None:
    scene = Scene()
    scene.register_key(ROOT, officer=officer)
    scene.event("register", detail={})

    assert only_key_validity(scene, "key-event.root-powers")


def test_a_root_registers_by_itself_alone() -> None:
    scene = Scene()
    scene.register_key(WANG)
    scene.register_key(ROOT, WANG, actor=ROOT)
    scene.event("register", detail={})

    assert "key-event." in codes(judged(scene))["key.validity"]


def test_a_stranger_does_not_revoke() -> None:
    scene = begun()
    scene.approve(WANG)
    scene.revoke_key(WANG, ZHAO)

    report = judged(scene)

    assert codes(report)["key.validity"] == "key-event.stranger"


def test_a_key_revokes_itself_without_naming_a_day() -> None:
    alone = begun()
    alone.approve(WANG)
    alone.revoke_key(WANG, WANG)
    since = begun()
    since.approve(WANG)
    since.revoke_key(WANG, WANG, compromisedSince=1)

    assert judged(alone).verdict is Verdict.PROVEN
    assert only_key_validity(since, "key-event.quorum")


@pytest.mark.parametrize("since", [0, 100])
def test_compromised_since_lies_between_registration_and_revocation(since: int) -> None:
    scene = begun()
    scene.revoke_key(WANG, ROOT, compromisedSince=since)

    assert only_key_validity(scene, "key-event.compromised-since")


def test_a_revocation_of_an_unknown_key_is_refuted() -> None:
    scene = begun()
    scene.revoke_key(NEW, ROOT)

    assert only_key_validity(scene, "key-event.unknown-key")


def test_an_intake_key_in_the_key_record_is_refuted() -> None:
    scene = begun()
    scene.register_key(NEW, ROOT)
    scene.anchor()
    public = ed25519.public_key_of(NEW.seed).hex()
    intake = f'[{{key = "{INTAKE_PUBLIC.hex()}", from = 0}}, {{key = "{public}", from = 0}}]'

    report = scene.verify(policy=scene.trust(intake=intake))

    assert report.verdict is Verdict.REFUTED
    assert codes(report)["key.validity"] == "key.intake-registered"


# -- the roots' quorum


def three_roots() -> Scene:
    scene = Scene()
    for root in (ROOT, ROOT_TWO, ROOT_THREE):
        scene.register_key(root)
    return scene


def by_two_of_three(scene: Scene) -> Report:
    scene.event("register", detail={})
    scene.anchor()
    keyids = ", ".join(f'"{root.keyid}"' for root in (ROOT, ROOT_TWO, ROOT_THREE))
    return scene.verify(policy=scene.trust(roots=f"[{keyids}]", quorum="2"))


def test_two_roots_of_three_register_a_key() -> None:
    scene = three_roots()
    scene.register_key(NEW, ROOT, ROOT_THREE)

    assert by_two_of_three(scene).verdict is Verdict.PROVEN


def test_one_root_of_three_is_not_enough() -> None:
    scene = three_roots()
    scene.register_key(NEW, ROOT_TWO)

    assert codes(by_two_of_three(scene)) == {"key.validity": "key-event.quorum"}


def test_a_revoked_root_does_not_count() -> None:
    scene = three_roots()
    scene.revoke_key(ROOT_THREE, ROOT, ROOT_TWO)
    scene.register_key(NEW, ROOT, ROOT_THREE)

    assert codes(by_two_of_three(scene)) == {"key.validity": "key-event.quorum"}


def test_a_root_that_registers_later_does_not_count() -> None:
    scene = Scene()
    scene.register_key(ROOT)
    scene.register_key(NEW, ROOT, ROOT_TWO)
    scene.register_key(ROOT_TWO)

    assert codes(by_two_of_three(scene)) == {"key.validity": "key-event.quorum"}


def test_the_quorum_adopts_policies_too() -> None:
    scene = three_roots()
    scene.policy(RULES, by=(ROOT,))

    assert codes(by_two_of_three(scene)) == {"key.validity": "key-event.quorum"}


def test_nobody_but_roots_signs_a_policy() -> None:
    scene = office(rules=None)
    scene.policy(RULES, by=(ROOT, WANG))
    scene.event("register", detail={})

    assert only_key_validity(scene, "policy-event.stranger")


def test_a_policy_event_about_other_rules_is_refuted() -> None:
    scene = office(rules=None)
    made = policy_event(RULES)
    other = replace(made, detail={"rules": [Rule(event="seal", count=1).to_json()]})
    scene.add(other, ROOT, record_key=POLICIES_KEY)
    scene.event("register", detail={})

    assert only_key_validity(scene, "policy-event.subject")


def test_a_bundle_without_the_keys_that_it_uses_is_refuted() -> None:
    scene = approved()

    report = scene.verify(scene.bundle(keys=()))

    assert report.verdict is Verdict.REFUTED
    assert codes(report)["signature.actor"] == "key.unknown"


def test_a_bundle_without_the_root_that_signed_is_refuted() -> None:
    scene = approved()
    bundle = scene.bundle()

    report = scene.verify(scene.bundle(keys=bundle.keys[1:]))

    assert codes(report)["key.validity"] == "key-event.quorum"


def test_a_policy_of_other_roots_does_not_believe_these() -> None:
    scene = approved()

    report = scene.verify(policy=scene.trust(roots=f'["{"00" * 32}"]'))

    assert codes(report)["key.validity"] == "key-event.quorum"
