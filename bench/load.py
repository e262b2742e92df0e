"""Load for an HTTP server: many keep-alive connections, each with one request in flight.

Speaks just enough HTTP/1.1 (RFC 9112) to be far cheaper than what it measures:
requests come encoded, of an answer only status and length are read. Runs as a
process of its own too, bound to a core, and prints what it saw as one line of JSON::

    python bench/load.py --port 8460 --cpu 1 --seconds 5 records
    python bench/load.py --port 8460 --cpu 1 --seconds 5 get /log/checkpoint
    python bench/load.py --port 8460 --cpu 1 --seconds 5 posts FILE
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import cast

import uvloop

__all__ = ["LoadResult", "encode_get", "encode_post", "encode_posts", "encode_records", "run_load"]

_RETRY_SECONDS = 0.05
_STOP_SECONDS = 30.0
BROKEN = 0  # stands for the status of an answer that never came


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """What a run saw after its warm-up.

    Attributes:
        count: Answers, of whatever status.
        rate: Answers a second.
        p50_ms: Median latency, milliseconds.
        p99_ms: Latency that one answer in a hundred exceeds, milliseconds.
        statuses: Answers by status; 0 counts connections that broke.
    """

    count: int
    rate: float
    p50_ms: float
    p99_ms: float
    statuses: Mapping[int, int]


class _Tally:
    """What all connections of a run share."""

    def __init__(self, requests: Callable[[int], bytes], *, start: float, end: float) -> None:
        self.start, self.end = start, end
        self.latencies: list[float] = []
        self.statuses: Counter[int] = Counter()
        self._requests = requests
        self._next = 0

    def take(self) -> bytes:
        """Return the next request."""
        self._next += 1
        return self._requests(self._next - 1)

    def note(self, status: int, began: float, now: float) -> None:
        """Count an answer, unless it belongs to the warm-up or came too late."""
        if began >= self.start and now <= self.end:
            self.statuses[status] += 1
            if status != BROKEN:
                self.latencies.append(now - began)


class _Connection(asyncio.Protocol):
    """Sends, reads an answer, sends again, until the time is up."""

    def __init__(self, tally: _Tally, closed: asyncio.Future[None]) -> None:
        self._tally, self._closed = tally, closed
        self._transport: asyncio.Transport
        self._buffer = b""
        self._began = 0.0
        self._awaits = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Read an answer when it is whole."""
        self._buffer = self._buffer + data if self._buffer else data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        status = int(self._buffer[9:12])
        size = end + 4 + _length_of(self._buffer[:end], status)
        if len(self._buffer) < size:
            return
        self._buffer = self._buffer[size:]
        self._awaits = False
        self._tally.note(status, self._began, time.perf_counter())
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Count an answer that will not come."""
        if self._awaits:
            self._tally.note(BROKEN, self._began, time.perf_counter())
        if not self._closed.done():
            self._closed.set_result(None)

    def _send(self) -> None:
        self._began = time.perf_counter()
        if self._began >= self._tally.end:
            self._transport.close()
            return
        self._awaits = True
        self._transport.write(self._tally.take())


async def run_load(
    url_host: str,
    port: int,
    requests: Callable[[int], bytes],
    connections: int,
    seconds: float,
    *,
    warm_up_seconds: float = 1.0,
) -> LoadResult:
    """Load a server and return what was seen.

    Args:
        url_host: Host name or address.
        port: TCP port.
        requests: Returns the encoded request of a running number.
        connections: Kept alive, each with one request in flight.
        seconds: How long is measured, after the warm-up.
        warm_up_seconds: Not measured.
    """
    start = time.perf_counter() + warm_up_seconds
    tally = _Tally(requests, start=start, end=start + seconds)
    tasks = [asyncio.create_task(_keep_up(url_host, port, tally)) for _ in range(connections)]
    done, late = await asyncio.wait(tasks, timeout=warm_up_seconds + seconds + _STOP_SECONDS)
    for task in late:
        task.cancel()
    for task in done:
        task.result()
    taken = sorted(tally.latencies) or [0.0]
    percentiles = statistics.quantiles(taken, n=100) if len(taken) > 1 else taken * 99
    return LoadResult(
        count=len(tally.latencies),
        rate=round(len(tally.latencies) / seconds, 1),
        p50_ms=round(percentiles[49] * 1000, 3),
        p99_ms=round(percentiles[98] * 1000, 3),
        statuses=dict(sorted(tally.statuses.items())),
    )


def encode_get(host: str, path: str, *, headers: Mapping[str, str] | None = None) -> bytes:
    """Return a GET request."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def encode_post(host: str, path: str, body: bytes) -> bytes:
    """Return a POST request with a JSON body."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body


def encode_records(host: str, *, wait: str, bulk: int = 0) -> Callable[[int], bytes]:
    """Return requests that each register new documents, one or ``bulk`` of them."""
    run = os.urandom(8).hex()

    def document(number: int) -> dict[str, object]:
        digest = hashlib.sha256(f"{run}/{number}".encode()).hexdigest()
        return {"name": f"document-{number}.pdf", "digest": {"sha256": digest}}

    def single(number: int) -> bytes:
        body = json.dumps(document(number)).encode()
        return encode_post(host, f"/v1/records?wait={wait}", body)

    def many(number: int) -> bytes:
        first = number * bulk
        body = json.dumps({"records": [document(first + each) for each in range(bulk)]}).encode()
        return encode_post(host, f"/v1/records/bulk?wait={wait}", body)

    return many if bulk else single


def encode_posts(host: str, file: Path) -> Callable[[int], bytes]:
    """Return the requests of a file, each sent once: lines of ``{"path", "body"}``."""
    lines = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    encoded = [encode_post(host, line["path"], line["body"].encode()) for line in lines]

    def take(number: int) -> bytes:
        if number >= len(encoded):
            raise SystemExit(f"{len(encoded)} requests are not enough for the time asked")
        return encoded[number]

    return take


def _length_of(head: bytes, status: int) -> int:
    """Return the size of a body, as the head states it."""
    if status in {204, 304}:
        return 0
    place = head.lower().find(b"\r\ncontent-length:")
    if place < 0:
        raise SystemExit("an answer without Content-Length: not for this client")
    return int(head[place + 17 :].partition(b"\r\n")[0])


async def _keep_up(host: str, port: int, tally: _Tally) -> None:
    """Keep one connection up until the time is up."""
    loop = asyncio.get_running_loop()
    while (began := time.perf_counter()) < tally.end:
        closed: asyncio.Future[None] = loop.create_future()
        try:
            await loop.create_connection(partial(_Connection, tally, closed), host, port)
        except OSError:
            tally.note(BROKEN, began, time.perf_counter())
            await asyncio.sleep(_RETRY_SECONDS)
            continue
        await closed


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="load an HTTP server")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8460)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--warm-up", type=float, default=1.0)
    parser.add_argument("--cpu", type=int, help="bind to this core")
    kinds = parser.add_subparsers(dest="kind", required=True)
    records = kinds.add_parser("records", help="register new documents")
    records.add_argument("--wait", default="sequenced")
    records.add_argument("--bulk", type=int, default=0, help="documents in one request")
    kinds.add_parser("get", help="ask for one or more paths in turn").add_argument(
        "paths", nargs="+"
    )
    posts = kinds.add_parser("posts", help="send what a file has, each line once")
    posts.add_argument("file", type=Path)
    asked = parser.parse_args()
    if asked.cpu is not None:
        os.sched_setaffinity(0, {asked.cpu})
    if asked.kind == "records":
        requests = encode_records(asked.host, wait=asked.wait, bulk=asked.bulk)
    elif asked.kind == "posts":
        requests = encode_posts(asked.host, asked.file)
    else:
        encoded = [encode_get(asked.host, path) for path in asked.paths]

        def requests(number: int) -> bytes:
            return encoded[number % len(encoded)]

    result = uvloop.run(
        run_load(
            asked.host,
            asked.port,
            requests,
            asked.connections,
            asked.seconds,
            warm_up_seconds=asked.warm_up,
        )
    )
    print(json.dumps(asdict(result)))


if __name__ == "__main__":
    main()
