"""The registry of signature schemes: one small module each.

The scheme of a signature comes from the registered key, never from the
message (FORMATS section 4). A scheme that the formats name and this build
does not have is *unsupported*, which a verifier reports as "cannot tell".
"""

from __future__ import annotations

import hashlib
from types import ModuleType

from vermilion_ledger.errors import InputError, UnavailableError

__all__ = ["SCHEME_NAMES", "is_supported", "load_scheme", "make_keyid"]

SCHEME_NAMES = frozenset(
    {
        "ed25519",
        "ecdsa-p256",
        "secp256k1-eip712",
        "webauthn-es256",
        "sm2-sm3",
        "bls12381-g2-pop",
        "ml-dsa-44",
    }
)


def is_supported(scheme: str) -> bool:
    """Tell whether this build can check signatures of a scheme."""
    return scheme in {"ed25519", "secp256k1-eip712", "bls12381-g2-pop", "ml-dsa-44"}


def load_scheme(scheme: str) -> ModuleType:
    """Return the module of a scheme.

    Each has ``check_public_key(public_key)``, ``verify(public_key, message,
    signature)`` with a `SignedMessage`, and ``SIGNATURE_SIZE``.

    Raises:
        InputError: The formats name no such scheme.
        UnavailableError: This build does not have it.
    """
    if scheme not in SCHEME_NAMES:
        raise InputError("scheme.unknown", f"{scheme[:40]!a} is no scheme")
    if scheme == "ed25519":
        from vermilion_ledger.schemes import ed25519

        return ed25519
    if scheme == "secp256k1-eip712":
        from vermilion_ledger.schemes import secp256k1

        return secp256k1
    if scheme == "bls12381-g2-pop":
        from vermilion_ledger.schemes import bls12381

        return bls12381
    if scheme == "ml-dsa-44":
        from vermilion_ledger.schemes import ml_dsa_44

        return ml_dsa_44
    raise UnavailableError("scheme.unsupported", f"this build cannot check {scheme}")


def make_keyid(scheme: str, public_key: bytes) -> str:
    """Return the key id: ``H("vermilion/key/v1" ‖ 0 ‖ scheme ‖ 0 ‖ key)`` in hex."""
    data = b"vermilion/key/v1\x00" + scheme.encode() + b"\x00" + public_key
    return hashlib.sha256(data).hexdigest()
