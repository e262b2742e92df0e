"""signature.intake and signature.actor: the ledger answers, and people did sign."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from evidence import LI, RULES, WANG, Scene, approved, codes, office, plain
from missing import PAIRINGS, without
from office import (
    INTAKE_KEYID,
    INTAKE_PUBLIC,
    INTAKE_SEED,
    RECORD_KEY,
    ROOT,
    Person,
    policy_event,
    prior_of,
    secret,
    statement,
)
from trusted import trust_toml
from vermilion_ledger.envelope import Signature, make_envelope, sign_intake
from vermilion_ledger.events import ACTOR_SIGNED_EVENTS
from vermilion_ledger.schemes import ed25519
from vermilion_ledger.statement import Seen
from vermilion_verify.report import CheckStatus, Report, Verdict

OTHER_INTAKE = secret("another intake key")


def registered() -> Scene:
    scene = office(rules=None)
    scene.event("register", detail={})
    return scene


def judged(scene: Scene, **question: Any) -> Report:
    scene.anchor()
    return scene.verify(**question)


# -- signature.intake


def test_an_envelope_without_the_ledgers_signature_is_refuted() -> None:
    scene = registered()
    scene.smuggle(make_envelope(statement("review", nonce=bytes(16)).encode(), ()))

    report = judged(scene)

    assert codes(report) == {"signature.intake": "intake.not-one"}


def test_an_intake_signature_over_other_signatures_is_refuted() -> None:
    scene = registered()
    made = sign_intake(
        make_envelope(statement("review", nonce=bytes(16)).encode(), ()), INTAKE_SEED
    )
    scene.log.add(WANG.sign(made))  # added after the ledger had signed

    assert codes(judged(scene))["signature.intake"] == "signature.bad"


def test_an_aggregate_that_names_the_intake_key_is_refuted_not_a_crash() -> None:
    for other in ("00" * 32, "ff" * 32):
        scene = registered()
        aggregate = Signature(
            keyids=tuple(sorted((other, INTAKE_KEYID))),
            scheme="bls12381-g2-pop",
            sig=bytes(96),
            extra={},
        )
        scene.log.add(make_envelope(statement("review", nonce=bytes(16)).encode(), (aggregate,)))

        assert codes(judged(scene)) == {"signature.intake": "intake.scheme"}


def test_an_intake_signature_that_states_another_scheme_is_refuted() -> None:
    scene = registered()
    made = sign_intake(
        make_envelope(statement("review", nonce=bytes(16)).encode(), ()), INTAKE_SEED
    )
    lying = replace(made.signatures[0], scheme="ml-dsa-44")
    scene.log.add(make_envelope(made.payload, (lying,)))

    assert codes(judged(scene)) == {"signature.intake": "intake.scheme"}


@pytest.mark.parametrize("keys", ["from = 7", "from = 0, until = 6"])
def test_an_intake_key_out_of_force_is_refuted(keys: str) -> None:
    scene = registered()  # the registration is leaf 5
    scene.event("review")
    scene.anchor()
    intake = f'[{{key = "{INTAKE_PUBLIC.hex()}", {keys}}}]'

    report = scene.verify(policy=scene.trust(intake=intake))

    assert codes(report)["signature.intake"] == "intake.not-in-force"


def test_an_intake_key_with_two_ranges_is_in_force_in_both() -> None:
    scene = registered()
    scene.event("review")
    scene.anchor()
    key = INTAKE_PUBLIC.hex()
    ranges = f'[{{key = "{key}", from = 0, until = 6}}, {{key = "{key}", from = 6}}]'

    assert scene.verify(policy=scene.trust(intake=ranges)).verdict is Verdict.PROVEN


def test_another_intake_key_is_no_intake_key() -> None:
    scene = plain()
    public = ed25519.public_key_of(OTHER_INTAKE).hex()

    report = scene.verify(policy=scene.trust(intake=f'[{{key = "{public}", from = 0}}]'))

    assert codes(report)["signature.intake"] == "intake.not-one"
    assert codes(report)["signature.actor"] == "key.unknown"
    assert codes(report)["record.completeness"] == "closing.signature"


def test_two_intake_signatures_are_one_too_many() -> None:
    scene = registered()
    made = make_envelope(statement("review", nonce=bytes(16)).encode(), ())
    scene.log.add(sign_intake(sign_intake(made, INTAKE_SEED), OTHER_INTAKE))
    scene.anchor()
    public = ed25519.public_key_of(OTHER_INTAKE).hex()
    both = f'[{{key = "{INTAKE_PUBLIC.hex()}", from = 0}}, {{key = "{public}", from = 0}}]'

    report = scene.verify(policy=scene.trust(intake=both))

    assert codes(report) == {"signature.intake": "intake.not-one"}


# -- signature.actor


@pytest.mark.parametrize("word", sorted(ACTOR_SIGNED_EVENTS))
def test_an_event_that_needs_a_person_is_refuted_without(word: str) -> None:
    scene = registered()
    changes: dict[str, Any] = {}
    if word in {"approve", "countersign", "seal", "revoke"}:
        changes = {"seen": scene.chain.seen(), "prior": prior_of(scene.last[RECORD_KEY])}
    scene.event(word, **changes)

    report = judged(scene)

    assert report.verdict is Verdict.REFUTED
    assert codes(report)["signature.actor"] == "signature.missing"


def test_an_unregistered_key_is_refuted() -> None:
    scene = registered()
    scene.event("seal", Person(name="nobody"))

    assert codes(judged(scene))["signature.actor"] == "key.unknown"


@pytest.mark.parametrize("person", [WANG, LI])
@pytest.mark.parametrize("place", [0, 31, 63])
def test_a_changed_signature_is_refuted(person: Person, place: int) -> None:
    scene = registered()
    changes = {"seen": scene.chain.seen(), "prior": prior_of(scene.last[RECORD_KEY])}
    made = statement("approve", actor=person.actor, nonce=bytes(16), **changes)
    signed = person.sign(make_envelope(made.encode(), ()))
    sig = bytearray(signed.signatures[0].sig)
    sig[place] ^= 1
    spoiled = make_envelope(signed.payload, (replace(signed.signatures[0], sig=bytes(sig)),))
    scene.log.add(sign_intake(spoiled, INTAKE_SEED))

    report = judged(scene)

    assert report.verdict is Verdict.REFUTED
    assert codes(report).keys() == {"signature.actor"}


def test_a_signature_over_another_statement_is_refuted() -> None:
    scene = registered()
    other = WANG.sign(make_envelope(statement("review").encode(), ())).signatures
    made = make_envelope(statement("review", nonce=bytes(16), actor=WANG.actor).encode(), other)
    scene.log.add(sign_intake(made, INTAKE_SEED))

    assert codes(judged(scene))["signature.actor"] == "signature.bad"


def test_a_signature_that_states_another_scheme_is_refuted() -> None:
    scene = registered()
    made = WANG.sign(make_envelope(statement("review", nonce=bytes(16)).encode(), ()))
    lying = replace(made.signatures[0], scheme="sm2-sm3")
    scene.log.add(sign_intake(make_envelope(made.payload, (lying,)), INTAKE_SEED))

    assert codes(judged(scene))["signature.actor"] == "signature.other-scheme"


def test_a_wallet_signature_for_another_chain_is_refuted() -> None:
    scene = registered()
    made = statement(
        "approve",
        actor=LI.actor,
        nonce=bytes(16),
        seen=scene.chain.seen(),
        prior=prior_of(scene.last[RECORD_KEY]),
    )
    moved = replace(made, seen=replace(scene.chain.seen(), chain_id=1))
    signature = LI.sign(make_envelope(moved.encode(), ())).signatures
    scene.log.add(sign_intake(make_envelope(made.encode(), signature), INTAKE_SEED))

    assert codes(judged(scene)) == {"signature.actor": "signature.bad"}


def test_a_wallet_signs_nothing_without_a_quoted_block() -> None:
    scene = registered()
    made = replace(statement("review", nonce=bytes(16), actor=LI.actor), seen=None)
    signature = Signature(keyids=(LI.keyid,), scheme=LI.scheme, sig=bytes(65), extra={})
    scene.log.add(sign_intake(make_envelope(made.encode(), (signature,)), INTAKE_SEED))

    report = judged(scene)

    assert codes(report)["statement.binding"] == "statement.seen-missing"
    assert "signature.actor" in codes(report)


def test_a_scheme_that_this_build_has_not_got_cannot_be_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = registered()
    person = replace(WANG, name="modern", owner="wang", scheme="bls12381-g2-pop")
    scene.register_key(person, ROOT)
    scene.anchor()
    bundle = scene.bundle()
    without(monkeypatch, *PAIRINGS)

    report = scene.verify(bundle)

    assert report.verdict is Verdict.CANNOT_TELL
    assert codes(report, CheckStatus.UNKNOWN) == {
        "signature.actor": "scheme.unsupported",
        "key.validity": "scheme.unsupported",
    }


def test_a_policy_event_that_nobody_signed_is_refuted() -> None:
    scene = office(rules=None)
    scene.policy(RULES, by=(replace(ROOT, name="root"),))
    scene.add(statement_of_policy(scene), record_key=secret("policies"))
    scene.event("register", detail={})

    report = judged(scene)

    assert codes(report)["signature.actor"] == "signature.missing"
    assert codes(report)["key.validity"] == "key-event.quorum"


def statement_of_policy(scene: Scene) -> Any:
    return replace(policy_event(RULES, "withdraw"), nonce=secret(f"x{scene.log.size}")[:16])


def test_a_quoted_block_with_a_huge_number_is_refuted_not_a_crash() -> None:
    scene = registered()
    known = scene.chain.seen()
    scene.event("seal", WANG, seen=Seen(chain_id=2**53 - 1, number=2**53 - 1, hash=known.hash))

    assert codes(judged(scene)) == {"time.interval": "seen.other-number"}


def test_the_policy_text_of_these_tests_is_one_that_can_be_read() -> None:
    assert "[registry]" in trust_toml([])
    assert approved().trust().anchors_required == 1
