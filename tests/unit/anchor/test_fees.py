from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vermilion_anchor.fees import FeePolicy, Fees
from vermilion_anchor.ports import FeeHistory
from vermilion_ledger.anchor_rows import AnchorAttempt
from vermilion_ledger.errors import UnavailableError

GWEI = 10**9
WEI = st.integers(0, 1000 * GWEI)


def attempt(fees: Fees) -> AnchorAttempt:
    return AnchorAttempt(
        nonce=1,
        gas_limit=1,
        max_fee=fees.max_fee,
        priority_fee=fees.priority_fee,
        raw=b"x",
        transaction=b"\x01" * 32,
        signed_block=1,
        signed_at=datetime(2027, 1, 1, tzinfo=UTC),
    )


def test_the_base_fee_may_double() -> None:
    fees = FeePolicy().first(FeeHistory(base_fee=7 * GWEI, rewards=(GWEI, 3 * GWEI, 2 * GWEI)))

    assert fees == Fees(max_fee=16 * GWEI, priority_fee=2 * GWEI)


def test_without_transactions_the_least_tip_is_offered() -> None:
    assert FeePolicy().first(FeeHistory(base_fee=8, rewards=())).priority_fee == GWEI // 10


def test_a_tip_is_capped() -> None:
    fees = FeePolicy().first(FeeHistory(base_fee=8, rewards=(10**15,)))

    assert fees.priority_fee == 10 * GWEI


def test_an_offer_is_cut_at_the_cap() -> None:
    fees = FeePolicy(max_fee_cap=10 * GWEI).first(FeeHistory(base_fee=7 * GWEI, rewards=(GWEI,)))

    assert fees.max_fee == 10 * GWEI


def test_a_base_fee_above_the_cap_is_not_paid() -> None:
    with pytest.raises(UnavailableError) as error:
        FeePolicy(max_fee_cap=10 * GWEI).first(FeeHistory(base_fee=10 * GWEI, rewards=(GWEI,)))

    assert error.value.code == "anchor.fee-cap"


def test_a_replacement_above_the_cap_is_not_made() -> None:
    policy = FeePolicy(max_fee_cap=10 * GWEI)
    last = attempt(Fees(max_fee=9 * GWEI, priority_fee=GWEI))

    assert policy.raised(last, FeeHistory(base_fee=GWEI, rewards=())) is None


@given(base=WEI, rewards=st.lists(WEI, max_size=5), later=WEI, cap=st.integers(1, 2000 * GWEI))
def test_fees_stay_within_the_cap_and_replacements_pay_an_eighth_more(
    base: int, rewards: list[int], later: int, cap: int
) -> None:
    policy = FeePolicy(max_fee_cap=cap)
    try:
        first = policy.first(FeeHistory(base_fee=base, rewards=tuple(rewards)))
    except UnavailableError:
        return
    assert first.priority_fee <= first.max_fee <= cap

    second = policy.raised(attempt(first), FeeHistory(base_fee=later, rewards=tuple(rewards)))

    if second is not None:
        assert second.priority_fee <= second.max_fee <= cap
        assert 8 * second.max_fee >= 9 * first.max_fee
        assert 8 * second.priority_fee >= 9 * first.priority_fee
