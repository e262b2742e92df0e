"""A key in a PKCS#11 token: a hardware security module, a smart card, SoftHSM.

The token signs the digest with ``CKM_ECDSA`` and gives ``r ‖ s`` alone
(PKCS #11 v2.40, section 2.3.1); `vermilion_anchor.eip1559` makes a transaction
of it. The only module that imports python-pkcs11.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import pkcs11
from pkcs11 import exceptions

from vermilion_anchor.eip1559 import add_signature, signing_digest
from vermilion_anchor.ports import TransactionFields
from vermilion_ledger.errors import InputError, NotFoundError, SignatureError, UnavailableError
from vermilion_ledger.private_files import read_private_file

__all__ = ["TokenOptions", "TokenSigner"]

_SECP256K1 = bytes.fromhex("06052b8104000a")  # DER of its object identifier, 1.3.132.0.10
_SIGNATURE_SIZE = 64
_PIN_ERRORS = (
    exceptions.PinExpired,
    exceptions.PinIncorrect,
    exceptions.PinInvalid,
    exceptions.PinLenRange,
    exceptions.PinLocked,
    exceptions.UserPinNotInitialized,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenOptions:
    """Where a key is.

    Attributes:
        module: The PKCS#11 library of the token's maker.
        token: Label of the token.
        label: Label of the private key.
        pin: File with the user's PIN, for the owner alone.
        address: 20-byte address of the key.
    """

    module: Path
    token: str
    label: str
    pin: Path
    address: bytes


class TokenSigner:
    """Implements `vermilion_anchor.ports.Signer`; one per process and token, for several threads.

    The session is opened at once, so that a wrong PIN is told at the start, and
    anew after a failure. A PIN that was refused is never tried again: tokens
    lock themselves after a few.
    """

    def __init__(self, options: TokenOptions) -> None:
        """Log in and find the key.

        Raises:
            InputError: ``signer.module``: the library cannot be loaded;
                ``signer.pin``: the PIN is refused; ``key.file-readable``: others may
                read it.
            NotFoundError: ``signer.no-key``: there is not exactly one such key on
                this curve; ``key.file-missing``: there is no PIN file.
            UnavailableError: ``signer.no-token`` or ``signer.unreachable``.
        """
        self._options = options
        self._lock = Lock()
        self._session: Any = None
        self._key: Any = None
        try:
            self._library = pkcs11.lib(str(options.module))
        except (RuntimeError, OSError) as exc:  # PKCS11Error is a RuntimeError
            raise InputError(
                "signer.module", f"{options.module.name} is no PKCS#11 library: {_words(exc)}"
            ) from exc
        self._open()

    @property
    def address(self) -> bytes:
        """The 20-byte address that the key shall have."""
        return self._options.address

    def sign(self, fields: TransactionFields) -> bytes:
        """Return the signed EIP-2718 bytes of a transaction.

        Raises:
            UnavailableError: ``signer.no-token`` or ``signer.unreachable``.
            SignatureError: ``signer.bad-signature``; ``signer.other-key``: the
                key has another address than it should.
            InputError: ``signer.pin``, as at the start.
            NotFoundError: ``signer.no-key``.
        """
        with self._lock:
            if self._key is None:
                self._open()
            try:
                signature = self._key.sign(signing_digest(fields), mechanism=pkcs11.Mechanism.ECDSA)
            except exceptions.PKCS11Error as exc:
                self._close()
                raise UnavailableError(
                    "signer.unreachable", f"the token does not sign: {_words(exc)}"
                ) from exc
        if len(signature) != _SIGNATURE_SIZE:
            raise SignatureError(
                "signer.bad-signature", f"the token gave {len(signature)} bytes, not 64"
            )
        return add_signature(
            fields,
            r=int.from_bytes(signature[:32], "big"),
            s=int.from_bytes(signature[32:], "big"),
            address=self.address,
        )

    def close(self) -> None:
        """Log out; the next signature logs in again."""
        with self._lock:
            self._close()

    def _open(self) -> None:
        """Log in and find the key; after a failure nothing is open."""
        options = self._options
        pin = read_private_file(options.pin).decode("utf-8", "replace").strip()
        if not pin:
            raise InputError("signer.pin", f"{options.pin.name} is empty")
        try:
            token = self._library.get_token(token_label=options.token)
            self._session = token.open(user_pin=pin)
            # All of them: a search that is broken off keeps the session busy.
            keys = list(self._session.get_objects(_search(options.label)))
            curves = [bytes(key[pkcs11.Attribute.EC_PARAMS]) for key in keys]
        except exceptions.PKCS11Error as exc:
            self._close()
            raise _told(exc, options) from exc
        if curves != [_SECP256K1]:
            self._close()
            raise NotFoundError(
                "signer.no-key",
                f"{len(keys)} private EC keys are {options.label!a}, one of secp256k1 is wanted",
            )
        self._key = keys[0]

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
        pkcs11.Attribute.KEY_TYPE: pkcs11.KeyType.EC,
        pkcs11.Attribute.LABEL: label,
    }


def _told(error: exceptions.PKCS11Error, options: TokenOptions) -> InputError | UnavailableError:
    """Return our error for one of the library's."""
    if isinstance(error, _PIN_ERRORS):
        return InputError("signer.pin", f"the token refuses the PIN: {_words(error)}")
    if isinstance(error, exceptions.NoSuchToken | exceptions.MultipleTokensReturned):
        return UnavailableError(
            "signer.no-token", f"not exactly one token is {options.token!a}: {_words(error)}"
        )
    return UnavailableError("signer.unreachable", f"the token does not answer: {_words(error)}")


def _words(error: Exception) -> str:
    return f"{type(error).__name__} {str(error)[:100]}".strip()
