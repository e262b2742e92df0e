"""Keys that were not valid, and rules that were not met."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from conformance.case import (
    NEW,
    STEP,
    Case,
    begun,
    case,
    made,
    roots_toml,
    three_roots,
)
from evidence import LI, RULES, WANG, ZHAO, Scene, approved, office
from office import (
    INTAKE_SEED,
    REGISTRY_KEY,
    ROOT,
    ROOT_TWO,
    key_registration,
    secret,
)
from trusted import trust_toml
from vermilion_ledger.envelope import Signature, make_envelope, sign_intake
from vermilion_ledger.rules import hash_rules
from vermilion_ledger.schemes import ed25519, make_keyid
from vermilion_ledger.statement import Subject

_ORDER = 2**252 + 27742317777372353535851937790883648493  # of the base point


def key_cases() -> Iterator[Case]:
    """key.validity."""
    validity = "key.validity"
    for name, why, scene in (
        (
            "may_not",
            "the key may not seal",
            made(lambda s: s.register_key(NEW, ROOT), lambda s: s.event("seal", NEW)),
        ),
        (
            "other_actor",
            "the actor is not the owner",
            made(lambda s: s.event("seal", WANG, actor=LI.actor)),
        ),
        (
            "registered_later",
            "the key signed before it was registered",
            made(
                lambda s: s.event("approve", NEW, detail=STEP), lambda s: s.register_key(NEW, ROOT)
            ),
        ),
        (
            "revoked_before",
            "the key signed after it was revoked",
            made(lambda s: s.revoke_key(WANG, ROOT), lambda s: s.approve(WANG)),
        ),
        (
            "no_root",
            "a key registered without the root",
            made(lambda s: s.register_key(NEW, WANG, actor=ROOT)),
        ),
        (
            "twice_registered",
            "a key registered twice",
            made(lambda s: s.register_key(WANG, ROOT, may=["seal"])),
        ),
        ("stranger_revokes", "a stranger revoked a key", made(lambda s: s.revoke_key(WANG, ZHAO))),
    ):
        yield case(name, why, "refuted", scene, validity)
    scene = begun()
    place = scene.approve(WANG)
    scene.revoke_key(WANG, ROOT, compromisedSince=place.index)
    yield case("compromised", "the key counts as compromised then", "cannot_tell", scene, validity)
    scene = three_roots(ROOT_TWO)
    yield case(
        "one_root", "one of three roots", "refuted", scene, validity, trust=roots_toml(scene)
    )
    yield case(
        "small_order_key",
        "a key of small order, with a signature that anybody can make for it",
        "refuted",
        weak_key(),
        "signature.actor",
        validity,
    )


def weak_key() -> Scene:
    """Register the neutral element as a key: then R = S·B fits every message."""
    scene = begun()
    weak, seed = b"\x01" + bytes(31), secret("any scalar")
    said = replace(
        key_registration(WANG, key=weak.hex()),
        subject=Subject(name="weak", sha256=hashlib.sha256(weak).digest()),
        nonce=bytes(16),
    )
    scalar = bytearray(hashlib.sha512(seed).digest()[:32])
    scalar[0] &= 248
    scalar[31] = scalar[31] & 127 | 64
    s = int.from_bytes(scalar, "little") % _ORDER
    forged = Signature(
        keyids=(make_keyid(ed25519.NAME, weak),),
        scheme=ed25519.NAME,
        sig=ed25519.public_key_of(seed) + s.to_bytes(32, "little"),
        extra={},
    )
    signed = ROOT.sign(make_envelope(said.encode(), ())).with_signature(forged)
    scene.log.add(sign_intake(signed, INTAKE_SEED), REGISTRY_KEY)
    return scene


def rule_cases() -> Iterator[Case]:
    """approval.rule."""
    rule = "approval.rule"
    scene = under_policy()
    scene.approve(WANG)
    yield case("one_approval", "two owners had to approve", "refuted", scene, rule)
    scene = under_policy()
    scene.approve(WANG)
    scene.approve(LI)
    scene.approve(WANG, decision="rejected")
    yield case("taken_back", "an approval was taken back", "refuted", scene, rule)
    scene = office(rules=None)
    scene.event("register", detail={"policy": hash_rules(RULES).hex()})
    scene.approve(WANG)
    scene.approve(LI)
    scene.policy(RULES)
    yield case("policy_too_late", "the policy was adopted later", "cannot_tell", scene, rule)
    scene = approved()
    trust = trust_toml([scene.chain], rules='[{event = "seal", count = 1}]')
    yield case("own_rule", "the verifier's own rule is unmet", "refuted", scene, rule, trust=trust)
    bundle = scene.bundle(withhold=True, without=[1])
    checks = ("statement.binding", rule, "record.completeness")
    yield case(
        "rule_of_a_part", "an approval is left out", "cannot_tell", scene, *checks, bundle=bundle
    )


def under_policy() -> Scene:
    scene = office()
    scene.event("register", detail={"policy": hash_rules(RULES).hex()})
    return scene
