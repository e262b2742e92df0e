"""``vermilion approve``: sign a decision on the current version of a record.

Alone, or together with others: with ``--output`` what somebody signed goes into
a file instead, with ``--statement`` others sign the statement of that file, each
into a file of their own, and with ``--aggregate`` all files become one envelope.
With ``--pkcs11`` or ``--wallet`` a device signs beside the key files, or alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vermilion_api.cli.common import (
    DEFAULT_URL,
    JsonOption,
    KeyOption,
    UrlOption,
    WaitOption,
    load_keys,
    show,
    write_file,
)
from vermilion_api.cli.devices import (
    AddressOption,
    DeviceChoice,
    LabelOption,
    PinOption,
    Pkcs11Option,
    TokenOption,
    WalletOption,
    open_device,
)

if TYPE_CHECKING:
    from vermilion_api.client import Ledger
    from vermilion_api.devices import StatementSigner
    from vermilion_api.keyfiles import KeyFile
    from vermilion_ledger.envelope import Envelope

__all__ = ["approve"]


def approve(  # noqa: PLR0913 - one parameter per option
    record: Annotated[str, typer.Argument(help="Record id.")],
    *,
    key: KeyOption = None,
    step: Annotated[str, typer.Option(help="Step that is decided.")] = "sign-off",
    decision: Annotated[str, typer.Option(help="approved or rejected.")] = "approved",
    event: Annotated[str, typer.Option(help="approve or countersign.")] = "approve",
    sha256: Annotated[
        str, typer.Option("--sha256", help="Version decided on; the current one if left out.")
    ] = "",
    statement: Annotated[
        Path | None, typer.Option(help="File of --output, whose statement is signed as well.")
    ] = None,
    aggregate: Annotated[
        list[Path] | None,
        typer.Option(help="File of --output, to be joined with others; may be repeated."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Write what was signed here, and submit nothing."),
    ] = None,
    pkcs11: Pkcs11Option = None,
    token: TokenOption = "",
    label: LabelOption = "",
    pin: PinOption = None,
    wallet: WalletOption = "",
    address: AddressOption = "",
    url: UrlOption = DEFAULT_URL,
    wait: WaitOption = "published",
    as_json: JsonOption = False,
) -> None:
    """Sign a decision with key files or a device and submit it, or join signatures on one."""
    from vermilion_api.client import Ledger
    from vermilion_api.signing import submit_envelope
    from vermilion_ledger.errors import InputError

    choice = DeviceChoice(
        pkcs11=pkcs11, token=token, label=label, pin=pin, wallet=wallet, address=address
    )
    asked: dict[str, Any] = {"event": event, "detail": {"step": step, "decision": decision}}
    if sha256:
        asked["digest"] = {"sha256": sha256}
    now: list[str] = []
    with Ledger(url) as ledger:
        if aggregate and (key or statement is not None or choice.is_given):
            raise InputError("join.alone", "--aggregate stands without keys and --statement")
        if aggregate:
            signed = _join(ledger, record, asked, aggregate)
        else:
            with _signers_of(ledger, load_keys(key), choice) as everybody:
                signed = _sign(ledger, record, asked, everybody, statement)
                now = [each.owner.id for each in everybody] if statement else []
        who = f"{decision} by {_signers(signed, now)} on {signed.statement.subject.name}"
        if output is not None:
            write_file(output, signed.data)
            show({"file": str(output)}, f"{output}: {who}, not submitted", as_json=as_json)
            return
        answer = submit_envelope(ledger, signed, wait=wait)
    place = f"entry {answer['sequence']} of {record}, index {answer['index']}, {answer['state']}"
    show(answer, f"{who}: {place}", as_json=as_json)


@contextmanager
def _signers_of(
    ledger: Ledger, keys: Sequence[KeyFile], choice: DeviceChoice
) -> Iterator[Sequence[StatementSigner]]:
    """Yield the key files, and the device with the owner that its key signed for."""
    if not choice.is_given:
        yield keys
        return
    from vermilion_api.devices import DeviceKey, find_owner

    with open_device(choice) as device:
        yield [*keys, DeviceKey(device=device, owner=find_owner(ledger, device))]


def _sign(
    ledger: Ledger,
    record: str,
    asked: Mapping[str, Any],
    keys: Sequence[StatementSigner],
    statement: Path | None,
) -> Envelope:
    """Sign a new statement, or the one of a file, about which the ledger is not asked."""
    from vermilion_api.joint import load_part
    from vermilion_api.signing import check_statement, prepare_event, sign_envelope
    from vermilion_ledger.envelope import make_envelope
    from vermilion_ledger.errors import InputError

    if not keys:
        raise InputError("key.none", "no --key, --pkcs11 or --wallet was given")
    if statement is None:
        return sign_envelope(prepare_event(ledger, record, asked, keys), keys)
    part = load_part(statement)
    check_statement(part.statement, record, asked, ())
    return sign_envelope(make_envelope(part.payload, ()), keys)


def _join(ledger: Ledger, record: str, asked: Mapping[str, Any], paths: Sequence[Path]) -> Envelope:
    from vermilion_api.joint import join_parts, load_part
    from vermilion_api.signing import check_statement

    parts = [load_part(path) for path in paths]
    for part in parts:
        check_statement(part.statement, record, asked, ())
    return join_parts(ledger, parts)


def _signers(signed: Envelope, now: Sequence[str]) -> str:
    """Name the actor and count the rest; of somebody else's statement name who signs it now."""
    if now:
        return ", ".join(dict.fromkeys(now))
    others = sum(len(each.keyids) for each in signed.signatures) - 1
    return signed.statement.actor.id + (f" and {others} more" if others else "")
