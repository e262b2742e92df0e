"""Small real HTTP servers on loopback: what stands between us and a node, and lies."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chain import call

__all__ = ["Lie", "relay", "serving", "speak"]

Lie = Callable[[list[Any], Any], Any]
"""Makes of the parameters and the node's true result what is told instead."""


@contextmanager
def serving(respond: Callable[[BaseHTTPRequestHandler, bytes], None]) -> Iterator[str]:
    """Serve POST and GET with a function until the block ends; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            respond(self, self.rfile.read(int(self.headers["Content-Length"])))

        def do_GET(self) -> None:
            respond(self, b"")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that went away is no news."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()


def speak(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200) -> None:
    """Answer with these bytes."""
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def relay(node: str, lies: Mapping[str, Lie] | None = None) -> Iterator[str]:
    """Pass questions on to a real node, and its answers back but for the lies, by method.

    Without lies it is an honest second endpoint of the same chain.
    """

    def respond(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        question = json.loads(body)
        method, params = question["method"], question["params"]
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": 1}
        try:
            answer["result"] = call(node, method, *params)
        except AssertionError as exc:
            answer["error"] = {"code": -32601, "message": str(exc)}
        if lies and method in lies:
            told = lies[method](params, answer.get("result"))
            answer = {"jsonrpc": "2.0", "id": 1, "result": told}
        speak(handler, json.dumps(answer).encode())

    with serving(respond) as url:
        yield url
