"""What the ``detail`` of each record event may say, beyond what decides.

Follows `docs/formats/events.md`. FORMATS section 3 allows further members on
record events, and a verifier accepts them whatever they are; a ledger that
takes an event in holds the members that are described here to their kind, so
that what is looked at later can be read. Members that nobody describes pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vermilion_ledger.errors import InputError
from vermilion_ledger.event_details.drafting import DRAFTING
from vermilion_ledger.event_details.keeping import KEEPING
from vermilion_ledger.event_details.kinds import Member
from vermilion_ledger.event_details.receiving import RECEIVING
from vermilion_ledger.event_details.sending import SENDING

__all__ = ["all_members", "check_members_of", "members_of"]


def all_members() -> Mapping[str, tuple[Member, ...]]:
    """Return the described members of every record event, in the order of a document's life."""
    return {**DRAFTING, **SENDING, **RECEIVING, **KEEPING}


def members_of(event: str) -> tuple[Member, ...]:
    """Return the described members of a record event; none of a word that is no event."""
    for family in (DRAFTING, SENDING, RECEIVING, KEEPING):
        if event in family:
            return family[event]
    return ()


def check_members_of(event: str, detail: Mapping[str, Any]) -> None:
    """Check the members of a record event's detail that are described.

    Raises:
        InputError: ``detail.schema``: one is missing or not of its kind; the
            message names it.
    """
    for member in members_of(event):
        what = f"{event} detail.{member.name}"
        if member.name not in detail:
            if member.required:
                raise InputError("detail.schema", f"{what} is missing: {member.meaning}")
            continue
        try:
            member.kind.check(detail[member.name], what)
        except InputError as exc:
            raise InputError("detail.schema", exc.message) from exc
