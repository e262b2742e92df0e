"""The transport of JSON-RPC: what it takes for an answer, and what it waits for."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from loopback import serving, speak
from vermilion_anchor.rpc import RefusalError, RpcTransport
from vermilion_ledger.errors import UnavailableError

Make = Callable[[Any], bytes]


def answering(make: Make) -> Callable[[BaseHTTPRequestHandler, bytes], None]:
    return lambda handler, body: speak(handler, make(json.loads(body)["id"]))


def give(number: Any, members: str) -> bytes:
    return f'{{"jsonrpc": "2.0", "id": {number}, {members}}}'.encode()


@pytest.mark.parametrize(
    ("members", "result"),
    [
        ('"result": null', None),
        ('"result": null, "error": null', None),
        ('"result": {"a": [1.5, "\\u00fc", false]}, "extra": 1', {"a": [1.5, "ü", False]}),
    ],
)
def test_an_answer_is_what_the_node_says(members: str, result: Any) -> None:
    with serving(answering(lambda number: give(number, members))) as url:
        transport = RpcTransport(url, timeout_seconds=5.0)

        assert [transport.ask("eth_x", []) for _ in range(3)] == [result] * 3


@pytest.mark.parametrize(
    ("error", "number", "data"),
    [
        ('{"code": 3, "message": "no\\u001b[2J", "data": "0x12"}', 3, "0x12"),
        ('{"code": 3, "data": {"result": "0x12"}}', 3, "0x12"),
        ('{"code": [], "message": {}, "data": []}', [], ""),
        ('"words"', None, ""),
        ("[1]", None, ""),
    ],
)
def test_a_refusal_is_told_in_plain_letters(error: str, number: Any, data: str) -> None:
    with (
        serving(answering(lambda each: give(each, f'"error": {error}'))) as url,
        pytest.raises(RefusalError) as caught,
    ):
        RpcTransport(url, timeout_seconds=5.0).ask("eth_x", [])

    assert (caught.value.number, caught.value.data) == (number, data)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda number: give(number, '"result": 1, "result": 1'),
        lambda number: give(number, '"result": 1, "error": {}'),
        lambda number: give(number, '"resul": 1'),
        lambda number: give(number, '"result": Infinity'),
        lambda number: give(number, '"result": ' + "[" * 17 + "]" * 17),
        lambda number: give(number, '"result": 1') + b"x",
        lambda number: give(number + 1, '"result": 1'),
        lambda number: give(f'"{number}"', '"result": 1'),
        lambda number: b"[" + give(number, '"result": 1') + b"]",
        lambda number: give(number, '"result": 1').decode().encode("utf-16"),
        lambda _: b"",
        lambda _: b"7",
    ],
)
def test_what_is_no_answer_to_the_question_is_refused(make: Make) -> None:
    with (
        serving(answering(make)) as url,
        pytest.raises(UnavailableError) as error,
    ):
        RpcTransport(url, timeout_seconds=5.0).ask("eth_x", [])

    assert error.value.code == "chain.bad-answer"


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http://a b/",
        "http://[::1",
        "http://127.0.0.1:99999/",
        "ftp://127.0.0.1/",
        "node",
    ],
)
def test_an_address_that_is_none_is_unreachable(url: str) -> None:
    with pytest.raises(UnavailableError) as error:
        RpcTransport(url, timeout_seconds=1.0).ask("eth_x", [])

    assert error.value.code == "chain.unreachable"


@pytest.mark.parametrize("part", ["head", "body", "chunks"])
def test_an_answer_that_drips_is_not_waited_for(part: str) -> None:
    over = threading.Event()

    def drip(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        handler.wfile.write(
            {
                "head": b"X-Drop: ",
                "body": b"Content-Length: 1000\r\n\r\n",
                "chunks": b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n",
            }[part]
        )
        while not over.wait(0.02):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    with serving(drip) as url:
        transport = RpcTransport(url, timeout_seconds=0.2)
        begun = time.monotonic()
        with pytest.raises(UnavailableError) as error:
            transport.ask("eth_x", [])
        waited = time.monotonic() - begun
        over.set()

    assert error.value.code == "chain.unreachable"
    assert waited < 5.0


def test_questions_that_are_kept_open_are_bounded_and_free_again_later() -> None:
    over = threading.Event()

    def wait(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drop: ")
        while not over.wait(0.02):
            handler.wfile.write(b" ")
            handler.wfile.flush()
        data = give(json.loads(body)["id"], '"result": 1')
        handler.wfile.write(b"\r\nContent-Length: %d\r\n\r\n" % len(data) + data)

    def said(_: int) -> str:
        with pytest.raises(UnavailableError) as error:
            transport.ask("eth_x", [])
        return error.value.message

    with serving(wait) as url, ThreadPoolExecutor(20) as pool:
        transport = RpcTransport(url, timeout_seconds=3.0)
        messages = list(pool.map(said, range(20)))
        threads = [each for each in threading.enumerate() if each.name == "chain-rpc"]
        over.set()
        for each in threads:
            each.join(10.0)

        assert sum("has 16 questions to answer" in message for message in messages) == 4
        assert transport.ask("eth_x", []) == 1


def test_what_is_secret_in_an_address_is_never_told() -> None:
    for url in ("http://user:secret@127.0.0.1:9/secret?key=secret", "http://[secret"):
        transport = RpcTransport(url, timeout_seconds=1.0)
        with pytest.raises(UnavailableError) as error:
            transport.ask("eth_x", [])
        assert "secret" not in error.value.message
        assert "secret" not in transport.name
