"""Servers under load: started, bound to a core, loaded from another one, stopped.

The load comes from ``bench/load.py`` in a process of its own. Whatever a server
answers but 200 ends the bench: a refusal is cheap, and would flatter a rate.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx
from load import LoadResult

from vermilion_api.home import create_home
from vermilion_api.settings import Settings

__all__ = [
    "LOAD_CORE",
    "SERVER_CORE",
    "Server",
    "free_port",
    "make_home",
    "median",
    "put_load",
    "running",
    "vermilion",
]

SERVER_CORE, LOAD_CORE = 0, 1
_START_SECONDS, _STOP_SECONDS = 60, 30
_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that is ready.

    Attributes:
        port: Where it listens on the loopback.
        process: Its process id.
        start_seconds: From its start to the first time it was ready.
    """

    port: int
    process: int
    start_seconds: float

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


def vermilion(*arguments: str | Path) -> list[str]:
    """Return our own command."""
    return [sys.executable, "-m", "vermilion_api", *map(str, arguments)]


def make_home(home: Path, *, database_url: str = "") -> int:
    """Make a home folder without a chain, and its database; return the port."""
    port = free_port()
    create_home(home, Settings(port=port, node_port=0, database_url=database_url))
    subprocess.run(vermilion("migrate", "--home", home), check=True, capture_output=True)
    return port


@contextmanager
def running(
    command: Sequence[str], port: int, *, core: int | None = None, bytecode: Path | None = None
) -> Iterator[Server]:
    """Run a server for the time of the block, from when ``/readyz`` says so.

    Args:
        command: What to run.
        port: Where it will listen; 0 for what does not.
        core: The one core that all its threads may use.
        bytecode: Where Python keeps what it has compiled, from one start to the next.
    """
    environment = dict(os.environ)
    if bytecode is not None:
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment["PYTHONPYCACHEPREFIX"] = str(bytecode)
    began = time.perf_counter()
    child = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        if core is not None:
            os.sched_setaffinity(child.pid, {core})  # threads are started later, and inherit it
        if port:
            _await_ready(child, f"http://127.0.0.1:{port}/readyz")
        yield Server(port=port, process=child.pid, start_seconds=time.perf_counter() - began)
    finally:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def put_load(
    port: int,
    *asked: str,
    connections: int,
    seconds: float,
    warm_up_seconds: float = 1.0,
    core: int | None = LOAD_CORE,
) -> LoadResult:
    """Load a server from another process, and return what was seen.

    Args:
        port: Where the server listens.
        asked: Arguments of ``bench/load.py``: ``records …`` or ``get …``.
        connections: Kept alive, each with one request in flight.
        seconds: How long is measured.
        warm_up_seconds: Not measured.
        core: The one core that the load generator uses.

    Raises:
        SystemExit: The server answered something else than 200.
    """
    options = {"port": port, "connections": connections, "seconds": seconds}
    command = [sys.executable, str(_HERE / "load.py"), f"--warm-up={warm_up_seconds}"]
    command += [f"--{name}={value}" for name, value in options.items()]
    if core is not None:
        command.append(f"--cpu={core}")
    done = subprocess.run([*command, *asked], check=True, stdout=subprocess.PIPE, text=True)
    seen = json.loads(done.stdout)
    if set(seen["statuses"]) != {"200"}:
        raise SystemExit(f"the server answered {seen['statuses']}: nothing to measure")
    return LoadResult(**seen)


def median(results: Sequence[LoadResult], member: Literal["rate", "p50_ms", "p99_ms"]) -> float:
    """Return the median of one member of the results of several rounds."""
    return statistics.median(float(getattr(result, member)) for result in results)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_ready(child: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    with httpx.Client() as client:
        while True:
            with suppress(httpx.TransportError):
                if client.get(url).status_code == httpx.codes.OK:
                    return
            if time.monotonic() > deadline or child.poll() is not None:
                raise SystemExit(f"the server did not start: {child.args!r}")
            time.sleep(0.01)
