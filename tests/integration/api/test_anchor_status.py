"""One anchor on a real chain through its states, as the API and the command tell it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from chain import ORIGIN, call, start_chain
from served import listening, sha256, wait_until_leading
from vermilion_anchor.node import AnvilNode
from vermilion_anchor.notes import NoteKeeper
from vermilion_anchor.service import Anchorer
from vermilion_anchor.settings import Progress
from vermilion_api.app import create_app
from vermilion_api.chains import target_of
from vermilion_api.cli import main
from vermilion_api.cli.anchorer import build_anchorer
from vermilion_api.client import Ledger as Api
from vermilion_api.home import create_home
from vermilion_api.key_changes import covered_before
from vermilion_api.settings import ChainSettings, Settings
from vermilion_api.wiring import now, open_ledger
from vermilion_ledger.errors import EvidenceError

LATER = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass
class Scene:
    """A served ledger, its chain, and an anchorer that is stepped by hand."""

    node: AnvilNode
    url: str
    api: Api
    worker: Anchorer
    notes: NoteKeeper

    def step(self) -> Progress:
        """Do what the anchorer's process does with a step."""
        try:
            progress = self.worker.step()
        except EvidenceError as error:
            progress = Progress(state=None, is_waiting=True, error=error)
        self.notes.tell(progress)
        return progress

    def register(self, name: str) -> str:
        body = {"name": name, "digest": {"sha256": sha256(name)}}
        return str(self.api.post("/v1/records", body)["record"])

    def pending(self, record: str) -> list[dict[str, Any]]:
        found = self.api.get(f"/v1/records/{record}")["pending"]
        assert isinstance(found, list)
        return found

    def chain(self) -> dict[str, Any]:
        (found,) = self.api.get("/v1/anchors")["chains"]
        assert isinstance(found, dict)
        return found

    def metrics(self) -> str:
        return httpx.get(f"{self.url}/metrics", trust_env=False).text


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with start_chain(timestamp=int(time.time())) as chain:
        place = ChainSettings(
            id=chain.target.chain_id,
            rpc=chain.node.url,
            contract="0x" + chain.target.contract.hex(),
            log="0x" + chain.target.log.hex(),
            code_hash="0x" + chain.artifact.code_hash.hex(),
            finality="confirmations:2",
        )
        settings = Settings(
            origin=ORIGIN,
            chains=(place,),
            anchor_interval_seconds=0.0,
            publish_interval_seconds=0.05,
        )
        home, _ = create_home(tmp_path / "home", settings)
        ledger = open_ledger(home.path)
        ledger.database.migrate()
        app = create_app(ledger)
        with listening(app) as url, Api(url) as api:
            api.get("/v1/log")
            wait_until_leading(app)
            yield Scene(
                node=chain.node,
                url=url,
                api=api,
                worker=build_anchorer(ledger, place, chain.signer),
                notes=NoteKeeper(target_of(place), store=ledger.database.notes, clock=now),
            )


def test_a_record_says_why_it_waits_until_its_anchor_is_final(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    record = scene.register("first")
    assert scene.chain()["why"]["code"] == "anchor.silent"  # nobody runs yet
    call(scene.node.url, "evm_setAutomine", False)

    seen = []
    for _ in range(4):
        scene.step()
        chain = scene.chain()
        seen.append(chain["why"]["code"])
        assert (chain["unanchored"], chain["expectedAt"]) == (1, None)
        assert chain["unknown"]["code"] == "expect.no-history"
    assert seen == ["wait.planned", "wait.signed", "wait.sent", "wait.sent"]
    time.sleep(1.0)  # what records are told is a second old at most
    (waiting,) = scene.pending(record)
    assert (waiting["first"], waiting["last"], waiting["state"]) == (0, 0, "published")
    assert waiting["chains"][0]["anchor"] == {
        "number": 1, "size": 1, "state": "sent", "attempts": 1
    }  # fmt: skip
    assert scene.api.get("/v1/log")["pending"]["why"] == waiting["why"]
    assert main(["status", record, "--url", scene.url]) == 0
    told = capsys.readouterr().out
    assert "[wait.sent]" in told
    assert "  entry 0: published, no final anchor yet" in told
    (job,) = scene.api.get("/v1/anchors")["anchors"]
    assert [(each["standing"], each["size"]) for each in job["attempts"]] == [("waiting", 1)]
    assert 'job_state{chain="31337"' in scene.metrics()

    call(scene.node.url, "evm_mine")
    scene.step()
    assert scene.chain()["why"]["code"] == "wait.mined"
    assert "confirmations:2" in scene.chain()["why"]["en"]
    call(scene.node.url, "anvil_mine", hex(2))
    scene.step()

    found = scene.api.get("/v1/anchors")
    told = call(scene.node.url, "eth_getTransactionReceipt", found["anchors"][0]["transaction"])
    paid = int(told["gasUsed"], 16) * int(told["effectiveGasPrice"], 16)
    cost = found["anchors"][0]["cost"]
    assert (cost["documents"], cost["gasUsed"]) == (1, int(told["gasUsed"], 16))
    assert cost["paidWei"] == cost["paidPerDocumentWei"] == str(paid)
    assert (found["oldestUnanchoredIndex"], found["oldestUnanchored"]) == (None, None)
    assert found["anchors"][0]["attempts"][0]["standing"] == "mined"
    assert scene.pending(record) == []
    assert scene.api.get("/v1/log")["pending"] is None


def test_from_the_second_anchor_on_a_time_is_told(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.register("first")
    anchor(scene)
    scene.register("second")
    record = scene.register("third")
    call(scene.node.url, "evm_setAutomine", False)
    for _ in range(3):
        scene.step()

    chain = scene.chain()

    assert chain["pace"]["anchors"] == 1
    assert chain["expectedAt"] is not None or chain["unknown"]["code"] == "expect.overdue"
    anchor(scene)
    assert scene.chain()["last"]["documents"] == 2
    each, paid = scene.chain()["last"]["paidPerDocumentWei"], scene.chain()["last"]["paidWei"]
    assert int(each) == (int(paid) + 1) // 2
    assert main(["anchor", "status", "--url", scene.url]) == 0
    english = capsys.readouterr().out
    assert main(["anchor", "status", "--lang", "zh-CN", "--url", scene.url]) == 0
    chinese = capsys.readouterr().out
    assert f"{each} wei for each of 2 documents" in english
    assert f"共 2 份文件,每份 {each} wei" in chinese
    assert english.count("0x") == chinese.count("0x")
    assert scene.pending(record) == []


def test_a_node_that_went_away_is_the_reason_and_there_is_no_time(scene: Scene) -> None:
    scene.register("first")
    anchor(scene)
    record = scene.register("second")
    scene.node.stop()
    scene.step()

    chain = scene.chain()

    assert chain["why"]["code"] == "chain.unreachable"
    assert (chain["expectedAt"], chain["unknown"]["code"]) == (None, "expect.blocked")
    time.sleep(1.0)
    (waiting,) = scene.pending(record)
    assert (waiting["why"]["code"], waiting["expectedAt"]) == ("chain.unreachable", None)
    assert 'code="chain.unreachable"' in scene.metrics()
    assert waiting["why"]["note"] is None  # it names the node


def test_a_date_stands_for_the_first_entry_that_no_anchor_had_covered_by_then(
    scene: Scene,
) -> None:
    before = now().replace(microsecond=0)
    scene.register("first")
    anchor(scene)
    time.sleep(1.0)  # times of anchors are told in whole seconds
    between = now().replace(microsecond=0)
    scene.register("second")
    scene.register("third")
    anchor(scene)

    found = [covered_before(scene.api, each) for each in (before, between, LATER)]

    assert found == [0, 1, 3]


def anchor(scene: Scene) -> None:
    """Bring everything published under a final anchor."""
    call(scene.node.url, "evm_setAutomine", True)
    deadline = time.monotonic() + 30
    while scene.chain()["unanchored"]:
        assert time.monotonic() < deadline
        if scene.step().is_waiting:
            call(scene.node.url, "evm_mine")
