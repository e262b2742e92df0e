"""statement.binding, signature.intake and signature.actor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from evidence import LI, RULES, WANG, ZHAO, Scene, codes, office
from office import (
    RECORD_KEY,
    REGISTRY,
    ROOT,
    Person,
    key_registration,
    prior_of,
    secret,
)
from vermilion_ledger.statement import Prior
from vermilion_verify.report import CheckStatus, Report, Verdict


def registered() -> Scene:
    scene = office(rules=None)
    scene.event("register", detail={})
    return scene


def judged(scene: Scene, **question: Any) -> Report:
    scene.anchor()
    return scene.verify(**question)


# -- statement.binding


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ledger": "ledger.example.gov/office-2"}, "statement.other-ledger"),
        ({"record": REGISTRY}, "statement.other-record"),
        ({"nonce": secret(f"nonce {5}")[:16]}, "statement.nonce-reused"),
    ],
)
def test_a_statement_of_elsewhere_is_refuted(change: dict[str, Any], code: str) -> None:
    scene = registered()
    scene.event("review", **change)

    report = judged(scene)

    assert report.verdict is Verdict.REFUTED
    assert codes(report) == {"statement.binding": code}


def test_a_key_event_inside_a_record_is_refuted() -> None:
    scene = registered()
    scene.add(replace(key_registration(WANG), record=scene.bundle().record_id), ROOT, WANG)

    assert codes(judged(scene))["statement.binding"] == "statement.other-family"


def test_a_record_event_inside_the_key_record_is_refuted() -> None:
    scene = registered()
    scene.event("review", record_key=secret("registry"))
    report = judged(scene)

    assert codes(report)["statement.binding"] == "statement.other-family"
    assert codes(report)["key.validity"] == "statement.other-family"


def test_the_key_record_itself_is_no_document() -> None:
    scene = Scene()
    scene.event("register", record_key=secret("registry"))
    bundle = scene.bundle(record_key=secret("registry"), keys=())
    scene.anchor()

    assert codes(scene.verify(bundle))["statement.binding"] == "record.public"


def test_register_comes_first_and_once() -> None:
    twice = registered()
    twice.event("register")
    never = office(rules=None)
    never.event("version")

    assert codes(judged(twice)) == {"statement.binding": "statement.register-place"}
    assert codes(judged(never)) == {"statement.binding": "statement.register-place"}


@pytest.mark.parametrize("word", ["approve", "countersign", "seal", "revoke"])
def test_a_decision_quotes_a_block(word: str) -> None:
    scene = registered()
    scene.event(word, WANG, seen=None, prior=prior_of(scene.last[RECORD_KEY]))

    assert codes(judged(scene)) == {"statement.binding": "statement.seen-missing"}


@pytest.mark.parametrize("word", ["approve", "countersign", "seal", "revoke"])
def test_a_decision_names_the_last_entry_that_was_seen(word: str) -> None:
    scene = registered()
    scene.event(word, WANG, prior=None)

    assert "statement.prior-missing" in codes(judged(scene)).values()


@pytest.mark.parametrize(
    ("prior", "code"),
    [
        (Prior(sequence=1, envelope=bytes(32)), "statement.prior-later"),
        (Prior(sequence=2**53 - 1, envelope=bytes(32)), "statement.prior-later"),
        (Prior(sequence=0, envelope=bytes(32)), "statement.prior-differs"),
    ],
)
def test_a_prior_that_is_not_the_entry_is_refuted(prior: Prior, code: str) -> None:
    scene = registered()
    scene.event("seal", WANG, prior=prior)

    assert codes(judged(scene)) == {"statement.binding": code}


def test_a_registration_names_no_prior() -> None:
    scene = office(rules=None)
    scene.event("register", prior=Prior(sequence=0, envelope=bytes(32)))

    assert codes(judged(scene)) == {"statement.binding": "statement.prior-refused"}


def test_a_held_back_approval_cannot_undo_a_rejection() -> None:
    scene = registered()
    held_back = prior_of(scene.last[RECORD_KEY])
    scene.approve(WANG, decision="rejected")
    scene.approve(WANG, prior=held_back)

    assert codes(judged(scene)) == {"statement.binding": "statement.decision-order"}


def test_a_held_back_approval_by_a_second_key_of_the_owner_cannot_either() -> None:
    second = Person(name="wang's tablet", owner="wang", may=("approve",))
    scene = registered()
    scene.register_key(second, ROOT)
    held_back = prior_of(scene.last[RECORD_KEY])
    scene.approve(WANG, decision="rejected")
    scene.approve(second, prior=held_back)

    assert codes(judged(scene)) == {"statement.binding": "statement.decision-order"}


def test_somebody_else_may_decide_on_what_they_had_seen() -> None:
    scene = registered()
    seen = prior_of(scene.last[RECORD_KEY])
    scene.approve(WANG, decision="rejected")
    scene.approve(LI, prior=seen)

    assert judged(scene).verdict is Verdict.PROVEN


def test_an_owner_who_saw_the_rejection_may_change_their_mind() -> None:
    scene = registered()
    scene.approve(WANG, decision="rejected")
    scene.approve(WANG)

    assert judged(scene).verdict is Verdict.PROVEN


@pytest.mark.parametrize("policy", ["00" * 32, None])
def test_a_decision_under_another_policy_is_refuted(policy: str | None) -> None:
    scene = office()
    scene.event("register", detail={"policy": scene.policy(RULES)})
    detail = {"decision": "approved", "step": "sign-off"}
    scene.event("approve", WANG, detail=detail | ({"policy": policy} if policy else {}))

    assert codes(judged(scene))["statement.binding"] == "statement.other-policy"


def test_a_decision_names_no_policy_where_the_record_has_none() -> None:
    scene = registered()
    scene.approve(WANG, more={"policy": "00" * 32})

    assert codes(judged(scene)) == {"statement.binding": "statement.other-policy"}


def test_a_conversion_starts_from_a_recorded_version() -> None:
    scene = registered()
    scene.event("convert", content=b"pdf", detail={"from": "ab" * 32})

    assert codes(judged(scene)) == {"statement.binding": "statement.unrecorded-digest"}


@pytest.mark.parametrize("word", ["revoke", "supersede", "dispose"])
def test_only_who_signed_here_or_an_officer_may_end_a_record(word: str) -> None:
    stranger = Person(name="stranger", may=("dispose", "revoke", "supersede"))
    scene = registered()
    scene.register_key(stranger, ROOT)
    scene.event(word, stranger)
    allowed = registered()
    changes: dict[str, Any] = {} if word == "revoke" else {"detail": {"by": REGISTRY}}
    allowed.event(word, ZHAO, **changes)

    assert codes(judged(scene)) == {"statement.binding": "statement.not-owner"}
    assert "statement.binding" not in codes(judged(allowed))


def test_who_approved_may_revoke() -> None:
    scene = registered()
    scene.approve(WANG)
    scene.event("revoke", WANG)

    assert judged(scene).verdict is Verdict.REVOKED


def test_a_prior_that_was_left_out_cannot_be_judged() -> None:
    scene = registered()
    scene.event("review")
    scene.event("seal", WANG)
    scene.anchor()

    report = scene.verify(scene.bundle(withhold=True, without=[1]))

    assert report.verdict is Verdict.CANNOT_TELL
    assert codes(report, CheckStatus.UNKNOWN)["statement.binding"] == "statement.left-out"


def test_the_right_to_revoke_may_lie_in_an_entry_that_was_left_out() -> None:
    scene = registered()
    scene.approve(WANG)
    seen = prior_of(scene.last[RECORD_KEY])
    scene.event("review")
    scene.event("supersede", WANG, prior=seen)
    scene.anchor()

    report = scene.verify(scene.bundle(withhold=True, without=[1]))

    assert codes(report, CheckStatus.UNKNOWN)["statement.binding"] == "statement.left-out"


def test_further_members_of_a_detail_of_any_type_change_nothing() -> None:
    odd = {"step": [{"a": []}], "decision": {"x": None}, "n": 2**53 - 1, "é": "\u202e", "": True}
    scene = registered()
    scene.event("seal", WANG, detail=odd)
    scene.event("review", LI, detail={"step": None, "policy": [], "from": 3, "keyid": {}})
    scene.event("fixity", detail=odd)

    assert codes(judged(scene)) == {"key.validity": "key.may-not"}  # li may not review
