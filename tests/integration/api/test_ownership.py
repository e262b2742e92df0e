"""`vermilion anchor publisher` and `owner`: the operator's way to the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chain import Chain, start_chain
from vermilion_anchor.deploy import fund_development_account
from vermilion_anchor.evm import AccountSigner
from vermilion_anchor.keys import create_key
from vermilion_api.cli import main
from vermilion_api.home import create_home
from vermilion_api.settings import Settings, load_settings, save_settings

PUBLISHER = "0x" + "b0" * 20


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with start_chain() as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, chain: Chain) -> Path:
    place = tmp_path / "ledger"
    create_home(place, Settings(node_port=0))
    address = "0x" + chain.deployment.contract.hex()
    deploy = ["anchor", "deploy", "--home", str(place), "--rpc", chain.node.url]
    assert main([*deploy, "--contract", address]) == 0
    return place


def successor(folder: Path, chain: Chain) -> tuple[AccountSigner, list[str]]:
    """A second key with funds, and the options that name it."""
    keystore, password = folder / "next.json", folder / "next.password"
    signer = create_key(keystore, password)
    fund_development_account(chain.client, signer.address)
    return signer, ["--keystore", str(keystore), "--password-file", str(password)]


def run(home: Path, *words: str) -> int:
    return main(["anchor", *words, "--home", str(home)])


def test_a_publisher_is_added_and_removed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(home, "publisher", "add", PUBLISHER, "--json") == 0

    told = json.loads(capsys.readouterr().out)
    assert told == {
        "log": load_settings(home).chains[0].log,
        "publisher": PUBLISHER,
        "allowed": True,
    }
    assert run(home, "publisher", "remove", PUBLISHER) == 0
    assert "may not anchor" in capsys.readouterr().out


def test_a_log_is_handed_to_another_key(
    home: Path, chain: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signer, key = successor(tmp_path, chain)
    address = "0x" + signer.address.hex()

    assert run(home, "owner", "transfer", address) == 0
    assert run(home, "owner", "accept", *key) == 0
    assert run(home, "publisher", "add", PUBLISHER, *key) == 0

    assert f"{address} owns log" in capsys.readouterr().out
    assert run(home, "publisher", "remove", PUBLISHER) != 0
    assert "chain.not-owner" in capsys.readouterr().err


def test_nobody_accepts_what_was_not_offered(
    home: Path, chain: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, key = successor(tmp_path, chain)

    assert run(home, "owner", "accept", *key) != 0

    assert "chain.not-nominated" in capsys.readouterr().err


def test_the_zero_address_withdraws_a_nomination(
    home: Path, chain: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signer, key = successor(tmp_path, chain)
    assert run(home, "owner", "transfer", "0x" + signer.address.hex()) == 0

    assert run(home, "owner", "transfer", "0x" + "00" * 20) == 0

    assert "nobody is nominated" in capsys.readouterr().out
    assert run(home, "owner", "accept", *key) != 0


@pytest.mark.parametrize("address", ["", "0x", "b0" * 20, "0x" + "B0" * 20, "0x" + "b0" * 21])
def test_what_is_no_address_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    assert run(home, "publisher", "add", address) == 2

    assert "hex.malformed" in capsys.readouterr().err


def test_a_key_that_owns_nothing_is_refused(
    home: Path, chain: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, key = successor(tmp_path, chain)

    assert run(home, "publisher", "add", PUBLISHER, *key) != 0

    assert "chain.not-owner" in capsys.readouterr().err


def test_a_key_file_without_its_password_is_refused(
    home: Path, chain: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, key = successor(tmp_path, chain)

    assert run(home, "publisher", "add", PUBLISHER, *key[:2]) == 2

    assert "key.file-malformed" in capsys.readouterr().err


def test_one_of_several_chains_has_to_be_named(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load_settings(home)
    (first,) = settings.chains
    second = replace(first, contract="0x" + "12" * 20)
    save_settings(home, replace(settings, chains=(first, second)))

    assert run(home, "publisher", "add", PUBLISHER) == 2
    assert "anchor.several-chains" in capsys.readouterr().err
    assert run(home, "publisher", "add", PUBLISHER, "--chain", "31337") == 2
    assert run(home, "publisher", "add", PUBLISHER, "--contract", first.contract) == 0
    assert run(home, "publisher", "add", PUBLISHER, "--contract", second.contract) != 0
    assert "chain.no-contract" in capsys.readouterr().err


@pytest.mark.parametrize("more", [["--chain", "1"], ["--contract", "0x" + "12" * 20]])
def test_a_chain_that_is_not_in_the_settings_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    assert run(home, "publisher", "add", PUBLISHER, *more) == 2

    assert "anchor.no-chain" in capsys.readouterr().err


def test_a_node_of_another_chain_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = load_settings(home)
    save_settings(home, replace(settings, chains=(replace(settings.chains[0], id=5),)))

    assert run(home, "publisher", "add", PUBLISHER) != 0

    assert "chain.other-chain" in capsys.readouterr().err


def test_other_code_than_the_settings_say_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load_settings(home)
    other = replace(settings.chains[0], code_hash="0x" + "00" * 32)
    save_settings(home, replace(settings, chains=(other,)))

    assert run(home, "owner", "transfer", PUBLISHER) != 0

    assert "chain.other-contract" in capsys.readouterr().err
