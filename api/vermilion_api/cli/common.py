"""What every subcommand shares: options, output, reading small inputs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from vermilion_api.keyfiles import KeyFile, load_key_file
from vermilion_ledger.commitment import parse_record_id
from vermilion_ledger.encoding import parse_json
from vermilion_ledger.errors import InputError, NotFoundError
from vermilion_ledger.limits import STATEMENT_SIZE_MAX

__all__ = [
    "DEFAULT_HOME",
    "DEFAULT_URL",
    "HomeOption",
    "JsonOption",
    "KeyOption",
    "LangOption",
    "OutputOption",
    "StatementOption",
    "UrlOption",
    "WaitOption",
    "load_keys",
    "read_detail",
    "read_records",
    "say",
    "show",
    "write_file",
]

DEFAULT_HOME = Path("build/ledger")
DEFAULT_URL = "http://127.0.0.1:8460"

HomeOption = Annotated[
    Path, typer.Option("--home", envvar="VERMILION_HOME", help="Home folder of the ledger.")
]
StatementOption = Annotated[
    list[Path] | None,
    typer.Option(help="File of --output, to be signed as well or sent; several are joined."),
]
OutputOption = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Write what was signed here, and submit nothing."),
]
UrlOption = Annotated[str, typer.Option("--url", envvar="VERMILION_URL", help="The ledger.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON lines on standard output.")]
LangOption = Annotated[
    str, typer.Option("--lang", envvar="VERMILION_LANG", help="zh-CN or en; by default from LANG.")
]
KeyOption = Annotated[
    list[Path] | None, typer.Option("--key", help="Key file that signs; may be repeated.")
]
WaitOption = Annotated[
    str,
    typer.Option("--wait", help="sequenced, published, anchored or final; 25 seconds at most."),
]


def show(value: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    """Print a result: JSON to standard output and text beside it, or text alone."""
    if as_json:
        print(json.dumps(value, ensure_ascii=False), flush=True)
        print(text, file=sys.stderr, flush=True)
    else:
        print(text, flush=True)


def say(line: str) -> None:
    """Tell a person something that is no result."""
    print(line, file=sys.stderr, flush=True)


def load_keys(paths: list[Path] | None) -> list[KeyFile]:
    """Read the key files of an option."""
    return [load_key_file(path) for path in paths or ()]


def read_detail(text: str) -> dict[str, Any]:
    """Read ``--detail``: a JSON object, or ``@FILE`` with one.

    Raises:
        NotFoundError: ``input.missing``: the file cannot be read.
        InputError: It is no object.
    """
    data = text.encode("utf-8", "surrogateescape")
    if text.startswith("@"):
        try:
            data = Path(text[1:]).read_bytes()
        except OSError as exc:
            raise NotFoundError("input.missing", f"{text[1:]}: {exc.strerror}") from exc
    value = parse_json(data, size_max=STATEMENT_SIZE_MAX, what="detail")
    if not isinstance(value, dict):
        raise InputError("detail.shape", "detail is not an object")
    return value


def read_records(given: list[str] | None, listed: Path | None) -> list[str]:
    """Return record ids, each once: from the command line, or from a file with one a line.

    Raises:
        NotFoundError: ``input.missing``: the file cannot be read.
        InputError: ``erase.list``: none was given; an id is malformed.
    """
    found = list(given or ())
    if listed is not None:
        try:
            lines = listed.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as exc:
            raise NotFoundError("input.missing", f"{listed} cannot be read as text") from exc
        found += [line.strip() for line in lines if line.strip()]
    if not found:
        raise InputError("erase.list", "no record id was given")
    return list(dict.fromkeys(parse_record_id(each) for each in found))


def write_file(path: Path, data: bytes) -> None:
    """Write a result whole or not at all.

    Raises:
        NotFoundError: ``output.unwritable``.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        fresh.write_bytes(data)
        fresh.replace(path)
    except OSError as exc:
        fresh.unlink(missing_ok=True)
        raise NotFoundError("output.unwritable", f"{path}: {exc.strerror}") from exc
