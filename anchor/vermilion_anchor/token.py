"""An anchoring key in a PKCS#11 token: transactions, signed by `TokenSession`.

The token signs the digest and gives ``r ‖ s`` alone; `vermilion_anchor.eip1559`
makes a transaction of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vermilion_anchor.eip1559 import add_signature, signing_digest
from vermilion_anchor.ports import TransactionFields
from vermilion_anchor.token_session import KeyKind, TokenPlace, TokenSession
from vermilion_ledger.errors import SignatureError

__all__ = ["TokenOptions", "TokenSigner"]

_SIGNATURE_SIZE = 64


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
    """Implements `vermilion_anchor.ports.Signer`; for several threads."""

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
        place = TokenPlace(
            module=options.module, token=options.token, label=options.label, pin=options.pin
        )
        self._session = TokenSession(place, (KeyKind.SECP256K1,))

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
        signature = self._session.sign(signing_digest(fields))
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
        self._session.close()
