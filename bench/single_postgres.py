"""The same on PostgreSQL: four API processes and one sequencer, beside SQLite in one process.

64 clients register one document after the other and wait for its index. All of
it shares the two cores: servers, PostgreSQL, load generator; for both
contenders. Afterwards documents are registered through all processes at once,
and every answer is compared with the log: no index is lost or given twice.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import httpx
from load import LoadResult
from measure import Figure, at_least, folder, scaled, take_turns
from serving import Server, make_home, median, put_load, running, vermilion
from single import CLIENTS, SECONDS

from postgres import find_postgres, running_postgres
from vermilion_ledger.store import open_database

__all__ = ["run"]

PROCESSES = 4
RATIO_MIN = 1.3
CHECKED = 2_000
_CHECKERS = 16
_START_SECONDS = 60


def run(*, scale: float = 1.0) -> list[Figure]:
    """Measure and return the figures."""
    if find_postgres() is None:
        raise SystemExit("PostgreSQL's programs (initdb, pg_ctl) are not there")
    seconds = max(0.5, SECONDS * scale)

    def load(server: Server, *, warm_up_seconds: float = 1.0) -> LoadResult:
        return put_load(
            server.port,
            "records",
            connections=CLIENTS,
            seconds=seconds,
            warm_up_seconds=warm_up_seconds,
            core=None,
        )

    with running_postgres(on_disk=True) as postgres, folder() as home, folder() as other:
        url = postgres.url(postgres.create_database())
        with _many(home, url) as many, _one(other) as one:
            taken = take_turns({"postgres": lambda: load(many.server), "sqlite": lambda: load(one)})
            spent = _time_processes(
                {
                    "API processes": many.server.process,
                    "sequencer": many.sequencer.process,
                    "PostgreSQL": postgres.process,
                    "SQLite, everything": one.process,
                },
                lambda: (load(many.server, warm_up_seconds=0), load(one, warm_up_seconds=0)),
            )
            checked = _check(many.server, url, scaled(CHECKED, scale, least=_CHECKERS))
    rate, one_rate = median(taken["postgres"], "rate"), median(taken["sqlite"], "rate")
    what = f"documents over HTTP, {CLIENTS} clients"
    return [
        Figure(
            what=f"{what}, PostgreSQL, {PROCESSES} API processes", value=rate, unit="per second"
        ),
        Figure(what="the same, p50", value=median(taken["postgres"], "p50_ms"), unit="ms"),
        Figure(what="the same, p99", value=median(taken["postgres"], "p99_ms"), unit="ms"),
        Figure(
            what=f"{what}, SQLite, one process, no core kept free",
            value=one_rate,
            unit="per second",
        ),
        at_least("PostgreSQL against SQLite", rate / one_rate, "ratio", RATIO_MIN),
        *(
            Figure(what=f"of that on a core: {name}", value=each, unit="µs a document")
            for name, each in spent.items()
        ),
        Figure(what="answers compared with the log, none lost or double", value=checked, unit=""),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Many:
    """API processes behind one port, and what gives them their indices."""

    server: Server
    sequencer: Server


@contextmanager
def _many(home: Path, url: str) -> Iterator[_Many]:
    port = make_home(home, database_url=url)
    serve = vermilion("serve", "--home", home, "--processes", str(PROCESSES))
    with (
        running(vermilion("sequencer", "--home", home), 0) as sequencer,
        running(serve, port) as server,
    ):
        _await_children(server.process)
        yield _Many(server=server, sequencer=sequencer)


def _time_processes(
    parents: Mapping[str, int], load: Callable[[], tuple[LoadResult, LoadResult]]
) -> dict[str, float]:
    """Return the processor's microseconds a document of processes and their children."""
    before = {name: _spent(parent) for name, parent in parents.items()}
    many, one = load()
    return {
        name: 1e6 * (_spent(parent) - before[name]) / (one if "SQLite" in name else many).count
        for name, parent in parents.items()
    }


def _spent(parent: int) -> float:
    """Return the seconds on a processor of a process, its children, and those that ended."""
    ticks = 0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            if parent in (int(process.name), int(fields[1])):
                ticks += sum(map(int, fields[11 : 15 if int(process.name) == parent else 13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _await_children(parent: int) -> None:
    """Wait until every API process takes connections: by then it has threads."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        states = [Path(f"/proc/{child}/status").read_text() for child in children]
        ready = [state for state in states if "\nThreads:\t1\n" not in state]
        if len(ready) == PROCESSES:
            return
        time.sleep(0.1)
    raise SystemExit("not all API processes started")


@contextmanager
def _one(home: Path) -> Iterator[Server]:
    port = make_home(home)
    with running(vermilion("serve", "--home", home), port) as server:
        yield server


def _check(server: Server, url: str, count: int) -> int:
    """Register documents from many connections; compare each answer with what is stored."""

    def register(first: int) -> list[tuple[str, int]]:
        answers = []
        with httpx.Client(base_url=server.url, timeout=60) as client:
            for number in range(first, count, _CHECKERS):
                body = {"name": "a.pdf", "digest": {"sha256": f"{number:064x}"}}
                answer = client.post("/v1/records?wait=sequenced", json=body)
                answer.raise_for_status()
                found = answer.json()
                answers.append((str(found["record"]), int(found["index"])))
        return answers

    with ThreadPoolExecutor(_CHECKERS) as pool:
        answered = dict(chain.from_iterable(pool.map(register, range(_CHECKERS))))
    database = open_database(url)
    stored = database.log.load_history(list(answered))
    with database.engine.connect() as connection:
        query = "SELECT COUNT(*), COUNT(DISTINCT position), MAX(leaf_index) + 1 FROM entries"
        entries, positions, end = connection.exec_driver_sql(query).one()
    database.close()
    lost = [
        record for record, index in answered.items() if [e.index for e in stored[record]] != [index]
    ]
    if lost or len(set(answered.values())) != count or not entries == positions == end:
        raise SystemExit(f"{len(lost)} of {count} answers are not what the log has")
    return count
