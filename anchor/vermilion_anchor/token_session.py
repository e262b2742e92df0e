"""A key in a PKCS#11 token: a hardware security module, a smart card, SoftHSM.

Owns the session with the token: it logs in, finds one key by its label, and lets
it sign (PKCS #11 v3.0: ``CKM_ECDSA`` of a digest gives ``r ‖ s`` alone, section
2.3.6; ``CKM_EDDSA`` is RFC 8032, section 2.3.14). What is signed, and what the
signature is worth, is for those who ask. The only module that imports python-pkcs11.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from threading import Lock
from typing import Any

import pkcs11
from pkcs11 import exceptions

from vermilion_ledger.errors import InputError, NotFoundError, UnavailableError
from vermilion_ledger.private_files import read_private_file

__all__ = ["KeyKind", "TokenPlace", "TokenSession"]

_PIN_ERRORS = (
    exceptions.PinExpired,
    exceptions.PinIncorrect,
    exceptions.PinInvalid,
    exceptions.PinLenRange,
    exceptions.PinLocked,
    exceptions.UserPinNotInitialized,
)
_OCTET_STRING = 0x04


class KeyKind(Enum):
    """A curve, by the name that messages give it."""

    SECP256K1 = "secp256k1"
    P256 = "P-256"
    ED25519 = "Ed25519"


# DER of CKA_EC_PARAMS: object identifiers, and the name that PKCS #11 v3.0 gives Ed25519.
_KINDS = {
    bytes.fromhex("06052b8104000a"): KeyKind.SECP256K1,
    bytes.fromhex("06082a8648ce3d030107"): KeyKind.P256,
    bytes.fromhex("06032b6570"): KeyKind.ED25519,
    b"\x13\x0cedwards25519": KeyKind.ED25519,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPlace:
    """Where a key is.

    Attributes:
        module: The PKCS#11 library of the token's maker.
        token: Label of the token.
        label: Label of the private key.
        pin: File with the user's PIN, for the owner alone.
    """

    module: Path
    token: str
    label: str
    pin: Path


class TokenSession:
    """One key of a token; one per process and token, for several threads.

    The session is opened at once, so that a wrong PIN is told at the start, and
    anew after a failure. A PIN that was refused is never tried again: tokens
    lock themselves after a few.
    """

    def __init__(self, place: TokenPlace, kinds: Sequence[KeyKind]) -> None:
        """Log in and find the key.

        Args:
            place: Where the key is.
            kinds: Curves that will do.

        Raises:
            InputError: ``signer.module``: the library cannot be loaded;
                ``signer.pin``: the PIN is refused; ``key.file-readable``: others may
                read it.
            NotFoundError: ``signer.no-key``: there is not exactly one key of that
                label, or it is on another curve; ``key.file-missing``: there is no
                PIN file.
            UnavailableError: ``signer.no-token`` or ``signer.unreachable``.
        """
        self._place = place
        self._wanted = tuple(kinds)
        self._lock = Lock()
        self._session: Any = None
        self._key: Any = None
        self._kind = self._wanted[0]
        self._refusal = ""  # why the token took no PIN: written once, by `_open`
        try:
            self._library = pkcs11.lib(str(place.module))
        except (RuntimeError, OSError) as exc:  # PKCS11Error is a RuntimeError
            raise InputError(
                "signer.module", f"{place.module.name} is no PKCS#11 library: {_words(exc)}"
            ) from exc
        self._open()

    @property
    def kind(self) -> KeyKind:
        """The curve of the key."""
        return self._kind

    def sign(self, data: bytes) -> bytes:
        """Return what the token gives: over a digest on P-256 and secp256k1, else a message.

        Raises:
            UnavailableError: ``signer.no-token`` or ``signer.unreachable``.
            InputError: ``signer.pin``, as at the start.
            NotFoundError: ``signer.no-key``.
        """
        with self._lock:
            if self._key is None:
                self._open()
            mechanism = pkcs11.Mechanism.ECDSA
            if self._kind is KeyKind.ED25519:
                mechanism = pkcs11.Mechanism.EDDSA
            try:
                return bytes(self._key.sign(data, mechanism=mechanism))
            except exceptions.PKCS11Error as exc:
                self._close()
                raise UnavailableError(
                    "signer.unreachable", f"the token does not sign: {_words(exc)}"
                ) from exc

    def read_point(self) -> bytes:
        """Return the key's public half: ``04 ‖ x ‖ y``, or the 32 bytes of Ed25519.

        Raises:
            NotFoundError: ``signer.no-key``: the token does not show it.
            UnavailableError: ``signer.no-token`` or ``signer.unreachable``.
        """
        with self._lock:
            if self._key is None:
                self._open()
            wanted = {
                pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PUBLIC_KEY,
                pkcs11.Attribute.LABEL: self._place.label,
            }
            try:
                found = list(self._session.get_objects(wanted))
                points = {bytes(each[pkcs11.Attribute.EC_POINT]) for each in found}
            except exceptions.PKCS11Error as exc:
                self._close()
                raise _told(exc, self._place) from exc
        if len(points) != 1:
            raise NotFoundError(
                "signer.no-key",
                f"{len(points)} public keys are {self._place.label!a}, one is wanted",
            )
        point = points.pop()
        # An octet string by the standard; some tokens give what is in it.
        if len(point) > 2 and point[0] == _OCTET_STRING and point[1] == len(point) - 2:
            return point[2:]
        return point

    def close(self) -> None:
        """Log out; the next signature logs in again."""
        with self._lock:
            self._close()

    def _open(self) -> None:
        """Log in and find the key; after a failure nothing is open."""
        place = self._place
        if self._refusal:
            raise InputError("signer.pin", self._refusal)
        pin = read_private_file(place.pin).decode("utf-8", "replace").strip()
        if not pin:
            raise InputError("signer.pin", f"{place.pin.name} is empty")
        try:
            token = self._library.get_token(token_label=place.token)
            self._session = token.open(user_pin=pin)
            # All of them: a search that is broken off keeps the session busy.
            keys = [
                each for each in self._session.get_objects(_search(place.label)) if _is_ec(each)
            ]
            kinds = [_KINDS.get(bytes(each[pkcs11.Attribute.EC_PARAMS])) for each in keys]
        except exceptions.PKCS11Error as exc:
            self._close()
            told = _told(exc, place)
            self._refusal = told.message if told.code == "signer.pin" else ""
            raise told from exc
        found = kinds[0] if len(kinds) == 1 else None
        if found is None or found not in self._wanted:
            self._close()
            names = " or ".join(each.value for each in self._wanted)
            raise NotFoundError(
                "signer.no-key",
                f"{len(keys)} private EC keys are {place.label!a}, one of {names} is wanted",
            )
        self._key, self._kind = keys[0], found

    def _close(self) -> None:
        session, self._session, self._key = self._session, None, None
        if session is not None:
            try:
                session.close()
            except exceptions.PKCS11Error:
                return  # it was gone already


def _search(label: str) -> dict[pkcs11.Attribute, object]:
    return {
        pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY,
        pkcs11.Attribute.LABEL: label,
    }


def _is_ec(key: Any) -> bool:
    return key.key_type in {pkcs11.KeyType.EC, pkcs11.KeyType.EC_EDWARDS}


def _told(error: exceptions.PKCS11Error, place: TokenPlace) -> InputError | UnavailableError:
    """Return our error for one of the library's."""
    if isinstance(error, _PIN_ERRORS):
        return InputError("signer.pin", f"the token refuses the PIN: {_words(error)}")
    if isinstance(error, exceptions.NoSuchToken | exceptions.MultipleTokensReturned):
        return UnavailableError(
            "signer.no-token", f"not exactly one token is {place.token!a}: {_words(error)}"
        )
    return UnavailableError("signer.unreachable", f"the token does not answer: {_words(error)}")


def _words(error: Exception) -> str:
    return f"{type(error).__name__} {str(error)[:100]}".strip()
