"""The anchoring key as the settings say: a keystore, a remote signer, or a token.

One signer serves all chains of a process. web3 and python-pkcs11 are imported
where they are used only.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vermilion_api.home import Home
from vermilion_api.settings import Settings
from vermilion_ledger.errors import InputError

if TYPE_CHECKING:
    from vermilion_anchor.ports import Signer
    from vermilion_api.signer_settings import SignerSettings

__all__ = ["load_anchor_address", "open_anchor_signer"]


def open_anchor_signer(home: Home, settings: Settings) -> Signer:
    """Return the signer of this ledger's anchors; a remote one is not asked yet.

    Raises:
        InputError: ``signer.other-key``: the keystore holds another key than the
            settings name; ``signer.not-installed``; the file of a key, password
            or PIN does not do, or the PIN is wrong.
        NotFoundError: ``key.file-missing`` or ``signer.no-key``.
        UnavailableError: The token is out of reach.
    """
    chosen = settings.signer
    if chosen.kind == "remote":
        return _open_remote(home.path, chosen)
    if chosen.kind == "pkcs11":
        return _open_token(home.path, chosen)
    from vermilion_anchor.keys import load_signer

    signer = load_signer(home.keystore, home.password)
    if chosen.address and signer.address != _address_of(chosen):
        raise InputError(
            "signer.other-key",
            f"the keystore is of 0x{signer.address.hex()}, the settings say {chosen.address}",
        )
    return signer


def load_anchor_address(home: Home, settings: Settings) -> bytes:
    """Return the address that pays for anchors, without any secret.

    Raises:
        NotFoundError: ``key.file-missing``.
        InputError: ``key.file-malformed`` or ``key.file-readable``.
    """
    if settings.signer.address:
        return _address_of(settings.signer)
    from vermilion_anchor.keys import load_address

    return load_address(home.keystore)


def _open_remote(home: Path, chosen: SignerSettings) -> Signer:
    from vermilion_anchor.remote import RemoteOptions, RemoteSigner

    return RemoteSigner(
        RemoteOptions(
            url=chosen.url,
            address=_address_of(chosen),
            timeout_seconds=chosen.timeout_seconds,
            authority=home / chosen.authority if chosen.authority else None,
            certificate=home / chosen.certificate if chosen.certificate else None,
            key=home / chosen.key if chosen.key else None,
        )
    )


def _open_token(home: Path, chosen: SignerSettings) -> Signer:
    try:
        # Here, so that a ledger without a token needs no python-pkcs11.
        from vermilion_anchor.token import TokenOptions, TokenSigner
    except ModuleNotFoundError as exc:
        raise InputError("signer.not-installed", f"{exc.name} is not installed") from exc
    return TokenSigner(
        TokenOptions(
            module=home / chosen.module,
            token=chosen.token,
            label=chosen.label,
            pin=home / chosen.pin,
            address=_address_of(chosen),
        )
    )


def _address_of(chosen: SignerSettings) -> bytes:
    return bytes.fromhex(chosen.address[2:])
