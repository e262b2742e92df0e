"""``vermilion export``: write a ledger out, or copy its database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vermilion_api.cli.common import DEFAULT_HOME, HomeOption, JsonOption, show
from vermilion_api.cli.fsck import progress_bar
from vermilion_ledger.errors import InputError

if TYPE_CHECKING:
    from vermilion_api.wiring import Ledger
    from vermilion_ledger.archive.writing import PublicFiles

__all__ = ["export"]


def export(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="A new folder, or an empty one.")
    ] = None,
    *,
    home: HomeOption = DEFAULT_HOME,
    without_salts: Annotated[
        bool,
        typer.Option(
            "--without-salts", help="For outsiders: the log alone, nothing about a document."
        ),
    ] = False,
    database: Annotated[
        Path | None,
        typer.Option("--database", help="Only copy the SQLite database, while it is in use."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write everything that a ledger consists of into a folder, or copy its database to a file.

    The log's private keys and the settings are not in it. The ledger may run meanwhile.
    """
    from vermilion_api.wiring import open_ledger
    from vermilion_ledger.store.restoring import copy_sqlite

    if (folder is None) == (database is None) or (database is not None and without_salts):
        raise InputError("export.options", "give either a folder, or --database and a file")
    ledger = open_ledger(home)
    try:
        ledger.database.check()
        if database is not None:
            copy_sqlite(ledger.database.engine, database)
            show({"file": str(database)}, f"{database}: copied", as_json=as_json)
        elif folder is not None:
            _export(ledger, folder, with_salts=not without_salts, as_json=as_json)
    finally:
        ledger.database.close()


def _export(ledger: Ledger, folder: Path, *, with_salts: bool, as_json: bool) -> None:
    from vermilion_ledger.archive.writing import export_log
    from vermilion_ledger.store.auditing import SqlAudit

    with progress_bar(shown=sys.stderr.isatty() and not as_json) as progress:
        header = export_log(
            SqlAudit(ledger.database.engine, ledger.database.head_engine),
            folder,
            origin=ledger.settings.origin,
            public=_public_files(ledger),
            with_salts=with_salts,
            on_progress=progress,
        )
    warning = "it opens every commitment: keep it as you keep the ledger"
    show(
        {
            "folder": str(folder),
            "size": header.size,
            "root": header.root.hex(),
            "entries": header.entries,
            "salts": header.with_salts,
            "sums": header.sums.hex(),
        },
        f"{folder}: {header.entries} entries, {header.size} published, root {header.root.hex()}"
        + (f"\n{warning}" if with_salts else ""),
        as_json=as_json,
    )


def _public_files(ledger: Ledger) -> PublicFiles:
    """Return the trust policy and the registry file, as they are handed out."""
    from vermilion_api.services.history import open_entries
    from vermilion_api.trust import render_trust_policy
    from vermilion_ledger.admission import LedgerAdmission
    from vermilion_ledger.archive.writing import PublicFiles
    from vermilion_ledger.assembly import encode_registry

    reader, admission = ledger.reader(), LedgerAdmission(ledger.identity)
    size = reader.head().size
    keys, policies = (
        [each for each in open_entries(reader, admission, record) if each.index < size]
        for record in (ledger.identity.keys_record, ledger.identity.policies_record)
    )
    return PublicFiles(
        trust=render_trust_policy(ledger.settings, ledger.secrets).encode(),
        registry=encode_registry(keys, policies),
    )
