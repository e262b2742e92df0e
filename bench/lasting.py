"""Anchoring over a long time: after a day's outage, from a record to its final anchor, in memory.

**Outage.** A real Anvil is stopped for a day of the log (a checkpoint a minute,
each with more entries) while the anchorer keeps trying, and started again from
its state file: how many transactions bring the chain up to date, and how long
after the node's return the anchor is final.

**Record.** The whole service, started by ``vermilion up`` with its Anvil of one
block a second: from the moment that a document is handed in over HTTP to the
answer that its anchor is final, by the finality rule that ``up`` sets.

**Memory.** 10,000 anchors one after the other, with the journal on SQLite. The
chain is the double of ``tests/chain_double``, in the same process, which forgets
blocks older than 300; so the figure is of anchorer, journal and double together.
SQLite keeps pages of a file that grows, up to 32 MiB for a connection by our
settings; here up to 2 MiB, so that it does not hide what else would grow.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
from measure import Figure, at_most, folder, scaled
from serving import free_port, running, vermilion
from sqlalchemy import event

from chain import KEY, MemoryLog, start_chain
from chain_double.chain import ChainDouble
from chain_double.client import DoubleClient
from vermilion_anchor.artifact import load_artifact
from vermilion_anchor.deploy import deploy
from vermilion_anchor.evm import AccountSigner
from vermilion_anchor.fees import FeePolicy
from vermilion_anchor.service import Anchorer
from vermilion_anchor.settings import AnchorSettings
from vermilion_ledger.anchor_rows import AnchorTarget
from vermilion_ledger.errors import UnavailableError
from vermilion_ledger.evm.finality import parse_finality
from vermilion_ledger.store import open_database

__all__ = ["run"]

CHECKPOINTS, ENTRIES = 1440, 100  # of a day, and in each
ANCHORS = 10_000
RECORDS = 11
GROWTH_MAX = 8.0  # MiB, from the first thousand anchors to the last
_POLL_SECONDS = 0.2
_WEALTH = 10**24


def run(*, scale: float = 1.0) -> list[Figure]:
    """Measure and return the figures."""
    return [
        *_outage(scaled(CHECKPOINTS, scale)),
        *_records(scaled(RECORDS, scale)),
        *_memory(scaled(ANCHORS, scale, least=100)),
    ]


# --- after an outage ---


def _outage(checkpoints: int) -> list[Figure]:
    with folder() as home, start_chain(state=home / "chain.json", block_time_seconds=1) as chain:
        database = _open(home)
        log = MemoryLog(ENTRIES)
        anchorer = _anchorer(chain, database.anchors, log, clock=lambda: datetime.now(UTC))
        _settle(anchorer, database.anchors, chain.target, ENTRIES)
        before = chain.client.nonce(chain.signer.address)
        chain.node.stop()
        refused = 0
        for _ in range(checkpoints):
            log.grow(ENTRIES)
            with suppress(UnavailableError):
                anchorer.step()
                refused -= 1
            refused += 1
        chain.node.start()
        begun = time.perf_counter()
        size = ENTRIES * (checkpoints + 1)
        _settle(anchorer, database.anchors, chain.target, size)
        seconds = time.perf_counter() - begun
        sent = chain.client.nonce(chain.signer.address) - before
        database.close()
    if refused != checkpoints:
        raise SystemExit(f"the node answered {checkpoints - refused} times while it was stopped")
    return [
        Figure(what="checkpoints published while the node was away", value=checkpoints, unit=""),
        Figure(what="entries in them", value=checkpoints * ENTRIES, unit=""),
        at_most("transactions that anchor all of them", sent, "", 1),
        Figure(what="from the node's return to the final anchor", value=seconds, unit="s"),
    ]


def _settle(anchorer: Anchorer, journal: Any, target: AnchorTarget, size: int) -> None:
    while journal.load_final(target, size=size) is None:
        if anchorer.step(is_urgent=True).is_waiting:
            time.sleep(_POLL_SECONDS)


# --- from a record to its final anchor ---


def _records(count: int) -> list[Figure]:
    seconds = []
    port, chain_port = free_port(), free_port()
    options = ("--port", str(port), "--chain-port", str(chain_port), "--block-time", "1")
    with (
        folder() as home,
        running(vermilion("up", "--home", home / "ledger", *options), port) as server,
        httpx.Client(base_url=server.url, timeout=180) as client,
    ):
        for number in range(count):
            body = {"name": f"{number}.pdf", "digest": {"sha256": f"{number:064x}"}}
            begun = time.perf_counter()
            answer = client.post("/v1/records?wait=final&timeout=120", json=body)
            seconds.append(time.perf_counter() - begun)
            if answer.status_code >= 300 or answer.json()["state"] != "final":
                raise SystemExit(f"no final anchor: {answer.status_code} {answer.text[:200]}")
    return [
        Figure(what="from a record to its final anchor", value=statistics.median(seconds), unit="s")
    ]


# --- memory ---


class _Window:
    """A log whose entries are all there already, shown one by one: it takes no memory to grow."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self.size = 1

    def newest(self) -> tuple[int, bytes]:
        return self.size, self._log.root_at(self.size)

    def root_at(self, size: int) -> bytes:
        return self._log.root_at(size)

    def consistency(self, old_size: int, new_size: int) -> Sequence[bytes]:
        return self._log.consistency(old_size, new_size)


def _memory(anchors: int) -> list[Figure]:
    log = _Window(MemoryLog(anchors))
    signer, artifact = AccountSigner(KEY), load_artifact()
    double = ChainDouble(history=300, finalized_lag=2, balances={signer.address: _WEALTH})
    client = DoubleClient(double)
    made = deploy(
        client,
        signer,
        artifact,
        origin="bench",
        fees=FeePolicy(),
        sleep=lambda _: double.mine(),
    )
    target = AnchorTarget(chain_id=double.chain_id, contract=made.contract, log=made.log)
    parts = SimpleNamespace(client=client, signer=signer, artifact=artifact, target=target)
    with folder() as home:
        database = _open(home)
        event.listen(database.engine, "connect", _keep_few_pages)
        database.engine.dispose()  # the connections that have the cache of our settings

        def clock() -> datetime:
            return datetime.fromtimestamp(double.latest.time, UTC)

        anchorer = _anchorer(parts, database.anchors, log, clock=clock)
        resident, begun = [], time.perf_counter()
        for size in range(1, anchors + 1):
            log.size = size
            while database.anchors.load_final(target, size=size) is None:
                if anchorer.step(is_urgent=True).is_waiting:
                    double.mine()
            if size % (anchors // 10) == 0:
                resident.append(_resident_mib())
        pace = (time.perf_counter() - begun) / anchors
        database.close()
    return [
        Figure(what=f"resident after {anchors // 10:,} anchors", value=resident[0], unit="MiB"),
        Figure(what=f"resident after {anchors:,} anchors", value=resident[-1], unit="MiB"),
        at_most("grown between the two", resident[-1] - resident[0], "MiB", GROWTH_MAX),
        Figure(what="an anchor on the double, from plan to final", value=1000 * pace, unit="ms"),
    ]


def _keep_few_pages(connection: Any, _: object) -> None:
    """Bound SQLite's page cache, for connections made from now on."""
    connection.execute("PRAGMA cache_size = -2048")


def _resident_mib() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("the system does not say what memory a process has")


def _open(home: Path) -> Any:
    database = open_database(f"sqlite:///{home / 'journal.db'}")
    database.migrate()
    return database


def _anchorer(chain: Any, journal: Any, log: Any, *, clock: Any) -> Anchorer:
    settings = AnchorSettings(
        target=chain.target,
        code_hash=chain.artifact.code_hash,
        finality=parse_finality("confirmations:1"),
    )
    return Anchorer(
        settings, chain=chain.client, journal=journal, log=log, signer=chain.signer, clock=clock
    )
