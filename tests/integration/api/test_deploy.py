"""`vermilion anchor deploy`: a ledger's log on a chain, by our own command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

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
