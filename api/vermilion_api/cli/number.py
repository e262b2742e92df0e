"""``vermilion number``: give documents their numbers, and look the book up."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from vermilion_api.cli.common import (
    DEFAULT_HOME,
    DEFAULT_URL,
    HomeOption,
    JsonOption,
    UrlOption,
    WaitOption,
    show,
    write_file,
)

__all__ = ["assign", "build_app", "disclose", "gaps", "list_", "void"]

_OfficeOption = Annotated[str, typer.Option("--office", help="Office code (机关代字).")]


def build_app() -> typer.Typer:
    """Return the command with its subcommands."""
    app = typer.Typer(help="Document numbers (发文字号).", no_args_is_help=True)
    for function in (assign, list_, gaps, void, disclose):
        app.command(function.__name__.rstrip("_"))(function)
    return app


def assign(  # noqa: PLR0913 - one parameter per option
    record: Annotated[str, typer.Argument(help="Record id.")],
    number: Annotated[
        str, typer.Argument(help="The number, such as 国办发〔2026〕5号; or give --office.")
    ] = "",
    *,
    office: _OfficeOption = "",
    year: Annotated[int, typer.Option(help="Year; by default the present one.")] = 0,
    fill: Annotated[
        bool, typer.Option("--fill", help="Take the first gap, not the one after the last.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="In place of the number that the record has.")
    ] = False,
    actor: Annotated[str, typer.Option(help="id,name,post,unit of who numbers it.")] = "",
    url: UrlOption = DEFAULT_URL,
    wait: WaitOption = "published",
    as_json: JsonOption = False,
) -> None:
    """Give a record a number: this one, or the next free one of an office and a year."""
    from vermilion_api.client import Ledger
    from vermilion_ledger.errors import InputError
    from vermilion_ledger.numbers import parse_number

    if bool(number) == bool(office):
        raise InputError("number.shape", "give a number, or --office for the next free one")
    asked: dict[str, Any] = {"replace": replace}
    if number:
        asked["number"] = str(parse_number(number))
    else:
        asked |= {"office": office, "year": year or datetime.now().astimezone().year}
        asked["fill"] = fill
    if actor:
        members = (*actor.split(","), "", "", "")[:4]
        asked["actor"] = dict(zip(("id", "name", "post", "unit"), members, strict=True))
    with Ledger(url) as ledger:
        answer = ledger.submit(f"/v1/records/{record}/number", asked, wait=wait)
    show(
        answer,
        f"{answer['number']}: entry {answer['sequence']} of {record},"
        f" index {answer['index']}, {answer['state']}",
        as_json=as_json,
    )


def list_(
    *,
    office: _OfficeOption = "",
    year: Annotated[int, typer.Option(help="Year; all if left out.")] = 0,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """List the numbers of the book and what became of them."""
    found = _read(url, office, year)
    lines = [
        f"{each['number']}  {each['state']}  {each['record'] or each.get('reason', '')}".rstrip()
        for each in found["numbers"]
    ]
    show(found, "\n".join(lines) or "no numbers", as_json=as_json)


def gaps(
    *,
    office: _OfficeOption = "",
    year: Annotated[int, typer.Option(help="Year; all if left out.")] = 0,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Tell for each office and year which serials are missing below the last one."""
    books = _read(url, office, year)["books"]
    lines = []
    for book in books:
        missing = ", ".join(
            f"{first}" if first == last else f"{first}-{last}" for first, last in book["gaps"]
        )
        lines.append(
            f"{book['office']}〔{book['year']}〕: {book['count']} of {book['last']} spent,"
            f" missing {missing or 'none'}"
        )
    show({"books": books}, "\n".join(lines) or "no numbers", as_json=as_json)


def void(
    number: Annotated[str, typer.Argument(help="A number that no record has.")],
    *,
    reason: Annotated[str, typer.Option(help="Why, in one line.")],
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Void a number, so that it is no gap and is never given."""
    from vermilion_api.client import Ledger
    from vermilion_ledger.numbers import parse_number

    asked = {"number": str(parse_number(number)), "reason": reason}
    with Ledger(url) as ledger:
        answer = ledger.post("/v1/numbers/void", asked)
    show(answer, f"{answer['number']}: void", as_json=as_json)


def disclose(
    record: Annotated[str, typer.Argument(help="Record id.")],
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="File to be handed over.")],
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Write the number of a record with what proves it, for somebody who may know it.

    Reads the databases of the home folder: what opens a number never goes over HTTP.
    """
    from vermilion_api.services.numbering import find_disclosure
    from vermilion_api.wiring import open_ledger
    from vermilion_ledger.admission import LedgerAdmission

    ledger = open_ledger(home)
    try:
        ledger.database.check()
        found = find_disclosure(
            record, ledger.reader(), LedgerAdmission(ledger.identity), ledger.database.numbers
        )
    finally:
        ledger.database.close()
    write_file(output, found.encode())
    show(
        {"file": str(output), "commitment": found.commitment.hex()},
        f"{output}: verify it with vermilion-verify --number {output}",
        as_json=as_json,
    )


def _read(url: str, office: str, year: int) -> dict[str, Any]:
    from vermilion_api.client import Ledger

    asked = {"office": office, "year": str(year) if year else ""}
    with Ledger(url) as ledger:
        return ledger.get("/v1/numbers", {name: text for name, text in asked.items() if text})
