"""``vermilion bundle``: fetch the evidence of a record."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vermilion_api.cli.common import (
    DEFAULT_URL,
    JsonOption,
    UrlOption,
    show,
    write_file,
)

__all__ = ["bundle"]


def bundle(
    record: Annotated[str, typer.Argument(help="Record id.")],
    *,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File; by default RECORD.evidence.json.")
    ] = None,
    withhold_key: Annotated[
        bool, typer.Option("--withhold-key", help="For outsiders: leave the record key out.")
    ] = False,
    size: Annotated[int, typer.Option(help="Tree size of a published checkpoint.")] = 0,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Write the evidence bundle of a record to a file."""
    from vermilion_api.client import Ledger
    from vermilion_ledger.bundle import parse_bundle

    params = {"withhold": "key"} if withhold_key else {}
    if size:
        params["size"] = str(size)
    with Ledger(url) as ledger:
        data = ledger.fetch(f"/v1/records/{record}/bundle", params)
    found = parse_bundle(data)
    path = output or Path(f"{record}.evidence.json")
    write_file(path, data)
    checkpoint = found.signed_checkpoint.checkpoint
    show(
        {
            "file": str(path),
            "record": found.record_id,
            "entries": len(found.entries),
            "size": checkpoint.size,
            "anchors": len(found.anchors),
        },
        f"{path}: {len(found.entries)} entries under size {checkpoint.size},"
        f" {len(found.anchors)} anchors; verify it with vermilion-verify",
        as_json=as_json,
    )
