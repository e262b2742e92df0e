"""Jobs, words and outlooks of anchoring, made by hand for tests that need no chain."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from vermilion_api.services.outlook import TargetOutlook, measure_pace
from vermilion_ledger.anchor_rows import (
    AnchorAttempt,
    AnchorJob,
    AnchorTarget,
    JobState,
    MinedIn,
)
from vermilion_ledger.anchor_standing import AnchorNote, AnchorTotals, FinishedAnchor

__all__ = [
    "NOW",
    "TARGET",
    "finished",
    "make_attempt",
    "make_job",
    "make_note",
    "make_outlook",
    "mined_in",
    "seconds",
]

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
TARGET = AnchorTarget(chain_id=31337, contract=b"\x01" * 20, log=b"\x02" * 32)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def make_attempt(number: int, *, nonce: int = 7) -> AnchorAttempt:
    return AnchorAttempt(
        nonce=nonce,
        gas_limit=90_000,
        max_fee=2 * 10**9 + number,
        priority_fee=10**9,
        raw=b"raw %d" % number,
        transaction=bytes([number]) * 32,
        signed_block=5,
        signed_at=NOW - seconds(20 - number),
    )


def mined_in(number: int) -> MinedIn:
    return MinedIn(transaction=bytes([number]) * 32, block_number=9, block_hash=b"\x09" * 32)


def make_job(state: JobState, *attempts: AnchorAttempt, **changes: Any) -> AnchorJob:
    values: dict[str, Any] = {
        "number": 3,
        "target": TARGET,
        "size": 100,
        "root": bytes(32),
        "state": state,
        "attempts": attempts,
        "planned_at": NOW - seconds(30),
    }
    if state in {JobState.MINED, JobState.FINAL}:
        values["mined"] = mined_in(1)
    return AnchorJob(**values | changes)


def make_note(code: str, **changes: Any) -> AnchorNote:
    note = AnchorNote(
        target=TARGET, code=code, note="", alarm="", since=NOW - seconds(60), told_at=NOW
    )
    return replace(note, **changes)


def finished(number: int, *, size: int, took: float = 40.0, **changes: Any) -> FinishedAnchor:
    """An anchor that was planned ``took`` seconds before it was final."""
    planned = NOW - seconds(1000 - 100 * number)
    anchor = FinishedAnchor(
        number=number,
        size=size,
        documents=size,
        block_time=planned + seconds(took / 4),
        planned_at=planned,
        final_at=planned + seconds(took),
        gas_used=50_000,
        gas_price=10**9,
    )
    return replace(anchor, **changes)


def make_outlook(**changes: Any) -> TargetOutlook:
    """A target with 50 entries under a final anchor, 100 published, and nothing to do."""
    last = changes.pop("finished", (finished(1, size=50),))
    values: dict[str, Any] = {
        "target": TARGET,
        "finality": "confirmations:3",
        "interval_seconds": 10.0,
        "now": NOW,
        "published": 100,
        "oldest_at": NOW - seconds(5),
        "totals": AnchorTotals(final_size=50, vanished=0),
        "job": None,
        "note": make_note("wait.idle"),
        "finished": last,
        "pace": measure_pace(last),
    }
    return TargetOutlook(**values | changes)
