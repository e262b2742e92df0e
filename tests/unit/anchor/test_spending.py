from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vermilion_anchor.ports import TransactionFields
from vermilion_anchor.spending import SpendPolicy
from vermilion_ledger.errors import UnavailableError


def fields(cost: int, *, nonce: int = 5) -> TransactionFields:
    return TransactionFields(
        chain_id=1, nonce=nonce, to=None, data=b"", gas_limit=1, max_fee=cost, priority_fee=0
    )


def is_refused(policy: SpendPolicy, cost: int, costs: dict[int, int], *, nonce: int = 5) -> bool:
    try:
        policy.check_cost(fields(cost, nonce=nonce), costs)
    except UnavailableError as error:
        return error.code == "anchor.spend-cap"
    return False


def test_without_caps_anything_may_be_spent() -> None:
    assert not is_refused(SpendPolicy(), 10**30, {1: 10**30})


@pytest.mark.parametrize(("cost", "expected"), [(99, False), (100, False), (101, True)])
def test_an_anchor_above_its_cap_is_refused(cost: int, expected: bool) -> None:
    assert is_refused(SpendPolicy(anchor_max=100), cost, {1: 10**9}) is expected


@pytest.mark.parametrize(("cost", "expected"), [(39, False), (40, False), (41, True)])
def test_a_day_above_its_cap_is_refused(cost: int, expected: bool) -> None:
    assert is_refused(SpendPolicy(day_max=100), cost, {1: 10, 2: 50}) is expected


@pytest.mark.parametrize(("cost", "expected"), [(90, False), (91, True)])
def test_a_replacement_counts_in_place_of_what_it_replaces(cost: int, expected: bool) -> None:
    assert is_refused(SpendPolicy(day_max=100), cost, {1: 10, 5: 80}) is expected


def test_a_cheaper_attempt_does_not_hide_a_dearer_one_of_its_nonce() -> None:
    assert is_refused(SpendPolicy(day_max=100), 1, {1: 20, 5: 81})


@given(
    costs=st.dictionaries(st.integers(0, 9), st.integers(0, 50)),
    wanted=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 50))),
)
def test_what_the_cap_lets_through_never_passes_it(
    costs: dict[int, int], wanted: list[tuple[int, int]]
) -> None:
    policy, signed = SpendPolicy(day_max=100), dict.fromkeys(costs, 0)
    for nonce, cost in (*costs.items(), *wanted):
        if not is_refused(policy, cost, signed, nonce=nonce):
            signed[nonce] = max(cost, signed.get(nonce, 0))

        assert sum(signed.values()) <= 100


@pytest.mark.parametrize(("balance", "expected"), [(0, True), (9, True), (10, False)])
def test_a_balance_below_the_least_is_an_alarm(balance: int, expected: bool) -> None:
    alarm = SpendPolicy(balance_min=10).find_alarm(b"\x01" * 20, balance)

    assert (alarm is not None) is expected
    assert alarm is None or alarm.code == "anchor.low-balance"


def test_without_a_least_there_is_no_alarm() -> None:
    assert SpendPolicy().find_alarm(b"\x01" * 20, 0) is None
