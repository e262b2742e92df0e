"""Time from both sides: not before a quoted block, not after an anchor.

Claimed times are never looked at (FORMATS sections 3, 8 and 12).
"""

from __future__ import annotations

from datetime import datetime

from vermilion_ledger.approvals import Interval
from vermilion_ledger.encoding import encode_time
from vermilion_ledger.errors import VerificationError
from vermilion_ledger.evm.header import BlockHeader
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_verify.blocks import Standing
from vermilion_verify.case import Case
from vermilion_verify.checks.anchors import check_anchor_finality
from vermilion_verify.outcome import Absent, Detail, Unknown

__all__ = ["as_of_time", "bound_event", "check_time_interval", "interval_of", "is_pending"]


def check_time_interval(case: Case) -> Detail:
    """Check that quoted blocks and anchors leave room for each statement.

    Raises:
        VerificationError: A quoted block has another number, contradicts a
            known block, or is not below an anchor that covers its entry.
        Unknown: A lower bound on one chain lies above an upper bound on
            another, or the checkpoint is not as fresh as was asked.
        Absent: There is no final anchor.
    """
    for event in case.bundled:
        _check_quote(case, event)
    if not case.anchors.final():
        if not is_pending(case):  # time-stamps count as a chain, or no anchor is asked for
            _check_freshness(case)
        raise Absent("no final anchor bounds the time")
    for event in case.bundled:
        bounds = bound_event(case, event)
        lower, upper = bounds["notBefore"], bounds["notAfter"]
        if lower and upper and lower["time"] > upper["time"]:
            raise Unknown(
                "time.bounds-cross",
                f"leaf {event.index}: not before {lower['time']}, not after {upper['time']}",
            )
    if not is_pending(case):
        _check_freshness(case)
    return {"events": len(case.bundled)}


def bound_event(case: Case, event: LoggedEnvelope) -> Detail:
    """Return the interval of one entry: trusted quoted block, earliest final anchor."""
    return {"notBefore": _lower_bound(case, event), "notAfter": _upper_bound(case, event)}


def interval_of(case: Case, event: LoggedEnvelope) -> Interval:
    """Return the same bounds as times."""
    quoted, first = _trusted_quote(case, event), case.earliest_anchors.first(event.index)
    return Interval(
        not_before=None if quoted is None else quoted.time,
        not_after=None if first is None else first.block_time,
    )


def is_pending(case: Case) -> bool:
    """Tell whether the verdict waits for an anchor, and with it what an anchor would tell."""
    try:
        check_anchor_finality(case)
    except Absent:
        return case.policy.anchors_required > 0
    except Unknown:
        return False
    return False


def as_of_time(case: Case) -> datetime | None:
    """Return the block time of the newest final anchor of the checkpoint's size."""
    times = [anchor.block_time for anchor in case.anchors.final() if anchor.size == case.size]
    return max(times, default=None)


def _check_quote(case: Case, event: LoggedEnvelope) -> None:
    seen = event.statement.seen
    if seen is None:
        return
    header = case.headers[seen.hash]
    if header.number != seen.number:
        raise VerificationError(
            "seen.other-number", f"leaf {event.index} calls block {header.number} {seen.number}"
        )
    if _quote_standing(case, event) is Standing.CONTRADICTED:
        raise VerificationError(
            "seen.contradicted", f"leaf {event.index} quotes a block that is not on the chain"
        )
    lowest = case.lowest_anchors.get(seen.chain_id)
    anchor = lowest.first(event.index) if lowest is not None else None
    if anchor is not None and seen.number >= anchor.block_number:
        raise VerificationError(
            "seen.not-below-anchor",
            f"leaf {event.index} quotes block {seen.number}, anchored in {anchor.block_number}",
        )


def _quote_standing(case: Case, event: LoggedEnvelope) -> Standing:
    """Return what is known of the block that a statement quotes."""
    seen = event.statement.seen
    assert seen is not None  # noqa: S101 - asked by the callers
    if case.judge.contradicts_list(seen.chain_id, number=seen.number, block_hash=seen.hash):
        return Standing.CONTRADICTED
    standings = {
        case.judge.judge(chain, number=seen.number, block_hash=seen.hash)
        for chain in case.policy.chains
        if chain.chain_id == seen.chain_id
    }
    for standing in (Standing.CONTRADICTED, Standing.CANONICAL, Standing.FINAL):
        if standing in standings:
            return standing
    return Standing.UNKNOWN


def _trusted_quote(case: Case, event: LoggedEnvelope) -> BlockHeader | None:
    """A quote that nobody can check claims nothing."""
    seen = event.statement.seen
    if seen is None or _quote_standing(case, event) not in {Standing.CANONICAL, Standing.FINAL}:
        return None
    return case.headers[seen.hash]


def _lower_bound(case: Case, event: LoggedEnvelope) -> Detail | None:
    seen, header = event.statement.seen, _trusted_quote(case, event)
    if seen is None or header is None:
        return None
    return {
        "chainId": seen.chain_id,
        "number": header.number,
        "hash": "0x" + header.hash.hex(),
        "time": encode_time(header.time),
    }


def _upper_bound(case: Case, event: LoggedEnvelope) -> Detail | None:
    first = case.earliest_anchors.first(event.index)
    if first is None:
        return None
    return {
        "chainId": first.chain_id,
        "number": first.block_number,
        "hash": "0x" + first.block_hash.hex(),
        "time": encode_time(first.block_time),
    }


def _check_freshness(case: Case) -> None:
    found = as_of_time(case)
    wanted = [moment for moment in (case.as_of, _oldest_allowed(case)) if moment is not None]
    if wanted and (found is None or found < max(wanted)):
        stated = encode_time(found) if found else "unknown"
        raise Unknown(
            "time.not-fresh",
            f"the checkpoint is as of {stated}, asked is {encode_time(max(wanted))}",
        )


def _oldest_allowed(case: Case) -> datetime | None:
    if case.policy.max_age is None:
        return None
    try:
        return case.now - case.policy.max_age
    except OverflowError:  # an age of thousands of years allows every block
        return None
