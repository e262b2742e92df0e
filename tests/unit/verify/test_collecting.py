"""What is to be collected, of which chain, and by which rule of finality."""

from __future__ import annotations

from typing import Any

import pytest

from evidence import Scene, approved, plain
from trusted import Chain
from vermilion_ledger.errors import EvidenceError
from vermilion_verify.blocks import BlockId
from vermilion_verify.cli import main
from vermilion_verify.collecting import BlockWish, named_blocks, wish_blocks

URLS = ("http://one", "http://two")


def wish(**changes: Any) -> tuple[BlockWish, ...]:
    nothing: dict[str, Any] = {
        "policy": None,
        "named": (),
        "heights": (),
        "urls": (),
        "chain_id": None,
        "confirmations": None,
    }
    return wish_blocks(**nothing | changes)


def refused(**changes: Any) -> str:
    with pytest.raises(EvidenceError) as error:
        wish(**changes)
    return error.value.code


def named(chain_id: int, number: int = 5) -> BlockId:
    return BlockId(chain_id=chain_id, number=number, hash=b"\x01" * 32)


def two_chains(**second: str) -> Any:
    scene = Scene()
    return scene.trust(scene.chain.table(rpc='["http://one"]'), scene.second.table(**second))


def test_a_bundle_names_the_blocks_of_its_anchors_and_those_it_quotes() -> None:
    scene = approved()
    scene.anchor(number=300, chain=scene.second)

    found = set(named_blocks(scene.bundle()))

    anchors = {(31337, 100 + scene.log.size), (1, 300)}
    assert {(block.chain_id, block.number) for block in found} == anchors | {(31337, 10)}
    assert all(scene.hashes()[each.chain_id, each.number] == each.hash for each in found)


def test_a_bundle_without_an_anchor_names_nothing() -> None:
    assert list(named_blocks(plain(anchored=False).bundle())) == []


def test_without_a_policy_blocks_are_final_when_the_chain_says_so() -> None:
    (only,) = wish(heights=[range(5, 6)], urls=URLS)

    assert [rule.text for rule in only.rules] == ["finalized"]
    assert (only.chain_id, only.urls) == (None, URLS)


def test_confirmations_stand_beside_the_rules_of_the_policy() -> None:
    (alone,) = wish(heights=[range(5, 6)], confirmations=9)
    (beside,) = wish(policy=Scene().trust(), confirmations=9)

    assert [rule.text for rule in alone.rules] == ["confirmations:9"]
    assert [rule.text for rule in beside.rules] == ["confirmations:3", "confirmations:9"]


def test_every_chain_of_a_policy_is_asked_at_its_own_nodes() -> None:
    first, second = wish(policy=two_chains(rpc='["http://two"]', finality='"finalized"'))

    assert (first.chain_id, first.urls, first.rules[0].text) == (1, ("http://two",), "finalized")
    assert (second.chain_id, second.urls) == (31337, ("http://one",))


def test_tables_of_one_chain_are_asked_together() -> None:
    scene = Scene()
    other = Chain(contract=b"\x07" * 20).table(finality='"confirmations:8"')

    (only,) = wish(policy=scene.trust(scene.chain, other))

    assert len(only.tables) == 2
    assert [rule.text for rule in only.rules] == ["confirmations:3", "confirmations:8"]


def test_bundles_decide_the_chains_where_there_is_no_policy() -> None:
    blocks = (named(7), named(1), named(7, 6), named(7))

    first, second = wish(named=blocks)

    assert (first.chain_id, first.named) == (1, (named(1),))
    assert (second.chain_id, second.named) == (7, (named(7), named(7, 6)))
    assert wish(named=blocks, chain_id=7) == (second,)


def test_a_chain_of_the_policy_that_no_bundle_names_is_left_out() -> None:
    (only,) = wish(policy=two_chains(), named=[named(1)])

    assert only.chain_id == 1


@pytest.mark.parametrize("more", [{"urls": URLS}, {"heights": (range(5, 6),)}])
def test_endpoints_and_heights_belong_to_one_chain(more: dict[str, Any]) -> None:
    assert refused(policy=two_chains(), **more) == "headers.which-chain"
    assert refused(named=[named(1), named(7)], **more) == "headers.which-chain"
    assert len(wish(policy=two_chains(), chain_id=1, **more)) == 1


def test_nothing_named_is_nothing_to_collect() -> None:
    assert refused(urls=URLS) == "headers.nothing"
    assert refused(urls=URLS, chain_id=1) == "headers.nothing"
    assert refused(policy=two_chains(), chain_id=7) == "headers.nothing"
    assert refused(policy=Scene().trust(), named=[named(7)]) == "headers.nothing"
    assert refused(policy=Scene().trust("")) == "headers.nothing"


@pytest.mark.parametrize(
    "more",
    [
        [],
        ["list", "--block", "x"],
        ["list", "--block", "-1"],
        ["list", "--block", "5-4"],
        ["list", "--block", "05"],
        ["list", "--block", "5-"],
        ["list", "--block", "٣"],
        ["list", "--block", "1" * 16],
        ["list", "--chain", "1-2"],
        ["list", "--since", "1-2"],
        ["list", "--confirmations", "0"],
        ["list", "--confirmations", "1" * 10],
        ["list", "--confirmations", "+3"],
        ["list", "--offline"],
    ],
)
def test_bad_usage_is_2(more: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["headers", *more])

    assert stop.value.code == 2
