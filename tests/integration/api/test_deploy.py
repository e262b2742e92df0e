"""`vermilion anchor deploy`: a ledger's log on a chain, by our own command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chain import Chain, free_port, start_chain
from vermilion_api.cli import main
from vermilion_api.home import create_home
from vermilion_api.settings import Settings, load_settings


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with start_chain() as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    create_home(tmp_path / "ledger", Settings(node_port=0))
    return tmp_path / "ledger"


def deploy(home: Path, rpc: str, *more: str) -> int:
    return main(["anchor", "deploy", "--home", str(home), "--rpc", rpc, *more])


def test_the_contract_is_deployed_and_written_into_the_settings(home: Path, chain: Chain) -> None:
    assert deploy(home, chain.node.url, "--finality", "immediate") == 0

    (written,) = load_settings(home).chains
    code = chain.rpc("eth_getCode", written.contract, "latest")
    assert bytes.fromhex(code[2:]) == chain.artifact.runtime_code
    assert (written.id, written.finality, written.rpc) == (31337, "immediate", chain.node.url)
    assert written.genesis == chain.rpc("eth_getBlockByNumber", "0x0", False)["hash"]


def test_a_contract_that_is_there_is_used(home: Path, chain: Chain) -> None:
    address = "0x" + chain.deployment.contract.hex()

    assert deploy(home, chain.node.url, "--contract", address) == 0

    (written,) = load_settings(home).chains
    assert written.contract == address
    assert written.log != "0x" + chain.deployment.log.hex()  # another owner, another log


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("0x" + "12" * 20, "chain.no-contract"),
        ("0x12", "hex.malformed"),
        ("0x" + "AB" * 20, "hex.malformed"),
    ],
)
def test_a_wrong_address_changes_nothing(
    home: Path, chain: Chain, capsys: pytest.CaptureFixture[str], address: str, code: str
) -> None:
    assert deploy(home, chain.node.url, "--contract", address) != 0

    assert code in capsys.readouterr().err
    assert load_settings(home).chains == ()


def test_the_same_contract_twice_is_refused(
    home: Path, chain: Chain, capsys: pytest.CaptureFixture[str]
) -> None:
    address = "0x" + chain.deployment.contract.hex()
    assert deploy(home, chain.node.url, "--contract", address) == 0

    assert deploy(home, chain.node.url, "--contract", address) != 0

    assert "anchor.chain-exists" in capsys.readouterr().err
    assert len(load_settings(home).chains) == 1


def test_a_node_that_is_down_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy(home, f"http://127.0.0.1:{free_port()}") == 5

    assert "chain.unreachable" in capsys.readouterr().err
    assert load_settings(home).chains == ()


def test_a_rule_that_is_none_is_refused(
    home: Path, chain: Chain, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(home, chain.node.url, "--finality", "soon") == 2

    assert "finality.malformed" in capsys.readouterr().err
    assert load_settings(home).chains == ()


# --- deployment records


def record_of(folder: Path) -> dict[str, Any]:
    (path,) = folder.iterdir()
    value: dict[str, Any] = json.loads(path.read_bytes())
    return value


def test_a_deployment_is_put_on_record(home: Path, chain: Chain, tmp_path: Path) -> None:
    folder = tmp_path / "deployments"
    folder.mkdir()

    assert deploy(home, chain.node.url, "--deployments", str(folder)) == 0

    (written,) = load_settings(home).chains
    assert [path.name for path in folder.iterdir()] == ["31337.json"]
    assert record_of(folder) == {
        "chainId": 31337,
        "contract": written.contract,
        "codeHash": "0x" + chain.artifact.code_hash.hex(),
        "block": written.deployed_block,
    }


def test_the_contract_on_record_is_used(home: Path, chain: Chain, tmp_path: Path) -> None:
    folder = tmp_path / "deployments"
    folder.mkdir()
    other = tmp_path / "other"
    create_home(other, Settings(node_port=0, origin="ledger.example/other"))
    assert deploy(other, chain.node.url, "--deployments", str(folder)) == 0
    before = record_of(folder)
    chain.mine(3)

    assert deploy(home, chain.node.url, "--deployments", str(folder)) == 0

    (written,) = load_settings(home).chains
    assert (written.contract, written.deployed_block) == (before["contract"], before["block"])
    assert written.log != load_settings(other).chains[0].log
    assert record_of(folder) == before


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"codeHash": "0x" + "00" * 32}, "deployment.differs"),
        ({"contract": "0x" + "12" * 20}, "chain.no-contract"),
        ({"chainId": 1}, "deployment.other-chain"),
        ({"block": None}, "json.not-count"),
    ],
)
def test_a_record_is_not_believed(
    home: Path,
    chain: Chain,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, Any],
    code: str,
) -> None:
    true = {
        "chainId": 31337,
        "contract": "0x" + chain.deployment.contract.hex(),
        "codeHash": "0x" + chain.deployment.code_hash.hex(),
        "block": 1,
    }
    (tmp_path / "31337.json").write_text(json.dumps(true | changes))

    assert deploy(home, chain.node.url, "--deployments", str(tmp_path)) != 0

    assert code in capsys.readouterr().err
    assert load_settings(home).chains == ()


def test_other_code_at_the_recorded_address_is_refused(
    home: Path, chain: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = "0x" + "ee" * 20
    code = chain.artifact.runtime_code
    chain.rpc("anvil_setCode", address, "0x" + (code[:-1] + bytes([code[-1] ^ 1])).hex())
    record = {
        "chainId": 31337,
        "contract": address,
        "codeHash": "0x" + chain.deployment.code_hash.hex(),
        "block": 1,
    }
    (tmp_path / "31337.json").write_text(json.dumps(record))

    assert deploy(home, chain.node.url, "--deployments", str(tmp_path)) != 0

    assert "chain.other-contract" in capsys.readouterr().err


def test_another_contract_than_the_one_on_record_is_refused(
    home: Path, chain: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "deployments"
    folder.mkdir()
    assert deploy(home, chain.node.url, "--deployments", str(folder)) == 0
    address = "0x" + chain.deployment.contract.hex()

    more = ("--deployments", str(folder), "--contract", address)
    assert deploy(home, chain.node.url, *more) != 0

    assert "deployment.differs" in capsys.readouterr().err


def test_a_folder_that_is_not_there_costs_nothing(
    home: Path, chain: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = chain.client.block_number()

    assert deploy(home, chain.node.url, "--deployments", str(tmp_path / "nowhere")) == 5

    assert "deployment.unusable" in capsys.readouterr().err
    assert chain.client.block_number() == before
