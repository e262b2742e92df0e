"""What an anchorer is told, and what it tells: plain values without behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field

from vermilion_anchor.fees import FeePolicy
from vermilion_anchor.spending import SpendPolicy
from vermilion_ledger.anchor_rows import AnchorTarget, JobState
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.evm.finality import FinalityRule

__all__ = ["AnchorSettings", "Progress"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorSettings:
    """What to anchor, where and how.

    Attributes:
        target: Log, contract and chain.
        code_hash: Keccak-256 of the contract's runtime code.
        finality: When an anchor counts.
        fees: What to offer, in wei per gas.
        spending: What it may cost, in wei.
        interval_seconds: Least time between two anchors; roots accumulate meanwhile.
        recheck_seconds: How long after its block a final anchor is looked at again.
        poll_seconds: Pause between looks at the chain.
        retry_seconds_max: Longest pause while the node is out of reach.
    """

    target: AnchorTarget
    code_hash: bytes
    finality: FinalityRule
    fees: FeePolicy = field(default_factory=FeePolicy)
    spending: SpendPolicy = field(default_factory=SpendPolicy)
    interval_seconds: float = 0.0
    recheck_seconds: float = 7 * 24 * 3600.0
    poll_seconds: float = 1.0
    retry_seconds_max: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What one step did.

    Attributes:
        state: State of the job afterwards; None where there is nothing to do.
        size: Tree size concerned.
        note: For people and logs.
        is_waiting: Whether the next step is worth a pause first.
        alarm: What a person should see to although anchoring goes on; not told with `error`.
        error: What stood in the way, in `Anchorer.run` only.
    """

    state: JobState | None
    size: int = 0
    note: str = ""
    is_waiting: bool = False
    alarm: EvidenceError | None = None
    error: EvidenceError | None = None
