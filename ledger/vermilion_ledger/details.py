"""The ``detail`` of each event: its own members, and nothing that decides more.

FORMATS section 3. On record events further members are allowed and never
change a verdict; on key and policy events they are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vermilion_ledger.actor import parse_actor
from vermilion_ledger.commitment import parse_record_id
from vermilion_ledger.encoding import (
    Json,
    check_members,
    check_text,
    parse_base64,
    parse_count,
    parse_hex,
    parse_time,
)
from vermilion_ledger.errors import InputError
from vermilion_ledger.events import DECISION_EVENTS, RECORD_EVENTS, Predicate
from vermilion_ledger.limits import STATEMENT_SIZE_MAX, TEXT_SIZE_MAX
from vermilion_ledger.rules import parse_rules

__all__ = ["check_detail"]

_SCHEME_MEMBERS = {"bls12381-g2-pop": ("pop",), "webauthn-es256": ("rpId", "origin")}
_SCHEME_OPTIONS = {"ecdsa-p256": ("certificates", "revocations")}
_CERTIFICATE_COUNT_MAX = 8
_KEY_SIZE_MAX = 4096  # bytes; the largest public key of the formats has 1,312
_POP_SIZE_MAX = 96  # bytes of a BLS proof of possession


def check_detail(value: Json, *, predicate: Predicate, event: str) -> Mapping[str, Any]:
    """Check the detail of an event and return it.

    Raises:
        InputError: Not an object, or a member of this event is missing,
            malformed or, on key and policy events, unknown.
        LimitError: A text is beyond its bound.
    """
    if not isinstance(value, dict):
        raise InputError("detail.shape", "detail is not an object")
    if predicate is Predicate.KEY:
        return _check_key_register(value) if event == "register" else _check_key_revoke(value)
    if predicate is Predicate.POLICY:
        members = check_members(value, required=("rules",), what="detail")
        parse_rules(members["rules"])
        return members
    return _check_record_detail(value, event)


def _check_record_detail(value: dict[str, Any], event: str) -> Mapping[str, Any]:
    if event in DECISION_EVENTS:
        _text(value, "step")
        if value.get("decision") not in ("approved", "rejected"):
            raise InputError("detail.decision", "decision is approved or rejected")
        _digest(value, "policy", required=False)
    elif event == "register":
        _digest(value, "policy", required=False)
        if "grade" in value:
            _free_text(value, "grade")
    elif event == "revoke":
        _free_text(value, "reason")
    elif event == "supersede":
        parse_record_id(value.get("by"))
    elif event == "convert":
        _digest(value, "from", required=True)
    return value


def _check_key_register(value: dict[str, Any]) -> Mapping[str, Any]:
    scheme = check_text(value.get("scheme"), size_max=STATEMENT_SIZE_MAX, what="detail.scheme")
    members = check_members(
        value,
        required=("scheme", "key", "owner", "may", *_SCHEME_MEMBERS.get(scheme, ())),
        optional=("officer", "until", "onBehalfOf", *_SCHEME_OPTIONS.get(scheme, ())),
        what="detail",
    )
    key = members["key"]
    if not isinstance(key, str) or not 2 <= len(key) <= 2 * _KEY_SIZE_MAX or len(key) % 2:
        raise InputError("detail.key", "key is not hex of a public key")
    parse_hex(key, size=len(key) // 2, what="key")
    parse_actor(members["owner"], what="owner")
    may = members["may"]
    if (
        not isinstance(may, list)
        or any(not isinstance(word, str) or word not in RECORD_EVENTS for word in may)
        or may != sorted(set(may))
    ):
        raise InputError("detail.may", "may is a sorted list of distinct record events")
    if not isinstance(members.get("officer", False), bool):
        raise InputError("detail.officer", "officer is true or false")
    _check_delegation(members)
    _check_certificates(members)
    if "pop" in members:
        parse_base64(members["pop"], size_max=_POP_SIZE_MAX, what="pop")
    for name in ("rpId", "origin"):
        if name in members:
            _text(value, name)
    return members


def _check_delegation(members: Mapping[str, Any]) -> None:
    """Both members or neither, never of an officer, never for the owner of the key."""
    given = members.keys() & {"until", "onBehalfOf"}
    if not given:
        return
    if len(given) == 1 or "officer" in members:
        raise InputError("detail.delegation", "until and onBehalfOf stand together, no officer")
    parse_time(members["until"], what="detail.until")
    delegator = check_text(members["onBehalfOf"], size_max=TEXT_SIZE_MAX, what="detail.onBehalfOf")
    if delegator == members["owner"]["id"]:
        raise InputError("detail.delegation", f"{delegator[:40]!a} is the owner of the key")


def _check_certificates(members: Mapping[str, Any]) -> None:
    """Their form alone (docs/formats/certificates.md); X.509 is read where it is judged."""
    if "revocations" in members and "certificates" not in members:
        raise InputError("detail.certificates", "revocations stand beside certificates")
    for name, least in (("certificates", 1), ("revocations", 0)):
        listed = members.get(name)
        if name not in members:
            continue
        if not isinstance(listed, list) or not least <= len(listed) <= _CERTIFICATE_COUNT_MAX:
            raise InputError(
                "detail.certificates", f"{name} is a list of {least} to {_CERTIFICATE_COUNT_MAX}"
            )
        decoded = {parse_base64(each, size_max=STATEMENT_SIZE_MAX, what=name) for each in listed}
        if len(decoded) != len(listed):
            raise InputError("detail.certificates", f"{name} has one of them twice")


def _check_key_revoke(value: dict[str, Any]) -> Mapping[str, Any]:
    members = check_members(
        value, required=("keyid", "reason"), optional=("compromisedSince",), what="detail"
    )
    _digest(value, "keyid", required=True)
    _free_text(value, "reason")
    if "compromisedSince" in members:
        parse_count(members["compromisedSince"], what="detail.compromisedSince")
    return members


def _text(value: dict[str, Any], name: str) -> None:
    check_text(value.get(name), size_max=STATEMENT_SIZE_MAX, what=f"detail.{name}")


def _free_text(value: dict[str, Any], name: str) -> None:
    """Prose may have line breaks; its bound is that of the statement."""
    if not isinstance(value.get(name), str):
        raise InputError("text.shape", f"detail.{name} is not text")


def _digest(value: dict[str, Any], name: str, *, required: bool) -> None:
    if required or name in value:
        parse_hex(value.get(name), size=32, what=f"detail.{name}")
