"""A node that answers, lies, stammers, floods or is silent: a real HTTP server each."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from evidence import DOCUMENT_BYTES, Scene, codes, plain
from loopback import serving, speak
from trusted import CODE, START, trust_toml
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.errors import InputError
from vermilion_verify.cli import main
from vermilion_verify.evm import RpcEndpoint
from vermilion_verify.report import CheckStatus, Verdict

HEAD = 104  # the anchor is in block 101


class Chatter:
    """What a node would say; a test replaces answers by method."""

    def __init__(self, scene: Scene, **answers: Any) -> None:
        self.scene = scene
        self.answers = answers
        self.asked: list[str] = []

    def answer(self, method: str, params: list[Any]) -> Any:
        self.asked.append(method)
        if method in self.answers:
            given = self.answers[method]
            return given(params) if callable(given) else given
        if method == "eth_chainId":
            return "0x7a69"
        if method == "eth_getCode":
            return "0x" + CODE.hex()
        if method == "eth_blockNumber":
            return hex(HEAD)
        number = HEAD if params[0] == "finalized" else int(params[0], 16)
        found = self.scene.hashes().get((31337, number), bytes(32))
        return {"number": hex(number), "hash": "0x" + found.hex(), "timestamp": hex(START)}


@contextmanager
def node(chatter: Chatter) -> Iterator[str]:
    def respond(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        question = json.loads(body)
        result = chatter.answer(question["method"], question["params"])
        speak(handler, json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode())

    with serving(respond) as url:
        yield url


def ask(scene: Scene, url: str, *, seconds: float = 5.0, **policy: Any) -> Verdict:
    trust = scene.trust(scene.chain.table(**policy))
    endpoint = RpcEndpoint(url, timeout_seconds=seconds)
    return scene.verify(hashes={}, policy=trust, endpoints=[endpoint]).verdict


@pytest.mark.parametrize(
    ("finality", "verdict"),
    [
        ("immediate", "proven"),
        ("finalized", "proven"),
        ("confirmations:3", "proven"),
        ("confirmations:4", "pending"),
    ],
)
def test_a_node_vouches_by_the_finality_rule_of_the_policy(finality: str, verdict: str) -> None:
    scene = plain()
    with node(Chatter(scene)) as url:
        assert ask(scene, url, finality=f'"{finality}"') == verdict


def test_nothing_is_final_where_the_chain_has_no_finalized_block() -> None:
    scene = plain()

    def blocks(params: list[Any]) -> Any:
        return None if params[0] == "finalized" else Chatter(scene).answer("block", params)

    with node(Chatter(scene, eth_getBlockByNumber=blocks)) as url:
        assert ask(scene, url, finality='"finalized"') is Verdict.PENDING


@pytest.mark.parametrize(
    ("method", "answer", "verdict"),
    [
        ("eth_chainId", "0x1", "cannot_tell"),
        ("eth_chainId", None, "cannot_tell"),
        ("eth_chainId", 31337, "cannot_tell"),
        ("eth_chainId", "0x", "cannot_tell"),
        ("eth_chainId", "0x_7a69", "cannot_tell"),
        ("eth_chainId", "0x" + "f" * 1_000_000, "cannot_tell"),
        ("eth_getCode", "0x", "refuted"),
        ("eth_getCode", "0x6001", "refuted"),
        ("eth_getCode", "0xzz", "cannot_tell"),
        ("eth_getCode", {}, "cannot_tell"),
        ("eth_getBlockByNumber", None, "cannot_tell"),
        ("eth_getBlockByNumber", [], "cannot_tell"),
        ("eth_getBlockByNumber", {}, "cannot_tell"),
        ("eth_getBlockByNumber", {"number": "0x65", "hash": "0x" + "00" * 32}, "refuted"),
        ("eth_getBlockByNumber", {"number": "0x64", "hash": "0x" + "00" * 32}, "cannot_tell"),
        ("eth_getBlockByNumber", {"number": "0x65", "hash": None}, "cannot_tell"),
        ("eth_blockNumber", "0x0", "pending"),
        ("eth_blockNumber", "", "cannot_tell"),
    ],
)
def test_another_answer_never_proves(method: str, answer: Any, verdict: str) -> None:
    scene = plain()
    with node(Chatter(scene, **{method: answer})) as url:
        assert ask(scene, url) == verdict


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>502 Bad Gateway</html>",
        b"[]",
        b"null",
        b'{"error":{"code":-32000}}',
        b'{"result":' + b"[" * 100_000,
        b'{"result":' + b"9" * 100_000 + b"}",
        b"\xff\xfe\x00",
        b'{"result":"0x7a69"' + b" " * (16 * 1024 * 1024),
    ],
)
def test_a_page_that_is_no_answer_cannot_tell(body: bytes) -> None:
    with serving(lambda handler, _: speak(handler, body)) as url:
        assert ask(plain(), url, seconds=20.0) is Verdict.CANNOT_TELL


@pytest.mark.parametrize("status", [204, 301, 400, 404, 429, 500, 503])
def test_a_status_that_is_no_success_cannot_tell(status: int) -> None:
    with serving(lambda handler, _: speak(handler, b"{}", status)) as url:
        assert ask(plain(), url) is Verdict.CANNOT_TELL


def test_a_silent_node_is_waited_for_once() -> None:
    hold = threading.Event()
    scene = plain()
    for number in range(200, 230):
        scene.anchor(number=number)
    started = time.monotonic()
    with serving(lambda handler, _: speak(handler, b"" if hold.wait(30) else b"{}")) as url:
        verdict = ask(scene, url, seconds=0.5)
        hold.set()

    assert verdict is Verdict.CANNOT_TELL
    assert time.monotonic() - started < 5


def test_a_node_that_drips_is_not_waited_for_longer() -> None:
    def drip(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        for _count in range(100):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.1)

    started = time.monotonic()
    with serving(drip) as url:
        assert ask(plain(), url, seconds=0.5) is Verdict.CANNOT_TELL

    assert time.monotonic() - started < 8


def test_a_server_that_speaks_no_http_cannot_tell() -> None:
    class Rude(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"SSH-2.0-OpenSSH\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Rude) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            url = f"http://127.0.0.1:{server.server_address[1]}"
            assert ask(plain(), url) is Verdict.CANNOT_TELL
        finally:
            server.shutdown()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1",
        "http://",
        "http://[",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:x",
        "http://a b/",
        "http://例子.invalid/路径",
        "https://" + "a" * 70 + ".invalid",
        "http://\x00",
    ],
)
def test_an_address_where_nobody_is_cannot_tell(url: str) -> None:
    assert ask(plain(), url) is Verdict.CANNOT_TELL


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "ftp://x", "localhost:8545", "HTTP//x"])
def test_an_address_that_is_not_http_is_refused(url: str) -> None:
    with pytest.raises(InputError) as error:
        RpcEndpoint(url)

    assert error.value.code == "rpc.url"


def test_the_command_asks_the_node_that_it_is_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = plain()
    (tmp_path / "paper").write_bytes(DOCUMENT_BYTES)
    (tmp_path / "bundle").write_bytes(encode_json(scene.bundle().to_json()))
    (tmp_path / "trust").write_text(trust_toml([scene.chain]))
    paper, bundle, trust = (str(tmp_path / name) for name in ("paper", "bundle", "trust"))
    with node(Chatter(scene)) as url:
        code = main([paper, "--bundle", bundle, "--trust", trust, "--rpc", url])

    assert code == 0
    assert "PROVEN" in capsys.readouterr().out


def test_what_nobody_vouches_for_is_named() -> None:
    report = plain().verify(hashes={}, endpoints=[RpcEndpoint("http://127.0.0.1:1")])

    assert codes(report, CheckStatus.UNKNOWN)["anchor.block"] == "anchor.block-unknown"
