"""``vermilion dispose``: sign that records may be destroyed."""

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
    read_records,
    say,
    show,
)

__all__ = ["dispose"]

_SOME_FAILED = 7


def dispose(
    record: Annotated[list[str] | None, typer.Argument(help="Record ids.")] = None,
    *,
    key: KeyOption = None,
    reason: Annotated[str, typer.Option(help="The ground, such as a retention rule.")],
    listed: Annotated[
        Path | None, typer.Option("--list", help="File with a record id a line.")
    ] = None,
    url: UrlOption = DEFAULT_URL,
    wait: WaitOption = "published",
    as_json: JsonOption = False,
) -> None:
    """Sign and submit the disposal of records, by an owner or an officer; nothing is deleted yet.

    Once it is final, `vermilion erase` destroys them. Any later event of a record holds it up.
    """
    from vermilion_api.client import Ledger
    from vermilion_api.signing import submit_event
    from vermilion_ledger.errors import EvidenceError, InputError

    keys = load_keys(key)
    if not keys:
        raise InputError("key.none", "no --key was given")
    records = read_records(record, listed)
    asked: dict[str, Any] = {"event": "dispose", "detail": {"reason": reason}}
    failed = 0
    with Ledger(url) as ledger:
        for each in records:
            try:
                answer = submit_event(ledger, each, asked, keys, wait=wait)
            except EvidenceError as exc:
                if len(records) == 1:
                    raise
                failed += 1
                say(f"{each}: {exc.code}: {exc.message}")
                continue
            text = f"dispose: entry {answer['sequence']} of {each}, index {answer['index']}"
            show(answer, f"{text}, {answer['state']}", as_json=as_json)
    if failed:
        raise typer.Exit(_SOME_FAILED)
