"""The registry of signature schemes: one small module each.

The scheme of a signature comes from the registered key, never from the
message (FORMATS section 4). A scheme whose library this machine has not got is
*unsupported*, which its module says when asked and a verifier reports as "cannot tell".
"""

from __future__ import annotations

import hashlib
from importlib import import_module
from types import ModuleType

from vermilion_ledger.errors import InputError

__all__ = [
    "SCHEME_NAMES",
    "is_key_file_scheme",
    "load_scheme",
    "make_keyid",
]

# Each is loaded when a key asks for it: a verifier starts without the libraries of the others.
_MODULES = {
    "ed25519": "ed25519",
    "ecdsa-p256": "ecdsa_p256",
    "secp256k1-eip712": "secp256k1",
    "webauthn-es256": "webauthn",
    "sm2-sm3": "sm2",
    "bls12381-g2-pop": "bls12381",
    "ml-dsa-44": "ml_dsa_44",
}
SCHEME_NAMES = frozenset(_MODULES)


def is_key_file_scheme(scheme: str) -> bool:
    """Tell whether a file may hold a private key of a scheme; a passkey never leaves its device."""
    return scheme in SCHEME_NAMES and hasattr(load_scheme(scheme), "sign")


def load_scheme(scheme: str) -> ModuleType:
    """Return the module of a scheme.

    Each has ``check_public_key(public_key)`` and ``verify(public_key, message,
    signature)`` with a `SignedMessage` and the signature's bytes, or with an
    `Assertion` for ``webauthn-es256``. Those whose private keys may lie in a
    file have ``public_key_of(private_key)`` and ``sign(private_key, …)`` too.

    Raises:
        InputError: The formats name no such scheme.
    """
    if scheme not in SCHEME_NAMES:
        raise InputError("scheme.unknown", f"{scheme[:40]!a} is no scheme")
    return import_module(f"{__name__}.{_MODULES[scheme]}")


def make_keyid(scheme: str, public_key: bytes) -> str:
    """Return the key id: ``H("vermilion/key/v1" ‖ 0 ‖ scheme ‖ 0 ‖ key)`` in hex."""
    data = b"vermilion/key/v1\x00" + scheme.encode() + b"\x00" + public_key
    return hashlib.sha256(data).hexdigest()
