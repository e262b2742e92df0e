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


class Anchorers:
    """Starts anchorers as processes, one after the other, and kills them."""

    def __init__(self, chain: Chain, journal: str) -> None:
        target = [chain.target.contract.hex(), chain.target.log.hex()]
        self._parent = subprocess.Popen(
            [sys.executable, SCRIPT, chain.node.url, journal, *target],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )

    def run_and_kill(self, size: int, *, after_seconds: float) -> None:
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        print(size, file=self._parent.stdin, flush=True)
        pid = int(self._parent.stdout.readline())
        time.sleep(after_seconds)
        os.kill(pid, signal.SIGKILL)
        assert self._parent.stdout.readline() == "gone\n"

    def close(self) -> None:
        self._parent.communicate()


def test_killed_with_sigkill_again_and_again_each_head_is_anchored_once(
    chain: Chain, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'journal.db'}"
    database = open_database(url)
    database.migrate()
    anchorers = Anchorers(chain, url)
    chance = random.Random(7)
    expected = []
    kills = 0
    for size in range(5, 35, 3):
        while database.anchors.load_final(chain.target, size=size) is None:
            anchorers.run_and_kill(size, after_seconds=chance.uniform(0, 0.4))
            kills += 1
            assert kills < 500
            chain.mine()
        expected.append(size)
        assert [int(event["data"][2:66], 16) for event in chain.events()] == expected
    anchorers.close()
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
