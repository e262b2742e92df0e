"""One log on two real chains and a real time-stamping authority; trust that asks for k of n."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chain import anvil_binary, free_port
from ganache import GANACHE_CHAIN, fund, running_ganache
from integration.api.test_up import run, running
from tsa import running_tsa
from vermilion_api.client import Ledger
from vermilion_api.home import Home, create_home
from vermilion_api.settings import Settings, TsaSettings, load_settings
from vermilion_ledger.encoding import encode_json

ANVIL_CHAIN = 31337
WAIT_SECONDS = 90.0
TEXT = b"the decision"


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a stranger has: a document, a bundle, a policy, and the nodes of two chains."""

    folder: Path
    bundle: dict[str, Any]
    trust: str
    nodes: dict[int, str]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Given]:
    anvil_binary()
    folder = tmp_path_factory.mktemp("two")
    document = folder / "decision.pdf"
    document.write_bytes(TEXT)
    with running_ganache() as ganache, running_tsa(folder / "clock") as tsa:
        home, _ = create_home(
            folder / "home",
            Settings(
                port=free_port(),
                node_port=free_port(),
                anchor_interval_seconds=0.0,
                tsas=(TsaSettings(url=tsa.url, roots="clock.pem"),),
            ),
        )
        (home.path / "clock.pem").write_bytes(tsa.root.pem)
        fund(ganache, anchoring_address(home))
        deploy = ("anchor", "deploy", "--rpc", ganache, "--home", home.path)
        done = run(*deploy, "--finality", "immediate")
        assert done.returncode == 0, done.stderr
        with running(folder) as up:
            with Ledger(up.url) as ledger:
                digest = {"sha256": hashlib.sha256(TEXT).hexdigest()}
                made = ledger.post("/v1/records", {"name": document.name, "digest": digest})
                await_both(ledger)
            bundle, trust = folder / "bundle.json", folder / "given" / "trust.toml"
            trust.parent.mkdir()
            url = ("--url", up.url)
            assert run("bundle", made["record"], "-o", bundle, *url).returncode == 0
            assert run("trust", "export", "-o", trust, "--home", home.path).returncode == 0
            yield Given(
                folder=folder,
                bundle=json.loads(bundle.read_bytes()),
                trust=trust.read_text(),
                nodes={chain.id: chain.endpoints[0] for chain in load_settings(home.path).chains},
            )
    assert "Traceback" not in up.text


def anchoring_address(home: Home) -> bytes:
    """Make the keystore, as `anchor deploy` would, so that it can be funded first."""
    from vermilion_anchor.keys import create_key

    create_key(home.keystore, home.password)
    return bytes.fromhex(json.loads(home.keystore.read_bytes())["address"].removeprefix("0x"))


def await_both(ledger: Ledger) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        found = ledger.get("/v1/anchors")
        size = found["size"]
        final = {
            job["chainId"]
            for job in found["anchors"]
            if (job["state"], job["size"]) == ("final", size)
        }
        stamps = found["timestamps"]
        if final == {ANVIL_CHAIN, GANACHE_CHAIN} and stamps and stamps[0]["size"] == size:
            return
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def judge(
    given: Given,
    required: int,
    *,
    chains: tuple[int, ...] = (ANVIL_CHAIN, GANACHE_CHAIN),
    anchors: tuple[int, ...] = (ANVIL_CHAIN, GANACHE_CHAIN),
    stamps: bool = False,
) -> tuple[int, dict[str, Any], str]:
    """Verify with the nodes of some chains, a bundle with the anchors of some, k of n."""
    trust = given.trust.replace(
        "required = 1\ntimestamps_count = false",
        f"required = {required}\ntimestamps_count = {str(stamps).lower()}",
    )
    (given.folder / "given" / "clock.pem").write_bytes(
        (given.folder / "home" / "clock.pem").read_bytes()
    )
    path, bundle = given.folder / "given" / "asked.toml", given.folder / "asked.json"
    path.write_text(trust)
    kept = [each for each in given.bundle["anchors"] if each["chainId"] in anchors]
    bundle.write_bytes(encode_json(given.bundle | {"anchors": kept}))
    nodes = [word for chain in chains for word in ("--rpc", given.nodes[chain])]
    proof: list[str | Path] = ["--bundle", bundle, "--trust", path, *nodes, "--json"]
    done = run(given.folder / "decision.pdf", *proof, module="vermilion_verify")
    report = json.loads(done.stdout.splitlines()[0])
    return done.returncode, report, done.stderr


def finality(report: dict[str, Any]) -> Any:
    return next(each["detail"] for each in report["checks"] if each["id"] == "anchor.finality")


def test_a_bundle_carries_the_receipts_of_both_chains(given: Given) -> None:
    assert {each["chainId"] for each in given.bundle["anchors"]} == {ANVIL_CHAIN, GANACHE_CHAIN}


def test_two_of_two_chains_are_proven_and_each_is_shown(given: Given) -> None:
    status, report, said = judge(given, 2)

    assert status == 0, said
    assert finality(report)["final"] == [GANACHE_CHAIN, ANVIL_CHAIN]


def test_one_of_two_is_enough_where_one_is_asked_for(given: Given) -> None:
    assert judge(given, 1, chains=(GANACHE_CHAIN,))[0] == 0
    assert judge(given, 1, chains=(ANVIL_CHAIN,))[0] == 0


def test_one_chain_is_not_two(given: Given) -> None:
    for chains in ((ANVIL_CHAIN,), (GANACHE_CHAIN,)):
        status, report, _ = judge(given, 2, chains=chains)
        assert status != 0
        assert finality(report)["final"] == list(chains)


def test_two_chains_are_not_three(given: Given) -> None:
    assert judge(given, 3)[0] != 0


def test_time_stamps_count_as_one_more_only_where_the_policy_says_so(given: Given) -> None:
    assert judge(given, 3, stamps=True)[0] == 0
    assert judge(given, 2, chains=(GANACHE_CHAIN,), stamps=True)[0] == 0
    assert judge(given, 2, chains=(GANACHE_CHAIN,), stamps=False)[0] != 0


def test_a_bundle_with_one_receipt_taken_away_is_not_proven_by_two(given: Given) -> None:
    assert judge(given, 2, anchors=(ANVIL_CHAIN,))[0] != 0
