"""Many keys, one signature: aggregates, and the keys that must not be in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from py_arkworks_bls12381 import G1Point

from conformance.case import Case, case
from evidence import Scene, office
from office import (
    INTAKE_SEED,
    RECORD_KEY,
    REGISTRY_KEY,
    ROOT,
    Person,
    key_registration,
    prior_of,
    secret,
    statement,
)
from trusted import trust_toml
from vermilion_ledger.encoding import encode_base64
from vermilion_ledger.envelope import Signature, make_envelope, sign_intake
from vermilion_ledger.schemes import bls12381, make_keyid
from vermilion_ledger.statement import Statement, Subject

BLS = bls12381.NAME
AN, BAI, CAO = EVERYBODY = tuple(Person(name=name, scheme=BLS) for name in ("an", "bai", "cao"))
AN_TWO = Person(name="an at home", owner="an", scheme=BLS)
MALLORY = Person(name="mallory", scheme=BLS)
BLS_ROOT = Person(name="root that adds up", scheme=BLS, may=())
APPROVED = {"step": "sign-off", "decision": "approved"}
IDENTITY = b"\xc0" + bytes(95)
ACTOR, VALIDITY, RULE = "signature.actor", "key.validity", "approval.rule"


def joint_cases() -> Iterator[Case]:
    """Aggregates of FORMATS section 4."""
    scene = approved_by(EVERYBODY)
    yield case("aggregate", "three keys, one signature", "proven", scene, trust=asks(scene, 3))
    scene = begun(AN)
    scene.event("approve", AN, detail=APPROVED)
    yield case("aggregate_scheme_alone", "one key that could be joined", "proven", scene)
    for name, why, scene, checks in (
        ("without_one", "a named key did not sign", approved_by(EVERYBODY, (AN, BAI)), (ACTOR,)),
        ("with_one_more", "a signer is not named", approved_by((AN, BAI), EVERYBODY), (ACTOR,)),
        ("of_others", "another key is named", approved_by((AN, BAI), (AN, CAO)), (ACTOR,)),
        (
            "of_a_stranger",
            "a key is not registered",
            approved_by(EVERYBODY, among=begun(AN, BAI)),
            (ACTOR, VALIDITY),
        ),
        ("of_a_revoked", "a key was revoked before", revoked_before(), (VALIDITY,)),
        (
            "may_not",
            "a key may not approve",
            approved_by(EVERYBODY, among=begun(AN, BAI, replace(CAO, may=("seal",)))),
            (VALIDITY,),
        ),
        ("identity", "the identity as a signature", approved_by(EVERYBODY, sig=IDENTITY), (ACTOR,)),
        (
            "outside_the_group",
            "a signature outside the group",
            approved_by(EVERYBODY, sig=b"\x80" + bytes(95)),
            (ACTOR,),
        ),
    ):
        yield case(f"aggregate_{name}", why, "refuted", scene, *checks)
    scene = approved_by((AN, AN_TWO))
    yield case(
        "aggregate_of_one_owner", "two keys, one person", "refuted", scene, RULE,
        trust=asks(scene, 2),
    )  # fmt: skip
    scene = approved_by(EVERYBODY, detail={**APPROVED, "decision": "rejected"})
    yield case(
        "aggregate_rejected", "all of them rejected", "refuted", scene, RULE, trust=asks(scene, 1)
    )
    yield from possession_cases()


def possession_cases() -> Iterator[Case]:
    """Keys that nobody proved to possess."""
    for name, why, pop in (
        ("other", "the proof is by another key", bls12381.prove_possession(BAI.seed)),
        ("signature", "a signature is no proof", bls12381.sign(AN.seed, AN.public_key)),
        ("identity", "the identity is no proof", IDENTITY),
        ("empty", "no proof", b""),
    ):
        scene = office(rules=None)
        scene.register_key(AN, ROOT, pop=encode_base64(pop))
        scene.event("register", detail={})
        scene.event("approve", AN, detail=APPROVED)
        yield case(f"possession_{name}", why, "refuted", scene, VALIDITY)
    for name, why, key in (
        ("identity", "the identity as a key", b"\xc0" + bytes(47)),
        ("of_order_three", "a key outside the group", b"\x80" + bytes(47)),
    ):
        scene = begun()
        said = registration_of(key, bls12381.prove_possession(AN.seed), by=ROOT)
        add(scene, said, ROOT.sign(make_envelope(said.encode(), ())).signatures, named(key, AN))
        yield case(f"key_{name}", why, "refuted", scene, ACTOR, VALIDITY)
    scene = rogue_root()
    keyid = f'["{BLS_ROOT.keyid}"]'
    trust = trust_toml([scene.chain], roots=keyid)
    yield case(
        "rogue_key", "a rogue key signs for the root that never did", "refuted", scene, VALIDITY,
        trust=trust,
    )  # fmt: skip


def begun(*people: Person) -> Scene:
    """A record of one registration, with people around whose keys add up."""
    scene = office(rules=None)
    for person in people:
        scene.register_key(person, ROOT)
    scene.event("register", detail={})
    return scene


def asks(scene: Scene, count: int) -> str:
    rule = f'{{event = "approve", count = {count}, step = "sign-off"}}'
    return trust_toml([scene.chain], rules=f"[{rule}]")


def approved_by(
    people: Sequence[Person],
    signing: Sequence[Person] | None = None,
    *,
    among: Scene | None = None,
    sig: bytes | None = None,
    detail: Mapping[str, Any] = APPROVED,
) -> Scene:
    """A record with one approval that names people; others may have made the signature."""
    scene = among or begun(*sorted({*people, *(signing or ())}, key=lambda each: each.name))
    said = statement(
        "approve",
        nonce=secret(f"joint {scene.log.size}")[:16],
        actor=people[0].actor,
        detail=detail,
        seen=scene.chain.seen(),
        prior=prior_of(scene.last[RECORD_KEY]),
    )
    pae = make_envelope(said.encode(), ()).message.pae
    parts = [bls12381.sign(person.seed, pae) for person in signing or people]
    together = Signature(
        keyids=tuple(sorted(person.keyid for person in people)),
        scheme=BLS,
        sig=sig or bls12381.join_signatures(parts),
        extra={},
    )
    add(scene, said, (together,), record_key=RECORD_KEY)
    return scene


def revoked_before() -> Scene:
    scene = begun(*EVERYBODY)
    scene.revoke_key(CAO, ROOT)
    return approved_by(EVERYBODY, among=scene)


def add(
    scene: Scene,
    said: Statement,
    signatures: Sequence[Signature],
    *more: Signature,
    record_key: bytes = REGISTRY_KEY,
) -> None:
    signed = sign_intake(make_envelope(said.encode(), (*signatures, *more)), INTAKE_SEED)
    scene.last[record_key] = scene.log.add(signed, record_key)


def registration_of(key: bytes, pop: bytes, *, by: Person) -> Statement:
    return replace(
        key_registration(
            Person(name="mallory"), by=by.actor, scheme=BLS, key=key.hex(), pop=encode_base64(pop)
        ),
        subject=Subject(name="mallory", sha256=hashlib.sha256(key).digest()),
        nonce=bytes(16),
    )


def named(key: bytes, signer: Person) -> Signature:
    """A signature that names a key and is another's."""
    sig = bls12381.sign(signer.seed, b"anything")
    return Signature(keyids=(make_keyid(BLS, key),), scheme=BLS, sig=sig, extra={})


def rogue_root() -> Scene:
    """Mallory's key minus the root's: one signature of Mallory's is one of both.

    With it Mallory registers the rogue key in the root's name, and approves.
    All that is missing is a proof that anybody possesses the rogue key.
    """
    scene = Scene()
    scene.register_key(BLS_ROOT)
    own = G1Point.from_compressed_bytes(MALLORY.public_key)
    rogue = (own - G1Point.from_compressed_bytes(BLS_ROOT.public_key)).to_compressed_bytes()
    said = registration_of(rogue, bls12381.prove_possession(MALLORY.seed), by=BLS_ROOT)
    forged = Signature(
        keyids=tuple(sorted((make_keyid(BLS, rogue), BLS_ROOT.keyid))),
        scheme=BLS,
        sig=bls12381.sign(MALLORY.seed, make_envelope(said.encode(), ()).message.pae),
        extra={},
    )
    add(scene, said, (forged,))
    scene.event("register", detail={})
    return scene
