"""A document number that somebody was shown, against the record of a bundle.

docs/formats/numbers.md. No check and no part of the verdict: the verdict is
about the file, and this about a number that is said to be the file's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vermilion_ledger.errors import NotFoundError, UnavailableError, VerificationError
from vermilion_ledger.numbers import Disclosure, parse_disclosure
from vermilion_verify.case import Case
from vermilion_verify.files import read_file

__all__ = ["describe_number", "load_disclosure"]

_SIZE_MAX = 4096  # bytes


def load_disclosure(path: Path) -> Disclosure:
    """Read a number file.

    Raises:
        NotFoundError: ``number.missing``.
        UnavailableError: ``number.unreadable``.
        InputError: It is malformed.
        VerificationError: ``number.not-opened``.
    """
    try:
        data = read_file(path, size_max=_SIZE_MAX)
    except FileNotFoundError as exc:
        raise NotFoundError("number.missing", f"no number file at {path}") from exc
    except OSError as exc:
        raise UnavailableError("number.unreadable", f"{path}: {exc.strerror}") from exc
    return parse_disclosure(data)


def describe_number(case: Case, disclosure: Disclosure, *, is_refuted: bool) -> dict[str, Any]:
    """Return what the report says of the number.

    Args:
        case: The bundle and what it is judged by.
        disclosure: The number.
        is_refuted: Whether the bundle is: then nothing in it proves a number.

    Raises:
        VerificationError: ``number.not-here``: the record was never given it.
        UnavailableError: ``number.left-out``: the entry that would say so may
            have been left out of the bundle.
    """
    numbered = [entry for entry in case.entries if entry.statement.event == "number"]
    commitment = disclosure.commitment.hex()
    found = [each for each in numbered if each.statement.detail.get("commitment") == commitment]
    if not found:
        if len(case.entries) < case.bundle.closing.entries:
            raise UnavailableError("number.left-out", "entries were left out of the bundle")
        raise VerificationError("number.not-here", "this record was never given this number")
    entry = found[-1]
    status = "given" if numbered[-1] is entry else "replaced"
    if status == "given" and len(case.entries) < case.bundle.closing.entries:
        status = "unknown"  # one that was left out may have replaced it
    if is_refuted:
        status = "unproven"
    return {
        "text": str(disclosure.number),
        "status": status,
        "sequence": entry.sequence,
        "index": entry.index,
        "signed": bool(entry.actors),
    }
