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
from vermilion_api.cli.event_details import (
    CopyOption,
    DetailOptions,
    DueOption,
    FromOption,
    HowOption,
    OfOption,
    OutcomeOption,
    OwnerOption,
    RecipientsOption,
    ToOption,
    fill_detail,
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
    to: ToOption = None,
    recipients: RecipientsOption = None,
    of: OfOption = None,
    copy: CopyOption = "",
    owner: OwnerOption = "",
    due: DueOption = "",
    outcome: OutcomeOption = "",
    source: FromOption = "",
    how: HowOption = "",
    url: UrlOption = DEFAULT_URL,
    wait: WaitOption = "published",
    as_json: JsonOption = False,
) -> None:
    """Submit an event; `adopt` and `withdraw` on `policies` take a detail with rules."""
    from vermilion_api.client import Ledger
    from vermilion_api.signing import submit_event
    from vermilion_ledger.digest import digest_file
    from vermilion_ledger.grades import check_name

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
        check_name(file.name)
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
