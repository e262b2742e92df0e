"""Whom of several endpoints to ask, whom to believe, and what an operator is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from chain import AnvilNode, Chain, free_port, node_options, start_chain
from lies import LIES
from lying_rpc import LyingProxy, lying_proxy
from vermilion_anchor.endpoint import ExpectedChain
from vermilion_anchor.endpoints import ChainEndpoints
from vermilion_anchor.evm import EvmChain
from vermilion_ledger.errors import ConflictError, EvidenceError, NotFoundError, UnavailableError


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with start_chain(slots_in_an_epoch=1) as running:
        running.mine(100)
        yield running


@pytest.fixture
def proxies(chain: Chain) -> Iterator[list[LyingProxy]]:
    """Three endpoints of one chain, honest until told otherwise."""
    with ExitStack() as stack:
        yield [stack.enter_context(lying_proxy(chain.node.url)) for _ in range(3)]


class Hands:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def expected(chain: Chain) -> ExpectedChain:
    genesis = chain.client.block(0)
    assert genesis is not None
    return ExpectedChain(
        chain_id=chain.target.chain_id,
        contract=chain.target.contract,
        code_hash=chain.artifact.code_hash,
        genesis=genesis.hash,
    )


def together(
    chain: Chain, proxies: list[LyingProxy], *, agree: int = 0, hands: Hands | None = None
) -> ChainEndpoints:
    names = ("one", "two", "three")
    return ChainEndpoints(
        [
            (name, EvmChain(proxy.url, chain.artifact, timeout_seconds=2.0))
            for name, proxy in zip(names, proxies, strict=False)
        ],
        expected=expected(chain),
        agree=agree,
        clock=hands or Hands(),
    )


def refused(call: Any, kind: type[EvidenceError] = UnavailableError) -> EvidenceError:
    with pytest.raises(kind) as error:
        call()
    return error.value


def troubles(endpoints: ChainEndpoints) -> list[str | None]:
    return [each.trouble.code if each.trouble else None for each in endpoints.look()]


# --- who is of the chain ---


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        ("wrong chain id", "chain.other-chain"),
        ("other genesis", "chain.other-genesis"),
        ("wrong code", "chain.other-contract"),
        ("no code", "chain.no-contract"),
        ("a web page", "chain.bad-answer"),
        ("connection reset", "chain.unreachable"),
    ],
)
def test_an_endpoint_that_is_not_of_the_chain_is_left_out_and_told(
    chain: Chain, proxies: list[LyingProxy], lie: str, code: str
) -> None:
    proxies[0].lie = LIES[lie]
    endpoints = together(chain, proxies)

    assert endpoints.head(chain.target.contract, chain.target.log).size == 0
    assert endpoints.block(7) == chain.client.block(7)

    assert troubles(endpoints) == [code, None, None]


def test_without_a_known_genesis_none_is_asked_for(chain: Chain, proxies: list[LyingProxy]) -> None:
    proxies[0].lie = LIES["other genesis"]

    replace(expected(chain), genesis=None).check(EvmChain(proxies[0].url, chain.artifact))


def test_one_that_fails_rests_longer_each_time_and_is_checked_before_it_is_used_again(
    chain: Chain, proxies: list[LyingProxy]
) -> None:
    hands = Hands()
    endpoints = together(chain, proxies, hands=hands)
    proxies[0].lie = LIES["an empty answer"]

    asked = []
    for _ in range(16):
        before = proxies[0].asked
        endpoints.block_number()
        asked.append(proxies[0].asked - before)
        hands.seconds += 1.0
    proxies[0].lie = None
    hands.seconds += 60.0
    before = proxies[0].asked
    endpoints.block_number()

    assert asked == [1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0]
    assert proxies[0].asked - before == 4  # chain id, genesis, code, and the question
    assert troubles(endpoints) == [None, None, None]


def test_an_only_endpoint_is_asked_each_time(chain: Chain, proxies: list[LyingProxy]) -> None:
    endpoints = together(chain, proxies[:1])
    proxies[0].lie = LIES["a web page of an error"]

    assert {refused(endpoints.block_number).code for _ in range(3)} == {"chain.unreachable"}
    assert refused(lambda: endpoints.block(7)).code == "chain.unreachable"
    proxies[0].lie = None

    assert endpoints.block_number() == chain.client.block_number()


def test_a_node_that_became_another_is_not_used_again(chain: Chain) -> None:
    port = free_port()
    with AnvilNode(node_options(port=port)) as node:
        endpoints = ChainEndpoints(
            [("node", EvmChain(node.url, chain.artifact))],
            expected=ExpectedChain(
                chain_id=31337, contract=bytes(20), code_hash=chain.artifact.code_hash
            ),
            clock=Hands(),
        )
        assert refused(endpoints.chain_id, NotFoundError).code == "chain.no-contract"
    assert refused(endpoints.chain_id).code == "chain.unreachable"
    with AnvilNode(node_options(port=port, chain_id=5)):
        assert refused(endpoints.chain_id, ConflictError).code == "chain.other-chain"


def test_where_none_answers_the_error_of_the_first_that_may_pass_is_told(
    chain: Chain, proxies: list[LyingProxy]
) -> None:
    endpoints = together(chain, proxies)
    for proxy, lie in zip(proxies, ("wrong code", "a web page", "an empty answer"), strict=True):
        proxy.lie = LIES[lie]

    first = refused(endpoints.block_number)
    again = refused(lambda: endpoints.block(7))

    assert (first.code, first.message) == (again.code, again.message)
    assert first is not again
    assert "no JSON" in first.message


# --- finality ---


def test_two_that_contradict_each_other_about_a_block_make_nothing_final(
    chain: Chain, proxies: list[LyingProxy]
) -> None:
    endpoints = together(chain, proxies)
    proxies[1].lie = LIES["forged block"]

    error = refused(lambda: endpoints.block(7))

    assert error.code == "chain.disagreement"
    true = chain.client.block(7)
    assert true is not None
    assert f"0x{true.hash.hex()} for one, three and 0x" in error.message
    assert troubles(endpoints) == [None, "chain.outvoted", None]


@pytest.mark.parametrize(("agree", "is_final"), [(0, False), (2, False), (1, True)])
def test_one_of_two_is_enough_for_what_is_sent_and_not_for_what_is_final(
    chain: Chain, proxies: list[LyingProxy], agree: int, is_final: bool
) -> None:
    endpoints = together(chain, proxies[:2], agree=agree)
    proxies[0].lie = LIES["connection reset"]

    assert endpoints.nonce(chain.signer.address) == chain.client.nonce(chain.signer.address)
    assert endpoints.block_number() == chain.client.block_number()
    assert endpoints.send(b"\x02") != "accepted"
    if is_final:
        assert endpoints.block(7) == chain.client.block(7)
        assert endpoints.block("latest") == chain.client.block("latest")
    else:
        for which in (7, "latest", "finalized"):
            error = refused(lambda which=which: endpoints.block(which))
            assert error.code == "chain.disagreement"
            assert "one:" in error.message


def test_all_may_be_asked_to_agree(chain: Chain, proxies: list[LyingProxy]) -> None:
    endpoints = together(chain, proxies, agree=3)
    assert endpoints.block(7) == chain.client.block(7)
    proxies[2].lie = LIES["no block"]

    assert refused(lambda: endpoints.block(7)).code == "chain.disagreement"


def test_a_height_counts_that_enough_have_reached(chain: Chain, proxies: list[LyingProxy]) -> None:
    newest, final = chain.client.block("latest"), chain.client.block("finalized")
    first = chain.client.block(1)
    for place, lie in enumerate(("old newest block", "newest block ahead", "nothing finalized")):
        endpoints = together(chain, proxies)
        proxies[place].lie = LIES[lie]

        assert endpoints.block("latest") == newest, lie
        if lie == "nothing finalized":
            assert endpoints.block("finalized") == final
        proxies[place].lie = None
    endpoints = together(chain, proxies, agree=3)
    proxies[1].lie = LIES["old newest block"]

    assert endpoints.block("latest") == first


def test_one_that_is_far_behind_is_told(chain: Chain, proxies: list[LyingProxy]) -> None:
    endpoints = together(chain, proxies)
    proxies[0].lie = LIES["stale finalized"]

    endpoints.block("finalized")
    assert troubles(endpoints) == ["chain.outvoted", None, None]
    proxies[0].lie = None
    endpoints.block("finalized")

    assert troubles(endpoints) == [None, None, None]


def test_a_block_that_no_endpoint_has_is_none(chain: Chain, proxies: list[LyingProxy]) -> None:
    assert together(chain, proxies).block(10**6) is None
    assert together(chain, proxies).block_by_hash(bytes(32)) is None


# --- progress ---


def test_where_two_agree_the_third_is_not_asked(chain: Chain, proxies: list[LyingProxy]) -> None:
    endpoints = together(chain, proxies)

    for _ in range(5):
        endpoints.head(chain.target.contract, chain.target.log)

    assert [proxy.asked for proxy in proxies] == [8, 8, 0]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_of_three_is_outvoted_wherever_it_stands(
    chain: Chain, proxies: list[LyingProxy], place: int
) -> None:
    target, account = chain.target, chain.signer.address
    data = chain.client.anchor_data(log=target.log, size=1, root=bytes(32), proof=())
    call = {"sender": account, "to": target.contract, "data": data}
    endpoints = together(chain, proxies)
    for lie in ("head of another tree", "nonce too high", "would revert", "fees of 2^256-1"):
        proxies[place].lie = LIES[lie]

        assert endpoints.head(target.contract, target.log) == chain.client.head(
            target.contract, target.log
        )
        assert endpoints.nonce(account) == chain.client.nonce(account)
        assert endpoints.estimate_gas(**call) == chain.client.estimate_gas(**call)
        assert endpoints.fee_history() == chain.client.fee_history()


def test_a_revert_that_most_tell_of_is_one(chain: Chain, proxies: list[LyingProxy]) -> None:
    endpoints = together(chain, proxies)
    for proxy in proxies[1:]:
        proxy.lie = LIES["would revert"]

    error = refused(
        lambda: endpoints.estimate_gas(sender=bytes(20), to=bytes(20), data=b""), ConflictError
    )

    assert error.code == "chain.reverted"


def test_a_transaction_goes_to_all(chain: Chain, proxies: list[LyingProxy]) -> None:
    endpoints = together(chain, proxies)

    said = endpoints.send(b"\x02")

    assert [proxy.asked for proxy in proxies] == [4, 4, 4]
    assert said.count(";") == 0  # all said the same
    assert "\x1b" not in said


# --- what an operator is told ---


def test_trouble_that_lasts_is_an_alarm_until_it_is_over(
    chain: Chain, proxies: list[LyingProxy]
) -> None:
    hands = Hands()
    endpoints = together(chain, proxies, hands=hands)
    proxies[2].lie = LIES["wrong chain id"]

    endpoints.look()
    assert endpoints.find_alarm() is None
    hands.seconds += 31.0
    alarm = endpoints.find_alarm()
    assert alarm is not None
    assert alarm.code == "chain.endpoint-trouble"
    assert "three: chain.other-chain" in alarm.message
    proxies[2].lie = None
    hands.seconds += 31.0
    endpoints.look()

    assert endpoints.find_alarm() is None
