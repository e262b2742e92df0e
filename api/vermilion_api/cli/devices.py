"""Options of the commands that sign with a device, and the device that they name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vermilion_ledger.errors import InputError, UnavailableError

if TYPE_CHECKING:
    from vermilion_api.devices import Device, StatementSigner

__all__ = [
    "AddressOption",
    "CertificateOption",
    "CrlOption",
    "DeviceChoice",
    "LabelOption",
    "OwnerOption",
    "PinOption",
    "Pkcs11Option",
    "TokenOption",
    "WalletOption",
    "describe_certificates",
    "fresh_key",
    "open_device",
    "split_actor",
]

Pkcs11Option = Annotated[
    Path | None, typer.Option("--pkcs11", help="PKCS#11 library of a token that signs.")
]
TokenOption = Annotated[str, typer.Option("--token", help="Label of the token.")]
LabelOption = Annotated[str, typer.Option("--label", help="Label of the key in the token.")]
PinOption = Annotated[
    Path | None, typer.Option("--pin", help="File with the token's PIN, for its owner alone.")
]
WalletOption = Annotated[
    str, typer.Option("--wallet", help="JSON-RPC address of a wallet that signs.")
]
AddressOption = Annotated[
    str, typer.Option("--address", help="Account of the wallet, where it has several.")
]

OwnerOption = Annotated[
    str, typer.Option("--owner", help="id,name,post,unit of the owner of a device's key.")
]
CertificateOption = Annotated[
    list[Path] | None,
    typer.Option(help="File of certificates about the key, leaf first; may be repeated."),
]
CrlOption = Annotated[
    list[Path] | None,
    typer.Option(help="Revocation list or OCSP response kept with them; may be repeated."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChoice:
    """What a command's options say about a device; all empty for none."""

    pkcs11: Path | None = None
    token: str = ""
    label: str = ""
    pin: Path | None = None
    wallet: str = ""
    address: str = ""

    @property
    def is_given(self) -> bool:
        """Whether a device is to sign."""
        return self != DeviceChoice()


@contextmanager
def open_device(choice: DeviceChoice) -> Iterator[Device]:
    """Open the device that the options name, until the end of the block.

    Raises:
        InputError: ``device.options``: they do not name one device whole.
        UnavailableError: ``signer.not-installed``.
        EvidenceError: As `TokenKey` and `Wallet`.
    """
    device = _open_token(choice) if choice.pkcs11 is not None else _open_wallet(choice)
    try:
        yield device
    finally:
        device.close()


@contextmanager
def fresh_key(
    key: Path | None, choice: DeviceChoice, owner: str
) -> Iterator[StatementSigner | None]:
    """Yield the key that is to be registered: of a file, or of a device with its owner.

    Args:
        key: Key file.
        choice: A device; without both there is no key.
        owner: ``id,name,post,unit`` of a device's owner.

    Raises:
        InputError: ``device.options``: both, or an owner too many or too few.
        EvidenceError: As `load_key_file` and `open_device`.
    """
    from vermilion_api.devices import DeviceKey
    from vermilion_api.keyfiles import load_key_file
    from vermilion_ledger.actor import parse_actor

    if key is not None and choice.is_given:
        raise InputError("device.options", "give --key, or --pkcs11, or --wallet")
    if bool(owner) != choice.is_given:
        raise InputError("device.options", "--owner says whose a device's key is, and no other's")
    if not choice.is_given:
        yield load_key_file(key) if key is not None else None
        return
    with open_device(choice) as device:
        yield DeviceKey(device=device, owner=parse_actor(split_actor(owner), what="owner"))


def split_actor(text: str) -> dict[str, str]:
    """Return the members of ``id,name,post,unit``; those at the end may be left out."""
    return dict(zip(("id", "name", "post", "unit"), (*text.split(","), "", "", ""), strict=False))


def describe_certificates(
    key: StatementSigner, chain: Sequence[Path] | None, revocations: Sequence[Path] | None
) -> dict[str, Any]:
    """Return the members of a registration that certificates add, if there are any.

    Raises:
        EvidenceError: As `vermilion_api.certificate_files.describe_certificates`.
    """
    if not chain and not revocations:
        return {}
    from vermilion_api import certificate_files

    return certificate_files.describe_certificates(key.public, chain or (), revocations or ())


def _open_token(choice: DeviceChoice) -> Device:
    if choice.wallet or choice.address:
        raise InputError("device.options", "--pkcs11 and --wallet are two devices")
    if choice.pkcs11 is None or choice.pin is None or not choice.token or not choice.label:
        raise InputError("device.options", "--pkcs11 needs --token, --label and --pin")
    if find_spec("pkcs11") is None:
        raise UnavailableError("signer.not-installed", "this installation has no python-pkcs11")
    from vermilion_anchor.token_session import TokenPlace
    from vermilion_api.token_key import TokenKey

    return TokenKey(
        TokenPlace(module=choice.pkcs11, token=choice.token, label=choice.label, pin=choice.pin)
    )


def _open_wallet(choice: DeviceChoice) -> Device:
    if not choice.wallet or choice.token or choice.label or choice.pin is not None:
        raise InputError("device.options", "--token, --label and --pin go with --pkcs11")
    from vermilion_api.wallet import Wallet

    return Wallet(choice.wallet, address=choice.address)
