"""What signs in the tests: keys of every scheme, and a device that holds a passkey.

A browser and a device make an assertion together; `make_assertion` does what
both do by Web Authentication, sections 5.8.1.1 and 6.1, and lets a test change
any part of it before it is signed. SM2 is signed here with a nonce derived from
key and message, so that two runs give the same bytes; the product lets OpenSSL
sign, and each is checked against the other.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256

from vermilion_ledger.schemes import (
    bls12381,
    ecdsa_p256,
    ed25519,
    ml_dsa_44,
    secp256k1,
    sm2,
    webauthn,
)
from vermilion_ledger.schemes.message import SignedMessage
from vermilion_ledger.schemes.webauthn import Assertion, RelyingParty

PARTY = RelyingParty(rp_id="office.example.gov", origin="https://seal.office.example.gov")
UP, UV, BE, BS = 0x01, 0x04, 0x08, 0x10  # present, verified, may be backed up, is backed up


def public_key_of(scheme: str, seed: bytes) -> bytes:
    """The public key of 32 private bytes."""
    makers: dict[str, Callable[[bytes], bytes]] = {
        ed25519.NAME: ed25519.public_key_of,
        ecdsa_p256.NAME: ecdsa_p256.public_key_of,
        secp256k1.NAME: secp256k1.public_key_of,
        webauthn.NAME: ecdsa_p256.public_key_of,
        sm2.NAME: sm2_public_key,
        bls12381.NAME: bls12381.public_key_of,
        ml_dsa_44.NAME: ml_dsa_44.public_key_of,
    }
    return makers[scheme](seed)


def sign(scheme: str, seed: bytes, message: SignedMessage) -> tuple[bytes, Mapping[str, bytes]]:
    """A signature, and the further members that it has in an envelope."""
    if scheme == webauthn.NAME:
        made = make_assertion(seed, message)
        return made.sig, extra_of(made)
    if scheme == secp256k1.NAME:
        return secp256k1.sign(seed, message), {}
    plain: dict[str, Callable[[bytes, bytes], bytes]] = {
        ed25519.NAME: ed25519.sign,
        ecdsa_p256.NAME: ecdsa_p256.sign,
        sm2.NAME: sign_sm2,
        bls12381.NAME: bls12381.sign,
        ml_dsa_44.NAME: ml_dsa_44.sign,
    }
    return plain[scheme](seed, message.pae), {}


def extra_of(made: Assertion) -> dict[str, bytes]:
    return {"authenticatorData": made.authenticator_data, "clientDataJSON": made.client_data}


def client_data(message: SignedMessage, **changes: Any) -> dict[str, Any]:
    """What a browser says of a statement; None takes a member away."""
    challenge = base64.urlsafe_b64encode(message.digest).rstrip(b"=").decode()
    members = {
        "type": "webauthn.get",
        "challenge": challenge,
        "origin": PARTY.origin,
        "crossOrigin": False,
    }
    return {name: value for name, value in (members | changes).items() if value is not None}


def authenticator_data(
    rp_id: str = PARTY.rp_id, *, flags: int = UP | UV | BE | BS, counter: int = 0
) -> bytes:
    return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + counter.to_bytes(4, "big")


def make_assertion(
    seed: bytes,
    message: SignedMessage,
    *,
    says: Mapping[str, Any] | bytes | None = None,
    device: bytes | None = None,
) -> Assertion:
    """An assertion as a browser and a device make it; what they say may be changed."""
    said = client_data(message) if says is None else says
    data = said if isinstance(said, bytes) else json.dumps(said, separators=(",", ":")).encode()
    device = authenticator_data() if device is None else device
    key = ecdsa_p256.load_private_key(seed)
    algorithm = ECDSA(SHA256(), deterministic_signing=True)
    return Assertion(
        sig=key.sign(device + hashlib.sha256(data).digest(), algorithm),
        authenticator_data=device,
        client_data=data,
        party=PARTY,
    )


def sm2_public_key(seed: bytes) -> bytes:
    point = sm2._combine(int.from_bytes(seed, "big"), 0, sm2._G)
    assert point is not None
    return b"\x04" + b"".join(number.to_bytes(32, "big") for number in point)


def sign_sm2(
    seed: bytes, message: bytes, *, identity: bytes = sm2.IDENTITY, nonce: int | None = None
) -> bytes:
    """GB/T 32918.2, section 6.1."""
    digest = sm2.hash_message(sm2_public_key(seed), message, identity)
    return sign_sm2_digest(seed, digest, nonce=nonce)


def sign_sm2_digest(seed: bytes, digest: bytes, *, nonce: int | None = None) -> bytes:
    d, e = int.from_bytes(seed, "big"), int.from_bytes(digest, "big")
    k = nonce or int.from_bytes(hashlib.sha512(seed + digest).digest(), "big") % sm2.ORDER
    point = sm2._combine(k, 0, sm2._G)
    assert point is not None
    r = (e + point[0]) % sm2.ORDER
    s = pow(1 + d, -1, sm2.ORDER) * (k - r * d) % sm2.ORDER
    assert 0 not in {r, s, (r + k) % sm2.ORDER}
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")
