"""Reading details of any shape: what is not as described counts as not there.

A verifier accepts every detail that FORMATS section 3 allows, so nothing here
may fail on one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vermilion_ledger.encoding import parse_count, parse_hex, parse_time
from vermilion_ledger.errors import InputError
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.statement import Statement

__all__ = ["answers", "names_own_entry", "read_digests", "read_due", "read_text"]


def answers(entry: LoggedEnvelope, earlier: LoggedEnvelope) -> bool:
    """Tell whether ``of`` of an entry names an earlier entry of the same record."""
    value = _own_name(entry.statement)
    if value is None or entry.sequence <= earlier.sequence:
        return False
    try:
        named = parse_count(value.get("sequence"), what="of.sequence")
        envelope = parse_hex(value.get("envelope"), size=32, what="of.envelope")
    except InputError:
        return False
    return (named, envelope) == (earlier.sequence, earlier.envelope.hash)


def names_own_entry(statement: Statement) -> bool:
    """Tell whether ``of`` names an entry of the statement's own record, be it there or not."""
    return _own_name(statement) is not None


def read_due(detail: Mapping[str, Any]) -> datetime | None:
    """Return ``due``, where it is a time."""
    try:
        return parse_time(detail.get("due"), what="due")
    except InputError:
        return None


def read_text(detail: Mapping[str, Any], name: str) -> str | None:
    """Return a member, where it is text."""
    value = detail.get(name)
    return value if isinstance(value, str) else None


def read_digests(value: object) -> tuple[str, ...]:
    """Return the digests of a list, each once, in order; what is none is left out."""
    found: dict[str, None] = {}
    for item in value if isinstance(value, list) else ():
        try:
            found[parse_hex(item, size=32, what="digest").hex()] = None
        except InputError:
            continue
    return tuple(found)


def _own_name(statement: Statement) -> Mapping[str, Any] | None:
    value = statement.detail.get("of")
    if (
        isinstance(value, Mapping)
        and value.get("record", statement.record) == statement.record
        and value.get("ledger", statement.ledger) == statement.ledger
    ):
        return value
    return None
