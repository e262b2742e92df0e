"""What anchoring may spend: caps per anchor and per day, and an alarm before funds run out.

All in wei, and all by what may be spent at most (gas limit × max fee): a cap
that looked at what was paid would be told too late. Each target, a log in a
contract on a chain, has its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from vermilion_anchor.ports import TransactionFields
from vermilion_ledger.errors import UnavailableError

__all__ = ["SPEND_PERIOD", "SpendPolicy"]

SPEND_PERIOD = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendPolicy:
    """How much may be spent, in wei; 0 is no cap and no alarm.

    Attributes:
        anchor_max: The most that the transaction of one anchor may cost.
        day_max: The most that all nonces signed in 24 hours may cost together.
        balance_min: A balance below this is an alarm; anchoring goes on.
    """

    anchor_max: int = 0
    day_max: int = 0
    balance_min: int = 0

    def check_cost(self, fields: TransactionFields, costs: Mapping[int, int]) -> None:
        """Refuse a transaction that might cost more than a cap allows; asked before it is signed.

        Args:
            fields: What is to be signed.
            costs: What each nonce signed within `SPEND_PERIOD` may cost at
                most. Of several attempts of a nonce one alone is ever paid:
                the one to be signed counts in place of cheaper ones before it.

        Raises:
            UnavailableError: ``anchor.spend-cap``. Nothing is lost by waiting:
                roots accumulate, and what was sent may still be mined.
        """
        cost = fields.cost_max
        if 0 < self.anchor_max < cost:
            raise UnavailableError(
                "anchor.spend-cap", f"the anchor may cost {cost} wei, the cap is {self.anchor_max}"
            )
        total = sum({**costs, fields.nonce: max(cost, costs.get(fields.nonce, 0))}.values())
        if 0 < self.day_max < total:
            raise UnavailableError(
                "anchor.spend-cap",
                f"the anchors of 24 hours may cost {total} wei, the cap is {self.day_max}",
            )

    def find_alarm(self, address: bytes, balance: int) -> UnavailableError | None:
        """Return ``anchor.low-balance`` where an account has less than it should; else None."""
        if balance >= self.balance_min:
            return None
        return UnavailableError(
            "anchor.low-balance",
            f"0x{address.hex()} has {balance} wei, the alarm is set to {self.balance_min}",
        )
