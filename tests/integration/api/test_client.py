"""The operator's client against servers that are not what they should be."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from served import CLOSED_PORT, Served
from vermilion_api.client import Ledger
from vermilion_ledger.errors import EvidenceError


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server that says the same to everything, and to a submission what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            said = json.dumps({"target": self.path}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as inherited
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def code_of(url: str) -> str:
    with pytest.raises(EvidenceError) as caught, Ledger(url, timeout_seconds=1.0) as ledger:
        ledger.get("/v1/log")
    return caught.value.code


@pytest.mark.parametrize("url", ["", "localhost:8460", "ftp://x", "http://", "http://[::1", "x y"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    assert code_of(url) == "serve.url"


def test_nobody_listening_is_unreachable() -> None:
    assert code_of(f"http://127.0.0.1:{CLOSED_PORT}") == "serve.unreachable"


def test_a_server_that_is_silent_is_unreachable() -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()

        assert code_of(f"http://127.0.0.1:{door.getsockname()[1]}") == "serve.unreachable"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>"),
        (200, b"[]"),
        (404, b"not found"),
        (500, b"{}"),
        (502, b'{"code":1}'),
        (302, b""),
    ],
)
def test_a_server_that_is_no_ledger_is_named(status: int, body: bytes) -> None:
    with answering(status, body) as url:
        assert code_of(url) == "serve.not-a-ledger"


def test_a_problem_keeps_its_code() -> None:
    with answering(503, b'{"code":"store.busy","detail":"busy"}') as url:
        assert code_of(url) == "store.busy"


def test_a_path_cannot_leave_its_place(served: Served) -> None:
    with pytest.raises(EvidenceError) as caught:
        served.api.get("/v1/records/x?digest=sha256:00")

    assert caught.value.code == "record.unknown"


@pytest.mark.parametrize(
    ("wait", "asked"),
    [
        ("published", "wait=published"),
        ("anchored", "wait=anchored&timeout=25"),
        ("final", "wait=final&timeout=25"),
    ],
)
def test_an_anchor_is_waited_for_longer_than_an_index(wait: str, asked: str) -> None:
    with answering(200, b"") as url, Ledger(url) as ledger:
        assert ledger.submit("/v1/x", {}, wait=wait) == {"target": f"/v1/x?{asked}"}
