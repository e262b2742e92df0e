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
from pathlib import Path
from typing import Any

import httpx
from demo_office import Caller, DemoError, People, make_people
from demo_story import Reporter, Story, tell

from vermilion_api.home import create_home
from vermilion_api.settings import Settings, load_settings
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
_TILE = 256  # entries in a full tile of the log


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
            records = _record(policy)
        with reporter.step(f"collecting {2 * len(records)} approvals"):
            _approve(caller, people, records, policy)
        with reporter.step("anchoring the log, until the anchor is final"):
            anchor = _anchor(caller)
        with reporter.step(f"writing {len(records)} bundles"):
            _write_bundles(caller, records)
            _write_block_hashes()
            _write_trust()
            _write_log(caller)
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
    home, port = BUILD / "ledger", _free_port()
    settings = Settings(
        roots=(people.root.keyid,),
        port=port,
        node_port=_free_port(),
        anchor_interval_seconds=3600.0,  # `anchor now` is called when there is something to show
    )
    create_home(home, settings)
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
    public = caller.get("/v1/log")["registry"]
    registry, policies = public["keys"], public["policies"]
    with reporter.step("registering the root key, and anchoring that"):
        caller.register_key(registry, people.root, people.root, ())
        _anchor(caller)
    with reporter.step("registering two approvers, adopting the rule of two"):
        for key in people.approvers:
            caller.register_key(registry, key, people.root, ("approve",))
        return caller.adopt_rules(policies, people.root)


def _record(policy: str) -> dict[Path, str]:
    """Record the folder with the archive hook's own command."""
    settings = load_settings(BUILD / "ledger")
    lines = _vermilion(
        "record",
        BUILD / "documents",
        "--url",
        f"http://{settings.host}:{settings.port}",
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


def _anchor(caller: Caller) -> dict[str, Any]:
    """Anchor all that was accepted so far, and wait until that is final."""
    accepted = caller.get("/v1/log")["size"]
    deadline = time.monotonic() + _ANCHOR_SECONDS
    while time.monotonic() < deadline:
        if caller.get("/v1/log")["checkpoint"] is None:
            time.sleep(0.1)
            continue
        _vermilion("anchor", "now", "--home", BUILD / "ledger", "--timeout", str(_ANCHOR_SECONDS))
        for anchor in caller.get("/v1/anchors")["anchors"]:
            if anchor["state"] == "final" and anchor["size"] >= accepted:
                receipt = _ask_node("eth_getTransactionReceipt", anchor["transaction"])
                return {**anchor, "gasUsed": int(receipt["gasUsed"], 16)}
        time.sleep(0.5)  # the newest entries wait for the next checkpoint
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


def _write_block_hashes() -> None:
    """Ask the node itself for the anchoring blocks, as an auditor would."""
    wanted: set[tuple[int, int]] = set()
    for path in (BUILD / "evidence").rglob("*.evidence.json"):
        for anchor in parse_bundle(path.read_bytes()).anchors:
            wanted.add((anchor.chain_id, parse_header(anchor.header).number))
    lines = ["# <chain id> <number> <hash> of the anchoring blocks, asked of the node itself"]
    without_transactions = False
    for chain_id, number in sorted(wanted):
        block = _ask_node("eth_getBlockByNumber", hex(number), without_transactions)
        lines.append(f"{chain_id} {number} {block['hash']}")
    (BUILD / "block-hashes.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _ask_node(method: str, *params: object) -> Any:
    """Ask the local chain itself."""
    question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    rpc = load_settings(BUILD / "ledger").chains[0].endpoints[0]
    return httpx.post(rpc, json=question, timeout=10.0).json()["result"]


def _write_trust() -> None:
    _vermilion("trust", "export", "--home", BUILD / "ledger", "-o", BUILD / "trust.toml")


def _write_log(caller: Caller) -> None:
    """Bring along the log itself, for an auditor who would not take its word either."""
    (BUILD / "registry.json").write_bytes(caller.get_bytes("/v1/registry"))
    size = int(caller.get_bytes("/log/checkpoint").splitlines()[1])
    with (BUILD / "log-entries.bin").open("wb") as entries:
        for first in range(0, size, _TILE):
            path = tile_path(first // _TILE, width=min(_TILE, size - first))
            bundle = caller.get_bytes(f"/log/tile/entries/{path}")
            while bundle:  # C2SP tlog-tiles: a two-byte length before each entry
                end = 2 + int.from_bytes(bundle[:2], "big")
                entries.write(bundle[2:end])
                bundle = bundle[end:]


def tile_path(number: int, *, width: int) -> str:
    """Return the C2SP path of a tile: ``x001/x234/067``, with ``.p/<width>`` if partial."""
    digits = f"{number:03d}" if number < 1000 else f"{number:0{3 * -(-len(str(number)) // 3)}d}"
    groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
    path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return path if width == _TILE else f"{path}.p/{width}"


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
