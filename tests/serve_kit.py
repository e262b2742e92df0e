"""`vermilion serve` as a process of its own, and raw HTTP against it."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

__all__ = ["Process", "Seen", "children_of", "documents", "press", "running", "wait_until"]

_START_SECONDS, _STOP_SECONDS = 60.0, 60.0


@dataclass
class Process:
    """A command that runs, and what it said on standard error."""

    child: subprocess.Popen[bytes]
    told: Path
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def lines(self) -> str:
        return self.told.read_text()

    def peak_mib(self) -> float:
        """The most memory it ever had."""
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop; its exit code."""
        self.child.send_signal(number)
        return self.child.wait(_STOP_SECONDS)


@contextmanager
def running(*arguments: str | Path, expect: str = "serving on ") -> Iterator[Process]:
    """Run a command until the end of the block, once it has said what is expected."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "LANG": "C.UTF-8"}
    with tempfile.NamedTemporaryFile(prefix="vermilion-told-") as told:
        child = subprocess.Popen(
            [sys.executable, "-m", "vermilion_api", *map(str, arguments)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=told,
        )
        process = Process(child, Path(told.name))
        try:
            wait_until(lambda: expect in process.lines or child.poll() is not None)
            assert expect in process.lines, process.lines
            _, _, rest = process.lines.partition("http://127.0.0.1:")
            process.port = int(rest.split()[0]) if rest else 0
            yield process
        finally:
            with suppress(ProcessLookupError):
                child.terminate()
            try:
                child.wait(_STOP_SECONDS)
            finally:
                child.kill()
                child.wait()


def wait_until(condition: Any, seconds: float = _START_SECONDS) -> None:
    """Wait until a condition holds; an unreachable server is none."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(httpx.TransportError):
            if condition():
                return
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def children_of(pid: int) -> set[int]:
    """Process ids of the living children of a process."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.add(int(folder.name))
    return found


def documents(count: int, salt: object) -> bytes:
    """The body of a bulk request, or of a single one."""
    listed = [
        {
            "name": f"{salt}-{number}.pdf",
            "digest": {"sha256": hashlib.sha256(f"{salt} {number}".encode()).hexdigest()},
        }
        for number in range(count)
    ]
    return json.dumps({"records": listed} if count > 1 else listed[0]).encode()


@dataclass
class Seen:
    """What callers were answered."""

    statuses: dict[int, int] = field(default_factory=dict)
    acknowledged: int = 0  # documents with an index
    codes: set[str] = field(default_factory=set)
    without_retry: int = 0  # 503 that do not say when to come back
    indices: list[int] = field(default_factory=list)


async def press(port: int, *, callers: int, seconds: float, counts: tuple[int, ...]) -> Seen:
    """Have many callers submit as fast as they are answered; each its number of documents."""
    seen, end = Seen(), time.monotonic() + seconds
    salts = itertools.count()

    async def submit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, n: int) -> None:
        body = documents(n, next(salts))
        path = "/v1/records/bulk" if n > 1 else "/v1/records"
        head = (
            f"POST {path}?wait=sequenced&timeout=60 HTTP/1.1\r\nHost: x\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        status, headers, found = await _read(reader)
        seen.statuses[status] = seen.statuses.get(status, 0) + 1
        if status == 200:
            items = found.get("records", [found])
            seen.acknowledged += len(items)
            seen.indices += [item["index"] for item in items]
        else:
            seen.codes.add(found["code"])
            seen.without_retry += b"retry-after:" not in headers
            await asyncio.sleep(0.05)

    async def call(count: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while time.monotonic() < end:
                await submit(reader, writer, count)
        finally:
            writer.close()
            await writer.wait_closed()

    async with asyncio.TaskGroup() as group:
        for number in range(callers):
            group.create_task(call(counts[number % len(counts)]))
    return seen


async def _read(reader: asyncio.StreamReader) -> tuple[int, bytes, dict[str, Any]]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, _, rest = head.partition(b"content-length:")
    body = await reader.readexactly(int(rest.split(b"\r\n")[0]))
    return int(head[9:12]), head, json.loads(body)
