"""Reading request bodies strictly: what `schemas` documents, this parses.

Bodies of submissions are I-JSON read by `vermilion_ledger.encoding`, so that
a duplicate key is refused instead of overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vermilion_api.classes import RecordClasses
from vermilion_ledger.actor import Actor, parse_actor
from vermilion_ledger.encoding import (
    Json,
    check_members,
    check_text,
    parse_hex,
    parse_json,
)
from vermilion_ledger.errors import InputError, LimitError
from vermilion_ledger.event_details import check_members_of
from vermilion_ledger.grades import (
    REFUSALS_MARK,
    Profile,
    check_grades,
    check_name,
    find_profile,
)
from vermilion_ledger.limits import NAME_SIZE_MAX, TEXT_SIZE_MAX
from vermilion_ledger.numbering import check_no_number

__all__ = [
    "BULK_COUNT_MAX",
    "BULK_SIZE_MAX",
    "EVENT_SIZE_MAX",
    "Draft",
    "Registration",
    "parse_bulk",
    "parse_digest_query",
    "parse_draft",
    "parse_registration",
]

BULK_COUNT_MAX = 10_000  # registrations
BULK_SIZE_MAX = 16 * 1024 * 1024  # bytes
EVENT_SIZE_MAX = 96 * 1024  # bytes
_OWN_MEMBERS = ("class", "policy", "grade", REFUSALS_MARK)  # the ledger writes them
_KEYID_COUNT_MAX = 31  # signatures of an envelope beside the ledger's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """One document to register without an actor's signature."""

    name: str
    sha256: bytes
    sm3: bytes | None = None
    actor: Actor | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a statement to be prepared shall say.

    Attributes:
        keyids: Keys that are going to sign; they decide whether a block must
            be quoted, and whose owner the actor is where none is given.
    """

    event: str
    name: str | None
    sha256: bytes | None
    sm3: bytes | None
    actor: Actor | None
    detail: Mapping[str, Any]
    keyids: tuple[str, ...]


def parse_registration(data: bytes, classes: RecordClasses) -> Registration:
    """Read the body of ``POST /v1/records``.

    Raises:
        InputError: Not such an object, or a grade that is refused.
        VerificationError: ``class.unknown`` or ``class.missing``.
        LimitError: A bound was exceeded.
    """
    value = parse_json(data, size_max=EVENT_SIZE_MAX, what="request")
    return _registration(value, "record", classes)


def parse_bulk(data: bytes, classes: RecordClasses) -> tuple[Registration, ...]:
    """Read the body of ``POST /v1/records/bulk``.

    Raises:
        InputError: Not such an object; the message names the first bad record.
        VerificationError: ``class.unknown`` or ``class.missing``.
        LimitError: More than 10,000 records or 16 MiB.
    """
    value = parse_json(data, size_max=BULK_SIZE_MAX, what="request")
    listed = check_members(value, required=("records",), what="request")["records"]
    if not isinstance(listed, list) or not listed:
        raise InputError("json.shape", "records is not a list with at least one record")
    if len(listed) > BULK_COUNT_MAX:
        raise LimitError(
            "request.too-many-records", "records", found=len(listed), limit=BULK_COUNT_MAX
        )
    return tuple(
        _registration(item, f"records[{place}]", classes) for place, item in enumerate(listed)
    )


def parse_draft(data: bytes) -> Draft:
    """Read the body of ``POST /v1/records/{record}/statements``.

    Raises:
        InputError: Not such an object, or a grade that is refused.
        LimitError: A bound was exceeded.
    """
    members = check_members(
        parse_json(data, size_max=EVENT_SIZE_MAX, what="request"),
        required=("event",),
        optional=("name", "digest", "actor", "detail", "keyid", "keyids"),
        what="request",
    )
    sha256, sm3 = _digest(members["digest"], "digest") if "digest" in members else (None, None)
    detail = members.get("detail", {})
    if not isinstance(detail, dict):
        raise InputError("detail.shape", "detail is not an object")
    check_grades(detail)
    check_no_number(detail)
    return Draft(
        event=check_text(members["event"], size_max=64, what="event"),
        name=_name(members["name"], "name") if "name" in members else None,
        sha256=sha256,
        sm3=sm3,
        actor=parse_actor(members["actor"], what="actor") if "actor" in members else None,
        detail=detail,
        keyids=_keyids(members),
    )


def parse_digest_query(text: str) -> bytes:
    """Read ``sha256:<64 hex>``.

    Raises:
        InputError: Another form.
    """
    algorithm, colon, digits = text.partition(":")
    if not colon or algorithm != "sha256":
        raise InputError("request.digest", "a digest is written sha256:<64 hex digits>")
    return parse_hex(digits, size=32, what="digest")


def _registration(value: Json, what: str, classes: RecordClasses) -> Registration:
    members = check_members(
        value,
        required=("name", "digest"),
        optional=("actor", "class", "policy", "grade", "detail"),
        what=what,
    )
    sha256, sm3 = _digest(members["digest"], f"{what}.digest")
    detail = members.get("detail", {})
    if not isinstance(detail, dict) or detail.keys() & set(_OWN_MEMBERS):
        raise InputError(
            "detail.shape", f"{what}.detail is not an object without {', '.join(_OWN_MEMBERS)}"
        )
    check_grades(detail)
    extra: dict[str, Any] = dict(detail)
    profile: Profile | None = None
    if "class" in members:
        extra["class"] = check_text(members["class"], size_max=TEXT_SIZE_MAX, what=f"{what}.class")
    if "policy" in members:
        extra["policy"] = parse_hex(members["policy"], size=32, what=f"{what}.policy").hex()
    if "grade" in members:
        extra["grade"] = check_text(members["grade"], size_max=200, what=f"{what}.grade")
        profile = find_profile(extra["grade"])
    if extra:
        check_members_of("register", extra)
        check_no_number(extra)
    actor = parse_actor(members["actor"], what=f"{what}.actor") if "actor" in members else None
    name = _name(members["name"], f"{what}.name")
    check_name(name, profile=profile, sha256=sha256)
    classes.check_named(members)  # after all that is about a grade: those refusals are counted
    if "class" in members:
        extra["policy"] = classes.policy_of(extra["class"])
    return Registration(
        name=name,
        sha256=sha256,
        sm3=sm3,
        actor=actor,
        detail=extra,
    )


def _digest(value: Json, what: str) -> tuple[bytes, bytes | None]:
    members = check_members(value, required=("sha256",), optional=("sm3",), what=what)
    sm3 = parse_hex(members["sm3"], size=32, what=f"{what}.sm3") if "sm3" in members else None
    return parse_hex(members["sha256"], size=32, what=f"{what}.sha256"), sm3


def _name(value: Json, what: str) -> str:
    return check_text(value, size_max=NAME_SIZE_MAX, what=what)


def _keyids(members: Json) -> tuple[str, ...]:
    listed = members.get("keyids", [])
    if not isinstance(listed, list) or ("keyid" in members and "keyids" in members):
        raise InputError("json.shape", "keyids is not a list, or keyid stands beside it")
    if len(listed) > _KEYID_COUNT_MAX:
        raise LimitError(
            "envelope.too-many-signatures", "keyids", found=len(listed), limit=_KEYID_COUNT_MAX
        )
    if "keyid" in members:
        listed = [members["keyid"]]
    return tuple(parse_hex(each, size=32, what="keyid").hex() for each in listed)
