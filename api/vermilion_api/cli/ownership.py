"""``vermilion anchor publisher add|remove`` and ``vermilion anchor owner transfer|accept``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vermilion_api.cli.common import DEFAULT_HOME, HomeOption, JsonOption, show

if TYPE_CHECKING:
    from vermilion_anchor.ownership import OwnedLog

__all__ = [
    "AddressArgument",
    "ChainOption",
    "ContractOption",
    "KeystoreOption",
    "PasswordOption",
    "accept",
    "add",
    "build_owner",
    "build_publisher",
    "remove",
    "transfer",
]

AddressArgument = Annotated[str, typer.Argument(help="0x address, in lower case.")]
ChainOption = Annotated[
    int, typer.Option("--chain", help="Chain id; needed where the settings have several.")
]
ContractOption = Annotated[
    str, typer.Option("--contract", help="0x address; needed where a chain has several.")
]
KeystoreOption = Annotated[
    Path | None, typer.Option("--keystore", help="V3 keystore that signs, not the anchoring key.")
]
PasswordOption = Annotated[
    Path | None, typer.Option("--password-file", help="Password of that keystore.")
]


def build_publisher() -> typer.Typer:
    """Return the group ``publisher``."""
    app = typer.Typer(help="Who may anchor this log.", no_args_is_help=True)
    app.command("add")(add)
    app.command("remove")(remove)
    return app


def build_owner() -> typer.Typer:
    """Return the group ``owner``."""
    app = typer.Typer(help="Who owns this log in the contract.", no_args_is_help=True)
    app.command("transfer")(transfer)
    app.command("accept")(accept)
    return app


def add(
    address: AddressArgument,
    *,
    home: HomeOption = DEFAULT_HOME,
    chain: ChainOption = 0,
    contract: ContractOption = "",
    keystore: KeystoreOption = None,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let an account anchor this log as well.

    To replace a publisher, add the new one and then remove the old. Signed by the
    log's owner: the anchoring key, unless the log was handed over.
    """
    log = _open(home, chain, contract, keystore, password_file)
    _set_publisher(log, address, is_allowed=True, as_json=as_json)


def remove(
    address: AddressArgument,
    *,
    home: HomeOption = DEFAULT_HOME,
    chain: ChainOption = 0,
    contract: ContractOption = "",
    keystore: KeystoreOption = None,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let an account anchor this log no more. What it anchored stays. Signed by the owner."""
    log = _open(home, chain, contract, keystore, password_file)
    _set_publisher(log, address, is_allowed=False, as_json=as_json)


def transfer(
    address: AddressArgument,
    *,
    home: HomeOption = DEFAULT_HOME,
    chain: ChainOption = 0,
    contract: ContractOption = "",
    keystore: KeystoreOption = None,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Nominate a new owner of this log, who has to accept; the zero address withdraws it.

    Signed by the owner, who remains owner until then.
    """
    log = _open(home, chain, contract, keystore, password_file)
    successor = _address(address)
    log.transfer(successor)
    show(
        {"log": "0x" + log.log.hex(), "successor": address},
        f"{address} may accept log 0x{log.log.hex()}"
        if any(successor)
        else f"nobody is nominated for log 0x{log.log.hex()}",
        as_json=as_json,
    )


def accept(
    *,
    home: HomeOption = DEFAULT_HOME,
    chain: ChainOption = 0,
    contract: ContractOption = "",
    keystore: KeystoreOption = None,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take this log over, signed by the nominated successor. Its publishers stay as they are."""
    log = _open(home, chain, contract, keystore, password_file)
    log.accept()
    owner = "0x" + log.signer.address.hex()
    show(
        {"log": "0x" + log.log.hex(), "owner": owner},
        f"{owner} owns log 0x{log.log.hex()}",
        as_json=as_json,
    )


def _open(
    home: Path, chain: int, contract: str, keystore: Path | None, password: Path | None
) -> OwnedLog:
    from vermilion_api.deploying import open_owned_log

    return open_owned_log(home, chain, contract, keystore=keystore, password=password)


def _set_publisher(log: OwnedLog, address: str, *, is_allowed: bool, as_json: bool) -> None:
    log.set_publisher(_address(address), is_allowed=is_allowed)
    show(
        {"log": "0x" + log.log.hex(), "publisher": address, "allowed": is_allowed},
        f"{address} {'may' if is_allowed else 'may not'} anchor log 0x{log.log.hex()}",
        as_json=as_json,
    )


def _address(text: str) -> bytes:
    from vermilion_ledger.encoding import parse_wire_hex

    return parse_wire_hex(text, size=20, what="address")
