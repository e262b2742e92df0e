"""Statements of elsewhere, and signatures that do not hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from conformance.case import (
    Case,
    begun,
    case,
    made,
)
from evidence import LI, WANG, Scene, plain
from office import (
    INTAKE_KEYID,
    INTAKE_PUBLIC,
    INTAKE_SEED,
    RECORD_KEY,
    REGISTRY,
    ROOT,
    Person,
    prior_of,
    statement,
)
from trusted import trust_toml
from vermilion_ledger.envelope import Signature, make_envelope, sign_intake
from vermilion_ledger.statement import Subject


def statement_cases() -> Iterator[Case]:
    """statement.binding, signature.intake, signature.actor."""
    binding = "statement.binding"
    stranger = Person(name="stranger", may=("supersede",))
    for name, why, scene in (
        (
            "other_ledger",
            "said to another ledger",
            made(lambda s: s.event("review", ledger="x.example")),
        ),
        (
            "other_record",
            "said about another record",
            made(lambda s: s.event("review", record=REGISTRY)),
        ),
        (
            "nonce_reused",
            "one nonce twice",
            made(*[lambda s: s.event("review", nonce=bytes(16))] * 2),
        ),
        ("registered_twice", "register comes once", made(lambda s: s.event("register"))),
        ("no_seen", "a decision quotes a block", made(lambda s: s.event("seal", WANG, seen=None))),
        (
            "no_prior",
            "a decision names its prior",
            made(lambda s: s.event("seal", WANG, prior=None)),
        ),
        ("held_back", "an approval held back undoes no rejection", made(held_back)),
        (
            "not_owner",
            "a stranger ends the record",
            made(
                lambda s: s.register_key(stranger, ROOT), lambda s: s.event("supersede", stranger)
            ),
        ),
        (
            "unrecorded",
            "a decision about a version never recorded",
            made(lambda s: s.approve(WANG, subject=Subject(name="x", sha256=bytes(32)))),
        ),
        (
            "other_policy",
            "a decision under another policy",
            made(lambda s: s.approve(WANG, more={"policy": "00" * 32})),
        ),
    ):
        yield case(name, why, "refuted", scene, binding)
    yield from left_out_cases()
    yield from intake_cases()
    yield from signature_cases()


def left_out_cases() -> Iterator[Case]:
    """An answer lies in an entry that is left out."""
    binding = "statement.binding"
    scene = made(lambda s: s.event("review"), lambda s: s.event("seal", WANG))
    scene.anchor()
    yield case(
        "prior_left_out",
        "the entry that was seen is left out",
        "cannot_tell",
        scene,
        binding,
        "record.completeness",
        bundle=scene.bundle(withhold=True, without=[1]),
    )


def intake_cases() -> Iterator[Case]:
    """signature.intake."""
    bare = make_envelope(statement("review", nonce=bytes(16)).encode(), ())
    aggregate = Signature(
        keyids=tuple(sorted(("00" * 32, INTAKE_KEYID))), scheme="bls12381-g2-pop", sig=b"", extra={}
    )
    intake = "signature.intake"
    for name, why, signed in (
        ("no_intake", "the ledger did not sign", bare),
        (
            "intake_aggregate",
            "an aggregate names the intake key",
            make_envelope(bare.payload, (aggregate,)),
        ),
    ):
        scene = begun()
        scene.smuggle(signed)
        yield case(name, why, "refuted", scene, intake)
    scene = begun()
    scene.smuggle(WANG.sign(sign_intake(bare, INTAKE_SEED)))
    yield case(
        "signed_after_intake",
        "a signature that the ledger had not accepted",
        "refuted",
        scene,
        intake,
        "key.validity",
    )
    keys = f'[{{key = "{INTAKE_PUBLIC.hex()}", from = 1}}]'
    scene = plain(anchored=False)
    scene.event("review")
    yield case(
        "intake_not_in_force",
        "the intake key comes later",
        "refuted",
        scene,
        intake,
        trust=trust_toml([scene.chain], intake=keys),
    )


def held_back(scene: Scene) -> None:
    seen = prior_of(scene.last[RECORD_KEY])
    scene.approve(WANG, decision="rejected")
    scene.approve(WANG, prior=seen)


def signature_cases() -> Iterator[Case]:
    """signature.actor."""
    actor = "signature.actor"
    scene = made(unsigned_seal)
    yield case("unsigned", "an event that needs a person has none", "refuted", scene, actor)
    scene = made(lambda s: s.event("seal", Person(name="nobody")))
    yield case("unknown_key", "nobody registered the key", "refuted", scene, actor, "key.validity")
    for person in (WANG, LI):
        for place in (0, 40):
            scene = begun()
            scene.smuggle(sign_intake(spoilt_approval(scene, person, place), INTAKE_SEED))
            name = f"bad_{person.scheme.partition('-')[0]}_{place}"
            yield case(name, "a bit of the signature changed", "refuted", scene, actor)


def unsigned_seal(scene: Scene) -> None:
    scene.event("seal", seen=scene.chain.seen(), prior=prior_of(scene.last[RECORD_KEY]))


def spoilt_approval(scene: Scene, person: Person, place: int) -> Any:
    said = statement(
        "approve",
        actor=person.actor,
        nonce=bytes(16),
        seen=scene.chain.seen(),
        prior=prior_of(scene.last[RECORD_KEY]),
    )
    signed = person.sign(make_envelope(said.encode(), ()))
    sig = bytearray(signed.signatures[0].sig)
    sig[place] ^= 1
    return make_envelope(signed.payload, (replace(signed.signatures[0], sig=bytes(sig)),))
