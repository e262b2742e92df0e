"""Starting with a million entries: when it is ready, and what memory it holds.

The home folder is filled once. Each round starts the process anew and waits for
``/readyz``: interpreter, imports, the guard that compares storage with the last
signed head, and the lease are all in the figure; bytecode was compiled before,
as by an installation. An empty ledger beside it shows what of this is the size
of the log. Then one document is registered and
one proof read, and the resident memory is that of the process afterwards.
"""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from pathlib import Path

import httpx
from ledgers import open_ledger
from measure import Figure, at_most, folder, scaled, take_turns
from serving import make_home, running, vermilion

from vermilion_api.home import Home
from vermilion_api.keyfiles import load_seed

__all__ = ["run"]

ENTRIES = 1_000_000
SECONDS_MAX, MEMORY_MAX = 2.0, 200  # MiB
_MIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """What one start took: seconds, and KiB of resident memory."""

    seconds: float
    memory: int


def run(*, scale: float = 1.0) -> list[Figure]:
    """Measure and return the figures."""
    entries = scaled(ENTRIES, scale, least=1_000)
    with folder() as home, folder() as empty, folder() as bytecode:
        port, empty_port = make_home(home), make_home(empty)
        with open_ledger(home, log_seed=load_seed(Home(path=home).seed("log"))) as ledger:
            ledger.fill(entries)
            ledger.settle()
        _start(empty, empty_port, bytecode, 0)  # compiles
        taken = take_turns(
            {
                "full": lambda: _start(home, port, bytecode, entries),
                "empty": lambda: _start(empty, empty_port, bytecode, 0),
            }
        )
    seconds, empty_seconds = (
        statistics.median(each.seconds for each in starts) for starts in taken.values()
    )
    memory, empty_memory = (
        statistics.median(each.memory for each in starts) / _MIB for starts in taken.values()
    )
    what = f"API and sequencer in one process, {entries:,} entries"
    return [
        at_most(f"{what}: ready after", seconds, "s", SECONDS_MAX),
        Figure(what="the same, empty ledger", value=empty_seconds, unit="s"),
        at_most(f"{what}: resident memory", memory, "MiB", MEMORY_MAX),
        Figure(what="the same, empty ledger", value=empty_memory, unit="MiB"),
    ]


def _start(home: Path, port: int, bytecode: Path, entries: int) -> _Start:
    with running(vermilion("serve", "--home", home), port, bytecode=bytecode) as server:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            body = {"name": "a.pdf", "digest": {"sha256": f"{entries:064x}"}}
            answer = client.post("/v1/records?wait=published&proofs=true", json=body)
            answer.raise_for_status()
            found = json.loads(answer.content)
            if found["index"] < entries or "proof" not in found:
                raise SystemExit(f"the log has {found['index']} entries, not {entries}")
        return _Start(seconds=server.start_seconds, memory=_resident(server.process))


def _resident(process: int) -> int:
    """Return KiB of resident memory at most so far."""
    for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise SystemExit("the kernel does not tell resident memory")
