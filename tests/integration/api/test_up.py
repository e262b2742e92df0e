"""`vermilion up`: one command for everything, its orderly end, and what stands in its way.

Real processes, a real node, a real disk. Nothing here looks inside.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chain import anvil_binary, free_port
from vermilion_api.client import Ledger
from vermilion_api.settings import SETTINGS_FILE, load_settings
from vermilion_ledger.errors import EvidenceError

ROOT = Path(__file__).resolve().parents[3]
SOURCES = os.pathsep.join(
    str(ROOT / name) for name in ("ledger", "anchor", "api", "verifier", "hooks")
)
READY_SECONDS, STOP_SECONDS = 120.0, 60.0


@pytest.fixture(autouse=True)
def _node() -> None:
    anvil_binary()


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": SOURCES, "LANG": "C.UTF-8", "NO_COLOR": "1"}


def run(*arguments: str | Path, module: str = "vermilion_api") -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=READY_SECONDS,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


class Up:
    """A running `vermilion up`."""

    def __init__(self, folder: Path, *options: str, home: str = "home") -> None:
        self.home = folder / home
        self.log = folder / "up.log"
        command = [sys.executable, "-m", "vermilion_api", "up", "--home", str(self.home)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *options],
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        return self.log.read_text()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{load_settings(self.home).port}"

    def await_text(self, text: str, count: int = 1) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while self.text.count(text) < count:
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.1)

    def group(self) -> list[int]:
        """Every process of the group that still runs."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    state = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                if int(state[2]) == self.process.pid and state[0] != "Z":
                    found.append(int(entry.name))
        return found

    def interrupt(self) -> int:
        """What Ctrl-C in a terminal does: the signal reaches the whole group."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(STOP_SECONDS)

    def await_nobody(self) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        while self.group():
            assert time.monotonic() < deadline, self.group()
            time.sleep(0.1)


@contextmanager
def running(folder: Path, *options: str, starts: int = 1) -> Iterator[Up]:
    up = Up(folder, *options)
    try:
        up.await_text("is up", starts)
        yield up
    finally:
        if up.process.poll() is None:
            up.process.terminate()
            up.process.wait(STOP_SECONDS)
        up.await_nobody()


def ports() -> tuple[str, ...]:
    return ("--port", str(free_port()), "--chain-port", str(free_port()))


def test_it_starts_stops_and_goes_on_where_it_was(tmp_path: Path) -> None:
    home = tmp_path / "home"
    root, wang, li = (tmp_path / f"{name}.json" for name in ("root", "wang", "li"))
    document = tmp_path / "contract.pdf"
    document.write_bytes(b"the contract")
    run("keys", "new", "--root", "--owner-id", "root", "-o", root, "--home", home)
    run("keys", "new", "--owner-id", "wang", "-o", wang)
    run("keys", "new", "--owner-id", "li", "-o", li, "--scheme", "secp256k1-eip712")
    rules = [{"event": "approve", "count": 2, "step": "sign-off"}]
    (tmp_path / "rules.json").write_text(json.dumps({"rules": rules}))
    policy = hashlib.sha256(b'[{"count":2,"event":"approve","step":"sign-off"}]').hexdigest()

    with running(tmp_path, *ports()) as up:
        url = ("--url", up.url)
        assert run("keys", "register", "--key", root, *url).returncode == 0
        for key in (wang, li):
            assert run("keys", "register", "--key", key, "--root", root, *url).returncode == 0
        adopt = ("event", "policies", "adopt", "--detail", f"@{tmp_path / 'rules.json'}")
        assert run(*adopt, "--key", root, *url).returncode == 0
        journal = ("--journal", tmp_path / "journal")
        told = run("record", document, "--policy", policy, "--json", *journal, *url)
        record = json.loads(told.stdout.splitlines()[0])["record"]
        assert run("approve", record, "--key", wang, *url).returncode == 0
        with Ledger(up.url) as ledger:
            before = ledger.get("/v1/log")["tree"]
        assert up.interrupt() == 0
        assert up.text.count("stopped") == 1
        up.await_nobody()

    with running(tmp_path, starts=2) as up:
        url = ("--url", up.url)
        with Ledger(up.url) as ledger:
            assert ledger.get("/v1/log")["tree"] == before
        assert run("approve", record, "--key", li, *url).returncode == 0
        assert "met; decided by li, wang" in run("status", record, *url).stdout
        assert run("anchor", "now", "--home", home).returncode == 0
        assert run("anchor", "status", *url).returncode == 0
        bundle, trust = tmp_path / "contract.evidence.json", tmp_path / "trust.toml"
        assert run("bundle", record, "-o", bundle, *url).returncode == 0
        assert run("trust", "export", "-o", trust, "--home", home).returncode == 0
        rpc = ("--rpc", load_settings(home).chains[0].endpoints[0])
        proof = ("--bundle", bundle, "--trust", trust, *rpc)
        proven = run(document, *proof, "--json", module="vermilion_verify")
        assert json.loads(proven.stdout.splitlines()[0])["verdict"] == "proven"
        assert proven.returncode == 0
        document.write_bytes(b"the contract, changed")
        assert run(document, *proof, module="vermilion_verify").returncode == 1
        with Ledger(up.url) as ledger:
            found = ledger.get("/v1/records", {"digest": f"sha256:{_sha256(b'the contract')}"})
            assert found["records"][0]["state"] == "final"
            assert ledger.get("/v1/anchors")["finalSize"] > before["size"]
            seen = {"chainId": 31337, "number": 1, "hash": "0x" + "00" * 32}
            assert _refusal(ledger, record, wang, seen) == "seen.not-on-chain"

    assert "Traceback" not in up.text


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _refusal(ledger: Ledger, record: str, key: Path, seen: dict[str, object]) -> str:
    """The code with which a statement quoting a block that never was is refused."""
    import base64

    from vermilion_api.keyfiles import load_key_file
    from vermilion_api.signing import sign_statement
    from vermilion_ledger.encoding import encode_json
    from vermilion_ledger.envelope import make_envelope
    from vermilion_ledger.statement import parse_statement

    owner = load_key_file(key)
    detail = {"step": "sign-off", "decision": "approved"}
    asked = {"event": "approve", "detail": detail, "keyid": owner.keyid}
    value = json.loads(
        base64.b64decode(ledger.post(f"/v1/records/{record}/statements", asked)["payload"])
    )
    value["predicate"]["seen"] = seen
    payload = encode_json(value)
    signature = sign_statement(payload, parse_statement(payload), owner)
    with pytest.raises(EvidenceError) as caught:
        ledger.post(f"/v1/records/{record}/events", make_envelope(payload, [signature]).data)
    return caught.value.code


def test_what_was_acknowledged_survives_a_kill_of_everything(tmp_path: Path) -> None:
    with running(tmp_path, *ports()) as up:
        made = []
        with Ledger(up.url) as ledger:
            for number in range(5):
                body = {"name": f"{number}", "digest": {"sha256": _sha256(b"%d" % number)}}
                made.append(ledger.post("/v1/records", body, {"wait": "sequenced"}))
        os.killpg(up.process.pid, signal.SIGKILL)
        up.process.wait(STOP_SECONDS)
        up.await_nobody()

    with running(tmp_path, starts=2) as up, Ledger(up.url) as ledger:
        for each in made:
            found = ledger.get(f"/v1/records/{each['record']}")
            assert found["entries"][0]["index"] == each["index"]
        body = {"name": "next", "digest": {"sha256": _sha256(b"next")}}
        assert ledger.post("/v1/records", body)["index"] == 5


def test_killing_up_alone_leaves_no_orphan(tmp_path: Path) -> None:
    with running(tmp_path, *ports()) as up:
        os.kill(up.process.pid, signal.SIGKILL)
        up.process.wait(STOP_SECONDS)

        up.await_nobody()


@pytest.mark.parametrize("part", ["serve", "anchorer"])
def test_a_part_that_ends_stops_the_rest_and_is_named(tmp_path: Path, part: str) -> None:
    with running(tmp_path, *ports()) as up:
        victim = next(
            pid
            for pid in up.group()
            if f"\0{part}\0".encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
        )
        os.kill(victim, signal.SIGKILL)

        assert up.process.wait(STOP_SECONDS) == 5
        assert f"error[up.child-ended]: the {part} ended" in up.text
        assert "Traceback" not in up.text


def test_a_port_in_use_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        done = run("up", "--home", tmp_path / "home", "--port", port, "--chain-port", "0")

    assert done.returncode == 5
    assert "error[serve.port-in-use]" in done.stderr
    assert "--port" in done.stderr


def test_a_node_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        home = tmp_path / "home"

        done = run("up", "--home", home, "--port", str(free_port()), "--chain-port", port)

    assert done.returncode == 5
    assert "error[node.port-in-use]" in done.stderr


def test_a_missing_node_binary_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERMILION_ANVIL", str(tmp_path / "none"))

    done = run("up", "--home", tmp_path / "home", *ports())

    assert done.returncode == 2
    assert "error[node.binary-missing]" in done.stderr


def test_a_wrong_contract_address_stops_the_anchorer_with_a_code(tmp_path: Path) -> None:
    with running(tmp_path, *ports()) as up:
        path = up.home / SETTINGS_FILE
        good = load_settings(up.home).chains[0].contract
        path.write_text(path.read_text().replace(good, "0x" + "12" * 20))

        done = run("anchorer", "--home", up.home)

    assert done.returncode != 0
    assert "error[chain.no-contract]" in done.stderr


def test_a_second_sequencer_stands_by_and_takes_over(tmp_path: Path) -> None:
    with running(tmp_path, *ports()) as up:
        standby = subprocess.Popen(
            [sys.executable, "-m", "vermilion_api", "sequencer", "--home", str(up.home)],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            time.sleep(5)  # it has started, and looked at the lease
            assert standby.poll() is None
            up.interrupt()

            assert standby.stderr is not None
            lines = iter(standby.stderr.readline, "")
            assert any(line.startswith("sequencing ") for line in lines)
        finally:
            standby.terminate()
            standby.communicate(timeout=STOP_SECONDS)
    assert standby.returncode == 0


def test_with_the_node_down_at_start_intake_goes_on(tmp_path: Path) -> None:
    with running(tmp_path, *ports()) as up:
        up.interrupt()
    path = tmp_path / "home" / SETTINGS_FILE
    node_port = load_settings(tmp_path / "home").node_port
    path.write_text(path.read_text().replace(f"node_port = {node_port}", "node_port = 0"))

    with running(tmp_path, starts=2) as up, Ledger(up.url) as ledger:
        body = {"name": "a", "digest": {"sha256": _sha256(b"a")}}
        assert ledger.post("/v1/records", body)["state"] == "published"
        up.await_text("chain.unreachable")
        assert up.process.poll() is None


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert run("migrate", "--home", home).returncode == 0
    (home / "keys" / "log.key").chmod(0o644)

    done = run("sequencer", "--home", home)

    assert done.returncode == 2
    assert "error[key.file-readable]" in done.stderr


def test_a_database_that_was_not_migrated_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert run("migrate", "--home", home).returncode == 0
    for path in home.glob("ledger.db*"):
        path.unlink()

    done = run("serve", "--home", home)

    assert done.returncode == 5
    assert "error[store.not-migrated]" in done.stderr
