"""Is the record whole? The ledger's closing, and the auditor's walk."""

from __future__ import annotations

from vermilion_ledger.errors import VerificationError
from vermilion_ledger.records import Status
from vermilion_verify.case import Case
from vermilion_verify.outcome import Detail, Unknown
from vermilion_verify.walk import check_walk

__all__ = ["check_record_completeness", "holds_closing"]

_SEVERITY = (Status.CURRENT, Status.SUPERSEDED, Status.REVOKED)


def check_record_completeness(case: Case) -> Detail:
    """Check the closing and, where the log's entries are at hand, walk them.

    Raises:
        VerificationError: The closing is not by an intake key in force, it
            contradicts the entries, or the log has others.
        Unknown: Entries were left out.
    """
    _check_closing(case)
    detail: Detail = {"entries": case.bundle.closing.entries, "walk": "not checked"}
    if case.walk is not None:
        detail["walk"] = _check_log(case)
    left_out = case.bundle.closing.entries - len(case.bundle.entries)
    if left_out:
        detail["leftOut"] = left_out
        raise Unknown("record.left-out", f"{left_out} entries were left out", detail)
    return detail


def holds_closing(case: Case) -> bool:
    """Tell whether the closing is signed and contradicts nothing at hand."""
    try:
        _check_closing(case)
    except VerificationError:
        return False
    return True


def _check_closing(case: Case) -> None:
    closing = case.bundle.closing
    if not case.is_closed:
        raise VerificationError("closing.signature", "no intake key in force signed the closing")
    # What was left out can only make it worse than the entries at hand say.
    named = case.history.named_status(closing.digest)
    if _SEVERITY.index(closing.status) < _SEVERITY.index(named):
        raise VerificationError(
            "closing.status", f"the closing says {closing.status}, an entry {named}"
        )
    if not case.is_complete:
        return
    if closing.digest != case.history.current_digest():
        raise VerificationError("closing.digest", "the closing names another current version")
    if closing.status is not case.history.closing_status():
        raise VerificationError(
            "closing.status",
            f"the closing says {closing.status}, the entries {case.history.closing_status()}",
        )


def _check_log(case: Case) -> str:
    assert case.walk is not None  # noqa: S101 - asked by the only caller
    checkpoint = case.bundle.signed_checkpoint.checkpoint
    if case.walk.count < case.size or case.walk.root != checkpoint.root:
        raise VerificationError(
            "walk.other-log", f"the {case.walk.count} log entries do not have the checkpoint's root"
        )
    key = case.bundle.record_key
    if key is None:
        return "record key withheld"
    check_walk(case.walk, key, [entry.index for entry in case.bundle.entries], what="record")
    return "checked"
