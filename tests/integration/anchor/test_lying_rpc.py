"""What a lying or failing endpoint can do: nothing that is false becomes final, nothing ends."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from chain import Chain, MemoryLog, call, fixed_clock, start_chain
from lies import LIES
from lying_rpc import Lie, LyingProxy, lying_proxy
from vermilion_anchor.endpoint import ExpectedChain
from vermilion_anchor.endpoints import ChainEndpoints
from vermilion_anchor.evm import EvmChain
from vermilion_anchor.service import Anchorer
from vermilion_anchor.settings import AnchorSettings
from vermilion_anchor.spending import SpendPolicy
from vermilion_ledger.anchor_rows import FinalAnchor
from vermilion_ledger.encoding import parse_json
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.evm.finality import parse_finality
from vermilion_ledger.evm.receipt import parse_anchor_receipt, verify_anchor_receipt
from vermilion_ledger.store import open_database

# Beside honest endpoints every sixth kind, and what stops finality; `make lies` takes them all
CROWD = [
    name
    for at, (name, lie) in enumerate(LIES.items())
    if at % 6 == 0 or lie.waits or os.environ.get("LIES") == "all"
]
COST_MAX = 10**16  # wei an anchor
LIES_MAX, LIED_STEPS, TRUE_STEPS = 3, 12, 30


@dataclass
class Ground:
    """One chain and one log for all lies; each test anchors one entry more."""

    chain: Chain
    journal_file: Path
    log: MemoryLog = field(default_factory=MemoryLog)

    def mine(self) -> None:
        """A block that has another's transaction beside ours."""
        other = self.chain.rpc("eth_accounts")[0]
        self.chain.rpc("eth_sendTransaction", {"from": other, "to": other, "gas": "0x5208"})
        self.chain.rpc("evm_mine")


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    file = tmp_path_factory.mktemp("journal") / "empty.db"
    database = open_database(f"sqlite:///{file}")
    database.migrate()
    database.close()
    with start_chain(slots_in_an_epoch=1) as chain:
        chain.rpc("evm_setAutomine", False)
        yield Ground(chain=chain, journal_file=file)


@dataclass
class Office:
    """An anchorer as its supervisor sees it: what gives up is started again."""

    ground: Ground
    client: ChainEndpoints
    finality: str
    journal: Any
    codes: list[str] = field(default_factory=list)
    _anchorer: Anchorer | None = None

    def step(self) -> None:
        if self._anchorer is None:
            self._anchorer = self._start()
        is_waiting = True
        try:
            is_waiting = self._anchorer.step().is_waiting
        except EvidenceError as exc:
            self.codes.append(exc.code)
            self._anchorer = None
        self._check_caps()
        if is_waiting:
            self.ground.mine()

    def final(self) -> FinalAnchor | None:
        found: FinalAnchor | None = self.journal.load_final(self.ground.chain.target)
        return found

    def drive(self, size: int) -> FinalAnchor | None:
        for _ in range(TRUE_STEPS):
            self.step()
            if (anchor := self.final()) is not None and anchor.size == size:
                return anchor
        return None

    def _check_caps(self) -> None:
        job = self.journal.load_open(self.ground.chain.target)
        for attempt in () if job is None else job.attempts:
            assert attempt.gas_limit * attempt.max_fee <= COST_MAX
            assert attempt.max_fee <= 500 * 10**9

    def _start(self) -> Anchorer:
        chain = self.ground.chain
        settings = AnchorSettings(
            target=chain.target,
            code_hash=chain.artifact.code_hash,
            finality=parse_finality(self.finality),
            spending=SpendPolicy(anchor_max=COST_MAX),
        )
        return Anchorer(
            settings,
            chain=self.client,
            journal=self.journal,
            log=self.ground.log,
            signer=chain.signer,
            clock=fixed_clock,
        )


@pytest.fixture
def liar(ground: Ground) -> Iterator[LyingProxy]:
    with lying_proxy(ground.chain.node.url) as proxy:
        yield proxy
    ground.chain.rpc("anvil_dropAllTransactions")


@pytest.fixture
def journal(ground: Ground, tmp_path: Path) -> Iterator[Any]:
    shutil.copy(ground.journal_file, tmp_path / "journal.db")
    database = open_database(f"sqlite:///{tmp_path / 'journal.db'}")
    yield database.anchors
    database.close()


def endpoints(ground: Ground, *urls: str, timeout_seconds: float = 5.0) -> ChainEndpoints:
    chain = ground.chain
    genesis = call(chain.node.url, "eth_getBlockByNumber", "0x0", False)["hash"]
    seconds = count()
    return ChainEndpoints(
        [(url, EvmChain(url, chain.artifact, timeout_seconds=timeout_seconds)) for url in urls],
        expected=ExpectedChain(
            chain_id=chain.target.chain_id,
            contract=chain.target.contract,
            code_hash=chain.artifact.code_hash,
            genesis=bytes.fromhex(genesis[2:]),
        ),
        clock=lambda: float(next(seconds)),
    )


def is_true(ground: Ground, anchor: FinalAnchor) -> bool:
    """Whether the canonical chain has the anchor, and its receipt passes a stranger's check."""
    block = ground.chain.rpc("eth_getBlockByNumber", hex(anchor.block_number), False)
    proven = verify_anchor_receipt(
        parse_anchor_receipt(parse_json(anchor.receipt, size_max=10**7, what="receipt"))
    )
    return (
        block is not None
        and block["hash"] == "0x" + anchor.block_hash.hex() == "0x" + proven.block_hash.hex()
        and (proven.size, proven.root) == (anchor.size, ground.log.root_at(anchor.size))
    )


def test_where_endpoints_contradict_a_final_anchor_the_next_one_is_sent_all_the_same(
    ground: Ground, liar: LyingProxy, journal: Any
) -> None:
    ground.log.grow(1)
    size = ground.log.newest()[0]  # type: ignore[index]
    honest = ground.chain.node.url
    client = endpoints(ground, liar.url, honest, honest)
    office = Office(ground, client, "confirmations:1", journal)
    first = office.drive(size)
    assert first is not None

    ground.log.grow(1)
    liar.lie = LIES["forged block"]
    before = len(ground.chain.events())
    office.drive(size + 1)

    assert office.final() == first  # neither given up nor followed by another
    assert len(ground.chain.events()) == before + 1
    liar.lie = None
    last = office.drive(size + 1)
    assert last is not None
    assert is_true(ground, last)


def test_there_are_more_than_thirty_kinds_of_lie() -> None:
    assert len(LIES) > 30


@pytest.mark.parametrize("name", LIES)
def test_alone_a_lie_makes_nothing_final_and_ends_without_a_trace(
    ground: Ground, liar: LyingProxy, journal: Any, name: str
) -> None:
    lie: Lie = LIES[name]
    ground.log.grow(1)
    size = ground.log.newest()[0]  # type: ignore[index]
    client = endpoints(ground, liar.url, timeout_seconds=lie.timeout_seconds)
    office = Office(ground, client, lie.finality, journal)

    liar.lie = lie
    for _ in range(LIED_STEPS):
        if liar.told >= LIES_MAX:
            break
        office.step()
        if (anchor := office.final()) is not None:
            assert is_true(ground, anchor)
    liar.lie = None
    anchor = office.drive(size)

    assert liar.told
    assert not liar.strays
    assert anchor is not None, office.codes
    assert is_true(ground, anchor)


@pytest.mark.parametrize("name", CROWD)
def test_beside_two_honest_endpoints_a_lie_is_outvoted_or_waited_for(
    ground: Ground, liar: LyingProxy, journal: Any, name: str
) -> None:
    lie: Lie = LIES[name]
    ground.log.grow(1)
    size = ground.log.newest()[0]  # type: ignore[index]
    honest = ground.chain.node.url
    client = endpoints(ground, liar.url, honest, honest, timeout_seconds=lie.timeout_seconds)
    office = Office(ground, client, lie.finality, journal)

    liar.lie = lie
    anchor = office.drive(size)

    assert liar.told
    assert not liar.strays
    assert set(office.codes) <= {"chain.disagreement"}
    assert (anchor is None) is lie.waits is ("chain.disagreement" in office.codes)
    if lie.waits:
        liar.lie = None
        anchor = office.drive(size)
    assert anchor is not None
    assert is_true(ground, anchor)
