"""``vermilion approve``: sign a decision on the current version of a record."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from vermilion_api.cli.common import (
    DEFAULT_URL,
    JsonOption,
    KeyOption,
    UrlOption,
    WaitOption,
    load_keys,
    show,
)

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
    url: UrlOption = DEFAULT_URL,
    wait: WaitOption = "published",
    as_json: JsonOption = False,
) -> None:
    """Sign a decision with one or more key files and submit it."""
    from vermilion_api.client import Ledger
    from vermilion_api.signing import submit_event
    from vermilion_ledger.errors import InputError

    keys = load_keys(key)
    if not keys:
        raise InputError("key.none", "no --key was given")
    asked: dict[str, Any] = {"event": event, "detail": {"step": step, "decision": decision}}
    if sha256:
        asked["digest"] = {"sha256": sha256}
    with Ledger(url) as ledger:
        answer = submit_event(ledger, record, asked, keys, wait=wait)
    who = ", ".join(each.owner.id for each in keys)
    show(
        answer,
        f"{decision} by {who}: entry {answer['sequence']} of {record},"
        f" index {answer['index']}, {answer['state']}",
        as_json=as_json,
    )
