"""A real process, really killed; a node that is down, really down."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from chain import (
    KEY,
    AnvilNode,
    Chain,
    MemoryLog,
    free_port,
    node_options,
    put_contract,
)
from vermilion_anchor.evm import AccountSigner, EvmChain
from vermilion_anchor.settings import Progress
from vermilion_ledger.errors import ConflictError, UnavailableError
from vermilion_ledger.store import open_database

Make = Callable[..., Any]
SCRIPT = Path(__file__).with_name("anchorer_process.py")


def spawn(chain: Chain, journal: str, size: int) -> subprocess.Popen[str]:
    path = [*sys.path]
    return subprocess.Popen(
        [
            sys.executable,
            SCRIPT,
            chain.node.url,
            journal,
            chain.target.contract.hex(),
            chain.target.log.hex(),
            str(size),
        ],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path)},
    )


def test_killed_with_sigkill_again_and_again_each_head_is_anchored_once(
    chain: Chain, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'journal.db'}"
    database = open_database(url)
    database.migrate()
    chance = random.Random(7)
    expected = []
    kills = 0
    for size in (5, 8, 30):
        for attempt in range(20):
            process = spawn(chain, url, size)
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            # ever later, so that each head is reached in the end
            time.sleep(chance.uniform(0, 0.05) + attempt * 0.05)
            process.kill()
            process.wait()
            process.stdout.close()
            kills += 1
            chain.mine()
            if database.anchors.load_final(chain.target, size=size) is not None:
                break
        expected.append(size)
        assert [int(event["data"][2:66], 16) for event in chain.events()] == expected
    database.close()

    assert kills > len(expected)


def run_in_thread(anchorer: Any) -> tuple[Event, list[Progress], Thread]:
    stop, seen = Event(), list[Progress]()
    thread = Thread(target=anchorer.run, args=(stop,), kwargs={"notify": seen.append})
    thread.start()
    return stop, seen, thread


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_node_that_is_down_at_start_is_waited_for(
    tmp_path: Path, make_anchorer: Make, open_journal: Callable[[str], Any]
) -> None:
    options = node_options(state=tmp_path / "state.json")
    with AnvilNode(options) as node:
        known = put_contract(node)
    journal = open_journal("down")
    anchorer = make_anchorer(
        MemoryLog(9),
        finality="immediate",
        chain=known.client,
        journal=journal,
        target=known.target,
        poll_seconds=0.05,
        retry_seconds_max=0.2,
    )
    stop, seen, thread = run_in_thread(anchorer)
    try:
        wait_for(lambda: len(seen) >= 3)
        assert {progress.error.code for progress in seen if progress.error} == {"chain.unreachable"}
        with AnvilNode(options):
            wait_for(lambda: journal.load_final(known.target) is not None)
    finally:
        stop.set()
        thread.join()


def test_a_node_that_goes_away_in_between_is_waited_for(
    tmp_path: Path, make_anchorer: Make, open_journal: Callable[[str], Any]
) -> None:
    options = node_options(state=tmp_path / "state.json")
    node = AnvilNode(options)
    node.start()
    known = put_contract(node)
    journal = open_journal("away")
    log = MemoryLog(9)
    anchorer = make_anchorer(
        log,
        finality="immediate",
        chain=known.client,
        journal=journal,
        target=known.target,
        poll_seconds=0.05,
        retry_seconds_max=0.2,
    )
    stop, seen, thread = run_in_thread(anchorer)
    try:
        wait_for(lambda: journal.load_final(known.target) is not None)
        node.stop()
        log.grow(4)
        wait_for(lambda: any(progress.error for progress in seen))
        node.start()
        wait_for(lambda: journal.load_final(known.target, size=13) is not None)
    finally:
        stop.set()
        thread.join()
        node.stop()


def test_what_no_retry_will_mend_ends_the_run(make_anchorer: Make) -> None:
    anchorer = make_anchorer(MemoryLog(9), code_hash=b"\x01" * 32)

    with pytest.raises(ConflictError) as error:
        anchorer.run(Event(), notify=print)

    assert error.value.code == "chain.other-contract"


def test_after_an_outage_the_chain_is_checked_again(chain: Chain, make_anchorer: Make) -> None:
    anchorer = make_anchorer(MemoryLog(9))
    anchorer.step()
    options = chain.node.options
    chain.node.stop()
    with pytest.raises(UnavailableError):
        anchorer.step()
    other = AnvilNode(node_options(port=options.port, chain_id=5))

    with other, pytest.raises(ConflictError) as error:
        anchorer.step()

    assert error.value.code == "chain.other-chain"


def test_a_node_that_speaks_no_json_rpc_is_unavailable(chain: Chain) -> None:
    listener = subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port := free_port()), "--bind", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        client = EvmChain(f"http://127.0.0.1:{port}", chain.artifact)
        wait_for(lambda: answers(port))
        with pytest.raises(UnavailableError):
            client.chain_id()
    finally:
        listener.send_signal(signal.SIGTERM)
        listener.wait()


def answers(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_an_address_that_does_not_resolve_is_unavailable(chain: Chain) -> None:
    client = EvmChain("http://node.invalid:8545/secret-token", chain.artifact)

    with pytest.raises(UnavailableError) as error:
        client.block_number()

    assert error.value.code == "chain.unreachable"
    assert "secret-token" not in str(error.value)
    assert AccountSigner(KEY).address == chain.signer.address
