"""The chain double against a real Anvil: one history, the same heads, nonces, receipts, events.

Hashes, times and gas differ by design; everything that the contract and the
rules of nonces and fees decide must not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest

from chain import KEY, ORIGIN, OTHER_KEY, Chain, MemoryLog, start_chain
from chain_double.chain import ChainDouble
from chain_double.client import DoubleClient
from chain_double.contract import encode_set_publisher
from vermilion_anchor.artifact import load_artifact
from vermilion_anchor.deploy import deploy
from vermilion_anchor.evm import AccountSigner
from vermilion_anchor.fees import FeePolicy
from vermilion_anchor.ports import ChainClient, TransactionFields
from vermilion_anchor.receipts import build_anchor_receipt
from vermilion_ledger.anchor_rows import AnchorJob, AnchorTarget, JobState, MinedIn
from vermilion_ledger.errors import ConflictError
from vermilion_ledger.evm.header import parse_header
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.receipt import AnchorHints
from vermilion_ledger.evm.trie import build_ordered_trie

GWEI = 10**9
GAS = 200_000
OWN, OTHER = AccountSigner(KEY), AccountSigner(OTHER_KEY)
WEALTH = 10**21


class Driver(Protocol):
    """A chain that does what it is told."""

    target: AnchorTarget

    @property
    def client(self) -> ChainClient: ...
    def mine(self, count: int = 1) -> None: ...
    def reorganise(self, depth: int, moved: Sequence[tuple[bytes, int]]) -> None: ...
    def drop(self, transaction: bytes) -> None: ...
    def set_base_fee(self, wei: int) -> None: ...


class OnAnvil:
    def __init__(self, chain: Chain) -> None:
        self.chain, self.client, self.target = chain, chain.client, chain.target
        chain.rpc("evm_setAutomine", False)
        chain.client.set_development_balance(OTHER.address, WEALTH)

    def mine(self, count: int = 1) -> None:
        for _ in range(count):
            self.chain.rpc("evm_mine")

    def reorganise(self, depth: int, moved: Sequence[tuple[bytes, int]]) -> None:
        self.chain.rpc("anvil_reorg", depth, [["0x" + raw.hex(), at] for raw, at in moved])

    def drop(self, transaction: bytes) -> None:
        self.chain.rpc("anvil_dropTransaction", "0x" + transaction.hex())

    def set_base_fee(self, wei: int) -> None:
        self.chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(wei))


class OnDouble:
    def __init__(self) -> None:
        self.chain = ChainDouble()
        self.client = DoubleClient(self.chain)
        made = deploy(
            self.client,
            OWN,
            load_artifact(),
            origin=ORIGIN,
            fees=FeePolicy(),
            sleep=lambda _: self.chain.mine(),
        )
        self.target = AnchorTarget(chain_id=31337, contract=made.contract, log=made.log)
        self.client.set_development_balance(OTHER.address, WEALTH)

    def mine(self, count: int = 1) -> None:
        self.chain.mine(count)

    def reorganise(self, depth: int, moved: Sequence[tuple[bytes, int]]) -> None:
        blocks = [[raw for raw, index in moved if index == at] for at in range(depth)]
        self.chain.reorganise(depth, blocks)

    def drop(self, transaction: bytes) -> None:
        self.chain.drop(transaction)

    def set_base_fee(self, wei: int) -> None:
        self.chain.base_fee_next = wei


@dataclass
class Story:
    """Tells one history to a chain, and writes down what can be seen of it."""

    on: Driver
    log: MemoryLog = field(default_factory=lambda: MemoryLog(40))
    sent: list[bytes] = field(default_factory=list)
    seen: list[Any] = field(default_factory=list)

    def look(self, what: str) -> None:
        client, target = self.on.client, self.on.target
        head = client.head(target.contract, target.log)
        height = client.block_number()
        newest = self.sent[-6:]
        receipts = [client.receipt(each) for each in newest]
        events = [
            (number, event.size, event.root, event.transaction)
            for number in range(max(0, height - 4), height + 1)
            for event in client.anchored_events(target.contract, target.log, block_number=number)
        ]
        tags = [client.block(tag) for tag in ("latest", "finalized", "safe", "earliest")]
        self.seen.append(
            {
                "what": what,
                "head": (head.size, head.root, head.block_number),
                "height": height,
                "nonces": [client.nonce(each.address) for each in (OWN, OTHER)],
                "receipts": [
                    r and (r.block_number, r.transaction_index, r.is_success) for r in receipts
                ],
                "known": [client.has_transaction(each) for each in newest],
                "events": events,
                "tags": [tag and tag.number for tag in tags],
                "beyond": client.block(height + 1),
            }
        )

    def sign(self, data: bytes, *, signer: AccountSigner = OWN, **changes: Any) -> bytes:
        values: dict[str, Any] = {
            "chain_id": 31337,
            "nonce": self.on.client.nonce(signer.address),
            "to": self.on.target.contract,
            "data": data,
            "gas_limit": GAS,
            "max_fee": 20 * GWEI,
            "priority_fee": GWEI,
        } | changes
        return signer.sign(TransactionFields(**values))

    def send(self, raw: bytes) -> None:
        self.sent.append(keccak256(raw))
        self.on.client.send(raw)

    def anchor(self, size: int, *, old: int | None = None, **changes: Any) -> bytes:
        """Return the call that anchors a size; the proof is from the head unless told."""
        target = self.on.target
        if old is None:
            old = self.on.client.head(target.contract, target.log).size
        values: dict[str, Any] = {
            "log": target.log,
            "size": size,
            "root": self.log.root_at(size) if size else bytes(32),
            "proof": self.log.consistency(old, size) if 0 < old <= size else (),
        } | changes
        return self.on.client.anchor_data(**values)

    def ask(self, data: bytes, signer: AccountSigner = OWN) -> None:
        """Write down what the contract would say to a call."""
        try:
            self.on.client.estimate_gas(
                sender=signer.address, to=self.on.target.contract, data=data
            )
            said = "accepted"
        except ConflictError as exc:
            said = exc.code
        self.seen.append(said)

    def do(self, what: str, data: bytes, **changes: Any) -> None:
        self.send(self.sign(data, **changes))
        self.on.mine()
        self.look(what)


def tell(on: Driver) -> list[Any]:
    """Everything that an anchorer may meet, once."""
    story = Story(on)
    target = on.target
    story.look("nothing yet")
    story.do("an empty tree", story.anchor(0))
    story.do("a first anchor with a proof", story.anchor(3, proof=(bytes(32),)))
    story.do("the first anchor", story.anchor(3))
    story.do("the same again", story.anchor(3))
    story.do("another root", story.anchor(3, root=bytes(32)))
    story.do("a smaller tree", story.anchor(2))
    story.do("an unknown log", story.anchor(9, log=bytes(32)))
    story.do("no proof", story.anchor(9, proof=()))
    story.do("a stranger", story.anchor(9), signer=OTHER)
    for size, change in ((3, {}), (2, {}), (9, {}), (9, {"log": bytes(32)}), (9, {"proof": ()})):
        story.ask(story.anchor(size, **change))
    story.ask(story.anchor(9), OTHER)
    story.do("a publisher", encode_set_publisher(target.log, OTHER.address, is_allowed=True))
    story.do("the other publisher", story.anchor(9), signer=OTHER)
    story.do("too late", story.anchor(5, old=3))
    story.do("a stale proof", story.anchor(12, old=3))
    story.do("too little gas", story.anchor(12), gas_limit=30_000)
    story.do("less than the call alone", story.anchor(12), gas_limit=20_000)
    _pool(story)
    _reorganisations(story)
    return story.seen


def _pool(story: Story) -> None:
    on, nonce = story.on, story.on.client.nonce(OWN.address)
    story.do("a gap", story.anchor(12), nonce=nonce + 1)
    story.do("the gap is filled", story.anchor(10), nonce=nonce)
    story.do("an old nonce", story.anchor(13), nonce=nonce)
    story.do("another chain", story.anchor(13), chain_id=1)
    story.do("no funds", story.anchor(13), max_fee=10**18)
    story.send(story.sign(story.anchor(14)))
    story.look("waiting")
    story.send(story.sign(story.anchor(15), max_fee=20 * GWEI, priority_fee=GWEI))
    story.look("a replacement at the same price")
    cheap = story.sign(story.anchor(14))
    on.set_base_fee(40 * GWEI)
    on.mine()
    on.drop(story.sent[-2])  # Anvil forgets here what is too cheap; other nodes keep it
    story.look("too cheap for the block")
    on.set_base_fee(GWEI)
    on.mine()
    on.set_base_fee(GWEI)
    story.send(cheap)
    on.mine()
    story.look("cheap again: mined")
    on.set_base_fee(GWEI)
    story.send(story.sign(story.anchor(16)))
    story.send(story.sign(story.anchor(17), max_fee=23 * GWEI, priority_fee=GWEI * 9 // 8))
    story.look("replaced by a dearer one")
    on.mine()
    story.look("the dearer one is mined")
    story.send(story.sign(story.anchor(18)))
    on.drop(story.sent[-1])
    story.look("dropped")
    on.mine()
    story.look("still dropped")


def _reorganisations(story: Story) -> None:
    on = story.on
    raw = story.sign(story.anchor(20))
    story.send(raw)
    on.mine(3)
    story.look("mined, two blocks on it")
    on.reorganise(3, [])
    story.look("the transaction vanished")
    story.send(raw)
    on.mine(2)
    story.look("sent again")
    on.reorganise(2, [(raw, 1)])
    story.look("moved to the next block")
    other = story.sign(story.anchor(21, old=17), max_fee=21 * GWEI)
    on.reorganise(2, [(other, 0)])
    story.look("replaced by another of the same nonce")
    on.reorganise(4, [])
    story.look("earlier ones vanished too")
    on.mine(70)
    story.look("long after")
    on.reorganise(66, [])
    story.look("past finality")


def test_one_history_looks_the_same_on_the_double_and_on_anvil() -> None:
    with start_chain() as chain:
        real = tell(OnAnvil(chain))

    double = tell(OnDouble())

    for found, expected in zip(double, real, strict=True):
        assert found == expected
    assert len(double) > 40


def test_calls_are_encoded_as_web3_encodes_them() -> None:
    with start_chain() as chain:
        ports: tuple[ChainClient, ...] = (chain.client, OnDouble().client)
        log = MemoryLog(20)
        for old, size in ((0, 1), (3, 20), (16, 20)):
            values: dict[str, Any] = {"log": b"l" * 32, "size": size, "root": log.root_at(size)}
            values["proof"] = log.consistency(old, size) if old else ()
            assert len({each.anchor_data(**values) for each in ports}) == 1
        assert (
            len({e.register_data(origin_hash=b"o" * 32, publisher=b"p" * 20) for e in ports}) == 1
        )


@pytest.mark.parametrize("count", [1, 3, 17])
def test_a_block_of_the_double_holds_before_the_verifier(count: int) -> None:
    on = OnDouble()
    story = Story(on)
    for at in range(count):
        nonce = on.client.nonce(OWN.address) + at
        story.send(story.sign(story.anchor(at + 1, old=at), nonce=nonce))
    on.mine()
    block = on.client.block("latest")
    assert block is not None
    receipts = on.client.receipts(block.hash)

    assert build_ordered_trie(receipts).root == parse_header(block.header).receipts_root
    for at, transaction in enumerate(story.sent):
        mined = MinedIn(transaction=transaction, block_number=block.number, block_hash=block.hash)
        job = AnchorJob(
            number=1,
            target=on.target,
            size=at + 1,
            root=story.log.root_at(at + 1),
            state=JobState.MINED,
            mined=mined,
            planned_at=parse_header(block.header).time,
        )
        receipt, anchor = build_anchor_receipt(
            job,
            header=block.header,
            receipts=receipts,
            transaction_index=at,
            hints=AnchorHints(),
        )
        assert (anchor.size, anchor.block_hash) == (at + 1, block.hash)
        assert receipt.transaction_index == at
