"""The signer and the account that the settings name, through our own commands."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chain import KEY, Chain, start_chain
from lies import LIES
from lying_rpc import lying_proxy
from signer_kit import SignerServer, serve_signer
from vermilion_anchor.deploy import fund_development_account
from vermilion_anchor.evm import AccountSigner
from vermilion_anchor.keys import create_key
from vermilion_anchor.settings import Progress
from vermilion_anchor.spending import SpendPolicy
from vermilion_api.anchor_signer import load_anchor_address, open_anchor_signer
from vermilion_api.cli import main
from vermilion_api.cli.anchorer import _announcer
from vermilion_api.home import Home, create_home
from vermilion_api.settings import Settings, load_settings, save_settings
from vermilion_api.signer_settings import SignerSettings
from vermilion_ledger.errors import EvidenceError, UnavailableError
from vermilion_ledger.store import open_database

ADDRESS = AccountSigner(KEY).address


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with start_chain() as running:
        yield running


@pytest.fixture(scope="module")
def server() -> Iterator[SignerServer]:
    with serve_signer() as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, server: SignerServer) -> Home:
    """A ledger whose anchoring key is somewhere else."""
    signer = SignerSettings(kind="remote", address="0x" + ADDRESS.hex(), url=server.url)
    home, settings = create_home(tmp_path / "ledger", Settings(node_port=0, signer=signer))
    database = open_database(home.database_url(settings))
    database.migrate()
    database.close()
    return home


@pytest.fixture
def deployed(home: Home, chain: Chain) -> Home:
    assert main(["anchor", "deploy", "--home", str(home.path), "--rpc", chain.node.url]) == 0
    return home


def change(home: Home, **changes: Any) -> None:
    settings = load_settings(home.path)
    save_settings(home.path, replace(settings, chains=(replace(settings.chains[0], **changes),)))


def balance(home: Home, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any], str]:
    capsys.readouterr()
    code = main(["anchor", "balance", "--home", str(home.path), "--json"])
    told = capsys.readouterr()
    return code, json.loads(told.out)["accounts"][0] if told.out else {}, told.err


def test_a_contract_is_deployed_with_a_key_that_is_elsewhere(
    deployed: Home, chain: Chain, server: SignerServer
) -> None:
    (written,) = load_settings(deployed.path).chains

    assert chain.client.code(bytes.fromhex(written.contract[2:])) == chain.artifact.runtime_code
    assert not deployed.keystore.exists()
    assert "to" not in server.calls[-2]
    assert load_anchor_address(deployed, load_settings(deployed.path)) == ADDRESS


def test_the_account_of_each_chain_is_shown(
    deployed: Home, chain: Chain, capsys: pytest.CaptureFixture[str]
) -> None:
    change(deployed, day_cost_max_wei=10**19, balance_min_wei=1)

    code, account, _ = balance(deployed, capsys)

    assert code == 0
    assert account == {
        "chainId": 31337,
        "address": "0x" + ADDRESS.hex(),
        "balanceWei": str(chain.client.balance(ADDRESS)),
        "balanceMinWei": "1",
        "dayCostWei": "0",
        "dayCostMaxWei": str(10**19),
        "endpoints": [{"name": f"127.0.0.1:{chain.node.options.port}", "trouble": None}],
        "alarm": None,
    }


def test_each_endpoint_is_shown_and_one_in_trouble_ends_the_command_with_its_code(
    deployed: Home, chain: Chain, capsys: pytest.CaptureFixture[str]
) -> None:
    with lying_proxy(chain.node.url) as liar, lying_proxy(chain.node.url) as honest:
        change(deployed, rpc=(liar.url, honest.url, "http://127.0.0.1:9/secret"))
        liar.lie = LIES["wrong chain id"]

        code, account, told = balance(deployed, capsys)
        assert main(["anchor", "balance", "--home", str(deployed.path)]) == 5
        shown = capsys.readouterr()

    assert (code, account["alarm"]) == (5, "chain.endpoint-trouble")
    assert [each["trouble"] for each in account["endpoints"]] == [
        "chain.other-chain",
        None,
        "chain.unreachable",
    ]
    assert account["balanceWei"] == str(chain.client.balance(ADDRESS))
    assert "the node is of chain 1" in told
    assert f"endpoint {honest.url[7:-1]}  in use" in shown.out
    assert "secret" not in shown.out + shown.err + told


def test_a_chain_in_the_settings_of_another_genesis_is_refused(
    deployed: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert load_settings(deployed.path).chains[0].genesis
    change(deployed, genesis="0x" + 32 * "17")

    code, _, told = balance(deployed, capsys)

    assert code == 1
    assert "error[chain.other-genesis]" in told


def test_a_low_balance_ends_the_command_with_its_code(
    deployed: Home, chain: Chain, capsys: pytest.CaptureFixture[str]
) -> None:
    change(deployed, balance_min_wei=10**30)

    code, account, told = balance(deployed, capsys)

    assert (code, account["alarm"]) == (5, "anchor.low-balance")
    assert "error[anchor.low-balance]" in told


def test_a_node_of_another_chain_is_refused(
    deployed: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    change(deployed, id=1)

    code, _, told = balance(deployed, capsys)

    assert (code, "chain.other-chain" in told) == (1, True)


def test_a_ledger_without_a_chain_has_no_account(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, told = balance(home, capsys)

    assert (code, "anchor.no-chain" in told) == (2, True)


def test_a_signer_that_lies_deploys_nothing(
    home: Home, chain: Chain, server: SignerServer, capsys: pytest.CaptureFixture[str]
) -> None:
    fund_development_account(chain.client, ADDRESS)
    before = chain.client.nonce(ADDRESS)
    server.lie(lambda _: b"\x02\xc0")
    try:
        code = main(["anchor", "deploy", "--home", str(home.path), "--rpc", chain.node.url])
    finally:
        server.answer = None

    assert (code, "signer.other-transaction" in capsys.readouterr().err) == (1, True)
    assert chain.client.nonce(ADDRESS) == before
    assert load_settings(home.path).chains == ()


# --- the settings decide ---


def code_of(home: Home, settings: Settings) -> str:
    with pytest.raises(EvidenceError) as caught:
        open_anchor_signer(home, settings)
    return caught.value.code


def test_a_keystore_of_another_address_is_refused(home: Home) -> None:
    key = create_key(home.keystore, home.password)
    right, wrong = "0x" + key.address.hex(), "0x" + "12" * 20

    assert open_anchor_signer(home, Settings()).address == key.address
    assert open_anchor_signer(home, Settings(signer=SignerSettings(address=right))).address
    assert code_of(home, Settings(signer=SignerSettings(address=wrong))) == "signer.other-key"
    assert load_anchor_address(home, Settings()) == key.address


def test_a_keystore_that_others_may_read_is_refused(home: Home) -> None:
    create_key(home.keystore, home.password)
    for path in (home.password, home.keystore):
        path.chmod(0o640)

        assert code_of(home, Settings()) == "key.file-readable"
    with pytest.raises(EvidenceError) as caught:
        load_anchor_address(home, Settings())
    assert caught.value.code == "key.file-readable"


@pytest.mark.parametrize("text", ["[]", "{}", '{"address":"12"}', '{"address":null}', "{"])
def test_a_keystore_without_an_address_is_refused(home: Home, text: str) -> None:
    home.keystore.write_text(text)
    home.keystore.chmod(0o600)

    with pytest.raises(EvidenceError) as caught:
        load_anchor_address(home, Settings())

    assert caught.value.code == "key.file-malformed"


def test_files_of_a_remote_signer_are_looked_for_in_the_home_folder(home: Home) -> None:
    (home.path / "keys" / "tls.key").write_text("no key")
    signer = SignerSettings(
        kind="remote",
        address="0x" + "12" * 20,
        url="https://127.0.0.1:1",
        certificate="keys/tls.pem",
        key="keys/tls.key",
    )
    (home.path / "keys" / "tls.key").chmod(0o644)

    assert code_of(home, Settings(signer=signer)) == "key.file-readable"
    (home.path / "keys" / "tls.key").chmod(0o600)
    assert code_of(home, Settings(signer=signer)) == "key.file-missing"


def test_a_module_that_is_not_there_is_refused(home: Home) -> None:
    signer = SignerSettings(
        kind="pkcs11", address="0x" + "12" * 20, module="/none.so", token="t", label="l"
    )

    assert code_of(home, Settings(signer=signer)) == "signer.module"


def test_without_its_extra_a_token_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    for name in ("vermilion_anchor.token", "vermilion_anchor.token_session"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    signer = SignerSettings(
        kind="pkcs11", address="0x" + "12" * 20, module="/none.so", token="t", label="l"
    )

    assert code_of(home, Settings(signer=signer)) == "signer.not-installed"


# --- what the anchorer says ---


def test_trouble_and_alarms_are_told_once_and_when_they_are_over(
    deployed: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    alarm = SpendPolicy(balance_min=2).find_alarm(b"\x12" * 20, 1)
    error = UnavailableError("anchor.spend-cap", "too dear")
    fine, low = Progress(state=None), Progress(state=None, alarm=alarm)
    cap = Progress(state=None, error=error)
    capsys.readouterr()

    notify = _announcer(f"chain {load_settings(deployed.path).chains[0].id}")
    for progress in (fine, low, low, cap, cap, low, fine, fine):
        notify(progress)

    assert capsys.readouterr().err.splitlines() == [
        f"chain 31337: anchor.low-balance: 0x{'12' * 20} has 1 wei, the alarm is set to 2",
        "chain 31337: anchor.spend-cap: too dear",
        "chain 31337: it goes on",
        "chain 31337: anchor.low-balance is over",
    ]
