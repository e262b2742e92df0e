"""The demonstration: from a folder of documents to proofs that stand alone.

``python examples/demo.py [FOLDER]`` records every document of a folder in a
real ledger with a real local chain, has two people approve each, waits for
the anchor, writes one bundle each, stops the ledger, and lets the offline
verifier judge originals and a tampered copy. Leaves ``build/demo/`` behind.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from demo_office import Caller, DemoError, People, make_people
from demo_story import Reporter, Story, tell

from vermilion_api.settings import Settings, save_settings
from vermilion_ledger.bundle import parse_bundle
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.evm.header import parse_header

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "demo"
COMMANDS = Path(sys.executable).parent
LARGE_MIB = 65
_START_SECONDS = 60
_ANCHOR_SECONDS = 120
_CALLERS = 8


def main() -> int:
    """Run the demonstration; return 0 if every verdict was as it should be."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("documents", nargs="?", type=Path, default=None, metavar="FOLDER")
    options = parser.parse_args()
    try:
        story = _run(options.documents)
    except (DemoError, EvidenceError, httpx.HTTPError, OSError) as exc:
        print(f"\nThe demonstration stopped: {exc}", file=sys.stderr)
        print(f"Look at {BUILD / 'ledger.log'} for what the ledger said.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(tell(story))
    return 0 if story.as_expected else 1


def _run(source: Path | None) -> Story:
    started = time.monotonic()
    reporter = Reporter()
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    with reporter.step("collecting the documents"):
        documents = _collect(source)
    people = make_people(BUILD / "keys")
    with _ledger(people, reporter) as caller:
        policy = _prepare(caller, people, reporter)
        with reporter.step(f"recording {len(documents)} documents"):
            records = _record(caller, policy)
        with reporter.step(f"collecting {2 * len(records)} approvals"):
            _approve(caller, people, records, policy)
        with reporter.step("waiting for the anchor to be final"):
            anchor = _await_anchor(caller)
        with reporter.step(f"writing {len(records)} bundles"):
            _write_bundles(caller, records)
            _write_block_hashes(caller)
            _write_trust()
    with reporter.step("verifying without server and node"):
        verdicts, tampered = _verify(documents)
    story = Story(
        documents=len(documents),
        total_bytes=sum(path.stat().st_size for path in documents),
        bundles=len(records),
        anchor=anchor,
        verdicts=verdicts,
        tampered=tampered,
        seconds=reporter.seconds,
        total_seconds=time.monotonic() - started,
        sample_report=_report_text(documents),
    )
    (BUILD / "demo.json").write_text(story.to_json(), encoding="utf-8")
    return story


def _collect(source: Path | None) -> list[Path]:
    """Copy the documents to build/demo/documents, or make the large one there."""
    target = BUILD / "documents"
    source = source if source is not None else ROOT / "examples" / "documents"
    if not source.is_dir():
        raise DemoError(f"there is no folder {source}; call make demo DOCS=/path/to/folder")
    shutil.copytree(source, target, ignore_dangling_symlinks=True)
    if source.resolve() == (ROOT / "examples" / "documents").resolve():
        made = BUILD / "made"
        maker = ROOT / "examples" / "make_documents.py"
        subprocess.run(
            [sys.executable, maker, made, "--large-mib", str(LARGE_MIB)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        for path in made.iterdir():
            if not (target / path.name).exists():
                path.replace(target / path.name)
        shutil.rmtree(made)
    documents = sorted(path for path in target.rglob("*") if path.is_file())
    if not documents:
        raise DemoError(f"there is no file in {source}")
    return documents


@contextmanager
def _ledger(people: People, reporter: Reporter) -> Iterator[Caller]:
    """Run a ledger with its local chain for the time of the block."""
    home = BUILD / "ledger"
    home.mkdir(mode=0o700)
    settings = Settings(roots=(people.root.keyid,))
    port, node_port = _free_port(), _free_port()
    save_settings(
        home, replace(settings, port=port, node_port=node_port, anchor_interval_seconds=1.0)
    )
    with (BUILD / "ledger.log").open("wb") as log:
        child = subprocess.Popen(
            [COMMANDS / "vermilion", "up", "--home", home],
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
                with reporter.step("starting ledger, sequencer, anchorer and local chain"):
                    _await_ready(client, child)
                yield Caller(client)
        finally:
            child.send_signal(signal.SIGINT)
            try:
                child.wait(timeout=20)
            except subprocess.TimeoutExpired:
                child.kill()


def _await_ready(client: httpx.Client, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise DemoError(f"the ledger ended with exit code {child.returncode}")
        with suppress(httpx.TransportError):
            if client.get("/readyz").status_code == httpx.codes.OK:
                return
        time.sleep(0.1)
    raise DemoError(f"the ledger was not ready within {_START_SECONDS} s")


def _prepare(caller: Caller, people: People, reporter: Reporter) -> str:
    """Register the root, anchor that, register the two, adopt the rule of two."""
    log = caller.get("/v1/log")
    registry, policies = log["registry"], log["policies"]
    with reporter.step("registering the root key, and anchoring that"):
        caller.register_key(registry, people.root, people.root, ())
        _await_anchor(caller)
    with reporter.step("registering two approvers, adopting the rule of two"):
        for key in people.approvers:
            caller.register_key(registry, key, people.root, ("approve",))
        return caller.adopt_rules(policies, people.root)


def _record(caller: Caller, policy: str) -> dict[Path, str]:
    """Record the folder with the archive hook's own command."""
    del caller
    settings = json.loads(_vermilion("status", "--home", BUILD / "ledger", "--json"))
    lines = _vermilion(
        "record",
        BUILD / "documents",
        "--url",
        settings["url"],
        "--policy",
        policy,
        "--journal",
        BUILD / "record.journal",
        "--json",
    )
    records = {}
    for line in lines.splitlines():
        value = json.loads(line)
        if value.get("record"):
            records[Path(value["path"])] = value["record"]
    return records


def _approve(caller: Caller, people: People, records: Mapping[Path, str], policy: str) -> None:
    def approve(record: str) -> None:
        for key in people.approvers:
            caller.approve(record, key, policy)

    with ThreadPoolExecutor(_CALLERS) as pool:
        list(pool.map(approve, records.values()))


def _await_anchor(caller: Caller) -> dict[str, Any]:
    """Wait until everything accepted so far is under a final anchor."""
    deadline = time.monotonic() + _ANCHOR_SECONDS
    time.sleep(1.1)  # a checkpoint is published once a second
    size = caller.get("/v1/log")["size"]
    while time.monotonic() < deadline:
        final = [a for a in caller.get("/v1/anchors")["anchors"] if a["state"] == "final"]
        covering = [anchor for anchor in final if anchor["size"] >= size]
        if covering:
            return dict(covering[0])
        time.sleep(0.2)
    raise DemoError(f"no final anchor within {_ANCHOR_SECONDS} s")


def _write_bundles(caller: Caller, records: Mapping[Path, str]) -> None:
    def write(item: tuple[Path, str]) -> None:
        path, record = item
        target = _evidence_of(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(caller.get_bytes(f"/v1/records/{record}/bundle"))

    with ThreadPoolExecutor(_CALLERS) as pool:
        list(pool.map(write, records.items()))


def _evidence_of(path: Path) -> Path:
    inside = path.resolve().relative_to((BUILD / "documents").resolve())
    return BUILD / "evidence" / inside.parent / f"{inside.name}.evidence.json"


def _write_block_hashes(caller: Caller) -> None:
    """Ask the node itself for the anchoring blocks, as an auditor would."""
    wanted: set[tuple[int, int]] = set()
    for path in (BUILD / "evidence").rglob("*.evidence.json"):
        for anchor in parse_bundle(path.read_bytes()).anchors:
            wanted.add((anchor.chain_id, parse_header(anchor.header).number))
    rpc = caller.get("/v1/log")["chains"][0]["rpc"]
    lines = ["# <chain id> <number> <hash> of the anchoring blocks, asked of the node itself"]
    for chain_id, number in sorted(wanted):
        question = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "eth_getBlockByNumber",
            "params": [hex(number), False],
        }
        block = httpx.post(rpc, json=question).json()["result"]
        lines.append(f"{chain_id} {number} {block['hash']}")
    (BUILD / "block-hashes.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_trust() -> None:
    _vermilion("trust", "export", "--home", BUILD / "ledger", "-o", BUILD / "trust.toml")


def _verify(documents: list[Path]) -> tuple[dict[str, str], dict[str, str]]:
    """Judge every original, and a copy of one with a single byte changed."""

    def judge(path: Path) -> tuple[str, str]:
        return path.name, _verdict(path, _evidence_of(path))

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        verdicts = dict(pool.map(judge, documents))
    original = next((path for path in documents if path.stat().st_size), documents[0])
    copy = BUILD / "tampered" / original.name
    copy.parent.mkdir()
    data = bytearray(original.read_bytes() or b"\x00")
    data[len(data) // 2] ^= 0x01
    copy.write_bytes(data)
    return verdicts, {copy.name: _verdict(copy, _evidence_of(original))}


def _verdict(document: Path, bundle: Path) -> str:
    done = _verifier(document, bundle, "--json")
    return str(json.loads(done.stdout)["verdict"])


def _report_text(documents: list[Path]) -> str:
    """Return the verifier's own words on the first document."""
    return _verifier(documents[0], _evidence_of(documents[0])).stdout


def _verifier(document: Path, bundle: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            COMMANDS / "vermilion-verify",
            document,
            "--bundle",
            bundle,
            "--trust",
            BUILD / "trust.toml",
            "--header-hashes",
            BUILD / "block-hashes.txt",
            "--offline",
            *more,
        ],
        check=False,
        capture_output=True,
        text=True,
    )


def _vermilion(*arguments: str | Path) -> str:
    done = subprocess.run(
        [COMMANDS / "vermilion", *arguments], check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise DemoError(f"vermilion {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
