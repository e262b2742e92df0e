"""A real HTTP proxy before a real node that lies when it is told to. Not a test.

A lie changes results, answers or the connection itself; a test sets
`LyingProxy.lie`, and takes it away again. `lies` has all of them by name.
"""

from __future__ import annotations

import gzip
import json
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

from chain import call
from loopback import serving, speak

__all__ = [
    "Change",
    "Lie",
    "LyingProxy",
    "Question",
    "Tell",
    "answer",
    "bomb",
    "busy",
    "drip",
    "elsewhere",
    "flood",
    "half",
    "lying_proxy",
    "members",
    "raw",
    "reset",
    "say",
    "silence",
    "text",
]

_MIB = b"[" + b"0" * (1 << 20 - 1)


@dataclass(frozen=True, kw_only=True)
class Question:
    """What was asked, what the node truly said, and the node itself."""

    method: str
    params: list[Any]
    id: Any
    result: Any
    node: str

    def ask(self, method: str, *params: Any) -> Any:
        return call(self.node, method, *params)


Change = Callable[[Question], Any]
Tell = Callable[[BaseHTTPRequestHandler, Question], None]


@dataclass(frozen=True, kw_only=True)
class Lie:
    """One kind of lie.

    Attributes:
        methods: What it is told about; empty is everything.
        tell: Gives the answer.
        is_swallowed: Whether the node never hears of the question.
        finality: Rule under which it matters.
        timeout_seconds: For the client that hears it.
        waits: Whether honest endpoints beside the liar wait instead of outvoting it.
    """

    methods: tuple[str, ...] = ()
    tell: Tell
    is_swallowed: bool = False
    finality: str = "confirmations:1"
    timeout_seconds: float = 5.0
    waits: bool = False


class LyingProxy:
    """Tells the truth until `lie` is set.

    Attributes:
        asked: How often it was asked anything.
        told: How often it lied.
        strays: How often somebody followed it elsewhere.
    """

    def __init__(self, node: str) -> None:
        self.lie: Lie | None = None
        self.asked = self.told = self.strays = 0
        self.url = ""
        self._node = node

    def respond(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        self.asked += 1
        if handler.path != "/":
            self.strays += 1
        question = json.loads(body)
        method, params = question["method"], question["params"]
        lie = self.lie
        is_lied = lie is not None and (not lie.methods or method in lie.methods)
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": question["id"]}
        if not (is_lied and lie is not None and lie.is_swallowed):
            try:
                answer["result"] = call(self._node, method, *params)
            except AssertionError as exc:
                answer["error"] = {"code": -32000, "message": str(exc)}
        if is_lied and lie is not None:
            self.told += 1
            asked = Question(
                method=method,
                params=params,
                id=question["id"],
                result=answer.get("result"),
                node=self._node,
            )
            with suppress(OSError):  # whoever asked may have hung up
                lie.tell(handler, asked)
        else:
            speak(handler, json.dumps(answer).encode())


@contextmanager
def lying_proxy(node: str) -> Iterator[LyingProxy]:
    """Run a proxy before a node until the block ends."""
    proxy = LyingProxy(node)
    with serving(proxy.respond) as url:
        proxy.url = url
        yield proxy


# --- ways to tell ---


def say(change: Change) -> Tell:
    """Answer with another result."""

    def tell(handler: BaseHTTPRequestHandler, asked: Question) -> None:
        answer = {"jsonrpc": "2.0", "id": asked.id, "result": change(asked)}
        speak(handler, json.dumps(answer).encode())

    return tell


def answer(make: Callable[[Question], dict[str, Any]]) -> Tell:
    """Answer with other members of JSON-RPC."""
    return lambda handler, asked: speak(
        handler, json.dumps({"jsonrpc": "2.0", "id": asked.id} | make(asked)).encode()
    )


def raw(body: bytes, status: int = 200) -> Tell:
    return lambda handler, _: speak(handler, body, status)


def text(text: str) -> Tell:
    """Answer with a result that only text can write."""
    return lambda handler, asked: speak(
        handler, f'{{"jsonrpc": "2.0", "id": {asked.id}, "result": {text}}}'.encode()
    )


def _head(handler: BaseHTTPRequestHandler, status: int = 200, **headers: object) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), str(value))
    handler.end_headers()


def half(handler: BaseHTTPRequestHandler, asked: Question) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": asked.id, "result": asked.result}).encode()
    _head(handler, Content_Length=len(body))
    handler.wfile.write(body[: len(body) // 2])


def silence(handler: BaseHTTPRequestHandler, _: Question) -> None:
    time.sleep(1.0)
    handler.close_connection = True


def drip(handler: BaseHTTPRequestHandler, _: Question) -> None:
    _head(handler, Content_Length=100)
    for _number in range(20):
        handler.wfile.write(b" ")
        time.sleep(0.05)


def reset(handler: BaseHTTPRequestHandler, _: Question) -> None:
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()


def flood(handler: BaseHTTPRequestHandler, _: Question) -> None:
    _head(handler, Content_Length=200 << 20)
    for _number in range(200):
        handler.wfile.write(_MIB)


def members(handler: BaseHTTPRequestHandler, _: Question) -> None:
    speak(handler, b"[" + b"[]," * (4 << 20) + b"[]]")


def bomb(handler: BaseHTTPRequestHandler, asked: Question) -> None:
    body = gzip.compress(b" " * (8 << 20) + b"0")
    _head(handler, Content_Encoding="gzip", Content_Length=len(body))
    handler.wfile.write(body)


def elsewhere(handler: BaseHTTPRequestHandler, _: Question) -> None:
    _head(handler, 307, Location="/elsewhere", Content_Length=0)


def busy(handler: BaseHTTPRequestHandler, _: Question) -> None:
    _head(handler, 429, Retry_After=3600, Content_Length=0)
