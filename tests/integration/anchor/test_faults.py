"""Killed anywhere, started again: exactly one anchor per head."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from chain import Chain, MemoryLog
from vermilion_anchor.evm import EvmChain
from vermilion_ledger.anchor_rows import FinalAnchor, JobState
from vermilion_ledger.errors import (
    ConflictError,
    UnavailableError,
)

Make = Callable[..., Any]
Finish = Callable[..., FinalAnchor]


CALLS_MAX = 4  # of one method in one life


class KilledError(BaseException):
    """Stands for SIGKILL: nothing may catch it."""


class Fuse:
    """Burns at the nth call of a method of any port, before or after it happened.

    Counted by name: how often a step looks at the chain depends on how quick
    the node is, so a count over all calls would hit other places in each run.
    """

    def __init__(self, name: str, nth: int, *, after: bool, error: BaseException) -> None:
        self.name, self.nth, self.after, self.error = name, nth, after, error
        self.calls: Counter[str] = Counter()
        self.is_burnt = False

    def wrap(self, port: Any) -> Any:
        return Faulty(port, self)

    def count(self, name: str) -> bool:
        """Count a call; tell whether it is the one."""
        self.calls[name] += 1
        is_due = not self.is_burnt and name == self.name and self.calls[name] == self.nth
        self.is_burnt = self.is_burnt or is_due
        return is_due


class Faulty:
    def __init__(self, port: Any, fuse: Fuse) -> None:
        self._port, self._fuse = port, fuse

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            fuse = self._fuse
            is_due = fuse.count(name)
            if is_due and not fuse.after:
                raise fuse.error
            result = method(*args, **kwargs)
            if is_due:
                raise fuse.error
            return result

        return call


def sizes(chain: Chain) -> list[int]:
    return [int(event["data"][2:66], 16) for event in chain.events()]


def run_with_fuse(make: Make, chain: Chain, journal: Any, log: MemoryLog, fuse: Fuse) -> None:
    """Step until the fuse burns or the newest size is final."""
    anchorer = make(log, chain=fuse.wrap(chain.client), journal=fuse.wrap(journal))
    newest = log.newest()
    assert newest is not None
    for _ in range(40):
        try:
            is_waiting = anchorer.step().is_waiting
        except ConflictError:  # the chain moved between two looks: `run` looks again, too
            is_waiting = True
        if is_waiting:
            chain.mine()
        if journal.load_final(chain.target, size=newest[0]) is not None:
            return
    raise AssertionError("neither burnt nor final")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "error",
    [KilledError(), UnavailableError("chain.unreachable", "cut")],
    ids=["killed", "answer lost"],
)
def test_killed_at_every_call_each_head_is_anchored_once(
    chain: Chain,
    journal: Any,
    make_anchorer: Make,
    finish: Finish,
    after: bool,
    error: BaseException,
) -> None:
    log = MemoryLog(3)
    whole = Fuse("", 0, after=after, error=error)
    run_with_fuse(make_anchorer, chain, journal, log, whole)
    expected, burnt = [3], set()
    for name, count in sorted(whole.calls.items()):
        for nth in range(1, min(count, CALLS_MAX) + 1):
            log.grow(1 + nth)
            newest = log.newest()
            assert newest is not None
            fuse = Fuse(name, nth, after=after, error=error)
            try:
                run_with_fuse(make_anchorer, chain, journal, log, fuse)
            except type(error):
                burnt.add(name)
            if journal.load_final(chain.target, size=newest[0]) is None:
                finish(make_anchorer(log), newest[0])  # a fresh process
            expected.append(newest[0])
            assert sizes(chain) == expected, f"{name}, call {nth}"

    assert {"plan", "save_signed", "send", "save_state", "save_receipt", "receipts"} <= burnt


def test_a_dropped_transaction_is_sent_again_unchanged(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    chain.rpc("evm_setAutomine", False)
    anchorer = make_anchorer(MemoryLog(9), finality="immediate")
    for _ in range(3):
        anchorer.step()
    (attempt,) = journal.load_open(chain.target).attempts
    name = "0x" + attempt.transaction.hex()
    assert chain.rpc("eth_getTransactionByHash", name) is not None

    for _ in range(3):
        chain.rpc("anvil_dropTransaction", name)
        assert chain.rpc("eth_getTransactionByHash", name) is None
        anchorer.step()
        assert chain.rpc("eth_getTransactionByHash", name) is not None
    chain.rpc("evm_mine")

    assert finish(anchorer, 9).transaction == attempt.transaction
    assert sizes(chain) == [9]


def test_a_transaction_signed_but_never_sent_is_sent_by_the_next_process(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    log = MemoryLog(9)
    anchorer = make_anchorer(log, finality="immediate")
    anchorer.step()
    anchorer.step()
    (attempt,) = journal.load_open(chain.target).attempts

    assert finish(make_anchorer(log, finality="immediate"), 9).transaction == attempt.transaction


def test_an_anchor_that_went_through_unnoticed_is_recognised_after_others(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish, open_journal: Any
) -> None:
    log = MemoryLog(9)
    anchorer = make_anchorer(log, finality="immediate")
    for _ in range(3):
        anchorer.step()
    log.grow(5)
    other = make_anchorer(log, finality="immediate", journal=open_journal("other"))
    for _ in range(4):
        other.step()
    assert sizes(chain) == [9, 14]

    assert finish(anchorer, 9).size == 9
    assert finish(anchorer, 14).size == 14
    assert sizes(chain) == [9, 14]


def test_a_fee_that_is_too_low_is_raised_under_the_same_nonce(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    chain.rpc("evm_setAutomine", False)
    anchorer = make_anchorer(MemoryLog(9), finality="immediate")
    for _ in range(3):
        anchorer.step()
    for _ in range(3):
        chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(40 * 10**9))
        chain.rpc("evm_mine")
    assert sizes(chain) == []

    for _ in range(3):
        anchorer.step()
    chain.rpc("evm_mine")

    first, second = journal.load_open(chain.target).attempts
    assert finish(anchorer, 9).transaction == second.transaction
    assert first.nonce == second.nonce
    assert 8 * second.max_fee >= 9 * first.max_fee
    assert 8 * second.priority_fee >= 9 * first.priority_fee
    assert sizes(chain) == [9]


def test_the_older_attempt_may_be_the_one_that_is_mined(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    chain.rpc("evm_setAutomine", False)
    anchorer = make_anchorer(MemoryLog(9), finality="immediate")
    anchorer.step()
    anchorer.step()
    (first,) = journal.load_open(chain.target).attempts
    for _ in range(2):
        anchorer.step()
    for _ in range(3):
        chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(40 * 10**9))
        chain.rpc("evm_mine")
    assert anchorer.step().state is JobState.SIGNED  # a dearer one
    chain.rpc("anvil_dropAllTransactions")
    chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(10**9))
    chain.client.send(first.raw)
    chain.rpc("evm_mine")

    anchor = finish(anchorer, 9)

    assert anchor.transaction == first.transaction
    assert len(journal.list_all()[0].attempts) == 2
    assert sizes(chain) == [9]


# --- nodes that lag or lie ---


class LaggingChain(EvmChain):
    """A node whose index of events comes after its state."""

    lag = 2

    def anchored_events(self, *args: Any, **kwargs: Any) -> Any:
        self.lag -= 1
        return super().anchored_events(*args, **kwargs) if self.lag < 0 else ()


class LyingChain(EvmChain):
    """A node that gives the receipts of another block."""

    def receipts(self, block_hash: bytes) -> Any:
        other = self.block(1)
        assert other is not None
        return super().receipts(other.hash)


def test_an_event_that_the_node_has_not_indexed_yet_is_waited_for(
    chain: Chain, make_anchorer: Make, finish: Finish
) -> None:
    node = LaggingChain(chain.node.url, chain.artifact)
    anchorer = make_anchorer(MemoryLog(9), finality="immediate", chain=node)

    finish(anchorer, 9)

    assert node.lag < 0
    assert sizes(chain) == [9]


def test_receipts_of_another_block_never_become_evidence(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    log = MemoryLog(9)
    lied_to = make_anchorer(
        log, finality="immediate", chain=LyingChain(chain.node.url, chain.artifact)
    )
    for _ in range(4):
        lied_to.step()

    with pytest.raises(UnavailableError) as error:
        lied_to.step()

    assert error.value.code == "chain.receipts-root"
    assert journal.load_final(chain.target) is None
    assert finish(make_anchorer(log, finality="immediate"), 9).size == 9
