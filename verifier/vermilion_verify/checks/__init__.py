"""The checks, in the order in which they run: each a function that raises.

A check takes the `Case` and returns what it found. It raises a
`VerificationError` where the evidence does not hold, `Unknown` where it
cannot be decided, and `Absent` where nothing asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vermilion_verify.case import Case
from vermilion_verify.checks import (
    anchors,
    completeness,
    entries,
    keys,
    log,
    rules,
    statements,
    timestamps,
)
from vermilion_verify.checks import time as times
from vermilion_verify.outcome import Detail

__all__ = ["CHECKS"]

CHECKS: Mapping[str, Callable[[Case], Detail]] = {
    "document.digest": entries.check_document_digest,
    "entry.commitment": entries.check_entry_commitment,
    "entry.tag": entries.check_entry_tag,
    "log.inclusion": entries.check_log_inclusion,
    "checkpoint.signature": log.check_checkpoint_signature,
    "witness.quorum": log.check_witness_quorum,
    "statement.binding": statements.check_statement_binding,
    "signature.intake": statements.check_signature_intake,
    "signature.actor": statements.check_signature_actor,
    "key.validity": keys.check_key_validity,
    "approval.rule": rules.check_approval_rule,
    "record.completeness": completeness.check_record_completeness,
    "anchor.receipt": anchors.check_anchor_receipt,
    "anchor.block": anchors.check_anchor_block,
    "anchor.finality": anchors.check_anchor_finality,
    "timestamp.token": timestamps.check_timestamp_token,
    "time.interval": times.check_time_interval,
}
"""All checks after ``bundle.parse``, which has nothing to run on before it."""
