"""Publishers and owners of a log on a real chain: who may, who may not, and what stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from chain import OTHER_KEY, Chain, MemoryLog, start_chain
from vermilion_anchor.deploy import fund_development_account, send_call
from vermilion_anchor.evm import AccountSigner
from vermilion_anchor.fees import FeePolicy
from vermilion_anchor.ownership import NOBODY, OwnedLog
from vermilion_ledger.errors import ConflictError, InputError

OTHER = AccountSigner(OTHER_KEY)
THIRD = AccountSigner(b"\x44" * 32)


@pytest.fixture
def chain() -> Iterator[Chain]:
    with start_chain() as running:
        for account in (OTHER, THIRD):
            fund_development_account(running.client, account.address)
        yield running


def owned(chain: Chain, signer: AccountSigner, log: bytes | None = None) -> OwnedLog:
    return OwnedLog(
        chain=chain.client,
        signer=signer,
        contract=chain.deployment.contract,
        log=log or chain.deployment.log,
        fees=FeePolicy(),
    )


def may_publish(chain: Chain, signer: AccountSigner) -> bool:
    """Ask for the first anchor or the head again, by another way than the code under test."""
    head = chain.client.head(chain.deployment.contract, chain.deployment.log)
    data = chain.client.anchor_data(
        log=chain.deployment.log, size=max(head.size, 1), root=head.root, proof=()
    )
    call = {"from": wire(signer.address), "to": wire(chain.deployment.contract), "data": wire(data)}
    try:
        chain.rpc("eth_call", call, "latest")
    except AssertionError:
        return False
    return True


def wire(value: bytes) -> str:
    return "0x" + value.hex()


def anchor(chain: Chain, signer: AccountSigner, log: MemoryLog, size: int) -> None:
    head = chain.client.head(chain.deployment.contract, chain.deployment.log)
    proof = log.consistency(head.size, size) if head.size else ()
    data = chain.client.anchor_data(
        log=chain.deployment.log, size=size, root=log.root_at(size), proof=proof
    )
    send_call(chain.client, signer, to=chain.deployment.contract, data=data, fees=FeePolicy())


def test_a_publisher_is_replaced_and_the_log_goes_on(chain: Chain) -> None:
    log = MemoryLog(9)
    anchor(chain, chain.signer, log, 4)

    owned(chain, chain.signer).set_publisher(OTHER.address, is_allowed=True)
    owned(chain, chain.signer).set_publisher(chain.signer.address, is_allowed=False)

    anchor(chain, OTHER, log, 9)
    assert chain.client.head(chain.deployment.contract, chain.deployment.log).size == 9
    assert not may_publish(chain, chain.signer)


def test_the_same_step_twice_changes_nothing(chain: Chain) -> None:
    for _ in range(2):
        owned(chain, chain.signer).set_publisher(OTHER.address, is_allowed=True)
        assert may_publish(chain, OTHER)
    for _ in range(2):
        owned(chain, chain.signer).set_publisher(OTHER.address, is_allowed=False)
        assert not may_publish(chain, OTHER)


def test_a_stranger_sets_no_publisher(chain: Chain) -> None:
    with pytest.raises(ConflictError) as refused:
        owned(chain, OTHER).set_publisher(OTHER.address, is_allowed=True)

    assert refused.value.code == "chain.not-owner"
    assert chain.client.nonce(OTHER.address) == 0  # nothing was paid for
    assert not may_publish(chain, OTHER)


def test_a_publisher_that_is_no_owner_sets_no_publisher(chain: Chain) -> None:
    owned(chain, chain.signer).set_publisher(OTHER.address, is_allowed=True)

    with pytest.raises(ConflictError, match="NotOwner"):
        owned(chain, OTHER).set_publisher(THIRD.address, is_allowed=True)


def test_nobody_is_no_publisher(chain: Chain) -> None:
    with pytest.raises(InputError) as refused:
        owned(chain, chain.signer).set_publisher(NOBODY, is_allowed=True)

    assert refused.value.code == "chain.zero-publisher"


def test_a_log_that_nobody_registered_has_no_owner(chain: Chain) -> None:
    unknown = owned(chain, chain.signer, b"\x07" * 32)

    steps: tuple[Callable[[], None], ...] = (
        lambda: unknown.set_publisher(OTHER.address, is_allowed=True),
        lambda: unknown.transfer(OTHER.address),
        unknown.accept,
    )
    for step in steps:
        with pytest.raises(ConflictError) as refused:
            step()
        assert refused.value.code == "chain.unknown-log"


def test_a_log_is_handed_over_in_two_steps(chain: Chain) -> None:
    owned(chain, chain.signer).transfer(OTHER.address)
    owned(chain, chain.signer).set_publisher(THIRD.address, is_allowed=True)  # still the owner

    owned(chain, OTHER).accept()

    owned(chain, OTHER).set_publisher(THIRD.address, is_allowed=False)
    assert may_publish(chain, chain.signer)  # publishers stay as they are
    with pytest.raises(ConflictError) as refused:
        owned(chain, chain.signer).set_publisher(THIRD.address, is_allowed=True)
    assert refused.value.code == "chain.not-owner"


def test_only_the_nominated_one_accepts(chain: Chain) -> None:
    owned(chain, chain.signer).transfer(OTHER.address)

    for signer in (THIRD, chain.signer):
        with pytest.raises(ConflictError) as refused:
            owned(chain, signer).accept()
        assert refused.value.code == "chain.not-nominated"


def test_a_nomination_is_withdrawn(chain: Chain) -> None:
    owned(chain, chain.signer).transfer(OTHER.address)
    owned(chain, chain.signer).transfer(NOBODY)

    with pytest.raises(ConflictError) as refused:
        owned(chain, OTHER).accept()

    assert refused.value.code == "chain.not-nominated"
    owned(chain, chain.signer).set_publisher(THIRD.address, is_allowed=True)  # still the owner


def test_a_stranger_nominates_nobody(chain: Chain) -> None:
    with pytest.raises(ConflictError) as refused:
        owned(chain, OTHER).transfer(OTHER.address)

    assert refused.value.code == "chain.not-owner"
