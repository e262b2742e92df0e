"""Anchors: the receipt, its block, and whether enough chains are final.

FORMATS section 8. An anchor counts if its chain id, contract and log are in
the trust policy; all others are listed as ignored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vermilion_ledger.errors import InputError, VerificationError
from vermilion_ledger.evm.receipt import AnchorReceipt, VerifiedAnchor, verify_anchor_receipt
from vermilion_ledger.merkle import verify_consistency
from vermilion_verify.blocks import Standing
from vermilion_verify.case import Case
from vermilion_verify.outcome import Absent, Detail, Unknown
from vermilion_verify.policy import ChainTrust

__all__ = [
    "JudgedAnchor",
    "check_anchor_block",
    "check_anchor_finality",
    "check_anchor_receipt",
    "judge_anchors",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedAnchor:
    """An anchor whose receipt holds, with what is known of its block."""

    anchor: VerifiedAnchor
    standing: Standing


def check_anchor_receipt(case: Case) -> Detail:
    """Check the receipts of all anchors that count.

    Raises:
        VerificationError: One of them does not hold.
        Absent: None counts.
    """
    counting = _counting(case)
    for receipt, _ in counting:
        _verify(case, receipt)
    ignored = len(case.bundle.anchors) - len(counting)
    if not counting:
        raise Absent(f"no anchor counts, {ignored} ignored")
    return {
        "anchors": [{"chainId": receipt.chain_id, "size": receipt.size} for receipt, _ in counting],
        "ignored": ignored,
    }


def check_anchor_block(case: Case) -> Detail:
    """Check that the blocks of the anchors are on their chains.

    Raises:
        VerificationError: A block contradicts what is known of the chain.
        Unknown: Nobody vouches for any of the blocks.
        Absent: There is no anchor.
    """
    judged = judge_anchors(case)
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
        first = judged[0].anchor
        raise Unknown(
            "anchor.block-unknown",
            f"nobody vouches for block {first.block_number} of chain {first.chain_id}: "
            f"look up 0x{first.block_hash.hex()}",
            detail,
        )
    return detail


def check_anchor_finality(case: Case) -> Detail:
    """Count the chains with a final anchor over everything in the bundle.

    Raises:
        Unknown: Too few, but enough with those whose block nobody vouches for.
        Absent: Too few.
    """
    end = 1 + max(opened.source.index for opened in case.opened)
    covering = [item for item in judge_anchors(case) if item.anchor.size >= end]
    final = {i.anchor.chain_id for i in covering if i.standing is Standing.FINAL}
    unknown = {i.anchor.chain_id for i in covering if i.standing is Standing.UNKNOWN}
    required = case.policy.anchors_required
    detail: Detail = {"final": sorted(final), "required": required}
    if len(final) >= required:
        return detail
    if len(final | unknown) >= required:
        raise Unknown("anchor.not-vouched", "nobody vouches for enough anchors", detail)
    raise Absent(f"{len(final)} of {required} chains have a final anchor")


def judge_anchors(case: Case) -> tuple[JudgedAnchor, ...]:
    """Return the anchors that count and hold, with the standing of their blocks."""
    judged = []
    for receipt, chain in _counting(case):
        try:
            anchor = _verify(case, receipt)
        except VerificationError:
            continue  # `check_anchor_receipt` reports it
        standing = case.judge.judge(chain, number=anchor.block_number, block_hash=anchor.block_hash)
        judged.append(JudgedAnchor(anchor=anchor, standing=standing))
    return tuple(judged)


def _counting(case: Case) -> Sequence[tuple[AnchorReceipt, ChainTrust]]:
    chains = {(c.chain_id, c.contract, c.log): c for c in case.policy.chains}
    return [
        (receipt, chain)
        for receipt in case.bundle.anchors
        if (chain := chains.get((receipt.chain_id, receipt.contract, receipt.log))) is not None
    ]


def _verify(case: Case, receipt: AnchorReceipt) -> VerifiedAnchor:
    """Check the receipt, and that its (size, root) leads to the checkpoint."""
    checkpoint = case.bundle.signed_checkpoint.checkpoint
    try:
        anchor = verify_anchor_receipt(receipt)
        if anchor.size == checkpoint.size:
            if anchor.root != checkpoint.root or receipt.consistency is not None:
                raise VerificationError("anchor.other-root", "the anchor has another root")
        elif receipt.consistency is None:
            raise VerificationError("anchor.consistency", "no proof leads to the checkpoint")
        else:
            verify_consistency(
                anchor.size, anchor.root, checkpoint.size, checkpoint.root, receipt.consistency
            )
    except InputError as exc:
        raise VerificationError(exc.code, exc.message) from exc
    return anchor


def _describe(item: JudgedAnchor) -> Detail:
    return {
        "chainId": item.anchor.chain_id,
        "number": item.anchor.block_number,
        "hash": "0x" + item.anchor.block_hash.hex(),
        "standing": item.standing.value,
    }
