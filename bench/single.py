"""Single documents over HTTP, durable, beside the same app with a commit for each request.

64 clients register one document after the other and wait for its index. Ours is
``vermilion serve`` on SQLite: one process that takes in, commits, indexes,
grows the tree and publishes a checkpoint every second. The yardstick is
``bench/yardsticks/orm_app.py``. Each server has one core to itself, the load
generator the other.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import httpx
from load import LoadResult
from measure import Figure, at_least, at_most, folder, scaled, take_turns
from serving import SERVER_CORE, Server, free_port, make_home, median, put_load, running, vermilion
from syncs import count_syncs

__all__ = ["CLIENTS", "run"]

CLIENTS = 64
SECONDS = 4.0
RATE_MIN, RATIO_MIN, P50_MAX, P99_MAX = 2_000, 6, 30, 80
ALONE = 100  # documents one after the other, for strace
_YARDSTICK = Path(__file__).resolve().parent / "yardsticks" / "orm_app.py"


def run(*, scale: float = 1.0) -> list[Figure]:
    """Measure and return the figures."""
    seconds = max(0.5, SECONDS * scale)

    def load(server: Server) -> LoadResult:
        return put_load(server.port, "records", connections=CLIENTS, seconds=seconds)

    with folder() as home, folder() as other:
        port, orm_port = make_home(home), free_port()
        orm_app = [sys.executable, str(_YARDSTICK), f"--folder={other}", f"--port={orm_port}"]
        with (
            running(vermilion("serve", "--home", home), port, core=SERVER_CORE) as ours,
            running(orm_app, orm_port, core=SERVER_CORE) as orm,
        ):
            taken = take_turns({"ours": lambda: load(ours), "orm": lambda: load(orm)})
            count = scaled(ALONE, scale, least=10)
            syncs, orm_syncs = (_count_syncs(each, count) for each in (ours, orm))
    if min(syncs, orm_syncs) < count:
        raise SystemExit(f"{syncs} and {orm_syncs} fsyncs for {count} documents: not durable")
    rate, orm_rate = median(taken["ours"], "rate"), median(taken["orm"], "rate")
    return [
        at_least(f"documents over HTTP, {CLIENTS} clients, durable", rate, "per second", RATE_MIN),
        at_most("the same, p50", median(taken["ours"], "p50_ms"), "ms", P50_MAX),
        at_most("the same, p99", median(taken["ours"], "p99_ms"), "ms", P99_MAX),
        Figure(what="one ORM commit per request", value=orm_rate, unit="per second"),
        Figure(what="the same, p50", value=median(taken["orm"], "p50_ms"), unit="ms"),
        Figure(what="the same, p99", value=median(taken["orm"], "p99_ms"), unit="ms"),
        at_least("ours against it", rate / orm_rate, "ratio", RATIO_MIN),
        Figure(what=f"fsyncs of {count} documents one by one (strace)", value=syncs, unit="calls"),
        Figure(what="the same, one ORM commit per request", value=orm_syncs, unit="calls"),
    ]


def _count_syncs(server: Server, count: int) -> int:
    return count_syncs(server.process, lambda: _register_one_by_one(server.url, count))


def _register_one_by_one(url: str, count: int) -> None:
    """Register documents from one client, so that each has a commit of its own."""
    with httpx.Client(base_url=url, timeout=60) as client:
        for number in range(count):
            digest = hashlib.sha256(os.urandom(16)).hexdigest()
            body = {"name": f"document-{number}.pdf", "digest": {"sha256": digest}}
            answer = client.post("/v1/records?wait=sequenced", json=body)
            answer.raise_for_status()
