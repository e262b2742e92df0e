"""The registry of signature schemes: one small module each.

The scheme of a signature comes from the registered key, never from the
message (FORMATS section 4). A scheme that the formats name and this build
does not have is *unsupported*, which a verifier reports as "cannot tell".
"""

from __future__ import annotations

import hashlib
from importlib import import_module
from types import ModuleType

from vermilion_ledger.errors import InputError, UnavailableError

__all__ = [
    "SCHEME_NAMES",
    "is_key_file_scheme",
    "is_supported",
    "load_scheme",
    "make_keyid",
]

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
# Each is loaded when a key asks for it: a verifier starts without the libraries of the others.
_MODULES = {
    "ed25519": "ed25519",
    "ecdsa-p256": "ecdsa_p256",
    "secp256k1-eip712": "secp256k1",
    "webauthn-es256": "webauthn",
    "sm2-sm3": "sm2",
}


def is_supported(scheme: str) -> bool:
    """Tell whether this build can check signatures of a scheme."""
    return scheme in _MODULES


def is_key_file_scheme(scheme: str) -> bool:
    """Tell whether a file may hold a private key of a scheme; a passkey never leaves its device."""
    return is_supported(scheme) and hasattr(load_scheme(scheme), "sign")


def load_scheme(scheme: str) -> ModuleType:
    """Return the module of a scheme.

    Each has ``check_public_key(public_key)`` and ``verify(public_key, message,
    signature)`` with a `SignedMessage` and the signature's bytes, or with an
    `Assertion` for ``webauthn-es256``. Those whose private keys may lie in a
    file have ``public_key_of(private_key)`` and ``sign(private_key, …)`` too.

    Raises:
        InputError: The formats name no such scheme.
        UnavailableError: This build does not have it.
    """
    if scheme not in SCHEME_NAMES:
        raise InputError("scheme.unknown", f"{scheme[:40]!a} is no scheme")
    if scheme not in _MODULES:
        raise UnavailableError("scheme.unsupported", f"this build cannot check {scheme}")
    return import_module(f"{__name__}.{_MODULES[scheme]}")


def make_keyid(scheme: str, public_key: bytes) -> str:
    """Return the key id: ``H("vermilion/key/v1" ‖ 0 ‖ scheme ‖ 0 ‖ key)`` in hex."""
    data = b"vermilion/key/v1\x00" + scheme.encode() + b"\x00" + public_key
    return hashlib.sha256(data).hexdigest()
