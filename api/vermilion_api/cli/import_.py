"""``vermilion import``: rebuild a ledger from an export."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from vermilion_api.cli.common import DEFAULT_HOME, HomeOption, JsonOption, show
from vermilion_api.cli.fsck import progress_bar

__all__ = ["import_"]


def import_(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What `export` wrote.")],
    *,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Rebuild database and log in a home folder from an export, once all of it is found sound.

    Put settings and keys of the ledger there before; without them the data alone is rebuilt.
    """
    from vermilion_api.importing import import_ledger

    with progress_bar(shown=sys.stderr.isatty() and not as_json) as progress:
        found = import_ledger(folder, home, on_progress=progress)
    header = found.header
    missing = "" if found.is_complete else "; put vermilion.toml and keys/ there before you start"
    show(
        {
            "home": str(home),
            "origin": header.origin,
            "size": header.size,
            "root": header.root.hex(),
            "entries": header.entries,
            "complete": found.is_complete,
        },
        f"{home}: {header.entries} entries, {header.size} published, root {header.root.hex()}"
        + missing,
        as_json=as_json,
    )
