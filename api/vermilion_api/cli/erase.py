"""``vermilion erase``: destroy records whose disposal is final."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vermilion_api.cli.common import (
    DEFAULT_HOME,
    HomeOption,
    JsonOption,
    read_records,
    say,
    show,
)

__all__ = ["erase"]

_LOG_REMAINS = (
    "warning: the server's write-ahead log may hold it until its files are reused:"
    " see `wal_recycle` in docs/how-to/dispose-of-a-record.md"
)
_NOT_ANCHORED = "warning: no chain proves that the disposal came before the erasure"


def erase(
    record: Annotated[list[str] | None, typer.Argument(help="Record ids.")] = None,
    *,
    reason: Annotated[
        str, typer.Option(help="The ground, for the disposal list; it must not name a document.")
    ] = "",
    listed: Annotated[
        Path | None, typer.Option("--list", help="File with a record id a line.")
    ] = None,
    now: Annotated[
        bool, typer.Option("--now", help="On a ledger without chains: be content with published.")
    ] = False,
    few: Annotated[
        bool, typer.Option("--few", help="Though fewer than 8 records hide nothing in one another.")
    ] = False,
    finish: Annotated[
        bool, typer.Option("--finish", help="Only clear the files, if an erasure was interrupted.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Destroy what opens the entries of records: salts, envelopes, keys. The ledger is stopped.

    What is left is a disposal list in the log. Backups taken before are not reached.
    """
    from vermilion_api.erasing import erase_records, finish_erasure
    from vermilion_api.wiring import open_ledger

    ledger = open_ledger(home)
    try:
        ledger.database.check()
        if finish:
            found = finish_erasure(ledger)
            if found is False:
                say(_LOG_REMAINS)
            text = "nothing was left to do" if found is None else "the files are cleared"
            show({"finished": found is not None}, text, as_json=as_json)
            return
        if now and not ledger.targets:
            say(_NOT_ANCHORED)
        wanted = read_records(record, listed)
        done = erase_records(ledger, wanted, reason=reason, is_now=now, may_be_few=few)
    finally:
        ledger.database.close()
    if not done.is_log_cleared:
        say(_LOG_REMAINS)
    counts = f"{done.listed['records']} records with {done.listed['entries']} entries"
    show(
        {"record": done.record, **done.listed},
        f"erased {counts}; the disposal list is {done.record}, logged when the ledger runs",
        as_json=as_json,
    )
