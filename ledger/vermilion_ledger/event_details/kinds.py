"""What a member of a detail may be: text, digest, time and the like, each with its bound.

Owns the words with which `docs/formats/events.md` names these kinds; a test
compares the two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vermilion_ledger.commitment import parse_record_id
from vermilion_ledger.encoding import (
    Json,
    check_members,
    check_text,
    parse_count,
    parse_hex,
    parse_time,
)
from vermilion_ledger.errors import InputError, LimitError
from vermilion_ledger.limits import ORIGIN_SIZE_MAX, STATEMENT_SIZE_MAX, TEXT_SIZE_MAX

__all__ = [
    "COUNT",
    "DIGEST",
    "ENTRY",
    "PROSE",
    "RECORD",
    "SOURCE",
    "STEP",
    "TEXT",
    "TIME",
    "Kind",
    "Member",
    "list_of",
    "words",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of value.

    Attributes:
        name: As the document of the formats calls it, with its bound.
        check: Returns, or raises an `InputError` that names the value ``what``.
    """

    name: str
    check: Callable[[Json, str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of a detail that is described.

    Attributes:
        meaning: What it says, in a few words.
        required: Whether intake refuses the event without it.
    """

    name: str
    kind: Kind
    meaning: str
    required: bool = False


def words(*options: str) -> Kind:
    """Return the kind of exactly these words."""

    def check(value: Json, what: str) -> None:
        if not isinstance(value, str) or value not in options:
            raise InputError("detail.schema", f"{what} is not one of {', '.join(options)}")

    return Kind(name=" or ".join(f"`{option}`" for option in options), check=check)


def list_of(kind: Kind, *, count_max: int) -> Kind:
    """Return the kind of a list of one to ``count_max`` values, none of them twice."""

    def check(value: Json, what: str) -> None:
        if not isinstance(value, list) or not value:
            raise InputError("detail.schema", f"{what} is not a list with at least one member")
        if len(value) > count_max:
            raise LimitError("detail.schema", what, found=len(value), limit=count_max)
        for place, item in enumerate(value):
            kind.check(item, f"{what}[{place}]")
        if any(item in value[:place] for place, item in enumerate(value)):
            raise InputError("detail.schema", f"{what} has a member twice")

    return Kind(name=f"list of 1 to {count_max}: {kind.name}, none twice", check=check)


def _check_text(value: Json, what: str) -> None:
    check_text(value, size_max=TEXT_SIZE_MAX, what=what)


def _check_step(value: Json, what: str) -> None:
    check_text(value, size_max=STATEMENT_SIZE_MAX, what=what)


def _check_prose(value: Json, what: str) -> None:
    if not isinstance(value, str):
        raise InputError("text.shape", f"{what} is not text")


def _check_digest(value: Json, what: str) -> None:
    parse_hex(value, size=32, what=what)


def _check_time(value: Json, what: str) -> None:
    parse_time(value, what=what)


def _check_count(value: Json, what: str) -> None:
    parse_count(value, what=what)


def _check_record(value: Json, what: str) -> None:
    try:
        parse_record_id(value)
    except InputError as exc:
        raise InputError("detail.schema", f"{what} is no record id") from exc


def _check_entry(value: Json, what: str) -> None:
    members = check_members(
        value, required=("sequence", "envelope"), optional=("ledger", "record"), what=what
    )
    parse_count(members["sequence"], what=f"{what}.sequence")
    parse_hex(members["envelope"], size=32, what=f"{what}.envelope")
    if "record" in members:
        _check_record(members["record"], f"{what}.record")
    if "ledger" in members:
        check_text(members["ledger"], size_max=ORIGIN_SIZE_MAX, what=f"{what}.ledger")


def _check_source(value: Json, what: str) -> None:
    members = check_members(value, required=(), optional=("sha256", "record"), what=what)
    if not members:
        raise InputError("json.missing-member", f"{what} lacks sha256 or record")
    if "sha256" in members:
        parse_hex(members["sha256"], size=32, what=f"{what}.sha256")
    if "record" in members:
        _check_record(members["record"], f"{what}.record")


TEXT = Kind(name="text, 1 to 200 bytes", check=_check_text)
STEP = Kind(name="text, not empty", check=_check_step)
PROSE = Kind(name="prose", check=_check_prose)
DIGEST = Kind(name="64 hex", check=_check_digest)
TIME = Kind(name="time", check=_check_time)
COUNT = Kind(name="count", check=_check_count)
RECORD = Kind(name="record id", check=_check_record)
ENTRY = Kind(name="entry", check=_check_entry)
SOURCE = Kind(name="source", check=_check_source)
