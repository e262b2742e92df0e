"""The whole life of an anchor on Ganache: other headers, fewer methods, other words for errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chain import KEY, ORIGIN, MemoryLog, call, fixed_clock
from ganache import GANACHE_CHAIN, fund, running_ganache
from vermilion_anchor.artifact import load_artifact
from vermilion_anchor.deploy import Deployment, deploy
from vermilion_anchor.evm import AccountSigner, EvmChain
from vermilion_anchor.fees import FeePolicy
from vermilion_anchor.service import Anchorer
from vermilion_anchor.settings import AnchorSettings
from vermilion_ledger.anchor_rows import AnchorTarget
from vermilion_ledger.encoding import parse_json
from vermilion_ledger.errors import ConflictError, EvidenceError
from vermilion_ledger.evm.finality import parse_finality
from vermilion_ledger.evm.header import parse_header
from vermilion_ledger.evm.receipt import parse_anchor_receipt, verify_anchor_receipt
from vermilion_ledger.evm.rlp import decode_rlp

ARTIFACT = load_artifact()
SIGNER = AccountSigner(KEY)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_ganache() as address:
        fund(address, SIGNER.address)
        yield address


@pytest.fixture(scope="module")
def deployment(url: str) -> Deployment:
    return deploy(EvmChain(url, ARTIFACT), SIGNER, ARTIFACT, origin=ORIGIN, fees=FeePolicy())


@pytest.fixture
def make(url: str, deployment: Deployment, journal: Any) -> Callable[..., Anchorer]:
    def build(log: MemoryLog, *, finality: str = "immediate", **changes: Any) -> Anchorer:
        settings = AnchorSettings(
            target=changes.pop("target", target(deployment)),
            code_hash=ARTIFACT.code_hash,
            finality=parse_finality(finality),
        )
        ports: dict[str, Any] = {"chain": EvmChain(url, ARTIFACT), "signer": SIGNER} | changes
        return Anchorer(settings, journal=journal, log=log, clock=fixed_clock, **ports)

    return build


@pytest.fixture
def chain() -> None:
    """No Anvil here."""


def target(deployment: Deployment) -> AnchorTarget:
    return AnchorTarget(chain_id=GANACHE_CHAIN, contract=deployment.contract, log=deployment.log)


def finish(anchorer: Anchorer, journal: Any, where: AnchorTarget, size: int) -> Any:
    for _ in range(12):
        anchorer.step()
        if (anchor := journal.load_final(where, size=size)) is not None:
            return anchor
    raise AssertionError(f"size {size} is not final")


def test_anchors_on_ganache_are_proven_from_headers_of_seventeen_fields(
    make: Callable[..., Anchorer], journal: Any, deployment: Deployment
) -> None:
    log = MemoryLog(100)
    for growth in (0, 1, 155):
        log.grow(growth)
        newest = log.newest()
        assert newest is not None
        anchor = finish(make(log), journal, target(deployment), newest[0])
        receipt = parse_anchor_receipt(parse_json(anchor.receipt, size_max=10**6, what="receipt"))

        assert verify_anchor_receipt(receipt).root == newest[1]
        assert len(decode_rlp(anchor.header, what="header")) == 17
        assert parse_header(anchor.header).hash == anchor.block_hash
        assert 40_000 < anchor.gas_used < 100_000


@pytest.mark.parametrize("rule", ["finalized", "confirmations:2"])
def test_every_rule_of_finality_ends(
    make: Callable[..., Anchorer], journal: Any, deployment: Deployment, url: str, rule: str
) -> None:
    log = MemoryLog(300 if rule == "finalized" else 400)
    anchorer = make(log, finality=rule)
    for _ in range(6):
        anchorer.step()
    for _ in range(2):
        call(url, "evm_mine")
    newest = log.newest()
    assert newest is not None

    assert finish(anchorer, journal, target(deployment), newest[0]).size == newest[0]


def code(anchorer: Anchorer) -> str:
    with pytest.raises(EvidenceError) as error:
        steps(anchorer)
    return error.value.code


def steps(anchorer: Anchorer) -> None:
    for _ in range(6):
        anchorer.step()


def test_reverts_are_told_apart_in_ganaches_words_too(
    make: Callable[..., Anchorer], deployment: Deployment
) -> None:
    stranger = AccountSigner(b"\x07" * 32)
    other = AnchorTarget(chain_id=GANACHE_CHAIN, contract=deployment.contract, log=b"\x01" * 32)

    assert code(make(MemoryLog(500), signer=stranger)) == "chain.not-publisher"
    assert code(make(MemoryLog(500), target=other)) == "chain.unknown-log"


def test_another_tree_than_ganache_has_stops_the_anchorer(
    make: Callable[..., Anchorer], journal: Any, deployment: Deployment
) -> None:
    finish(make(MemoryLog(600)), journal, target(deployment), 600)

    assert code(make(MemoryLog(700, salt=b"fork"))) == "anchor.head-conflict"
    assert code(make(MemoryLog(599))) == "anchor.head-conflict"


def test_a_chain_of_another_id_is_refused(
    make: Callable[..., Anchorer], deployment: Deployment
) -> None:
    anvil = AnchorTarget(chain_id=31337, contract=deployment.contract, log=deployment.log)

    with pytest.raises(ConflictError) as error:
        make(MemoryLog(1), target=anvil).step()

    assert error.value.code == "chain.other-chain"
