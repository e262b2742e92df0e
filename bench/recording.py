"""Recording 10,000 digests through the API of a real ledger, in bulk."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from measure import Figure, rate

from vermilion_api.home import create_home
from vermilion_api.settings import Settings

DIGESTS = 10_000
CHUNK = 1_000
ROUNDS = 5
_START_SECONDS = 60


def run() -> list[Figure]:
    """Measure and return the figures."""
    with running_ledger() as url, httpx.Client(base_url=url, timeout=120) as client:
        seconds = statistics.median(_record(client, number) for number in range(ROUNDS))
    return [
        Figure(
            what=f"{DIGESTS:,} digests recorded, bulks of {CHUNK:,}, sequenced and durable",
            value=seconds,
            unit="s",
        ),
        Figure(what="the same", value=rate(DIGESTS, seconds), unit="per second"),
    ]


@contextmanager
def running_ledger() -> Iterator[str]:
    """Run API and sequencer on SQLite, without a chain, for the time of the block."""
    home = Path(tempfile.mkdtemp(prefix="vermilion-bench-"))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    create_home(home, Settings(port=port, node_port=0))
    command: list[str | Path] = [
        Path(sys.executable).parent / "vermilion",
        "up",
        "--home",
        home,
    ]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            with suppress(httpx.TransportError):
                if httpx.get(f"{url}/readyz").status_code == httpx.codes.OK:
                    break
            if time.monotonic() > deadline or child.poll() is not None:
                raise SystemExit("the ledger did not start")
            time.sleep(0.1)
        yield url
    finally:
        child.send_signal(signal.SIGINT)
        child.wait(timeout=30)
        shutil.rmtree(home, ignore_errors=True)


def _record(client: httpx.Client, number: int) -> float:
    chunks = []
    for first in range(0, DIGESTS, CHUNK):
        records = [
            {
                "name": f"document-{number}-{place}.pdf",
                "digest": {"sha256": hashlib.sha256(os.urandom(16)).hexdigest()},
            }
            for place in range(first, first + CHUNK)
        ]
        chunks.append(json.dumps({"records": records}).encode())
    start = time.perf_counter()
    for chunk in chunks:
        answer = client.post(
            "/v1/records/bulk?wait=sequenced",
            content=chunk,
            headers={"Content-Type": "application/json"},
        )
        answer.raise_for_status()
    return time.perf_counter() - start
