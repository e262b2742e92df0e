"""Errors as the outside sees them: RFC 9457 problems and exit codes.

The one table from an error to an HTTP status and the one to an exit code
(FORMATS sections 12 and 14). A class decides; a code may override it. The
next step comes from `vermilion_ledger.codes` in the language asked for.
"""

from __future__ import annotations

from vermilion_ledger.codes import all_codes
from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    InputError,
    IntegrityError,
    LimitError,
    NotFoundError,
    UnavailableError,
    VerificationError,
)

__all__ = [
    "EXIT_INTERNAL",
    "EXIT_INTERRUPTED",
    "MEDIA_TYPE",
    "error_from_status",
    "exit_code",
    "hint_for",
    "http_status",
    "problem",
    "refusal_status",
]

MEDIA_TYPE = "application/problem+json"
EXIT_INTERNAL = 70
EXIT_INTERRUPTED = 130

# The most special class first.
_CLASSES: tuple[tuple[type[EvidenceError], int, int], ...] = (
    # class, HTTP status, exit code
    (LimitError, 413, 2),
    (InputError, 400, 2),
    (VerificationError, 422, 1),
    (NotFoundError, 404, 2),
    (ConflictError, 409, 1),
    (UnavailableError, 503, 5),
    (IntegrityError, 500, 70),
)
_STATUSES = {
    "bundle.later-version": 422,
    "grade.marked": 422,
    "grade.name": 422,
    "grade.refused": 422,
    "grade.step-up": 403,
    "grade.unknown": 422,
    "idempotency.other-body": 422,
    "key.registered-twice": 409,
    "number.replaces": 409,
    "number.second": 409,
    "record.not-document": 409,
    "request.media-type": 415,
    "request.method": 405,
    "scheme.unsupported": 422,
    "statement.decision-order": 409,
    "statement.nonce-reused": 409,
    "statement.prior-differs": 409,
    "statement.prior-later": 409,
    "statement.prior-unknown": 409,
    "statement.register-place": 409,
    "store.disk-full": 507,
    "tiles.disk-full": 507,
}
_EXITS = {
    "grade.drafter": 4,
    "grade.marked": 4,
    "grade.officer": 4,
    "grade.refused": 4,
    "grade.step-up": 4,
    "key.after-revocation": 4,
    "key.expired": 4,
    "key.in-doubt": 4,
    "key.may-not": 4,
    "key.not-valid": 4,
    "key.other-actor": 4,
    "key.unknown": 4,
    "key-event.quorum": 4,
    "key-event.stranger": 4,
    "policy-event.stranger": 4,
    "record.no-such-version": 6,
    "record.not-in-checkpoint": 3,
    "record.unknown": 6,
    "statement.not-owner": 4,
}
_TITLES = {
    400: "The request is malformed",
    404: "Nothing of that name is here",
    405: "Not with this method",
    409: "Somebody was first",
    413: "Too large",
    415: "Not this kind of content",
    422: "Refused by the rules",
    500: "The ledger has a fault",
    503: "Not now",
    507: "The disk is full",
}


def http_status(error: EvidenceError) -> int:
    """Return the HTTP status of an error."""
    return _STATUSES.get(error.code) or _of_class(error)[0]


def refusal_status(code: str) -> int:
    """Return the HTTP status of a refusal by the sequencer, of which only the code is kept."""
    return _STATUSES.get(code, 422)


def exit_code(error: EvidenceError) -> int:
    """Return the exit code of a command that ended with an error."""
    return _EXITS.get(error.code) or _of_class(error)[1]


def hint_for(code: str, language: str) -> str:
    """Return the next step, in Chinese where the language starts with ``zh``."""
    advice = all_codes().get(code)
    if advice is None:
        return ""
    return advice.zh if language.lower().startswith("zh") else advice.en


def problem(
    code: str, message: str, *, status: int, language: str, trace_id: str
) -> dict[str, object]:
    """Return the members of a problem (RFC 9457, section 3)."""
    return {
        "type": f"urn:vermilion:problem:{code}",
        "title": _TITLES.get(status, "Refused"),
        "status": status,
        "detail": message,
        "code": code,
        "hint": hint_for(code, language),
        "trace_id": trace_id,
    }


def error_from_status(status: int, code: str, message: str) -> EvidenceError:
    """Return the error that a server's problem stands for, for commands.

    >>> type(error_from_status(404, "record.unknown", "there is none")).__name__
    'NotFoundError'
    """
    classes: dict[int, type[EvidenceError]] = {
        400: InputError,
        404: NotFoundError,
        409: ConflictError,
        413: InputError,
        422: VerificationError,
        503: UnavailableError,
        507: UnavailableError,
    }
    return classes.get(status, IntegrityError)(code, message)


def _of_class(error: EvidenceError) -> tuple[int, int]:
    for kind, status, code in _CLASSES:
        if isinstance(error, kind):
            return status, code
    return 500, EXIT_INTERNAL
