"""Our RLP, tries and headers against blocks that a real node made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chain import ORIGIN, AnvilNode, Chain, node_options, put_contract
from vermilion_anchor.blocks import BlockReader
from vermilion_anchor.deploy import deploy, derive_log, fund_development_account
from vermilion_anchor.evm import AccountSigner, EvmChain
from vermilion_anchor.fees import FeePolicy
from vermilion_anchor.rpc import RefusalError
from vermilion_ledger.errors import ConflictError, NotFoundError, UnavailableError
from vermilion_ledger.evm.finality import parse_finality
from vermilion_ledger.evm.header import parse_header
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.rlp import encode_integer, encode_rlp
from vermilion_ledger.evm.trie import build_ordered_trie, verify_trie_proof


def test_receipt_tries_of_every_shape_have_the_headers_root(chain: Chain) -> None:
    accounts = chain.rpc("eth_accounts")
    chain.rpc("evm_setAutomine", False)
    for count in (1, 2, 16, 17, 128, 129, 300):
        for number in range(count):
            one, other = accounts[number % 10], accounts[(number + 1) % 10]
            fee = {"gasPrice": hex(10**10)} if number % 3 else {"maxFeePerGas": hex(10**10)}
            chain.rpc("eth_sendTransaction", {"from": one, "to": other, "gas": "0x5208"} | fee)
        chain.rpc("evm_mine")
        block = chain.client.block("latest")
        assert block is not None
        receipts = chain.client.receipts(block.hash)

        trie = build_ordered_trie(receipts)

        assert len(receipts) == count
        assert trie.root == parse_header(block.header).receipts_root
        for index, receipt in enumerate(receipts):
            key = encode_rlp(encode_integer(index))
            verify_trie_proof(trie.root, key, receipt, trie.prove(index))


def test_a_node_without_block_receipts_is_asked_for_each(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = chain.client.block(2)
    assert block is not None
    whole = chain.client.receipts(block.hash)
    client = EvmChain(chain.node.url, chain.artifact)
    ask = client._transport.ask

    def older(method: Any, parameters: Any) -> Any:
        return ask("eth_unknown" if method == "eth_getBlockReceipts" else method, parameters)

    monkeypatch.setattr(client._transport, "ask", older)

    assert client.receipts(block.hash) == whole
    assert build_ordered_trie(whole).root == parse_header(block.header).receipts_root


@pytest.mark.parametrize("hardfork", ["shanghai", "cancun", "prague", "osaka"])
def test_headers_of_every_fork_hash_to_their_block(hardfork: str) -> None:
    with AnvilNode(node_options(hardfork=hardfork)) as node:
        chain = put_contract(node)
        for which in (0, 1, 2, "latest"):
            block = chain.client.block(which)
            assert block is not None
            assert keccak256(block.header) == block.hash
            assert parse_header(block.header).timestamp == block.time
            assert chain.client.block_by_hash(block.hash) == block


def test_a_header_that_does_not_hash_to_its_block_is_refused(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = EvmChain(chain.node.url, chain.artifact)
    ask = client._transport.ask

    def lying(method: Any, parameters: Any) -> Any:
        answer: Any = ask(method, parameters)
        if method == "eth_getBlockByNumber":
            answer["timestamp"] = "0x1"
        return answer

    monkeypatch.setattr(client._transport, "ask", lying)

    with pytest.raises(UnavailableError) as error:
        client.block("latest")

    assert error.value.code == "chain.bad-answer"


@pytest.mark.parametrize("result", ["text", [], 7, {}, {"hash": "0x00"}, {"hash": None}])
def test_malformed_answers_are_unavailable(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, result: Any
) -> None:
    client = EvmChain(chain.node.url, chain.artifact)
    monkeypatch.setattr(client._transport, "ask", lambda *_: result)
    questions: list[Callable[[], Any]] = [
        client.chain_id,
        client.fee_history,
        client.block_number,
        lambda: client.block("latest"),
        lambda: client.block_by_hash(b"\x01" * 32),
        lambda: client.code(b"\x01" * 20),
        lambda: client.nonce(b"\x01" * 20),
    ]

    for question in questions:
        with pytest.raises(UnavailableError) as error:
            question()
        assert error.value.code == "chain.bad-answer"


def test_what_a_chain_does_not_have_is_none(chain: Chain) -> None:
    assert chain.client.block(10**6) is None
    assert chain.client.block_by_hash(b"\x01" * 32) is None
    assert chain.client.receipt(b"\x01" * 32) is None
    assert not chain.client.has_transaction(b"\x01" * 32)
    assert chain.client.code(b"\x01" * 20) == b""
    with pytest.raises(NotFoundError):
        chain.client.head(b"\x01" * 20, chain.target.log)


def test_on_a_real_chain_nothing_is_funded_and_nothing_sent_without_funds(chain: Chain) -> None:
    with AnvilNode(node_options(chain_id=1)) as node:
        real = replace(chain, client=EvmChain(node.url, chain.artifact))
        with pytest.raises(UnavailableError) as unfunded:
            deploy_again(real)
        with pytest.raises(ConflictError) as refused:
            fund_development_account(real.client, chain.signer.address)
        assert real.client.nonce(chain.signer.address) == real.client.block_number() == 0

    assert unfunded.value.code == "anchor.no-funds"
    assert refused.value.code == "chain.not-development"


# --- deployment ---


def deploy_again(chain: Chain, **changes: Any) -> Any:
    arguments: dict[str, Any] = {"origin": ORIGIN, "fees": FeePolicy()} | changes
    return deploy(chain.client, chain.signer, chain.artifact, **arguments)


def test_the_log_has_the_identifier_that_the_contract_gave_it(chain: Chain) -> None:
    (event,) = chain.rpc(
        "eth_getLogs",
        {
            "fromBlock": "0x0",
            "topics": ["0x" + keccak256(b"LogRegistered(bytes32,address,bytes32)").hex()],
        },
    )

    assert event["topics"][1] == "0x" + chain.deployment.log.hex()
    assert derive_log(chain.signer.address, ORIGIN) == chain.deployment.log


def test_the_deployment_states_what_is_on_the_chain(chain: Chain) -> None:
    code = chain.rpc("eth_getCode", "0x" + chain.deployment.contract.hex(), "latest")

    assert keccak256(bytes.fromhex(code[2:])) == chain.deployment.code_hash
    assert (chain.deployment.chain_id, chain.deployment.deployed_block) == (31337, 1)


def test_registering_again_adopts_the_log(chain: Chain) -> None:
    again = deploy_again(chain, contract=chain.deployment.contract)

    assert (again.contract, again.log) == (chain.deployment.contract, chain.deployment.log)
    assert chain.rpc("eth_blockNumber") == "0x2"


def test_another_origin_is_another_log_in_the_same_contract(chain: Chain) -> None:
    again = deploy_again(chain, contract=chain.deployment.contract, origin="other.example/log")

    assert again.contract == chain.deployment.contract
    assert again.log != chain.deployment.log


@pytest.mark.parametrize("origin", ["", "x" * 256])
def test_an_origin_out_of_bounds_is_refused(chain: Chain, origin: str) -> None:
    with pytest.raises(Exception, match="an origin of"):
        deploy_again(chain, contract=chain.deployment.contract, origin=origin)


def test_an_address_without_the_contract_is_not_used(chain: Chain) -> None:
    with pytest.raises(NotFoundError) as error:
        deploy_again(chain, contract=b"\x01" * 20)

    assert error.value.code == "chain.no-contract"


def test_a_transaction_that_is_not_mined_is_told(chain: Chain) -> None:
    chain.rpc("evm_setAutomine", False)

    with pytest.raises(UnavailableError) as error:
        deploy_again(chain, sleep=lambda _: None)

    assert error.value.code == "chain.not-mined"


# --- blocks for `seen` ---


def reader(chain: Chain, rule: str) -> BlockReader:
    return BlockReader(chain.client, chain_id=31337, finality=parse_finality(rule))


def test_the_newest_final_block_is_offered(chain: Chain) -> None:
    chain.mine(70)

    heights = {}
    for rule in ("immediate", "confirmations:3", "confirmations:72", "finalized"):
        offered = reader(chain, rule).offer_block()
        assert offered is not None
        assert parse_header(offered.header).hash == offered.hash
        assert reader(chain, rule).load_block(offered.hash) == offered
        heights[rule] = offered.number

    assert heights == {
        "immediate": 72,
        "confirmations:3": 69,
        "confirmations:72": 0,
        "finalized": 8,
    }


def test_before_a_block_is_final_none_is_offered(chain: Chain) -> None:
    assert reader(chain, "confirmations:3").offer_block() is None


def test_a_block_of_another_chain_is_not_offered(chain: Chain) -> None:
    other = BlockReader(chain.client, chain_id=1, finality=parse_finality("immediate"))

    with pytest.raises(ConflictError) as error:
        other.offer_block()

    assert error.value.code == "chain.other-chain"


def test_a_reorganised_block_is_neither_canonical_nor_final(chain: Chain) -> None:
    chain.mine(5)
    blocks = reader(chain, "confirmations:2")
    old = chain.client.block(5)
    assert old is not None
    assert blocks.is_canonical(5, old.hash)
    assert blocks.is_final(5, old.hash)
    assert not blocks.is_final(6, old.hash)
    assert not blocks.is_canonical(4, old.hash)

    chain.rpc("anvil_reorg", 4, [])

    assert not blocks.is_canonical(5, old.hash)
    assert not blocks.is_final(5, old.hash)
    assert not blocks.is_canonical(10**6, old.hash)


def test_a_node_that_lost_its_final_block_is_unavailable(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = EvmChain(chain.node.url, chain.artifact)
    ask = client._transport.ask

    def older(method: Any, parameters: Any) -> Any:
        if parameters and parameters[0] == "finalized":
            raise RefusalError({"code": -32602, "message": "unknown tag"})
        return ask(method, parameters)

    monkeypatch.setattr(client._transport, "ask", older)
    blocks = BlockReader(client, chain_id=31337, finality=parse_finality("finalized"))

    with pytest.raises(UnavailableError) as error:
        blocks.offer_block()

    assert error.value.code == "chain.no-finality"
    assert AccountSigner(b"\x01" * 32).address != chain.signer.address
