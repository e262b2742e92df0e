from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chain import KEY, OTHER_KEY, Chain, MemoryLog
from vermilion_anchor.deploy import derive_log, fund_development_account, send_call
from vermilion_anchor.evm import AccountSigner
from vermilion_anchor.fees import FeePolicy
from vermilion_ledger.anchor_rows import AnchorTarget, FinalAnchor, JobState
from vermilion_ledger.encoding import parse_json
from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    IntegrityError,
    NotFoundError,
    UnavailableError,
)
from vermilion_ledger.evm.header import parse_header
from vermilion_ledger.evm.receipt import (
    VerifiedAnchor,
    parse_anchor_receipt,
    verify_anchor_receipt,
)

Make = Callable[..., Any]
Finish = Callable[..., FinalAnchor]


def verified(anchor: FinalAnchor) -> VerifiedAnchor:
    return verify_anchor_receipt(
        parse_anchor_receipt(parse_json(anchor.receipt, size_max=10**6, what="receipt"))
    )


def states(anchorer: Any, count: int) -> list[JobState | None]:
    return [anchorer.step().state for _ in range(count)]


def test_a_checkpoint_goes_from_planned_to_final(
    chain: Chain, journal: Any, make_anchorer: Make, finish: Finish
) -> None:
    log = MemoryLog(100)
    anchorer = make_anchorer(log)

    assert states(anchorer, 5) == ["planned", "signed", "sent", "mined", "mined"]
    anchor = finish(anchorer, 100)

    proof = verified(anchor)
    assert (proof.size, proof.root) == log.newest()
    assert proof.block_hash.hex() == chain.rpc("eth_getBlockByNumber", "0x3", False)["hash"][2:]
    assert proof.block_time == anchor.block_time == parse_header(anchor.header).time
    assert journal.load_open(chain.target) is None
    assert len(chain.events()) == 1


def test_growing_logs_are_anchored_with_consistency_proofs(
    chain: Chain, make_anchorer: Make, finish: Finish
) -> None:
    log = MemoryLog(1)
    anchorer = make_anchorer(log, finality="immediate")

    for growth in (0, 1, 1, 4, 1, 120, 1, 127):
        log.grow(growth)
        newest = log.newest()
        assert newest is not None
        assert verified(finish(anchorer, newest[0])).root == newest[1]

    assert len(chain.events()) == 8


def test_without_a_new_checkpoint_nothing_is_sent(
    chain: Chain, make_anchorer: Make, finish: Finish
) -> None:
    anchorer = make_anchorer(MemoryLog(5), finality="immediate")
    finish(anchorer, 5)
    before = chain.rpc("eth_blockNumber")

    assert states(anchorer, 5) == [None] * 5

    assert chain.rpc("eth_blockNumber") == before


def test_an_empty_log_is_not_anchored(make_anchorer: Make) -> None:
    assert states(make_anchorer(MemoryLog()), 3) == [None] * 3


def test_the_interval_is_kept_unless_someone_asks_now(make_anchorer: Make, finish: Finish) -> None:
    log = MemoryLog(5)
    anchorer = make_anchorer(log, finality="immediate", interval_seconds=10**9)
    finish(anchorer, 5)
    log.grow(1)

    assert anchorer.step().note == "not due yet"
    assert anchorer.step(is_urgent=True).state is JobState.PLANNED


def test_a_plan_not_yet_signed_gives_way_to_a_newer_tree(
    chain: Chain, make_anchorer: Make, finish: Finish
) -> None:
    log = MemoryLog(5)
    anchorer = make_anchorer(log, finality="immediate")
    anchorer.step()
    log.grow(3)

    assert states(anchorer, 1) == ["signed"]
    finish(anchorer, 8)

    assert len(chain.events()) == 1


@pytest.mark.parametrize("rule", ["immediate", "confirmations:1", "confirmations:5", "finalized"])
def test_an_anchor_counts_when_its_rule_says_so(
    chain: Chain, journal: Any, make_anchorer: Make, rule: str
) -> None:
    anchorer = make_anchorer(MemoryLog(9), finality=rule)
    states(anchorer, 4)
    blocks = {"immediate": 0, "confirmations:1": 1, "confirmations:5": 5, "finalized": 64}[rule]

    if blocks:
        chain.mine(blocks - 1)
        assert states(anchorer, 2) == ["mined", "mined"]
        chain.mine()
    assert states(anchorer, 1) == ["final"]

    anchor = journal.load_final(chain.target)
    assert anchor is not None
    assert rule.encode() in anchor.receipt


def test_an_anchor_among_many_transactions_is_proven(
    chain: Chain, make_anchorer: Make, finish: Finish
) -> None:
    anchorer = make_anchorer(MemoryLog(9), finality="immediate")
    states(anchorer, 2)
    chain.rpc("evm_setAutomine", False)
    account = chain.rpc("eth_accounts")[0]
    for number in range(40):
        fee = {"gasPrice": hex(10**11)} if number % 2 else {"maxFeePerGas": hex(10**11)}
        chain.rpc("eth_sendTransaction", {"from": account, "to": account, "gas": "0x5208"} | fee)
    states(anchorer, 1)
    chain.rpc("evm_mine")

    anchor = finish(anchorer, 9)

    assert anchor.transaction_index == 40
    assert verified(anchor).size == 9


def test_another_publishers_anchor_of_the_same_tree_is_adopted(
    chain: Chain, make_anchorer: Make, finish: Finish, open_journal: Callable[[str], Any]
) -> None:
    log = MemoryLog(77)
    states(make_anchorer(log, journal=open_journal("other")), 4)

    anchor = finish(make_anchorer(log), 77)

    assert verified(anchor).size == 77
    assert len(chain.events()) == 1
    assert len(chain.rpc("eth_getBlockByNumber", "0x3", False)["transactions"]) == 1


def test_a_larger_tree_of_another_publisher_supersedes_a_job(
    chain: Chain, make_anchorer: Make, finish: Finish, open_journal: Callable[[str], Any]
) -> None:
    log = MemoryLog(5)
    anchorer = make_anchorer(log)
    states(anchorer, 2)
    log.grow(3)
    other = make_anchorer(log, journal=open_journal("other"))
    states(other, 4)

    assert states(anchorer, 1) == ["superseded"]
    anchor = finish(anchorer, 8)

    assert verified(anchor).size == 8
    assert [int(event["data"][2:66], 16) for event in chain.events()] == [8]


def test_two_anchorers_with_two_keys_anchor_each_head_once(
    chain: Chain, make_anchorer: Make, finish: Finish, open_journal: Callable[[str], Any]
) -> None:
    stranger = AccountSigner(OTHER_KEY)
    fund_development_account(chain.client, stranger.address)
    allow(chain, stranger)
    log = MemoryLog(3)
    one = make_anchorer(log, finality="immediate")
    two = make_anchorer(log, finality="immediate", journal=open_journal("other"), signer=stranger)

    for _ in range(6):
        for _ in range(7):
            one.step()
            two.step()
        log.grow(2)

    assert [int(event["data"][2:66], 16) for event in chain.events()] == [3, 5, 7, 9, 11, 13]


def test_two_anchorers_with_one_key_anchor_each_head_once(
    chain: Chain, make_anchorer: Make, open_journal: Callable[[str], Any]
) -> None:
    log = MemoryLog(3)
    one = make_anchorer(log, finality="immediate")
    two = make_anchorer(log, finality="immediate", journal=open_journal("other"))

    for _ in range(4):
        for _ in range(8):
            two.step()
            one.step()
        log.grow(2)

    assert [int(event["data"][2:66], 16) for event in chain.events()] == [3, 5, 7, 9]


def test_a_second_anchorer_on_one_journal_is_told_so(
    make_anchorer: Make, journal: Any, chain: Chain
) -> None:
    log = MemoryLog(3)
    one = make_anchorer(log)
    one.step()
    job = journal.load_open(chain.target)
    one.step()

    with pytest.raises(ConflictError) as error:
        journal.save_state(job, JobState.SENT)

    assert error.value.code == "anchor.job-moved"


# --- what is refused ---


def refused(anchorer: Any, kind: type[EvidenceError]) -> str:
    with pytest.raises(kind) as error:
        states(anchorer, 10)
    return error.value.code


def test_a_head_ahead_of_our_tree_stops_the_anchorer(
    make_anchorer: Make, finish: Finish, open_journal: Callable[[str], Any]
) -> None:
    finish(make_anchorer(MemoryLog(50), finality="immediate"), 50)

    for behind in (49, 1, 0):
        anchorer = make_anchorer(MemoryLog(behind), journal=open_journal("restored"))
        assert refused(anchorer, IntegrityError) == "anchor.head-conflict"


def test_another_tree_than_the_anchored_one_stops_the_anchorer(
    make_anchorer: Make, finish: Finish, chain: Chain, open_journal: Callable[[str], Any]
) -> None:
    finish(make_anchorer(MemoryLog(50), finality="immediate"), 50)

    for size in (50, 51, 200):
        forked = make_anchorer(MemoryLog(size, salt=b"fork"), journal=open_journal("forked"))
        assert refused(forked, IntegrityError) == "anchor.head-conflict"

    assert len(chain.events()) == 1


def test_a_tree_that_forks_between_planning_and_signing_stops_the_anchorer(
    chain: Chain, make_anchorer: Make, open_journal: Callable[[str], Any]
) -> None:
    anchorer = make_anchorer(MemoryLog(50))
    anchorer.step()
    states(make_anchorer(MemoryLog(40, salt=b"fork"), journal=open_journal("forked")), 4)

    assert refused(anchorer, IntegrityError) == "anchor.head-conflict"
    assert len(chain.events()) == 1


def test_an_address_without_a_contract_is_refused(make_anchorer: Make, chain: Chain) -> None:
    target = replace(chain.target, contract=b"\x01" * 20)

    assert refused(make_anchorer(MemoryLog(1), target=target), NotFoundError) == "chain.no-contract"


def test_another_contract_is_refused(make_anchorer: Make, chain: Chain) -> None:
    chain.rpc("anvil_setCode", "0x" + "01" * 20, "0x60006000fd")
    target = replace(chain.target, contract=b"\x01" * 20)

    anchorer = make_anchorer(MemoryLog(1), target=target)

    assert refused(anchorer, ConflictError) == "chain.other-contract"


def test_another_code_hash_is_refused(make_anchorer: Make) -> None:
    anchorer = make_anchorer(MemoryLog(1), code_hash=b"\x01" * 32)

    assert refused(anchorer, ConflictError) == "chain.other-contract"


def test_another_chain_is_refused(make_anchorer: Make, chain: Chain) -> None:
    target = AnchorTarget(chain_id=1, contract=chain.target.contract, log=chain.target.log)

    anchorer = make_anchorer(MemoryLog(1), target=target)

    assert refused(anchorer, ConflictError) == "chain.other-chain"


def test_a_log_nobody_registered_is_refused(make_anchorer: Make, chain: Chain) -> None:
    target = replace(chain.target, log=derive_log(chain.signer.address, "another.example/log"))

    anchorer = make_anchorer(MemoryLog(1), target=target)

    assert refused(anchorer, ConflictError) == "chain.unknown-log"


def test_a_key_that_may_not_publish_is_refused(make_anchorer: Make) -> None:
    anchorer = make_anchorer(MemoryLog(1), signer=AccountSigner(OTHER_KEY))

    assert refused(anchorer, ConflictError) == "chain.not-publisher"


def test_a_key_without_ether_waits(make_anchorer: Make, chain: Chain, finish: Finish) -> None:
    anchorer = make_anchorer(MemoryLog(1), finality="immediate")
    chain.rpc("anvil_setBalance", "0x" + chain.signer.address.hex(), "0x10")

    assert refused(anchorer, UnavailableError) == "anchor.no-funds"
    fund_development_account(chain.client, chain.signer.address)

    assert verified(finish(anchorer, 1)).size == 1


def test_a_base_fee_above_the_cap_waits(make_anchorer: Make, chain: Chain, finish: Finish) -> None:
    anchorer = make_anchorer(MemoryLog(1), finality="immediate", fees=FeePolicy(max_fee_cap=10**10))
    chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(10**12))
    chain.rpc("evm_mine")

    assert refused(anchorer, UnavailableError) == "anchor.fee-cap"
    chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(10**9))
    chain.rpc("evm_mine")

    assert verified(finish(anchorer, 1)).size == 1


def test_a_mined_transaction_that_failed_is_replaced(
    make_anchorer: Make, chain: Chain, journal: Any, finish: Finish
) -> None:
    anchorer = make_anchorer(MemoryLog(9), finality="immediate")
    states(anchorer, 2)
    allow(chain, chain.signer, allowed=False)  # takes the nonce that was signed for
    allow(chain, chain.signer)

    anchor = finish(anchorer, 9)

    assert verified(anchor).size == 9
    assert len(chain.events()) == 1


def allow(chain: Chain, account: AccountSigner, *, allowed: bool = True) -> None:
    """Send the owner's setPublisher by plain means."""
    owner = AccountSigner(KEY)
    data = chain.client._encode("setPublisher", [chain.target.log, account.address, allowed])
    send_call(
        chain.client, owner, to=chain.target.contract, data=data, fees=FeePolicy(), sleep=print
    )
