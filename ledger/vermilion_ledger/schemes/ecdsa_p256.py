"""Scheme ``ecdsa-p256``: what smart cards and secure elements sign (FORMATS section 4).

ECDSA over NIST P-256 with SHA-256 (FIPS 186-5), signatures as ``r ‖ s``. OpenSSL,
behind `cryptography`, accepts the larger of the two values of s as well; it is
refused here, so that nobody can turn one good signature into another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vermilion_ledger.errors import InputError, SignatureError
from vermilion_ledger.schemes.message import SignedMessage

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import (
        EllipticCurvePrivateKey,
        EllipticCurvePublicKey,
    )

__all__ = [
    "NAME",
    "ORDER",
    "PUBLIC_KEY_SIZE",
    "SIGNATURE_SIZE",
    "check_public_key",
    "load_private_key",
    "load_public_key",
    "public_key_of",
    "sign",
    "verify",
    "verify_bytes",
    "verify_der",
]

NAME = "ecdsa-p256"
PUBLIC_KEY_SIZE = 33  # SEC1, compressed
SIGNATURE_SIZE = 64
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

_PRIVATE_KEY_SIZE = 32


def check_public_key(public_key: bytes) -> None:
    """Refuse a key that is not a compressed point of the curve.

    Raises:
        InputError: Not 33 bytes, another form, or no such point.
    """
    load_public_key(public_key)


def load_public_key(public_key: bytes) -> EllipticCurvePublicKey:
    """Return the key object of a compressed point (SEC1, section 2.3.4).

    Raises:
        InputError: Not 33 bytes, another form, or no such point.
    """
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

    if len(public_key) != PUBLIC_KEY_SIZE:
        raise InputError("key.size", f"a P-256 key of {len(public_key)} bytes, not 33")
    try:
        return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), public_key)
    except ValueError as exc:
        raise InputError("key.off-curve", "the P-256 key is no point of the curve") from exc


def verify(public_key: bytes, message: SignedMessage, signature: bytes) -> None:
    """Check a signature over the pre-authentication encoding of an envelope.

    Raises:
        InputError: The key is refused.
        SignatureError: The signature is.
    """
    verify_bytes(public_key, message.pae, signature)


def verify_bytes(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Check a signature ``r ‖ s`` over plain bytes.

    Raises:
        InputError: The key is refused.
        SignatureError: Not 64 bytes, r or s outside (0, n), s > n/2, or bad.
    """
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    if len(signature) != SIGNATURE_SIZE:
        raise SignatureError("signature.size", f"a P-256 signature of {len(signature)} bytes")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not 0 < r < ORDER or not 0 < s <= ORDER // 2:
        raise SignatureError("signature.not-canonical", "r or s is out of range")
    verify_der(public_key, message, encode_dss_signature(r, s))


def verify_der(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Check a signature in minimal DER over plain bytes; both values of s are good.

    Raises:
        InputError: The key is refused.
        SignatureError: Not minimal DER, r or s outside (0, n), or bad.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.utils import (
        decode_dss_signature,
        encode_dss_signature,
    )
    from cryptography.hazmat.primitives.hashes import SHA256

    key = load_public_key(public_key)
    try:
        r, s = decode_dss_signature(signature)
    except ValueError as exc:
        raise SignatureError("signature.not-canonical", "the signature is not DER") from exc
    if not (0 < r < ORDER and 0 < s < ORDER) or encode_dss_signature(r, s) != signature:
        raise SignatureError("signature.not-canonical", "r, s or their DER is out of range")
    try:
        key.verify(signature, message, ECDSA(SHA256()))
    except InvalidSignature as exc:
        raise SignatureError("signature.bad", "the P-256 signature does not verify") from exc


def sign(private_key: bytes, message: bytes) -> bytes:
    """Return ``r ‖ s`` of a 32-byte private key over plain bytes.

    The nonce is that of RFC 6979: no random numbers, nothing to go wrong with them.

    Raises:
        InputError: The private key is refused.
    """
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    algorithm = ECDSA(SHA256(), deterministic_signing=True)
    r, s = decode_dss_signature(load_private_key(private_key).sign(message, algorithm))
    return r.to_bytes(32, "big") + min(s, ORDER - s).to_bytes(32, "big")


def load_private_key(private_key: bytes) -> EllipticCurvePrivateKey:
    """Return the key object of a 32-byte private key.

    Raises:
        InputError: Not 32 bytes, or the number is not in (0, n).
    """
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key

    if len(private_key) != _PRIVATE_KEY_SIZE:
        raise InputError("key.size", f"a private P-256 key of {len(private_key)} bytes, not 32")
    scalar = int.from_bytes(private_key, "big")
    if not 0 < scalar < ORDER:
        raise InputError("key.range", "the private P-256 key is out of range")
    return derive_private_key(scalar, SECP256R1())


def public_key_of(private_key: bytes) -> bytes:
    """Return the 33 public bytes of a 32-byte private key.

    Raises:
        InputError: The private key is refused.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = load_private_key(private_key).public_key()
    return key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
