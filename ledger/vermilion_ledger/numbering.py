"""What a ledger asks of a ``number`` event (docs/formats/numbers.md).

At intake alone: a verifier knows nothing of it, so that a bundle of an older
ledger keeps its verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vermilion_ledger.encoding import Json, parse_hex
from vermilion_ledger.errors import InputError, VerificationError
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.numbers import parse_number

__all__ = [
    "check_no_number",
    "check_number_detail",
    "check_numbering",
    "make_number_detail",
    "present_commitment",
]

_EVENT = "number"


def make_number_detail(commitment: bytes, *, replaces: bytes | None = None) -> dict[str, str]:
    """Return the detail of a ``number`` event."""
    detail = {"commitment": commitment.hex()}
    if replaces is not None:
        detail["replaces"] = replaces.hex()
    return detail


def check_number_detail(detail: Mapping[str, Any]) -> None:
    """Check that nothing but commitments stands in a detail.

    Raises:
        InputError: ``number.clear``: a number stands in it; ``number.detail``.
    """
    if "number" in detail:
        raise InputError("number.clear", "a number does not stand in a statement in clear")
    if not {"commitment"} <= detail.keys() <= {"commitment", "replaces"}:
        raise InputError("number.detail", "detail has commitment and, at most, replaces")
    try:
        for name in detail:
            parse_hex(detail[name], size=32, what=f"detail.{name}")
    except InputError as exc:
        raise InputError("number.detail", exc.message) from exc


def check_no_number(value: Json) -> None:
    """Check that no text of a detail, and no name of a member, is a document number.

    A number within a sentence may be anybody's, and passes.

    Raises:
        InputError: ``number.clear``.
    """
    if isinstance(value, str):
        if "号" in value and _is_number(value):
            raise InputError("number.clear", "a number does not stand in a statement in clear")
    elif isinstance(value, dict):
        for name, item in value.items():
            check_no_number(name)
            check_no_number(item)
    elif isinstance(value, list):
        for item in value:
            check_no_number(item)


def _is_number(text: str) -> bool:
    try:
        parse_number(text)
    except InputError:
        return False
    return True


def check_numbering(entry: LoggedEnvelope, earlier: Sequence[LoggedEnvelope]) -> None:
    """Check a ``number`` event against the entries before it: one number at a time.

    Raises:
        InputError: As for `check_number_detail`.
        VerificationError: ``number.second``: the record has a number, which
            this one does not replace; ``number.replaces``: it replaces another
            one than the record has.
    """
    detail = entry.statement.detail
    check_number_detail(detail)
    present, replaces = present_commitment(earlier), detail.get("replaces")
    if replaces is None and present is not None:
        raise VerificationError("number.second", "the record has a number already")
    if replaces is not None and (present is None or present.hex() != replaces):
        raise VerificationError("number.replaces", "the record has not the number to be replaced")
    if detail["commitment"] in _commitments(earlier):
        raise VerificationError("number.second", "the record had this commitment before")


def present_commitment(entries: Sequence[LoggedEnvelope]) -> bytes | None:
    """Return the commitment to the number that a record has; None where it has none."""
    found = _commitments(entries)
    return bytes.fromhex(found[-1]) if found else None


def _commitments(entries: Sequence[LoggedEnvelope]) -> list[str]:
    """Return all commitments, in order; what older ledgers wrote otherwise is none."""
    found = []
    for entry in entries:
        if entry.statement.event == _EVENT:
            try:
                check_number_detail(entry.statement.detail)
            except InputError:
                continue
            found.append(str(entry.statement.detail["commitment"]))
    return found
