"""A small real HTTP server that keeps the bulk contract of FORMATS section 14, and breaks it.

Faults are taken from a list, one for each request that is not a health check:
what an office's network does to requests, and what proxies do to answers.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from vermilion_ledger.commitment import make_record_id

__all__ = ["BulkServer", "serve_bulk"]


@dataclass
class BulkServer:
    """What the server has recorded and been asked, and how it shall misbehave."""

    url: str = ""
    items: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    refusals: list[bytes] = field(default_factory=list)
    answers: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)
    hold: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def names(self) -> list[str]:
        """The names recorded, in the order of the log."""
        return [item["name"] for item in self.items]

    def register(self, key: str, body: bytes) -> bytes:
        """Record a chunk once, and return its answer each time."""
        with self.lock:
            if key not in self.answers:
                records = []
                for item in json.loads(body)["records"]:
                    index = len(self.items)
                    self.items.append(item)
                    record = make_record_id(index.to_bytes(32, "big"))
                    records.append({"record": record, "sequence": 0, "index": index})
                answer = json.dumps({"records": records, "state": "sequenced"}).encode()
                self.answers[key] = (body, answer)
            first, answer = self.answers[key]
            assert first == body, "one key came with two bodies"
        return answer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""

    def do_GET(self) -> None:
        record = self.path.rpartition("/")[2].encode()
        answers = [answer for _, answer in self.server.state.answers.values()]
        if self.path == "/livez" or any(record in answer for answer in answers):
            self._answer(200, b"{}")
        else:
            self._problem(404, "record.unknown")

    def do_POST(self) -> None:  # noqa: PLR0911 - one return per fault
        state = self.server.state
        if self.path == "/v1/refusals":  # a remark that no registration hangs on
            state.refusals.append(self.rfile.read(int(self.headers["Content-Length"])))
            return self._answer(202, b"{}")
        key = self.headers["Idempotency-Key"]
        state.keys.append(key)
        fault = state.faults.pop(0) if state.faults else ""
        if fault == "reset before":
            return self._reset()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if fault.startswith("problem "):
            _, status, code = fault.split()
            return self._problem(int(status), code)
        if fault.startswith("body "):
            return self._answer(200, fault.removeprefix("body ").encode())
        if fault == "redirect":
            return self._answer(307, b"", location="http://127.0.0.1:1/v1/records/bulk")
        if fault == "html":
            return self._answer(502, b"<h1>Bad Gateway</h1>", media_type="text/html")
        answer = state.register(key, body)
        if fault == "hold":
            state.held.set()
            state.hold.wait(60)
        if fault == "reset after":
            return self._reset()
        if fault == "cut":
            return self._answer(200, answer, length=len(answer) + 100)
        if fault == "no index":
            return self._answer(202, answer.replace(b'"index"', b'"place"'))
        if fault == "repeat":
            records = json.loads(answer)["records"]
            return self._answer(200, json.dumps({"records": records[:1] * len(records)}).encode())
        return self._answer(200, answer)

    def _problem(self, status: int, code: str) -> None:
        body = json.dumps({"code": code, "detail": "told by\n the server", "trace_id": "t-1"})
        self._answer(status, body.encode(), media_type="application/problem+json; charset=utf-8")

    def _answer(
        self,
        status: int,
        body: bytes,
        *,
        media_type: str = "application/json",
        length: int | None = None,
        location: str = "",
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = length is not None

    def _reset(self) -> None:
        """Close without an answer, the hard way (RST)."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()
        self.rfile.close()
        self.wfile = _Nowhere()  # type: ignore[assignment]


class _Nowhere:
    closed = True

    def flush(self) -> None:
        """Have nothing to flush."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    state: BulkServer

    def handle_error(self, *_: object) -> None:
        """Clients that go away are what is being tested."""


@contextmanager
def serve_bulk() -> Iterator[BulkServer]:
    """Serve on a free port of the loopback until the block ends."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.state = BulkServer(url=f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server.state
        finally:
            server.state.hold.set()
            server.shutdown()
            thread.join()
