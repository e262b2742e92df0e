"""Scheme ``ed25519``: RFC 8032, cofactorless, strict keys (FORMATS section 4).

OpenSSL, behind `cryptography`, compares R as bytes and refuses S ≥ L, but it
accepts small-order and non-canonical public keys; those are refused here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vermilion_ledger.errors import InputError, SignatureError
from vermilion_ledger.schemes.message import SignedMessage

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = [
    "NAME",
    "PUBLIC_KEY_SIZE",
    "SIGNATURE_SIZE",
    "check_public_key",
    "load_private_key",
    "public_key_of",
    "sign",
    "verify",
    "verify_bytes",
]

NAME = "ed25519"
PUBLIC_KEY_SIZE = 32
SIGNATURE_SIZE = 64

_P = 2**255 - 19
_Y_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
# y of the eight points whose order divides the cofactor; the sign of x tells pairs apart
_SMALL_ORDER_Y = frozenset({0, 1, _P - 1, _Y_ORDER_8, _P - _Y_ORDER_8})


def check_public_key(public_key: bytes) -> None:
    """Refuse a key that is not 32 bytes, not canonical or of small order.

    Raises:
        InputError: The key is one of those.
    """
    if len(public_key) != PUBLIC_KEY_SIZE:
        raise InputError("key.size", f"an ed25519 key of {len(public_key)} bytes")
    y = int.from_bytes(public_key, "little") & (2**255 - 1)
    if y >= _P:
        raise InputError("key.not-canonical", "the ed25519 key is not canonical")
    if y in _SMALL_ORDER_Y:
        raise InputError("key.small-order", "the ed25519 key has small order")


def verify(public_key: bytes, message: SignedMessage, signature: bytes) -> None:
    """Check a signature over the pre-authentication encoding of an envelope.

    Raises:
        InputError: The key is refused.
        SignatureError: The signature is.
    """
    verify_bytes(public_key, message.pae, signature)


def verify_bytes(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Check a signature over plain bytes: notes, intake, closings.

    Raises:
        InputError: The key is refused.
        SignatureError: The signature is.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    check_public_key(public_key)
    if len(signature) != SIGNATURE_SIZE:
        raise SignatureError("signature.size", f"an ed25519 signature of {len(signature)} bytes")
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError) as exc:
        raise SignatureError("signature.bad", "the ed25519 signature does not verify") from exc


def sign(private_key: bytes, message: bytes) -> bytes:
    """Return the 64-byte signature of a 32-byte seed over plain bytes."""
    return load_private_key(private_key).sign(message)


def load_private_key(private_key: bytes) -> Ed25519PrivateKey:
    """Return the key object of a 32-byte seed.

    Raises:
        InputError: The seed is not 32 bytes.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if len(private_key) != PUBLIC_KEY_SIZE:
        raise InputError("key.size", f"an ed25519 seed of {len(private_key)} bytes")
    return Ed25519PrivateKey.from_private_bytes(private_key)


def public_key_of(private_key: bytes) -> bytes:
    """Return the 32 public bytes of a 32-byte seed."""
    return load_private_key(private_key).public_key().public_bytes_raw()
