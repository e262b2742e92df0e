"""``vermilion approve``: sign a decision on the current version of a record.

Alone, or together with others: with ``--output`` what somebody signed goes into
a file instead, with ``--statement`` others sign the statement of that file, each
into a file of their own, and with ``--aggregate`` all files become one envelope.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

if TYPE_CHECKING:
    from vermilion_api.client import Ledger
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
    url: UrlOption = DEFAULT_URL,
    wait: WaitOption = "published",
    as_json: JsonOption = False,
) -> None:
    """Sign a decision with one or more key files and submit it, or join signatures on one."""
    from vermilion_api.client import Ledger
    from vermilion_api.signing import submit_envelope
    from vermilion_ledger.errors import InputError

    keys = load_keys(key)
    asked: dict[str, Any] = {"event": event, "detail": {"step": step, "decision": decision}}
    if sha256:
        asked["digest"] = {"sha256": sha256}
    with Ledger(url) as ledger:
        if aggregate:
            if keys or statement is not None:
                raise InputError("join.alone", "--aggregate stands without --key and --statement")
            signed = _join(ledger, record, asked, aggregate)
        else:
            signed = _sign(ledger, record, asked, keys, statement)
        who = f"{decision} by {_signers(signed)} on {signed.statement.subject.name}"
        if output is not None:
            write_file(output, signed.data)
            show({"file": str(output)}, f"{output}: {who}, not submitted", as_json=as_json)
            return
        answer = submit_envelope(ledger, signed, wait=wait)
    show(
        answer,
        f"{who}: entry {answer['sequence']} of {record},"
        f" index {answer['index']}, {answer['state']}",
        as_json=as_json,
    )


def _sign(
    ledger: Ledger,
    record: str,
    asked: Mapping[str, Any],
    keys: Sequence[KeyFile],
    statement: Path | None,
) -> Envelope:
    """Sign a new statement, or the one of a file; that asks the ledger nothing."""
    from vermilion_api.joint import load_part
    from vermilion_api.signing import check_statement, prepare_event, sign_envelope
    from vermilion_ledger.envelope import make_envelope
    from vermilion_ledger.errors import InputError

    if not keys:
        raise InputError("key.none", "no --key was given")
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


def _signers(signed: Envelope) -> str:
    others = sum(len(each.keyids) for each in signed.signatures) - 1
    return signed.statement.actor.id + (f" and {others} more" if others else "")
