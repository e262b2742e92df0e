"""What a connected machine refuses to send, while it still costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chain import Chain, free_port
from courier_kit import Desk, reseal
from loopback import relay
from vermilion_anchor.anchor_call import encode_anchor_call
from vermilion_anchor.courier_files import encode_order
from vermilion_anchor.fees import FeePolicy
from vermilion_anchor.transactions import prepare_transaction
from vermilion_api.carrying import Carrier
from vermilion_api.wiring import LogView, now, open_ledger
from vermilion_ledger.evm.keccak import keccak256


@pytest.fixture
def order(desk: Desk) -> Desk:
    """An office whose order lies in the bag."""
    desk.ask()
    assert desk.export(*desk.status()).code == 0
    return desk


def resign(desk: Desk, **changes: Any) -> None:
    """Put an order into the bag that differs in its transaction, signed by the same key."""
    made = desk.order()
    fields = replace(made.fields, **changes)
    raw = desk.signer.sign(fields)
    attempt = replace(made.attempts[0], transaction=keccak256(raw))
    desk.lay("order", encode_order(replace(made, fields=fields, raw=raw, attempts=(attempt,))))


def anchor(desk: Desk, chain: Chain, size: int) -> None:
    """Anchor a tree of the office's log behind its back."""
    ledger = open_ledger(desk.home)
    view = LogView(ledger.reader())
    target = ledger.targets[0]
    head = chain.client.head(target.contract, target.log)
    proof = view.consistency(head.size, size) if head.size else ()
    data = chain.client.anchor_data(log=target.log, size=size, root=view.root_at(size), proof=proof)
    ledger.database.close()
    fields = prepare_transaction(
        chain.client,
        sender=desk.signer.address,
        chain_id=31337,
        nonce=chain.client.nonce(desk.signer.address),
        to=target.contract,
        data=data,
        fees=FeePolicy().first(chain.client.fee_history()),
    )
    chain.client.send(desk.signer.sign(fields))
    chain.mine()


def sent(desk: Desk, chain: Chain) -> int:
    return chain.client.nonce(desk.signer.address)


def test_a_proof_from_an_old_head_is_not_sent(order: Desk, chain: Chain) -> None:
    order.grow("later.pdf")
    anchor(order, chain, 5)

    told = order.carry()

    assert (told.code, told.error, sent(order, chain)) == (1, "courier.stale-head", 1)
    answer = order.answer()
    assert (answer.status.head_size, answer.status.nonce, answer.receipt) == (5, 1, None)
    order.chain.mine(3)
    assert order.export("--status", str(order.bag / "answer"), "--replace").value["nonce"] == 1
    assert order.finish().value["size"] == 8


def test_a_larger_head_is_not_contradicted(order: Desk, chain: Chain) -> None:
    order.grow("later.pdf")
    anchor(order, chain, 8)

    assert (order.carry().error, sent(order, chain)) == ("courier.overtaken", 1)
    again = ("--status", str(order.bag / "answer"), "--replace")
    assert order.export(*again).error == "courier.nothing-new"
    order.grow("still-later.pdf")
    assert order.export(*again).value["nonce"] == 1
    assert order.finish().value["size"] == 9


@pytest.mark.parametrize(("nonce", "used"), [(1, 0), (0, 1)])
def test_another_nonce_is_not_sent(order: Desk, chain: Chain, nonce: int, used: int) -> None:
    resign(order, nonce=nonce)
    if used:
        call = {"from": "0x" + order.signer.address.hex(), "to": "0x" + "12" * 20}
        chain.rpc("anvil_impersonateAccount", call["from"])
        chain.rpc("eth_sendTransaction", call)
        chain.mine()

    assert (order.carry().error, sent(order, chain)) == ("courier.nonce", used)


def test_too_little_gas_is_not_sent(order: Desk, chain: Chain) -> None:
    resign(order, gas_limit=30_000)

    assert (order.carry().error, sent(order, chain)) == ("courier.gas-limit", 0)


def test_an_empty_account_is_told(order: Desk, chain: Chain) -> None:
    chain.client.set_development_balance(order.signer.address, 1000)

    assert (order.carry().error, sent(order, chain)) in [
        ("anchor.no-funds", 0),
        ("chain.reverted", 0),  # the node itself may notice first
    ]


def test_an_account_that_may_not_publish_is_told(order: Desk, chain: Chain) -> None:
    made = order.order()
    other = replace(made.target, log=chain.target.log)  # of another publisher
    call = made.call
    fields = replace(made.fields, data=encode_anchor_call(other.log, call.size, call.root, ()))
    raw = order.signer.sign(fields)
    attempt = replace(made.attempts[0], transaction=keccak256(raw))
    order.lay(
        "order",
        encode_order(replace(made, target=other, fields=fields, raw=raw, attempts=(attempt,))),
    )

    assert (order.carry().error, sent(order, chain)) == ("chain.not-publisher", 0)


def test_other_code_is_refused_before_anything_is_sent(order: Desk, chain: Chain) -> None:
    order.lay("order", reseal({**order.read("order"), "codeHash": "0x" + "00" * 32}))

    assert (order.carry().error, sent(order, chain)) == ("headers.other-code", 0)


def test_a_node_of_another_chain_is_refused(order: Desk, chain: Chain) -> None:
    with relay(chain.node.url, {"eth_chainId": lambda _, __: "0x5"}) as other:
        assert order.carry("--rpc", other).error == "headers.other-chain"

    assert sent(order, chain) == 0


LIES: dict[str, Callable[[list[Any], Any], Any]] = {
    "eth_getBlockByNumber": lambda _, block: block and {**block, "hash": "0x" + "11" * 32},
    "eth_getCode": lambda _, __: "0x00",
}


@pytest.mark.parametrize("method", LIES)
def test_a_lying_second_node_ends_it_without_an_answer(
    order: Desk, chain: Chain, method: str
) -> None:
    order.carry()
    chain.mine(5)
    (order.bag / "answer").unlink()

    with relay(chain.node.url, {method: LIES[method]}) as liar:
        told = order.carry("--rpc", liar)

    assert (told.code, told.error.partition(".")[0]) == (1, "headers")
    assert not (order.bag / "answer").exists()


def test_a_node_that_is_down_is_told(order: Desk, chain: Chain) -> None:
    told = order.carry("--rpc", f"http://127.0.0.1:{free_port()}")

    assert (told.code, told.error, sent(order, chain)) == (5, "rpc.unreachable", 0)


def test_what_is_not_final_yet_comes_without_a_receipt(order: Desk, chain: Chain) -> None:
    order.carry()
    chain.mine()

    told = order.carry()

    assert (told.code, told.error) == (5, "courier.not-final")
    assert (order.answer().receipt, order.answer().status.nonce) == (None, 1)


def test_only_looking_sends_nothing(order: Desk, chain: Chain) -> None:
    told = order.carry("--status")

    assert (told.code, sent(order, chain), order.answer().receipt) == (0, 0, None)


def test_one_node_alone_is_said_aloud(order: Desk) -> None:
    assert "nobody contradicts it" in order.carry("--status").err


def test_a_lost_transaction_is_sent_again_while_waiting(order: Desk, chain: Chain) -> None:
    chain.rpc("evm_setAutomine", False)
    made = order.order()
    looks = iter(range(100))

    def pause(_: float) -> None:
        look = next(looks)
        if look == 0:
            chain.rpc("anvil_dropTransaction", "0x" + made.attempts[0].transaction.hex())
        elif look == 2:
            chain.rpc("evm_mine")
        elif look == 3:
            chain.rpc("anvil_reorg", 1, [])  # and its block vanishes
        elif look > 4:
            chain.mine(2)

    data = (order.bag / "order").read_bytes()
    carrier = Carrier(data, [chain.node.url], clock=now, sleep=pause)
    try:
        found = carrier.carry(wait_seconds=60)
    finally:
        chain.rpc("evm_setAutomine", True)

    assert found.trouble is None
    assert found.answer.receipt is not None


@pytest.mark.parametrize("name", ["order", "bag", "none"])
def test_a_file_that_is_none_is_refused(desk: Desk, name: str) -> None:
    desk.lay("order", b"{}")
    (desk.bag / "bag").mkdir()

    told = desk.carry(order=name)

    assert told.error == ("courier.kind" if name == "order" else "courier.file-missing")
    assert told.code == 2
