"""From the page in a browser, and from a wallet, to a verdict that needs nobody of us."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from browser_kit import Browser
from chain import anvil_binary
from integration.api.test_up import ports, running
from passkey_kit import Holder, make_part
from vermilion_api.cli import main as operator
from vermilion_api.client import Ledger
from vermilion_api.settings import load_settings
from vermilion_verify.cli import main as verifier

WAIT_SECONDS = 120.0
RULES = '[{"count":2,"event":"approve","step":"sign-off"}]'


@pytest.fixture(autouse=True)
def _node() -> None:
    anvil_binary()


Run = Callable[..., str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process, which must succeed; what it printed."""

    def call(*words: str | Path, command: Callable[[list[str]], int] = operator) -> str:
        code = command([str(word) for word in words])
        said = capsys.readouterr()
        assert code == 0, said.err
        return said.out

    return call


def await_final(ledger: Ledger, record: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while ledger.get(f"/v1/records/{record}")["pending"]:
        assert time.monotonic() < deadline, ledger.get("/v1/anchors")
        time.sleep(0.2)


def test_a_document_approved_by_a_passkey_and_a_wallet_is_proven(
    browser: Browser, tmp_path: Path, run: Run
) -> None:
    home, root = tmp_path / "home", tmp_path / "root.json"
    document, rules = tmp_path / "contract.pdf", tmp_path / "rules.json"
    document.write_bytes(b"the contract")
    rules.write_text(f'{{"rules": {RULES}}}')
    policy = hashlib.sha256(RULES.encode()).hexdigest()
    run("keys", "new", "--root", "--owner-id", "root", "-o", root, "--home", home)
    given = {name: tmp_path / name for name in ("bundle.json", "trust.toml")}

    with running(tmp_path, *ports()) as up, Ledger(up.url) as ledger, browser.page() as page:
        url = ("--url", up.url)
        run("keys", "register", "--key", root, *url)
        adopt = ("event", "policies", "adopt", "--detail", f"@{rules}", "--key", root)
        run(*adopt, *url)
        journal = ("--journal", tmp_path / "journal")
        told = run("record", document, "--policy", policy, "--json", *journal, *url)
        record = json.loads(told.splitlines()[0])["record"]

        place = up.url.replace("127.0.0.1", "localhost")
        holder = Holder(page, page.add_device(), place)
        part = make_part(page, place, "u-1029")
        (tmp_path / "part.json").write_bytes(part.data)
        stated = ("--statement", tmp_path / "part.json", "--keyid", part.signatures[0].keyids[0])
        run("keys", "register", *stated, "--root", root, *url)
        holder.read(record)
        page.choose_file("#file", document)
        page.wait("document.querySelector('#match').className === 'good'")
        holder.sign()
        assert holder.outcome().startswith("good: ")

        node = load_settings(home).chains[0].endpoints[0]
        account = "0x" + "f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"  # Anvil's first
        wallet = ("--wallet", node, "--address", account)
        owner = ("--owner", "u-1030,李雷")
        run("keys", "register", *wallet, *owner, "--root", root, *url)
        run("approve", record, *wallet, *url)

        await_final(ledger, record)
        run("bundle", record, "-o", given["bundle.json"], *url)
        run("trust", "export", "-o", given["trust.toml"], "--home", home)
        proof = ("--bundle", given["bundle.json"], "--trust", given["trust.toml"])
        done = run(document, *proof, "--rpc", node, "--json", command=verifier)

    report = json.loads(done.splitlines()[0])
    assert report["verdict"] == "proven"
    schemes = [key["scheme"] for approval in report["approvals"] for key in approval["keys"]]
    assert schemes == ["webauthn-es256", "secp256k1-eip712"]
    assert all(approval["interval"]["notBefore"] for approval in report["approvals"])
