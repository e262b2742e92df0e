"""Details that a clerk need not write as JSON: the options of ``vermilion event``.

Each option is a member of `docs/formats/events.md`. Names of recipients become
commitments; what opens them is on the disk before the event is sent.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vermilion_ledger.errors import InputError, NotFoundError
from vermilion_ledger.event_details import members_of

if TYPE_CHECKING:
    from vermilion_api.client import Ledger
    from vermilion_ledger.recipients import Recipient

__all__ = [
    "CopyOption",
    "DetailOptions",
    "DueOption",
    "FromOption",
    "HowOption",
    "OfOption",
    "OutcomeOption",
    "OwnerOption",
    "RecipientsOption",
    "ToOption",
    "fill_detail",
]

ToOption = Annotated[
    list[str] | None,
    typer.Option(help="dispatch: name of a recipient, never sent; may be repeated."),
]
RecipientsOption = Annotated[
    Path | None,
    typer.Option(help="File with the names behind --to; by default RECORD.recipients."),
]
OfOption = Annotated[
    int | None, typer.Option(help="receive, handle, urge, supervise: the entry answered.")
]
CopyOption = Annotated[str, typer.Option(help="receive: name of the recipient, or its commitment.")]
OwnerOption = Annotated[str, typer.Option(help="handle, supervise: who has to see to it.")]
DueOption = Annotated[
    str, typer.Option(help="dispatch, handle, supervise: until YYYY-MM-DDTHH:MM:SSZ.")
]
OutcomeOption = Annotated[
    str, typer.Option(help="handle, supervise, fixity: done, replied, returned; pass, fail.")
]
FromOption = Annotated[
    str, typer.Option("--from", help="convert: the file that was converted, or its SHA-256.")
]
HowOption = Annotated[str, typer.Option(help="access: view, download, print or copy.")]

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_FILE_SIZE_MAX = 16 * 1024 * 1024 + 1  # bytes; `parse_recipients` refuses as much


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailOptions:
    """What was given on the command line; empty where an option was left out.

    Attributes:
        to: Names of recipients.
        recipients: File with the lines that open their commitments.
        of: Sequence of the entry that is answered.
        copy: The commitment that is received, or the name that it stands for.
        source: The file that was converted, or its SHA-256.
        texts: Further members, as they are.
    """

    to: Sequence[str]
    recipients: Path | None
    of: int | None
    copy: str
    source: str
    texts: Mapping[str, str]


def fill_detail(
    ledger: Ledger, record: str, event: str, detail: Mapping[str, Any], options: DetailOptions
) -> dict[str, Any]:
    """Return the detail with the members that options stand for.

    Raises:
        InputError: ``detail.option``: the event has no such member;
            ``detail.twice``: it is in the detail as well.
        NotFoundError: There is no such entry, file or recipient.
    """
    filled: dict[str, Any] = {name: text for name, text in options.texts.items() if text}
    answered: Mapping[str, Any] = {}
    if options.of is not None:
        answered = _find_entry(ledger, record, options.of)
        filled["of"] = {"sequence": options.of, "envelope": answered["envelope"]}
    file = options.recipients or Path(f"{record}.recipients")
    if options.copy:
        filled["copy"] = _find_copy(options.copy, answered, file)
    if options.source:
        filled["from"] = _hash_source(options.source)
    if options.to:
        filled["to"] = []
    _check_members(event, detail, filled)
    if options.to:
        filled["to"] = _commit(options.to, file)
    return {**detail, **filled}


def _check_members(event: str, detail: Mapping[str, Any], filled: Mapping[str, Any]) -> None:
    """Refuse options that do not belong to an event, before anything is written."""
    known = {member.name for member in members_of(event)}
    for name in filled:
        if name not in known:
            raise InputError("detail.option", f"{event} has no {name}")
        if name in detail:
            raise InputError("detail.twice", f"{name} stands in --detail, and an option gives it")


def _find_entry(ledger: Ledger, record: str, sequence: int) -> Mapping[str, Any]:
    for entry in ledger.get(f"/v1/records/{record}")["entries"]:
        if entry["sequence"] == sequence:
            found: Mapping[str, Any] = entry
            return found
    raise NotFoundError("record.no-such-entry", f"{record} has no entry {sequence}")


def _find_copy(copy: str, dispatch: Mapping[str, Any], file: Path) -> str:
    """Return the commitment that stands for a name in the answered dispatch."""
    from vermilion_ledger.recipients import parse_recipients

    if _DIGEST.match(copy):
        return copy
    copies = dispatch.get("detail", {}).get("to", ())
    for recipient in parse_recipients(_read(file)):
        if recipient.name == copy and recipient.commitment.hex() in copies:
            return recipient.commitment.hex()
    raise NotFoundError("recipient.none", f"{file} opens no copy of this dispatch for {copy!a}")


def _hash_source(source: str) -> str:
    from vermilion_ledger.digest import digest_file

    return source if _DIGEST.match(source) else digest_file(Path(source)).sha256.hex()


def _commit(names: Sequence[str], file: Path) -> list[str]:
    """Draw a salt for each name, keep what opens them, and return the commitments."""
    from vermilion_ledger.recipients import Recipient

    recipients = [Recipient(name=name, salt=secrets.token_bytes(32)) for name in names]
    _append(file, recipients)
    # Sorted, so that their order does not tell who came first.
    return sorted(recipient.commitment.hex() for recipient in recipients)


def _append(file: Path, recipients: Sequence[Recipient]) -> None:
    """Add lines to a file that only its owner may read; they are durable on return."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(file, flags, 0o600), "ab") as stream:
            stream.write(b"".join(recipient.encode_line() for recipient in recipients))
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as exc:
        raise NotFoundError("output.unwritable", f"{file}: {exc.strerror}") from exc


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(_FILE_SIZE_MAX)
    except OSError as exc:
        raise NotFoundError("input.missing", f"{file}: {exc.strerror}") from exc
