"""One owner for each nonce of an account; dropped, stuck and widened transactions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chain import KEY, Chain, MemoryLog, fixed_clock
from vermilion_anchor.deploy import register_log
from vermilion_anchor.evm import AccountSigner, EvmChain
from vermilion_anchor.fees import FeePolicy
from vermilion_anchor.ports import TransactionFields
from vermilion_anchor.transactions import anchored_tree
from vermilion_ledger.anchor_rows import AnchorJob, AnchorTarget, FinalAnchor, JobState
from vermilion_ledger.errors import ConflictError, InputError, UnavailableError

Make = Callable[..., Any]
Finish = Callable[..., FinalAnchor]
CAP = FeePolicy(max_fee_cap=5 * 10**9)
FLAT = FeePolicy(base_fee_factor=0, priority_fee_min=3 * 10**9)  # always the same offer


def sizes(chain: Chain) -> list[int]:
    return [int(event["data"][2:66], 16) for event in chain.events()]


def open_job(journal: Any, target: AnchorTarget) -> AnchorJob:
    job: AnchorJob | None = journal.load_open(target)
    assert job is not None
    return job


@pytest.fixture
def second(chain: Chain) -> AnchorTarget:
    """Another log of the same account in the same contract."""
    log = register_log(
        chain.client,
        AccountSigner(KEY),
        contract=chain.target.contract,
        origin="ledger.example.gov/office-2",
        publisher=chain.signer.address,
        fees=FeePolicy(),
        sleep=print,
    )
    return replace(chain.target, log=log)


def final_size(journal: Any, target: AnchorTarget) -> int:
    anchor = journal.load_final(target)
    return 0 if anchor is None else anchor.size


def run_both(chain: Chain, journal: Any, one: Any, two: Any, *targets: AnchorTarget) -> None:
    codes: set[str] = set()
    for _ in range(60):
        for anchorer in (one, two):
            try:
                anchorer.step()
            except ConflictError as error:
                codes.add(error.code)
        chain.rpc("evm_mine")
        if all(final_size(journal, target) == 9 for target in targets):
            return
    raise AssertionError(f"not both are final: {codes}")


# --- two logs, one key ---


def test_two_logs_with_one_key_sign_for_two_nonces(
    chain: Chain, journal: Any, make_anchorer: Make, second: AnchorTarget
) -> None:
    chain.rpc("evm_setAutomine", False)
    one, two = make_anchorer(MemoryLog(9)), make_anchorer(MemoryLog(9), target=second)
    for _ in range(3):
        one.step()
        two.step()
    nonces = [
        [attempt.nonce for attempt in open_job(journal, target).attempts]
        for target in (chain.target, second)
    ]

    run_both(chain, journal, one, two, chain.target, second)

    assert nonces[1] == [nonces[0][0] + 1]
    assert chain.client.nonce(chain.signer.address) == nonces[1][0] + 1


def test_a_job_whose_predecessor_gave_up_fills_the_gap(
    chain: Chain, journal: Any, make_anchorer: Make, second: AnchorTarget
) -> None:
    chain.rpc("evm_setAutomine", False)
    one, two = make_anchorer(MemoryLog(9)), make_anchorer(MemoryLog(9), target=second)
    for _ in range(2):
        one.step()  # signed, never sent
    for _ in range(3):
        two.step()
    before = open_job(journal, second).attempts[0].nonce
    journal.save_state(open_job(journal, chain.target), JobState.SUPERSEDED)

    states = [two.step().state for _ in range(2)]
    after = open_job(journal, second).attempts[-1].nonce

    assert states == ["dropped", "signed"]
    assert after == before - 1
    run_both(chain, journal, one, two, chain.target, second)


def test_a_nonce_of_an_open_job_is_not_given_out_again(
    chain: Chain, journal: Any, make_anchorer: Make, second: AnchorTarget
) -> None:
    one, two = (
        journal.plan(target, size=9, root=bytes(32), now=fixed_clock())
        for target in (chain.target, second)
    )
    address = chain.signer.address

    assert journal.reserve_nonce(one, address, nonce_min=4) == 4
    assert journal.reserve_nonce(two, address, nonce_min=4) == 5
    assert journal.reserve_nonce(one, address, nonce_min=4) == 4
    assert journal.reserve_nonce(one, address, nonce_min=5) == 6
    assert journal.reserve_nonce(two, b"\x07" * 20, nonce_min=4) == 4
    journal.save_state(one, JobState.SUPERSEDED)
    assert journal.reserve_nonce(two, address, nonce_min=4) == 4


def test_a_nonce_used_by_someone_else_with_the_key_is_signed_anew(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    anchorer = make_anchorer(MemoryLog(9), finality="immediate")
    anchorer.step()
    anchorer.step()
    me = "0x" + chain.signer.address.hex()
    chain.rpc("anvil_impersonateAccount", me)
    chain.rpc("eth_sendTransaction", {"from": me, "to": me, "value": "0x1"})

    states = [anchorer.step().state for _ in range(2)]

    assert states == ["dropped", "signed"]
    assert finish(anchorer, 9).size == 9
    assert sizes(chain) == [9]


class HesitantChain(EvmChain):
    """A node that is a transaction behind at times, as one of several behind one address."""

    lags = 0

    def nonce(self, address: bytes) -> int:
        return super().nonce(address) - self.lags


def test_a_node_that_is_behind_for_a_moment_costs_no_third_transaction(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    node = HesitantChain(chain.node.url, chain.artifact)
    chain.rpc("evm_setAutomine", False)
    anchorer = make_anchorer(MemoryLog(9), finality="immediate", chain=node)
    states = [anchorer.step().state for _ in range(3)]
    for lags in (1, 1, 1, 0, 0, 1, 0):
        node.lags = lags
        states.append(anchorer.step().state)
    before = open_job(journal, chain.target).attempts
    chain.rpc("evm_mine")
    chain.rpc("evm_setAutomine", True)

    assert states[3:6] == ["dropped", "signed", "sent"]
    assert [attempt.nonce - before[0].nonce for attempt in before] == [0, -1]
    assert finish(anchorer, 9).transaction == before[0].transaction


def test_a_transaction_of_an_earlier_job_is_not_signed_once_more(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    chain.mine(3)
    anchorer = make_anchorer(MemoryLog(9), finality="immediate", fees=FLAT)
    first = finish(anchorer, 9)
    chain.rpc("anvil_reorg", 1, [])
    chain.rpc("anvil_dropAllTransactions")
    anchorer.step()

    second = finish(anchorer, 9)

    attempts = [attempt for job in journal.list_all() for attempt in job.attempts]
    assert len({attempt.nonce for attempt in attempts}) == 1
    assert len({attempt.transaction for attempt in attempts}) == 2
    assert attempts[0].gas_limit == attempts[1].gas_limit + 1
    assert second.transaction != first.transaction


# --- the cap ---


def stick(chain: Chain, anchorer: Any) -> list[JobState | None]:
    """Send under a base fee that rises above the cap, and step."""
    states = [anchorer.step().state for _ in range(3)]
    for _ in range(12):
        chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(400 * 10**9))
        chain.rpc("evm_mine")
        states.append(anchorer.step().state)
    return states


def test_above_the_cap_a_sent_anchor_is_stuck_and_mined_once_it_is_cheap_again(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    chain.rpc("evm_setAutomine", False)
    log = MemoryLog(9)
    anchorer = make_anchorer(log, finality="immediate", fees=CAP)

    states = stick(chain, anchorer)
    attempts = open_job(journal, chain.target).attempts
    log.grow(5)
    chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(10**9))
    chain.rpc("evm_mine")
    chain.rpc("evm_setAutomine", True)

    assert states[-1] == "stuck"
    assert max(attempt.max_fee for attempt in attempts) <= CAP.max_fee_cap
    assert len({attempt.nonce for attempt in attempts}) == 1
    assert finish(anchorer, 14).size == 14
    assert sizes(chain) == [9, 14]


def replaced_by_a_newer_tree(chain: Chain, make_anchorer: Make) -> Any:
    """Sign and send for 9 entries under a fee that becomes too low, and sign again for 16."""
    chain.rpc("evm_setAutomine", False)
    log = MemoryLog(9)
    anchorer = make_anchorer(log, finality="immediate")
    for _ in range(3):
        anchorer.step()
    log.grow(7)
    for _ in range(3):
        chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(40 * 10**9))
        chain.rpc("evm_mine")
    anchorer.step()
    return anchorer


def test_a_replacement_carries_the_newest_tree(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    anchorer = replaced_by_a_newer_tree(chain, make_anchorer)
    job = open_job(journal, chain.target)
    anchorer.step()
    chain.rpc("evm_mine")

    assert job.size == 16
    assert [anchored_tree(attempt.raw)[0] for attempt in job.attempts] == [9, 16]
    assert finish(anchorer, 16).size == 16
    assert sizes(chain) == [16]


def test_of_two_trees_under_one_nonce_the_one_that_was_mined_counts(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    anchorer = replaced_by_a_newer_tree(chain, make_anchorer)
    first, _ = open_job(journal, chain.target).attempts
    chain.rpc("anvil_dropAllTransactions")
    chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(10**9))
    chain.client.send(first.raw)
    chain.rpc("evm_mine")

    assert anchorer.step().size == 9
    assert finish(anchorer, 9).transaction == first.transaction
    chain.rpc("evm_setAutomine", True)
    assert finish(anchorer, 16).size == 16
    assert sizes(chain) == [9, 16]


def test_a_plan_under_the_cap_waits_for_days_without_a_second_row(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    log = MemoryLog(9)
    anchorer = make_anchorer(log, finality="immediate", fees=CAP)
    anchorer.step()
    chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(400 * 10**9))
    chain.rpc("evm_mine")
    for _ in range(10):
        log.grow(1)
        with pytest.raises(UnavailableError, match="wei per gas"):
            anchorer.step()
    chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(10**9))
    chain.rpc("evm_mine")

    assert finish(anchorer, 19).size == 19
    assert [(job.size, job.state) for job in journal.list_all()] == [(19, JobState.FINAL)]


# --- what was signed is read from its bytes ---


@pytest.mark.parametrize("raw", [b"", b"\x02", b"\x01\xc0", b"\x02\xc0", b"\x02" + b"\xff" * 40])
def test_what_is_no_signed_anchor_is_refused(raw: bytes) -> None:
    with pytest.raises(InputError):
        anchored_tree(raw)


def test_a_call_with_too_little_data_is_refused() -> None:
    fields = TransactionFields(
        chain_id=1,
        nonce=0,
        to=b"\x01" * 20,
        data=b"\x01" * 99,
        gas_limit=1,
        max_fee=1,
        priority_fee=1,
    )

    with pytest.raises(InputError):
        anchored_tree(AccountSigner(KEY).sign(fields))
