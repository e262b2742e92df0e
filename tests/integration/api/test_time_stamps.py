"""Time-stamps from end to end: `up`, a real authority, a dead one, a bundle, a stranger."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

from chain import anvil_binary, free_port
from integration.api.test_up import run, running
from tsa import running_tsa
from vermilion_api.client import Ledger
from vermilion_api.home import create_home
from vermilion_api.settings import Settings, TsaSettings, load_settings

WAIT_SECONDS = 60.0


def test_a_bundle_carries_the_word_of_a_second_clock(tmp_path: Path) -> None:
    anvil_binary()
    document = tmp_path / "contract.pdf"
    document.write_bytes(b"the contract")
    with running_tsa(tmp_path / "clock") as tsa:
        authorities = (
            TsaSettings(url=tsa.url, roots="clock.pem"),
            TsaSettings(url="http://127.0.0.1:9/", roots="dead.pem"),
        )
        settings = Settings(
            port=free_port(), node_port=free_port(), anchor_interval_seconds=0.0, tsas=authorities
        )
        create_home(tmp_path / "home", settings)
        for name in ("clock.pem", "dead.pem"):
            (tmp_path / "home" / name).write_bytes(tsa.root.pem)
        assert load_settings(tmp_path / "home").tsas == authorities

        with running(tmp_path) as up:
            with Ledger(up.url) as ledger:
                digest = {"sha256": hashlib.sha256(b"the contract").hexdigest()}
                body = {"name": "contract.pdf", "digest": digest}
                made = ledger.post("/v1/records", body)
                stamps = await_stamps(ledger)
                asked = {"digest": f"sha256:{digest['sha256']}"}
                (own,) = ledger.post("/v1/verify", asked)["records"]
            assert stamps[0]["authority"] == "127.0.0.1"
            assert status_of(own, "timestamp.token") == "pass"
            url = ("--url", up.url)
            bundle, trust = tmp_path / "bundle.json", tmp_path / "given" / "trust.toml"
            trust.parent.mkdir()
            assert run("bundle", made["record"], "-o", bundle, *url).returncode == 0
            assert run("trust", "export", "-o", trust, "--home", up.home).returncode == 0
            rpc = load_settings(up.home).chains[0].endpoints[0]
            verify(document, bundle, trust, rpc)
            assert "timestamp.unreachable" in up.text  # and nothing else came of it

    assert "Traceback" not in up.text


def await_stamps(ledger: Ledger) -> list[dict[str, Any]]:
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        found = ledger.get("/v1/anchors")
        stamps: list[dict[str, Any]] = found["timestamps"]
        if stamps and stamps[0]["size"] == found["finalSize"] == found["size"]:
            return stamps
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def verify(document: Path, bundle: Path, trust: Path, rpc: str) -> None:
    """Under a policy that asks for two clocks: the chain and the authority."""
    text = trust.read_text()
    text = text.replace(
        "required = 1\ntimestamps_count = false", "required = 2\ntimestamps_count = true"
    )
    text = text.replace(
        'required = 0\nroots = ["clock.pem", "dead.pem"]', 'required = 1\nroots = ["clock.pem"]'
    )
    assert "required = 2" in text
    assert 'required = 1\nroots = ["clock.pem"]' in text
    trust.write_text(text)
    proof = ("--bundle", bundle, "--trust", trust)

    proven = run(document, *proof, "--rpc", rpc, "--json", module="vermilion_verify")
    assert proven.returncode == 0, proven.stdout + proven.stderr
    report = json.loads(proven.stdout.splitlines()[0])
    checks = {check["id"]: check for check in report["checks"]}
    assert checks["timestamp.token"]["status"] == "pass"
    assert checks["anchor.finality"]["detail"] == {"final": [31337], "required": 2, "timestamps": 1}
    assert "Time-stamp: not after" in proven.stderr

    alone = run(document, *proof, "--offline", "--json", module="vermilion_verify")
    assert alone.returncode == 5
    offline = json.loads(alone.stdout.splitlines()[0])
    assert status_of(offline, "timestamp.token") == "pass"  # whatever the chain says


def status_of(report: dict[str, Any], check: str) -> Any:
    return next(each["status"] for each in report["checks"] if each["id"] == check)
