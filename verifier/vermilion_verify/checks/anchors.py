"""Anchors: the receipt, its block, and whether enough chains are final.

FORMATS section 8. Which anchors count, and what is known of their blocks, is
found once, in `vermilion_verify.anchoring`.
"""

from __future__ import annotations

from vermilion_ledger.errors import VerificationError
from vermilion_verify.anchoring import JudgedAnchor
from vermilion_verify.blocks import Standing
from vermilion_verify.case import Case
from vermilion_verify.outcome import Absent, Detail, Unknown

__all__ = ["check_anchor_block", "check_anchor_finality", "check_anchor_receipt"]


def check_anchor_receipt(case: Case) -> Detail:
    """Check the receipts of all anchors that count.

    Raises:
        VerificationError: One of them does not hold.
        Absent: None counts.
    """
    found = case.anchors
    for failure in found.failures:
        raise failure
    if not found.judged:
        raise Absent(f"no anchor counts, {found.ignored} ignored")
    return {
        "anchors": [
            {"chainId": item.anchor.chain_id, "size": item.anchor.size} for item in found.judged
        ],
        "ignored": found.ignored,
    }


def check_anchor_block(case: Case) -> Detail:
    """Check that the blocks of the anchors are on their chains.

    Raises:
        VerificationError: A block contradicts what is known of the chain.
        Unknown: Nobody vouches for any of the blocks.
        Absent: There is no anchor.
    """
    judged = case.anchors.judged
    if not judged:
        raise Absent("no anchor counts")
    detail: Detail = {"blocks": [_describe(item) for item in judged]}
    wrong = [item.anchor for item in judged if item.standing is Standing.CONTRADICTED]
    if wrong:
        raise VerificationError(
            "anchor.other-block",
            f"block {wrong[0].block_number} of chain {wrong[0].chain_id} is not "
            f"0x{wrong[0].block_hash.hex()}, or its contract has other code",
        )
    if not any(item.standing in {Standing.CANONICAL, Standing.FINAL} for item in judged):
        widest = max((item.anchor for item in judged), key=lambda anchor: anchor.size)
        raise Unknown(
            "anchor.block-unknown",
            f"nobody vouches for block {widest.block_number} of chain {widest.chain_id}: "
            f"look up 0x{widest.block_hash.hex()}",
            detail,
        )
    return detail


def check_anchor_finality(case: Case) -> Detail:
    """Count the chains with a final anchor over everything in the bundle.

    Where the policy says so, verified time-stamps together count as one more
    chain (FORMATS section 11): each covers the whole checkpoint.

    Raises:
        Unknown: Too few, but enough with those whose block nobody vouches for.
        Absent: Too few.
    """
    end = 1 + max(opened.source.index for opened in case.opened)
    covering = [item for item in case.anchors.judged if item.anchor.size >= end]
    final = {i.anchor.chain_id for i in covering if i.standing is Standing.FINAL}
    unknown = {i.anchor.chain_id for i in covering if i.standing is Standing.UNKNOWN}
    required = case.policy.anchors_required
    stamped = int(case.policy.timestamps_count and bool(case.timestamps.verified))
    detail: Detail = {"final": sorted(final), "required": required}
    if case.policy.timestamps_count:
        detail["timestamps"] = stamped
    if len(final) + stamped >= required:
        return detail
    if len(final | unknown) + stamped >= required:
        raise Unknown("anchor.not-vouched", "nobody vouches for enough anchors", detail)
    found = f"{len(final)} chains and the time-stamps" if stamped else f"{len(final)}"
    raise Absent(f"{found} of {required} chains have a final anchor")


def _describe(item: JudgedAnchor) -> Detail:
    return {
        "chainId": item.anchor.chain_id,
        "number": item.anchor.block_number,
        "hash": "0x" + item.anchor.block_hash.hex(),
        "standing": item.standing.value,
    }
