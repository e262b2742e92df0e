"""``vermilion event``: any other event of a record, signed or not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from vermilion_api.cli.common import (
    DEFAULT_URL,
    JsonOption,
    KeyOption,
    UrlOption,
    WaitOption,
    load_keys,
    read_detail,
    show,
)

__all__ = ["event"]


def event(  # noqa: PLR0913 - one parameter per option
    record: Annotated[str, typer.Argument(help="Record id, or `keys`, or `policies`.")],
    name: Annotated[str, typer.Argument(help="Event word, such as seal, version, adopt.")],
    *,
    key: KeyOption = None,
    detail: Annotated[str, typer.Option(help="JSON object, or @FILE.")] = "{}",
    file: Annotated[
        Path | None, typer.Option(help="The document version; hashed here, never sent.")
    ] = None,
    actor: Annotated[str, typer.Option(help="id,name,post,unit where nobody signs.")] = "",
    to: Annotated[
        list[str] | None,
        typer.Option(help="dispatch: name of a recipient, never sent; may be repeated."),
    ] = None,
    recipients: Annotated[
        Path | None,
        typer.Option(help="File with the names behind --to; by default RECORD.recipients."),
    ] = None,
    of: Annotated[
        int | None, typer.Option(help="receive, handle, urge, supervise: the entry answered.")
    ] = None,
    copy: Annotated[
        str, typer.Option(help="receive: name of the recipient, or its commitment.")
    ] = "",
    owner: Annotated[str, typer.Option(help="handle, supervise: who has to see to it.")] = "",
    due: Annotated[
        str, typer.Option(help="dispatch, handle, supervise: until YYYY-MM-DDTHH:MM:SSZ.")
    ] = "",
    outcome: Annotated[
        str, typer.Option(help="handle, supervise, fixity: done, replied, returned; pass, fail.")
    ] = "",
    source: Annotated[
        str, typer.Option("--from", help="convert: the file that was converted, or its SHA-256.")
    ] = "",
    how: Annotated[str, typer.Option(help="access: view, download, print or copy.")] = "",
    url: UrlOption = DEFAULT_URL,
    wait: WaitOption = "published",
    as_json: JsonOption = False,
) -> None:
    """Submit an event; `adopt` and `withdraw` on `policies` take a detail with rules."""
    from vermilion_api.cli.event_details import DetailOptions, fill_detail
    from vermilion_api.client import Ledger
    from vermilion_api.signing import submit_event
    from vermilion_ledger.digest import digest_file

    keys = load_keys(key)
    options = DetailOptions(
        to=to or (),
        recipients=recipients,
        of=of,
        copy=copy,
        source=source,
        texts={"owner": owner, "due": due, "outcome": outcome, "how": how},
    )
    asked: dict[str, Any] = {"event": name, "detail": read_detail(detail)}
    if file is not None:
        asked["name"] = file.name
        asked["digest"] = {"sha256": digest_file(file).sha256.hex()}
    if actor:
        members = (*actor.split(","), "", "", "")[:4]
        asked["actor"] = dict(zip(("id", "name", "post", "unit"), members, strict=True))
    with Ledger(url) as ledger:
        asked["detail"] = fill_detail(ledger, record, name, asked["detail"], options)
        answer = submit_event(ledger, ledger.record_id(record), asked, keys, wait=wait)
    show(
        answer,
        f"{name}: entry {answer['sequence']} of {answer['record']},"
        f" index {answer['index']}, {answer['state']}" + _name_policy(asked["detail"]),
        as_json=as_json,
    )


def _name_policy(detail: dict[str, Any]) -> str:
    """Return the name by which records call the policy, for events about one."""
    if "rules" not in detail:
        return ""
    from vermilion_ledger.rules import hash_rules, parse_rules

    return f"\nthe policy is {hash_rules(parse_rules(detail['rules'])).hex()}"
