"""A person's key in a wallet: ``eth_signTypedData_v4`` over JSON-RPC.

The wallet is sent the typed data of FORMATS section 4 and nothing else, made here
from the statement's own bytes: what it shows is what it signs. Its answer is
believed in nothing: the signature must be that of the account it was asked for.
"""

from __future__ import annotations

from typing import Any

from vermilion_anchor.signer_door import SignerDoor, SignerEndpoint
from vermilion_ledger.encoding import parse_wire_hex
from vermilion_ledger.errors import (
    InputError,
    NotFoundError,
    SignatureError,
    UnavailableError,
)
from vermilion_ledger.schemes import secp256k1
from vermilion_ledger.schemes.message import SignedMessage

__all__ = ["Wallet"]

_TIMEOUT_SECONDS = 180.0  # a person reads what the wallet shows
_ACCOUNT_COUNT_MAX = 1000


class Wallet:
    """Implements `vermilion_api.devices.Device` for one account of a wallet."""

    def __init__(
        self, url: str, *, address: str = "", timeout_seconds: float = _TIMEOUT_SECONDS
    ) -> None:
        """Ask for the wallet's accounts and choose one.

        Args:
            url: ``https://…``, or ``http://`` on this machine.
            address: The account, where the wallet has several.
            timeout_seconds: For each answer.

        Raises:
            InputError: ``signer.url``, or the address is malformed.
            NotFoundError: ``wallet.no-account``: it has not got that account, or
                several and none was named.
            UnavailableError: ``signer.unreachable``, ``signer.refused`` or
                ``signer.bad-answer``.
        """
        self._door = SignerDoor(SignerEndpoint(url=url, timeout_seconds=timeout_seconds))
        wanted = parse_wire_hex(address.lower(), size=20, what="address") if address else None
        self._public = _choose(self._accounts(), wanted)

    @property
    def scheme(self) -> str:
        """``secp256k1-eip712``."""
        return secp256k1.NAME

    @property
    def public(self) -> bytes:
        """The account's 20-byte address."""
        return self._public

    def sign(self, message: SignedMessage) -> bytes:
        """Let the wallet show the statement's fields and sign them.

        Raises:
            InputError: ``statement.seen-missing``: the statement names no chain.
            SignatureError: ``signer.bad-signature``: not the signature of this
                account over these fields, or not in the form of FORMATS.
            UnavailableError: ``wallet.other-chain``: it is on another chain than
                the statement; ``signer.unreachable``, ``signer.refused`` or
                ``signer.bad-answer``.
        """
        shown = secp256k1.typed_data(message)
        seen = message.statement.seen
        assert seen is not None  # noqa: S101 - `typed_data` refuses such a statement
        self._check_chain(seen.chain_id)
        account = "0x" + self._public.hex()
        signature = _read_hex(self._door.ask("eth_signTypedData_v4", [account, shown]), "signature")
        try:
            secp256k1.verify(self._public, message, signature)
        except SignatureError as exc:
            raise SignatureError(
                "signer.bad-signature", f"the wallet's signature does not hold: {exc.message}"
            ) from exc
        return signature

    def close(self) -> None:
        """Do nothing: there is a connection per question."""

    def _accounts(self) -> tuple[bytes, ...]:
        found = self._door.ask("eth_accounts", [])
        if not isinstance(found, list) or len(found) > _ACCOUNT_COUNT_MAX:
            raise UnavailableError("signer.bad-answer", "the wallet gave no list of accounts")
        accounts = tuple(_read_hex(each, "account") for each in found)
        if any(len(each) != secp256k1.PUBLIC_KEY_SIZE for each in accounts):
            raise UnavailableError("signer.bad-answer", "the wallet gave no accounts")
        return accounts

    def _check_chain(self, wanted: int) -> None:
        """Ask where the wallet is: one that is elsewhere refuses with words of its own."""
        found = self._door.ask("eth_chainId", [])
        if not isinstance(found, str) or not found.startswith("0x") or len(found) > 18:
            raise UnavailableError("signer.bad-answer", "the wallet gave no chain id")
        try:
            chain_id = int(found, 16)
        except ValueError as exc:
            raise UnavailableError("signer.bad-answer", "the wallet gave no chain id") from exc
        if chain_id != wanted:
            raise UnavailableError(
                "wallet.other-chain", f"the wallet is on chain {chain_id}, not on {wanted}"
            )


def _choose(accounts: tuple[bytes, ...], wanted: bytes | None) -> bytes:
    if wanted is not None:
        if wanted not in accounts:
            raise NotFoundError("wallet.no-account", f"the wallet has no 0x{wanted.hex()}")
        return wanted
    if len(accounts) != 1:
        raise NotFoundError(
            "wallet.no-account", f"the wallet has {len(accounts)} accounts, and none was named"
        )
    return accounts[0]


def _read_hex(value: Any, what: str) -> bytes:
    if not isinstance(value, str):
        raise UnavailableError("signer.bad-answer", f"the wallet gave no {what}")
    try:
        return parse_wire_hex(value.lower(), what=what, size_max=256)
    except InputError as exc:
        raise UnavailableError(
            "signer.bad-answer", f"the wallet's {what} is no hex: {exc.message}"
        ) from exc
