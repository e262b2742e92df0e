"""Caps and the alarm, on a real chain: what would pass a cap is not signed, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from chain import Chain, MemoryLog, fixed_clock
from vermilion_anchor.settings import Progress
from vermilion_anchor.spending import SpendPolicy
from vermilion_ledger.anchor_rows import FinalAnchor, JobState
from vermilion_ledger.errors import UnavailableError

Make = Callable[..., Any]
Finish = Callable[..., FinalAnchor]
GWEI = 10**9


class MovingClock:
    def __init__(self) -> None:
        self.now = fixed_clock()

    def __call__(self) -> datetime:
        return self.now


class Told:
    """Stops a run after some steps; keeps what was told."""

    def __init__(self, steps: int) -> None:
        self.steps, self.seen = steps, list[Progress]()

    def notify(self, progress: Progress) -> None:
        self.seen.append(progress)

    def is_set(self) -> bool:
        return len(self.seen) >= self.steps

    def wait(self, _: float) -> None:
        """Nobody waits in a test."""


def steps(anchorer: Any, count: int) -> None:
    for _ in range(count):
        anchorer.step()


def refused(anchorer: Any) -> str:
    with pytest.raises(UnavailableError) as error:
        steps(anchorer, 10)
    return error.value.code


def cost_of(journal: Any, chain: Chain) -> int:
    costs = journal.load_costs(chain.target, since=fixed_clock() - timedelta(days=9999))
    return sum(costs.values())


def nonce(chain: Chain, block: str = "pending") -> int:
    answer = chain.rpc("eth_getTransactionCount", "0x" + chain.signer.address.hex(), block)
    return int(answer, 16)


def test_an_anchor_above_its_cap_is_not_signed_and_is_made_up_for(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    log, before = MemoryLog(9), nonce(chain)
    capped = make_anchorer(log, finality="immediate", spending=SpendPolicy(anchor_max=GWEI))

    for _ in range(3):
        assert refused(capped) == "anchor.spend-cap"
    assert journal.load_open(chain.target).attempts == ()
    assert nonce(chain) == before
    log.grow(5)  # the log goes on, and the plan waits as one row
    assert refused(capped) == "anchor.spend-cap"
    assert len(journal.list_all()) == 1

    assert finish(make_anchorer(log, finality="immediate"), 14).size == 14
    assert len(chain.events()) == 1


def test_a_day_s_cap_holds_until_the_day_is_over(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    clock, log = MovingClock(), MemoryLog(3)
    finish(make_anchorer(log, finality="immediate", clock=clock), 3)
    first = cost_of(journal, chain)
    capped = make_anchorer(
        log, finality="immediate", clock=clock, spending=SpendPolicy(day_max=first * 11 // 10)
    )
    log.grow(1)

    assert refused(capped) == "anchor.spend-cap"
    clock.now += timedelta(hours=23, minutes=59)
    assert refused(capped) == "anchor.spend-cap"
    assert len(chain.events()) == 1
    clock.now += timedelta(minutes=2)

    assert finish(capped, 4).size == 4
    assert len(chain.events()) == 2


def test_a_restarted_anchorer_remembers_what_was_spent(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    log = MemoryLog(3)
    finish(make_anchorer(log, finality="immediate"), 3)
    policy = SpendPolicy(day_max=cost_of(journal, chain) + 1)
    log.grow(1)

    for _ in range(3):
        anchorer = make_anchorer(log, finality="immediate", spending=policy)
        assert refused(anchorer) == "anchor.spend-cap"

    assert len(chain.events()) == 1


def test_a_replacement_that_would_pass_the_cap_waits_for_the_first_attempt(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    log = MemoryLog(3)
    chain.rpc("evm_setAutomine", False)
    anchorer = make_anchorer(log, finality="immediate")
    steps(anchorer, 3)
    first = cost_of(journal, chain)
    chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(50 * GWEI))
    for _ in range(4):  # too dear for the attempt that waits
        chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(50 * GWEI))
        chain.mine()
    capped = make_anchorer(log, finality="immediate", spending=SpendPolicy(day_max=first + 1))

    assert refused(capped) == "anchor.spend-cap"
    assert cost_of(journal, chain) == first
    assert len(journal.load_open(chain.target).attempts) == 1

    chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(GWEI // 10))
    chain.mine()
    assert finish(capped, 3).size == 3


def test_all_attempts_of_a_nonce_cost_as_much_as_the_dearest(
    chain: Chain, journal: Any, make_anchorer: Make
) -> None:
    chain.rpc("evm_setAutomine", False)
    anchorer = make_anchorer(MemoryLog(3), finality="immediate")
    steps(anchorer, 3)
    for _ in range(4):
        chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(50 * GWEI))
        chain.mine()
    anchorer.step()

    one, two = journal.load_open(chain.target).attempts

    assert one.nonce == two.nonce
    assert two.max_fee > one.max_fee
    assert cost_of(journal, chain) == two.gas_limit * two.max_fee


def test_a_low_balance_is_told_while_anchoring_goes_on(
    chain: Chain, make_anchorer: Make, finish: Finish
) -> None:
    balance = chain.client.balance(chain.signer.address)
    log = MemoryLog(3)
    anchorer = make_anchorer(
        log, finality="immediate", spending=SpendPolicy(balance_min=balance + 1)
    )

    told = Told(8)
    anchorer.run(told, notify=told.notify)

    assert {each.alarm.code for each in told.seen if each.alarm} == {"anchor.low-balance"}
    assert all(each.alarm for each in told.seen)
    assert JobState.FINAL in {each.state for each in told.seen}
    chain.client.set_development_balance(chain.signer.address, balance + 1)
    assert anchorer.step().alarm is None


def test_a_balance_that_does_is_no_alarm(chain: Chain, make_anchorer: Make) -> None:
    anchorer = make_anchorer(MemoryLog(3), spending=SpendPolicy(balance_min=10**18))

    assert anchorer.step().alarm is None


def test_the_reason_of_waiting_is_told_by_a_run(chain: Chain, make_anchorer: Make) -> None:
    anchorer = make_anchorer(
        MemoryLog(3), finality="immediate", spending=SpendPolicy(anchor_max=GWEI)
    )

    told = Told(6)
    anchorer.run(told, notify=told.notify)

    assert [each.error.code for each in told.seen if each.error] == ["anchor.spend-cap"] * 5
    assert all(each.is_waiting for each in told.seen if each.error)
