"""A chain that takes back blocks: exactly one anchor per head on what remains of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chain import Chain, MemoryLog, fixed_clock
from vermilion_anchor.evm import EvmChain
from vermilion_anchor.ports import ChainHead
from vermilion_ledger.anchor_rows import FinalAnchor
from vermilion_ledger.encoding import parse_json
from vermilion_ledger.errors import UnavailableError
from vermilion_ledger.evm.receipt import parse_anchor_receipt, verify_anchor_receipt

Make = Callable[..., Any]
Finish = Callable[..., FinalAnchor]


def sizes(chain: Chain) -> list[int]:
    return [int(event["data"][2:66], 16) for event in chain.events()]


def test_a_reorganised_anchor_is_sent_again_and_counts_once(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    anchorer = make_anchorer(MemoryLog(9), finality="confirmations:3")
    for _ in range(5):
        anchorer.step()
    chain.mine(2)
    before = journal.load_open(chain.target).mined
    chain.rpc("anvil_reorg", 3, [])
    assert sizes(chain) == []

    assert [anchorer.step().state for _ in range(2)] == ["reorged", "sent"]
    anchor = finish(anchorer, 9)

    assert anchor.transaction == before.transaction
    assert anchor.block_hash != before.block_hash
    assert sizes(chain) == [9]
    receipt = parse_anchor_receipt(parse_json(anchor.receipt, size_max=10**6, what="receipt"))
    canonical = chain.rpc("eth_getBlockByNumber", hex(anchor.block_number), False)["hash"]
    assert "0x" + verify_anchor_receipt(receipt).block_hash.hex() == canonical


def test_an_anchor_that_a_reorg_moved_is_found_in_its_new_block(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    anchorer = make_anchorer(MemoryLog(9), finality="confirmations:3")
    for _ in range(5):
        anchorer.step()
    job = journal.load_open(chain.target)
    chain.mine(2)
    chain.rpc("anvil_reorg", 3, [["0x" + job.attempts[0].raw.hex(), 1]])

    states = [anchorer.step().state for _ in range(2)]

    assert states == ["reorged", "mined"]
    assert finish(anchorer, 9).block_number == job.mined.block_number + 1
    assert sizes(chain) == [9]


@pytest.mark.parametrize("depth", range(1, 7))
def test_reorgs_of_every_depth_leave_one_anchor_per_head(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish, depth: int
) -> None:
    chain.mine(8)
    log = MemoryLog(9)
    anchorer = make_anchorer(log, finality="confirmations:8")
    for number in range(6):
        anchorer.step()
        if number >= depth - 1:
            chain.mine()
    chain.rpc("anvil_reorg", depth, [])

    finish(anchorer, 9)
    log.grow(1)
    finish(anchorer, 10)

    assert sizes(chain) == [9, 10]


def test_a_reorg_that_takes_earlier_nonces_too_signs_anew(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    # an unrelated transaction of the same account goes first, and vanishes with the anchor
    me = "0x" + chain.signer.address.hex()
    chain.rpc("anvil_impersonateAccount", me)
    chain.rpc("eth_sendTransaction", {"from": me, "to": me, "value": "0x1"})
    anchorer = make_anchorer(MemoryLog(9), finality="confirmations:5")
    for _ in range(5):
        anchorer.step()
    (first,) = journal.load_open(chain.target).attempts
    chain.rpc("anvil_reorg", 2, [])

    anchor = finish(anchorer, 9)

    second = journal.list_all()[0].attempts[-1]
    assert (second.nonce, anchor.transaction) == (first.nonce - 1, second.transaction)
    assert sizes(chain) == [9]


def test_an_adopted_anchor_that_a_reorg_removed_is_made_again(
    chain: Chain, make_anchorer: Make, finish: Finish, open_journal: Any
) -> None:
    log = MemoryLog(9)
    other = make_anchorer(log, journal=open_journal("other"))
    for _ in range(4):
        other.step()
    anchorer = make_anchorer(log, finality="confirmations:3")
    assert [anchorer.step().state for _ in range(2)] == ["planned", "mined"]
    chain.rpc("anvil_reorg", 1, [])

    assert [anchorer.step().state for _ in range(2)] == ["reorged", "signed"]
    finish(anchorer, 9)

    assert sizes(chain) == [9]


# --- past what was final ---


def reorganised(chain: Chain, journal: Any, depth: int, *transactions: Any) -> FinalAnchor:
    """Take blocks away in which the newest anchor was final; return it."""
    anchor: FinalAnchor = journal.load_final(chain.target)
    chain.rpc("anvil_reorg", depth, list(transactions))
    return anchor


def test_a_final_anchor_that_vanished_is_an_alarm_and_is_anchored_anew(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    anchorer = make_anchorer(MemoryLog(9), finality="immediate")
    finish(anchorer, 9)
    lost = reorganised(chain, journal, 1)

    alarms = [alarm and alarm.code for alarm in (anchorer.step().alarm for _ in range(4))]
    anchor = finish(anchorer, 9)

    assert set(alarms) == {"anchor.final-reorged"}
    assert anchor.block_hash != lost.block_hash
    assert sizes(chain) == [9]
    assert anchorer.step().alarm is None
    assert journal.load_vanished(chain.target) == lost  # kept, and shown no more
    assert list(journal.list_final()) == [anchor]


def test_an_alarm_is_told_by_the_next_process_too(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    finish(make_anchorer(MemoryLog(9), finality="immediate"), 9)
    reorganised(chain, journal, 1)
    make_anchorer(MemoryLog(9), finality="immediate").step()

    alarm = make_anchorer(MemoryLog(9), finality="immediate").step().alarm

    assert alarm.code == "anchor.final-reorged"


def test_all_final_anchors_of_the_blocks_taken_away_are_marked(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    log = MemoryLog(9)
    anchorer = make_anchorer(log, finality="immediate")
    for size in (9, 12, 15):
        log.grow(size - log.newest()[0])  # type: ignore[index]
        finish(anchorer, size)
    reorganised(chain, journal, 2)
    anchorer.step()

    assert [each.size for each in journal.list_final()] == [9]
    finish(anchorer, 15)

    assert sizes(chain) == [9, 15]


def test_a_vanished_anchor_that_comes_again_in_another_block_is_adopted(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    anchorer = make_anchorer(MemoryLog(9), finality="immediate")
    for _ in range(2):
        anchorer.step()
    (attempt,) = journal.load_open(chain.target).attempts
    finish(anchorer, 9)
    chain.mine()
    lost = reorganised(chain, journal, 2, ["0x" + attempt.raw.hex(), 1])

    anchorer.step()
    anchor = finish(anchorer, 9)

    assert (anchor.transaction, anchor.block_number) == (lost.transaction, lost.block_number + 1)
    assert sizes(chain) == [9]


def test_a_chain_that_returns_to_its_blocks_takes_the_mark_away(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    anchorer = make_anchorer(MemoryLog(9), finality="immediate")
    anchor = finish(anchorer, 9)
    journal.save_vanished(anchor, now=fixed_clock())

    assert journal.load_final(chain.target) is None
    assert anchorer.step().alarm.code == "anchor.final-reorged"
    assert finish(anchorer, 9) == anchor
    assert journal.load_vanished(chain.target) is None
    assert sizes(chain) == [9]


def test_after_its_time_a_final_anchor_is_looked_at_no_more(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    log = MemoryLog(9)
    finish(make_anchorer(log, finality="immediate"), 9)
    reorganised(chain, journal, 1)
    later = make_anchorer(log, finality="immediate", recheck_seconds=0.0)

    assert journal.load_vanished(chain.target) is None
    # until the contract itself lacks what was final
    assert later.step().alarm.code == "anchor.final-reorged"
    assert finish(later, 9).size == 9


def test_a_node_that_lags_behind_what_was_final_is_waited_for(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    log = MemoryLog(9)
    finish(make_anchorer(log, finality="immediate"), 9)
    log.grow(1)
    anchorer = make_anchorer(log, chain=BehindChain(chain.node.url, chain.artifact))

    with pytest.raises(UnavailableError) as error:
        anchorer.step()

    assert error.value.code == "chain.behind"
    assert journal.load_vanished(chain.target) is None
    assert finish(make_anchorer(log, finality="immediate"), 10).size == 10


class BehindChain(EvmChain):
    """A node that has not seen the block of any anchor yet."""

    def head(self, contract: bytes, log: bytes) -> ChainHead:
        return ChainHead(size=0, root=bytes(32), block_number=0, block_time=0)

    def estimate_gas(self, **call: Any) -> int:
        return 60_000  # as if its contract had that head, too

    def block(self, which: int | str) -> None:
        return None
