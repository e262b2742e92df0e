"""ML-DSA-44 (FIPS 204): pure, with the empty context (FORMATS section 4).

Signs statements, and stands beside Ed25519 on checkpoints. A private key is
kept as its 32-byte seed, from which FIPS 204 derives everything else. Signing
is hedged: the same message signed twice gives two signatures, and both verify.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vermilion_ledger.errors import InputError, SignatureError
from vermilion_ledger.schemes.message import SignedMessage

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

__all__ = [
    "NAME",
    "PUBLIC_KEY_SIZE",
    "SEED_SIZE",
    "SIGNATURE_SIZE",
    "check_public_key",
    "load_private_key",
    "public_key_of",
    "sign",
    "verify",
    "verify_bytes",
]

NAME = "ml-dsa-44"
SEED_SIZE = 32
PUBLIC_KEY_SIZE = 1312
SIGNATURE_SIZE = 2420


def check_public_key(public_key: bytes) -> None:
    """Refuse a key that is not 1,312 bytes; every other one can be decoded.

    Raises:
        InputError: The key has another size.
    """
    if len(public_key) != PUBLIC_KEY_SIZE:
        raise InputError("key.size", f"an ml-dsa-44 key of {len(public_key)} bytes")


def verify(public_key: bytes, message: SignedMessage, signature: bytes) -> None:
    """Check a signature over the pre-authentication encoding of an envelope.

    Raises:
        InputError: The key is refused.
        SignatureError: The signature is.
    """
    verify_bytes(public_key, message.pae, signature)


def verify_bytes(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Check a signature over plain bytes.

    Raises:
        InputError: The key is refused.
        SignatureError: The signature is.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

    check_public_key(public_key)
    if len(signature) != SIGNATURE_SIZE:
        raise SignatureError("signature.size", f"an ml-dsa-44 signature of {len(signature)} bytes")
    try:
        MLDSA44PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature as exc:
        raise SignatureError("signature.bad", "the ml-dsa-44 signature does not verify") from exc


def sign(private_key: bytes, message: bytes) -> bytes:
    """Return the 2,420-byte signature of a 32-byte seed over plain bytes."""
    return load_private_key(private_key).sign(message)


def load_private_key(private_key: bytes) -> MLDSA44PrivateKey:
    """Return the key object of a 32-byte seed.

    Raises:
        InputError: The seed is not 32 bytes.
    """
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

    if len(private_key) != SEED_SIZE:
        raise InputError("key.size", f"an ml-dsa-44 seed of {len(private_key)} bytes")
    return MLDSA44PrivateKey.from_seed_bytes(private_key)


def public_key_of(private_key: bytes) -> bytes:
    """Return the 1,312 public bytes of a 32-byte seed."""
    return load_private_key(private_key).public_key().public_bytes_raw()
