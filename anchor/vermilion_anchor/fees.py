"""What to pay: EIP-1559 fees from recent blocks, under a cap.

Pure arithmetic in wei. A replacement pays at least an eighth more in both
fields, which every known node accepts (the strictest ask for a tenth).
"""

from __future__ import annotations

from dataclasses import dataclass

from vermilion_anchor.ports import FeeHistory
from vermilion_ledger.anchor_rows import AnchorAttempt
from vermilion_ledger.errors import UnavailableError

__all__ = ["FeePolicy", "Fees"]

_GWEI = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """``maxFeePerGas`` and ``maxPriorityFeePerGas``, in wei."""

    max_fee: int
    priority_fee: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeePolicy:
    """How much an anchor may cost.

    Attributes:
        max_fee_cap: Never offer more than this, in wei per gas.
        priority_fee_min: Tip offered where recent blocks tell nothing, in wei per gas.
        priority_fee_cap: Never tip more than this, in wei per gas.
        base_fee_factor: How often the base fee may double before the offer is
            too low: 2 survives six full blocks.
        replace_after_blocks: Blocks that a transaction may wait before a
            dearer one replaces it.
    """

    max_fee_cap: int = 500 * _GWEI
    priority_fee_min: int = _GWEI // 10
    priority_fee_cap: int = 10 * _GWEI
    base_fee_factor: int = 2
    replace_after_blocks: int = 3

    def first(self, history: FeeHistory) -> Fees:
        """Return the fees of a first attempt.

        Raises:
            UnavailableError: ``anchor.fee-cap``: the base fee alone is above
                the cap. Nothing is lost by waiting: roots accumulate.
        """
        priority = self._priority(history)
        if history.base_fee + priority > self.max_fee_cap:
            raise UnavailableError(
                "anchor.fee-cap",
                f"a block costs {history.base_fee + priority} wei per gas,"
                f" the cap is {self.max_fee_cap}",
            )
        wanted = self.base_fee_factor * history.base_fee + priority
        return Fees(max_fee=min(wanted, self.max_fee_cap), priority_fee=priority)

    def raised(self, last: AnchorAttempt, history: FeeHistory) -> Fees | None:
        """Return the fees that replace an attempt; None where the cap forbids a replacement."""
        priority = max(_eighth_more(last.priority_fee), self._priority(history))
        wanted = self.base_fee_factor * history.base_fee + priority
        max_fee = max(_eighth_more(last.max_fee), min(wanted, self.max_fee_cap))
        if max_fee > self.max_fee_cap:
            return None
        return Fees(max_fee=max_fee, priority_fee=min(priority, max_fee))

    def replaces(self, fees: Fees, last: AnchorAttempt) -> bool:
        """Tell whether every known node lets these fees replace an attempt."""
        return fees.max_fee >= _eighth_more(last.max_fee) and fees.priority_fee >= _eighth_more(
            last.priority_fee
        )

    def _priority(self, history: FeeHistory) -> int:
        rewards = sorted(history.rewards)
        median = rewards[len(rewards) // 2] if rewards else 0
        return min(max(median, self.priority_fee_min), self.priority_fee_cap)


def _eighth_more(fee: int) -> int:
    return fee + (fee + 7) // 8
