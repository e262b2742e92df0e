"""The anchors of a bundle that count, each judged once.

FORMATS section 8. An anchor counts if its chain id, contract and log are in
the trust policy; all others are ignored. The checks ask here as often as
they like: whoever writes a bundle decides how many anchors and entries it has.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from vermilion_ledger.bundle import EvidenceBundle
from vermilion_ledger.checkpoint import Checkpoint
from vermilion_ledger.errors import InputError, VerificationError
from vermilion_ledger.evm.receipt import AnchorReceipt, VerifiedAnchor, verify_anchor_receipt
from vermilion_ledger.merkle import verify_consistency
from vermilion_verify.blocks import BlockJudge, Standing
from vermilion_verify.policy import TrustPolicy

__all__ = ["AnchorFindings", "Covering", "JudgedAnchor", "judge_anchors"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedAnchor:
    """An anchor whose receipt holds, with what is known of its block."""

    anchor: VerifiedAnchor
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorFindings:
    """What became of the anchors of a bundle.

    Attributes:
        judged: Those that count and hold, in the order of the bundle.
        failures: Why others that count do not hold.
        ignored: Number of those that do not count.
    """

    judged: tuple[JudgedAnchor, ...]
    failures: tuple[VerificationError, ...]
    ignored: int

    def final(self) -> tuple[VerifiedAnchor, ...]:
        """Return the anchors whose block is final."""
        return tuple(item.anchor for item in self.judged if item.standing is Standing.FINAL)


class Covering:
    """Finds, among anchors that cover a leaf, the one that comes first by some order."""

    def __init__(
        self, anchors: Iterable[VerifiedAnchor], order: Callable[[VerifiedAnchor], Any]
    ) -> None:
        self._sizes: list[int] = []  # rising
        self._best: list[VerifiedAnchor] = []  # first of those with this size or a larger one
        for anchor in sorted(anchors, key=lambda each: each.size, reverse=True):
            best = min(anchor, *self._best[-1:], key=order) if self._best else anchor
            self._sizes.append(anchor.size)
            self._best.append(best)
        self._sizes.reverse()
        self._best.reverse()

    def first(self, index: int) -> VerifiedAnchor | None:
        """Return the first anchor with ``size > index``, or None."""
        place = bisect.bisect_right(self._sizes, index)
        return self._best[place] if place < len(self._best) else None


def judge_anchors(bundle: EvidenceBundle, policy: TrustPolicy, judge: BlockJudge) -> AnchorFindings:
    """Check every receipt that counts, and ask what is known of its block."""
    chains = {(chain.chain_id, chain.contract, chain.log): chain for chain in policy.chains}
    judged, failures, ignored = [], [], 0
    for receipt in bundle.anchors:
        chain = chains.get((receipt.chain_id, receipt.contract, receipt.log))
        if chain is None:
            ignored += 1
            continue
        try:
            anchor = _verify(receipt, bundle.signed_checkpoint.checkpoint)
        except VerificationError as exc:
            failures.append(exc)
            continue
        standing = judge.judge(chain, number=anchor.block_number, block_hash=anchor.block_hash)
        judged.append(JudgedAnchor(anchor=anchor, standing=standing))
    return AnchorFindings(judged=tuple(judged), failures=tuple(failures), ignored=ignored)


def _verify(receipt: AnchorReceipt, checkpoint: Checkpoint) -> VerifiedAnchor:
    """Check the receipt, and that its (size, root) leads to the checkpoint."""
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
