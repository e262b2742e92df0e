"""Vectors of envelopes signed on P-256 and SM2 and by passkeys, with every attack on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import devices
import office
from conformance.curve_cases import PEOPLE, card_attacks, passkey_attacks, sm2_attacks
from office import Person
from vermilion_ledger.encoding import encode_base64
from vermilion_ledger.envelope import Envelope, make_envelope, sign_intake
from vermilion_ledger.schemes import webauthn

__all__ = ["vectors"]

Vector = dict[str, Any]
# What is refused, by its code; all that is not named here is `signature.bad`.
_CODES = {
    "p256_high_s": "signature.not-canonical",
    "p256_zero_r": "signature.not-canonical",
    "p256_zero_s": "signature.not-canonical",
    "p256_r_of_n": "signature.not-canonical",
    "p256_der": "signature.size",
    "sm2_zero_r": "signature.not-canonical",
    "sm2_zero_s": "signature.not-canonical",
    "sm2_s_of_n": "signature.not-canonical",
    "passkey_other_challenge": "webauthn.challenge",
    "passkey_padded_challenge": "webauthn.challenge",
    "passkey_no_challenge": "webauthn.challenge",
    "passkey_created": "webauthn.type",
    "passkey_cross_origin": "webauthn.cross-origin",
    "passkey_cross_origin_text": "webauthn.cross-origin",
    "passkey_other_origin": "webauthn.origin",
    "passkey_plain_http": "webauthn.origin",
    "passkey_origin_twice": "json.duplicate-key",
    "passkey_type_twice": "json.duplicate-key",
    "passkey_user_absent": "webauthn.user-absent",
    "passkey_user_unverified": "webauthn.user-unverified",
    "passkey_other_rp_id": "webauthn.rp-id",
    "passkey_short_device_data": "webauthn.authenticator-data",
    "passkey_not_minimal": "signature.size",
    "passkey_r_above_n": "signature.not-canonical",
    "passkey_behind_der": "signature.size",
}


def vectors() -> Iterator[tuple[str, str, Vector]]:
    """Yield folder, name and vector."""
    for person in PEOPLE:
        bare = _bare(person)
        why = f"a key of {person.scheme}"
        yield "envelope", person.name, {"why": why, "accept": True, **_input(person.sign(bare))}
    for name, why, person, maker in (*card_attacks(), *sm2_attacks(), *passkey_attacks()):
        bare = _bare(person)
        members = _input(bare.with_signature(maker(bare.message)))
        code = _CODES.get(name, "signature.bad")
        yield (
            "envelope",
            name.replace("_", "-"),
            {"why": why, "accept": False, "code": code, **members},
        )


def _bare(person: Person) -> Envelope:
    said = office.statement("approve", seen=office.SEEN, actor=person.actor)
    return make_envelope(said.encode(), ())


def _input(signed: Envelope) -> Vector:
    """The envelope with the keys of its signers; a passkey has the site of its registration."""
    party = {"rpId": devices.PARTY.rp_id, "origin": devices.PARTY.origin}
    return {
        "envelope": encode_base64(sign_intake(signed, office.INTAKE_SEED).data),
        "intake": office.INTAKE_PUBLIC.hex(),
        "keys": {person.keyid: person.public_key.hex() for person in PEOPLE},
        "parties": {person.keyid: party for person in PEOPLE if person.scheme == webauthn.NAME},
    }
