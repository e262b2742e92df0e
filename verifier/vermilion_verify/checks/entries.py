"""From the document down to the log: digest, commitment, tag, inclusion."""

from __future__ import annotations

from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.errors import InputError, VerificationError
from vermilion_ledger.events import VERSION_EVENTS
from vermilion_ledger.merkle import hash_leaf, verify_inclusion
from vermilion_verify.case import Case
from vermilion_verify.outcome import Absent, Detail, Unknown

__all__ = [
    "check_document_digest",
    "check_entry_commitment",
    "check_entry_tag",
    "check_log_inclusion",
]


def check_document_digest(case: Case) -> Detail:
    """Check that a version-recording event of the record carries the file's digest.

    Raises:
        VerificationError: No entry recorded it, and none is left out; or the
            recorded SM3 is of other bytes.
        Unknown: Entries are left out, one of which may have recorded it; or
            an SM3 is recorded and that of the file is not known.
    """
    found = case.document.sha256
    detail: Detail = {"sha256": found.hex()}
    recording = [
        entry
        for entry in case.entries
        if entry.statement.event in VERSION_EVENTS and entry.statement.subject.sha256 == found
    ]
    if not recording:
        expected = case.bundle.closing.digest.hex()
        message = f"sha256 is {found.hex()}, the record's current version has {expected}"
        if case.is_complete:
            raise VerificationError("document.other-bytes", message)
        raise Unknown("document.not-in-part", message, detail)
    for entry in case.entries:
        subject = entry.statement.subject
        recorded = subject.sm3 if subject.sha256 == found else None
        if recorded is None:
            continue  # an SM3 is checked wherever it stands, in approvals too
        if case.document.sm3 is None:
            raise Unknown("document.sm3-not-computed", "the SM3 of the file is not known", detail)
        if case.document.sm3 != recorded:
            raise VerificationError("document.other-sm3", f"sm3 recorded is {recorded.hex()}")
        detail["sm3"] = recorded.hex()
    detail["sequence"] = recording[0].sequence
    return detail


def check_entry_commitment(case: Case) -> Detail:
    """Form every entry from its salt and envelope (FORMATS section 5).

    Passes when they could be formed; whether the log has them is the question
    of `check_log_inclusion`.
    """
    return {"entries": len(case.opened)}


def check_entry_tag(case: Case) -> Detail:
    """Check that the record key fits the record id; the tags follow from it.

    Raises:
        VerificationError: The key is that of another record.
        Absent: The record key is withheld.
    """
    key = case.bundle.record_key
    if key is None:
        raise Absent("the record key is withheld")
    if make_record_id(key) != case.bundle.record_id:
        raise VerificationError("record.other-key", f"the key is that of {make_record_id(key)}")
    return {"tags": len(case.bundle.entries)}


def check_log_inclusion(case: Case) -> Detail:
    """Check every entry's RFC 9162 inclusion proof to the bundle's checkpoint.

    Raises:
        VerificationError: A proof is malformed or leads to another root.
    """
    checkpoint = case.bundle.signed_checkpoint.checkpoint
    for opened in case.opened:
        source = opened.source
        try:
            verify_inclusion(
                hash_leaf(opened.entry),
                source.index,
                checkpoint.size,
                source.proof,
                checkpoint.root,
            )
        except (InputError, VerificationError) as exc:
            message = f"{opened.array}, leaf {source.index}: {exc.message}"
            raise VerificationError(exc.code, message) from exc
    return {"size": checkpoint.size, "indices": [entry.index for entry in case.bundle.entries]}
