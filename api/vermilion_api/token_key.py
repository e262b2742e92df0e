"""A person's key in a smart card or another PKCS#11 token.

`TokenSession` lets the token sign; here its answer becomes the bytes of FORMATS
section 4, and is verified before anybody gets it.
"""

from __future__ import annotations

import hashlib

from vermilion_anchor.token_session import KeyKind, TokenPlace, TokenSession
from vermilion_ledger.errors import InputError, SignatureError
from vermilion_ledger.schemes import ecdsa_p256, ed25519, load_scheme
from vermilion_ledger.schemes.message import SignedMessage

__all__ = ["TokenKey"]

_UNCOMPRESSED = 0x04  # SEC1, section 2.3.3


class TokenKey:
    """Implements `vermilion_api.devices.Device` for P-256 and Ed25519."""

    def __init__(self, place: TokenPlace) -> None:
        """Log in, find the key and read its public half.

        Raises:
            InputError: ``signer.module``, ``signer.pin``, ``key.file-readable``, or
                the public half is no key.
            NotFoundError: ``signer.no-key`` or ``key.file-missing``.
            UnavailableError: ``signer.no-token`` or ``signer.unreachable``.
        """
        self._session = TokenSession(place, (KeyKind.P256, KeyKind.ED25519))
        self._is_p256 = self._session.kind is KeyKind.P256
        try:
            point = self._session.read_point()
            self._public = _compress(point) if self._is_p256 else point
            load_scheme(self.scheme).check_public_key(self._public)
        except BaseException:
            self._session.close()
            raise

    @property
    def scheme(self) -> str:
        """``ecdsa-p256`` or ``ed25519``, by the curve of the key."""
        return ecdsa_p256.NAME if self._is_p256 else ed25519.NAME

    @property
    def public(self) -> bytes:
        """Public key bytes of the scheme."""
        return self._public

    def sign(self, message: SignedMessage) -> bytes:
        """Let the token sign a statement.

        Raises:
            SignatureError: ``signer.bad-signature``: what it gave does not verify.
            UnavailableError: ``signer.no-token`` or ``signer.unreachable``.
            InputError: ``signer.pin``.
            NotFoundError: ``signer.no-key``.
        """
        if self._is_p256:
            # CKM_ECDSA signs a digest: few cards hash, and none needs to see more.
            signature = self._session.sign(hashlib.sha256(message.pae).digest())
            s = int.from_bytes(signature[32:], "big")
            if s > ecdsa_p256.ORDER // 2:  # a token gives either, FORMATS takes the lower
                signature = signature[:32] + (ecdsa_p256.ORDER - s % ecdsa_p256.ORDER).to_bytes(
                    32, "big"
                )
        else:
            signature = self._session.sign(message.pae)
        try:
            load_scheme(self.scheme).verify(self._public, message, signature)
        except SignatureError as exc:
            raise SignatureError(
                "signer.bad-signature", f"the token's signature does not hold: {exc.message}"
            ) from exc
        return signature

    def close(self) -> None:
        """Log out."""
        self._session.close()


def _compress(point: bytes) -> bytes:
    """Return the compressed form of a point (SEC1, section 2.3.3)."""
    if len(point) == ecdsa_p256.PUBLIC_KEY_SIZE:
        return point
    if len(point) != 65 or point[0] != _UNCOMPRESSED:
        raise InputError("key.size", f"the token shows a P-256 key of {len(point)} bytes, not 65")
    compressed = bytes([2 + point[-1] % 2]) + point[1:33]
    known = ecdsa_p256.load_public_key(compressed).public_numbers()
    if known.y != int.from_bytes(point[33:], "big"):
        raise InputError("key.off-curve", "the token shows no point of P-256")
    return compressed
