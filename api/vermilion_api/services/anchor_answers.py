"""Anchoring as JSON: chains, jobs with their attempts and costs, what an entry waits for.

Amounts of wei are texts: they pass what JSON's numbers hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from vermilion_anchor.transactions import anchored_tree
from vermilion_api.services.anchor_ports import TimestampLag
from vermilion_api.services.outlook import Expectation, TargetOutlook, attempt_standing
from vermilion_api.services.reasons import Reason
from vermilion_ledger.anchor_rows import (
    AnchorAttempt,
    AnchorJob,
    AnchorTarget,
    StoredTimestamp,
)
from vermilion_ledger.anchor_standing import FinishedAnchor
from vermilion_ledger.encoding import encode_time
from vermilion_ledger.errors import InputError

__all__ = [
    "describe_chain",
    "describe_job",
    "describe_lag",
    "describe_timestamp",
    "describe_waiting",
]


def describe_chain(chain: TargetOutlook, size: int) -> dict[str, Any]:
    """Return how one target stands.

    Args:
        chain: The target.
        size: Number of entries of the log.
    """
    first = chain.totals.final_size  # the oldest entry without a final anchor, if it exists
    note, pace = chain.note, chain.pace
    is_behind = first < size
    return {
        **_target(chain.target),
        "finality": chain.finality,
        "finalSize": first,
        "unanchored": max(0, size - first),
        "oldestUnanchored": _time(chain.oldest_at),
        "vanished": chain.totals.vanished,
        "job": None if chain.job is None else chain.job.number,
        "why": chain.reason(first if is_behind else first - 1).to_json(),
        "dueAt": _time(chain.due_at),
        **_expected(chain.expectation(first) if is_behind else None),
        "pace": None
        if pace is None
        else {
            "minedSeconds": round(pace.mined),
            "finalSeconds": round(pace.final),
            "anchors": pace.count,
        },
        "alarm": note.alarm or None if note is not None else None,
        "toldAt": None if note is None else encode_time(note.told_at),
        "last": _cost(chain.finished[0]) if chain.finished else None,
    }


def describe_job(job: AnchorJob, chains: Sequence[TargetOutlook]) -> dict[str, Any]:
    """Return one job with every attempt, and what it cost once it is final."""
    chain = next((each for each in chains if each.target == job.target), None)
    finished = None
    if chain is not None:
        finished = next((each for each in chain.finished if each.number == job.number), None)
    last = job.attempts[-1] if job.attempts else None
    transaction = job.mined.transaction if job.mined else last.transaction if last else None
    why, expected = None, None
    if chain is not None and job.state.is_open:
        # another job of the target is open by now if this one was closed in between
        is_same = chain.job is not None and chain.job.number == job.number
        why = chain.job_reason(job)
        expected = chain.expectation(job.size - 1) if is_same else None
    return {
        "number": job.number,
        **_target(job.target),
        "size": job.size,
        "root": job.root.hex(),
        "state": job.state.value,
        "why": None if why is None else why.to_json(),
        "since": None if why is None else why.since,
        "attempts": [_attempt(job, each) for each in job.attempts],
        "transaction": _wire(transaction),
        "block": None if job.mined is None else job.mined.block_number,
        "plannedAt": encode_time(job.planned_at),
        **_expected(expected),
        "cost": None if finished is None else _cost(finished),
    }


def _cost(anchor: FinishedAnchor) -> dict[str, Any]:
    return {
        "finalAt": _time(anchor.final_at),
        "documents": anchor.documents,
        "gasUsed": anchor.gas_used,
        "gasPriceWei": _text(anchor.gas_price),
        "paidWei": _text(anchor.paid),
        "paidPerDocumentWei": _text(anchor.paid_per_document),
    }


def describe_waiting(chain: TargetOutlook, index: int) -> dict[str, Any]:
    """Return what an entry waits for on one chain, and until when."""
    job = chain.covering(index)
    return {
        **_target(chain.target),
        "anchor": None
        if job is None
        else {
            "number": job.number,
            "size": job.size,
            "state": job.state.value,
            "attempts": len(job.attempts),
        },
        "why": chain.reason(index).to_json(),
        "dueAt": _time(chain.due_at),
        **_expected(chain.expectation(index)),
    }


def describe_lag(lag: TimestampLag) -> dict[str, Any]:
    """Return how far an authority is behind the anchors."""
    return {
        "authority": lag.authority.name,
        "roots": lag.authority.roots,
        "missing": lag.missing,
        "oldest": _time(lag.oldest_at),
    }


def describe_timestamp(stamp: StoredTimestamp) -> dict[str, Any]:
    """Return a time-stamp; the authority by its host alone, as the address may hold a secret."""
    return {
        "authority": urlsplit(stamp.authority).hostname,
        "size": stamp.size,
        "time": encode_time(stamp.time),
    }


def _attempt(job: AnchorJob, attempt: AnchorAttempt) -> dict[str, Any]:
    return {
        "size": _anchored_size(attempt),
        "nonce": attempt.nonce,
        "gasLimit": attempt.gas_limit,
        "maxFeeWei": str(attempt.max_fee),
        "priorityFeeWei": str(attempt.priority_fee),
        "transaction": _wire(attempt.transaction),
        "signedBlock": attempt.signed_block,
        "signedAt": encode_time(attempt.signed_at),
        "standing": attempt_standing(job, attempt),
    }


def _anchored_size(attempt: AnchorAttempt) -> int | None:
    """Return the tree size that a transaction is for: a later one may be for a larger tree."""
    try:
        return anchored_tree(attempt.raw)[0]
    except InputError:
        return None


def _target(target: AnchorTarget) -> dict[str, Any]:
    return {
        "chainId": target.chain_id,
        "contract": _wire(target.contract),
        "log": _wire(target.log),
    }


def _expected(found: Expectation | None) -> dict[str, Any]:
    unknown = None if found is None else found.unknown
    return {
        "expectedAt": None if found is None else _time(found.at),
        "unknown": None if unknown is None else Reason(code=unknown).to_json(),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else encode_time(moment)


def _text(amount: int | None) -> str | None:
    return None if amount is None else str(amount)


def _wire(value: bytes | None) -> str | None:
    return None if value is None else "0x" + value.hex()
