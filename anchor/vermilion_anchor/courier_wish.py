"""What an order shall offer: the operator's word first, then a status, then the journal.

Pure arithmetic in wei and nonces, for `vermilion_anchor.courier_office`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vermilion_anchor.courier import CourierStatus
from vermilion_anchor.fees import FeePolicy, Fees
from vermilion_ledger.anchor_rows import AnchorAttempt
from vermilion_ledger.errors import InputError, UnavailableError

__all__ = ["OrderWish", "choose_fees", "choose_nonce"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderWish:
    """What the operator says of a transaction; None leaves it to status and journal.

    Attributes:
        status: What a courier last reported.
        nonce: Of the account.
        head_size: Size of the contract's head.
        fees: In wei per gas.
        gas_limit: In gas.
        is_replacing: Sign anew, dearer, although a transaction was signed before.
    """

    status: CourierStatus | None = None
    nonce: int | None = None
    head_size: int | None = None
    fees: Fees | None = None
    gas_limit: int | None = None
    is_replacing: bool = False


def choose_nonce(attempts: Sequence[AnchorAttempt], wish: OrderWish) -> int:
    """Return the nonce: that of the last attempt, unless the account is beyond it.

    Raises:
        InputError: ``courier.no-nonce``.
    """
    if wish.nonce is not None:
        return wish.nonce
    known = [each.nonce for each in attempts[-1:]]
    if wish.status is not None:
        known.append(wish.status.nonce)
    if not known:
        raise InputError("courier.no-nonce", "neither a status nor --nonce tells the nonce")
    return max(known)


def choose_fees(
    policy: FeePolicy, attempts: Sequence[AnchorAttempt], wish: OrderWish, *, nonce: int
) -> Fees:
    """Return the fees; dearer ones where an attempt of that nonce is replaced.

    Raises:
        InputError: ``courier.no-fees`` or ``courier.fee-too-low``.
        UnavailableError: ``anchor.fee-cap``.
    """
    replaced = next((each for each in reversed(attempts) if each.nonce == nonce), None)
    if wish.fees is not None:
        if replaced is not None and not policy.replaces(wish.fees, replaced):
            raise InputError(
                "courier.fee-too-low",
                f"{wish.fees.max_fee} and {wish.fees.priority_fee} wei per gas do not replace"
                f" {replaced.max_fee} and {replaced.priority_fee}",
            )
        return wish.fees
    if wish.status is None:
        raise InputError("courier.no-fees", "neither a status nor options tell the fees")
    if replaced is None:
        return policy.first(wish.status.fee_history)
    raised = policy.raised(replaced, wish.status.fee_history)
    if raised is None:
        raise UnavailableError(
            "anchor.fee-cap", f"{replaced.max_fee} wei per gas cannot be raised under the cap"
        )
    return raised
