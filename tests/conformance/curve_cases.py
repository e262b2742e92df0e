"""Keys on P-256 and SM2 and passkeys: one case of all that hold, and each rule broken alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

import devices
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
    statement,
)
from vermilion_ledger.envelope import Envelope, Signature, make_envelope, sign_intake
from vermilion_ledger.rules import Rule
from vermilion_ledger.schemes import ecdsa_p256, make_keyid, sm2
from vermilion_ledger.schemes.message import SignedMessage
from vermilion_ledger.statement import Subject

CARD = Person(name="card", scheme="ecdsa-p256")
PASSKEY = Person(name="passkey", scheme="webauthn-es256")
SM2 = Person(name="sm2", scheme="sm2-sm3")
PEOPLE = (CARD, PASSKEY, SM2)
_RULES = (Rule(event="approve", count=3, step="sign-off"),)
_Maker = Callable[[SignedMessage], Signature]


def curve_cases() -> Iterator[Case]:
    """signature.actor and key.validity, for three schemes."""
    yield approved_by_three()
    for name, why, person, maker in (*card_attacks(), *sm2_attacks(), *passkey_attacks()):
        scene = begun()
        said = statement(
            "approve",
            actor=person.actor,
            nonce=bytes(16),
            seen=scene.chain.seen(),
            prior=prior_of(scene.last[RECORD_KEY]),
        )
        bare = make_envelope(said.encode(), ())
        signed = bare.with_signature(maker(bare.message))
        scene.log.add(sign_intake(signed, INTAKE_SEED), RECORD_KEY)
        yield case(name, why, "refuted", scene, "signature.actor")
    yield from key_attacks()


def begun() -> Scene:
    scene = office(rules=None, people=PEOPLE)
    scene.event("register", detail={})
    return scene


def approved_by_three() -> Case:
    scene = office(rules=_RULES, people=PEOPLE)
    scene.event("register", detail={"policy": scene.policy(_RULES)})
    for person in PEOPLE:
        scene.approve(person)
    why = "approved with a key on P-256, a passkey and an SM2 key"
    return case("approved_on_three_curves", why, "proven", scene)


def member(person: Person, sig: bytes, extra: dict[str, bytes] | None = None) -> Signature:
    return Signature(keyids=(person.keyid,), scheme=person.scheme, sig=sig, extra=extra or {})


def numbers(sig: bytes) -> tuple[int, int]:
    return int.from_bytes(sig[:32], "big"), int.from_bytes(sig[32:], "big")


def raw(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


# --- ecdsa-p256


def card_attacks() -> Iterator[tuple[str, str, Person, _Maker]]:
    order = ecdsa_p256.ORDER

    def changed(change: Callable[[int, int], tuple[int, int]]) -> _Maker:
        return lambda said: member(
            CARD, raw(*change(*numbers(ecdsa_p256.sign(CARD.seed, said.pae))))
        )

    def as_der(said: SignedMessage) -> Signature:
        sig = ecdsa_p256.sign(CARD.seed, said.pae)
        return member(CARD, encode_dss_signature(*numbers(sig)))

    def of_digest(said: SignedMessage) -> Signature:
        return member(CARD, ecdsa_p256.sign(CARD.seed, said.digest))

    for name, why, maker in (
        ("r_bit", "a bit of r changed", changed(lambda r, s: (r ^ 1, s))),
        ("s_bit", "a bit of s changed", changed(lambda r, s: (r, s ^ 1))),
        ("high_s", "s is above n/2", changed(lambda r, s: (r, order - s))),
        ("zero_r", "r is 0", changed(lambda _, s: (0, s))),
        ("zero_s", "s is 0", changed(lambda r, _: (r, 0))),
        ("r_of_n", "r is n", changed(lambda _, s: (order, s))),
        ("swapped", "s before r", changed(lambda r, s: (s, r))),
        ("der", "DER in place of 64 bytes", as_der),
        ("digest", "the hash of the statement was signed, hashed again", of_digest),
    ):
        yield f"p256_{name}", why, CARD, maker


# --- sm2-sm3


def sm2_attacks() -> Iterator[tuple[str, str, Person, _Maker]]:
    order = sm2.ORDER

    def changed(change: Callable[[int, int], tuple[int, int]]) -> _Maker:
        return lambda said: member(
            SM2, raw(*change(*numbers(devices.sign_sm2(SM2.seed, said.pae))))
        )

    def other_identity(said: SignedMessage) -> Signature:
        return member(SM2, devices.sign_sm2(SM2.seed, said.pae, identity=b"ALICE123@YAHOO.COM"))

    def without_identity(said: SignedMessage) -> Signature:
        return member(SM2, devices.sign_sm2_digest(SM2.seed, sm2._sm3(said.pae)))

    for name, why, maker in (
        ("r_bit", "a bit of r changed", changed(lambda r, s: (r ^ 1, s))),
        ("s_bit", "a bit of s changed", changed(lambda r, s: (r, s ^ 1))),
        ("negated_s", "n - s in place of s", changed(lambda r, s: (r, order - s))),
        ("zero_r", "r is 0", changed(lambda _, s: (0, s))),
        ("zero_s", "s is 0", changed(lambda r, _: (r, 0))),
        ("s_of_n", "s is n", changed(lambda r, _: (r, order))),
        ("zero_t", "r + s is n", changed(lambda r, _: (r, order - r))),
        ("other_identity", "signed under another identity", other_identity),
        ("no_identity", "the digest has neither identity nor key in it", without_identity),
    ):
        yield f"sm2_{name}", why, SM2, maker


# --- webauthn-es256


def asserted(*, says: Callable[[SignedMessage], bytes] | None = None, **parts: Any) -> _Maker:
    def maker(said: SignedMessage) -> Signature:
        data = None if says is None else says(said)
        made = devices.make_assertion(PASSKEY.seed, said, says=data, **parts)
        return member(PASSKEY, made.sig, devices.extra_of(made))

    return maker


def saying(**changes: Any) -> Callable[[SignedMessage], bytes]:
    return lambda said: json.dumps(devices.client_data(said, **changes)).encode()


def twice(member: str, value: str) -> Callable[[SignedMessage], bytes]:
    return lambda said: saying()(said)[:-1] + f', "{member}": "{value}"}}'.encode()


def der(change: Callable[[bytes], bytes]) -> _Maker:
    def maker(said: SignedMessage) -> Signature:
        good = asserted()(said)
        return replace(good, sig=change(good.sig))

    return maker


def zero_before_r(sig: bytes) -> bytes:
    size = sig[3]
    return bytes([0x30, sig[1] + 1, 2, size + 1, 0]) + sig[4:]


def r_beyond_n(sig: bytes) -> bytes:
    r, s = decode_dss_signature(sig)
    return encode_dss_signature(r + ecdsa_p256.ORDER, s)


def passkey_attacks() -> Iterator[tuple[str, str, Person, _Maker]]:
    data, up, uv = devices.authenticator_data, devices.UP, devices.UV
    site, other = devices.PARTY.origin, "https://seal.office.example.gov.evil.example"
    for name, why, maker in (
        ("other_challenge", "it was asked about something else",
         asserted(says=saying(challenge="A" * 43))),
        ("padded_challenge", "the challenge is padded",
         asserted(says=lambda m: saying(challenge=devices.client_data(m)["challenge"] + "=")(m))),
        ("no_challenge", "there is no challenge", asserted(says=saying(challenge=None))),
        ("created", "a key was made, nothing was signed",
         asserted(says=saying(type="webauthn.create"))),
        ("cross_origin", "the page stood inside of another",
         asserted(says=saying(crossOrigin=True))),
        ("cross_origin_text", "crossOrigin is no false",
         asserted(says=saying(crossOrigin="false"))),
        ("other_origin", "another site asked", asserted(says=saying(origin=other))),
        ("plain_http", "the site was not authentic",
         asserted(says=saying(origin=site.replace("https", "http")))),
        ("origin_twice", "two readers may take two origins", asserted(says=twice("origin", site))),
        ("type_twice", "a member is written with an escape too",
         asserted(says=twice("\\u0074ype", "webauthn.get"))),
        ("user_absent", "no user was present", asserted(device=data(flags=uv))),
        ("user_unverified", "a touch, and no finger, face or PIN",
         asserted(device=data(flags=up))),
        ("other_rp_id", "the key was made for another domain",
         asserted(device=data("example.gov"))),
        ("short_device_data", "the counter is cut off", asserted(device=data()[:36])),
        ("not_minimal", "a zero byte before r", der(zero_before_r)),
        ("r_above_n", "n is added to r", der(r_beyond_n)),
        ("behind_der", "a byte behind the DER", der(lambda sig: sig + b"\0")),
        ("bit", "a bit of the signature changed", der(lambda sig: sig[:-1] + bytes([sig[-1] ^ 1]))),
    ):  # fmt: skip
        yield f"passkey_{name}", why, PASSKEY, maker


# --- public keys


def key_attacks() -> Iterator[Case]:
    """Keys that a root would have registered: no point, or a point in another form."""
    point = SM2.public_key
    for name, why, person, key in (
        ("p256_off_curve", "no point has this x", CARD, b"\x02" + (1).to_bytes(32, "big")),
        ("p256_uncompressed", "the point in 65 bytes", CARD, uncompressed(CARD)),
        ("passkey_off_curve", "no point has this x", PASSKEY, b"\x02" + (1).to_bytes(32, "big")),
        ("sm2_off_curve", "a bit of y changed", SM2, point[:-1] + bytes([point[-1] ^ 1])),
        ("sm2_compressed", "the point in 33 bytes", SM2, bytes([2 + point[-1] % 2]) + point[1:33]),
        ("sm2_hybrid", "the point in the hybrid form", SM2, b"\x06" + point[1:]),
    ):
        scene = begun()
        scene.log.add(registration(person, key), REGISTRY_KEY)
        yield case(f"{name}_key", why, "refuted", scene, "signature.actor", "key.validity")


def uncompressed(person: Person) -> bytes:
    found = ecdsa_p256.load_public_key(person.public_key).public_numbers()
    return b"\x04" + raw(found.x, found.y)


def registration(person: Person, key: bytes) -> Envelope:
    said = replace(
        key_registration(person, key=key.hex()),
        subject=Subject(name="k", sha256=hashlib.sha256(key).digest()),
        nonce=bytes(16),
    )
    signed = ROOT.sign(make_envelope(said.encode(), ()))
    own = person.sign(make_envelope(said.encode(), ())).signatures[0]
    signed = signed.with_signature(replace(own, keyids=(make_keyid(person.scheme, key),)))
    return sign_intake(signed, INTAKE_SEED)
