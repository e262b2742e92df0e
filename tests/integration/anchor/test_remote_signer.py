"""A remote signer over real HTTP: an honest one, what is no answer, and who may ask whom."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from chain import KEY, Chain, MemoryLog, free_port
from signer_kit import (
    ADDRESS,
    FIELDS,
    Answer,
    Authority,
    Call,
    SignerServer,
    answer_with,
    ask,
    refused,
    serve_signer,
    sign_call,
)
from vermilion_anchor.evm import AccountSigner
from vermilion_anchor.ports import TransactionFields
from vermilion_anchor.remote import RemoteOptions, RemoteSigner
from vermilion_ledger.anchor_rows import FinalAnchor
from vermilion_ledger.errors import EvidenceError, InputError, UnavailableError

# --- an honest one ---


def test_an_honest_signer_gives_what_our_own_key_would(server: SignerServer) -> None:
    signed = ask(server.url)

    assert signed.raw == AccountSigner(KEY).sign(FIELDS)
    assert server.methods[-1] == "eth_signTransaction"
    assert server.calls == [
        {
            "from": "0x" + ADDRESS.hex(),
            "to": "0x" + "12" * 20,
            "chainId": "0x7a69",
            "nonce": "0x7",
            "gas": "0x186a0",
            "maxFeePerGas": "0xb2d05e00",
            "maxPriorityFeePerGas": "0x3b9aca00",
            "value": "0x0",
            "data": "0x" + "34" * 100,
        }
    ]


def test_a_deployment_names_no_recipient(server: SignerServer) -> None:
    fields = TransactionFields(
        chain_id=1, nonce=0, to=None, data=bytes(30_000), gas_limit=1, max_fee=1, priority_fee=1
    )

    assert ask(server.url, fields).raw == AccountSigner(KEY).sign(fields)
    assert "to" not in server.calls[0]


def test_upper_case_hex_and_a_path_are_fine(server: SignerServer) -> None:
    def answer(handler: BaseHTTPRequestHandler, call: Call) -> None:
        assert handler.path == "/eth1/v1"
        body = {"jsonrpc": "2.0", "id": 1, "result": "0x" + sign_call(call).hex().upper()}
        answer_with(json.dumps(body).encode())(handler, call)

    server.answer = answer

    assert ask(server.url + "/eth1/v1").hash


def test_an_anchor_signed_far_away_becomes_final(
    server: SignerServer,
    chain: Chain,
    make_anchorer: Callable[..., Any],
    finish: Callable[..., FinalAnchor],
) -> None:
    signer = RemoteSigner(RemoteOptions(url=server.url, address=ADDRESS))

    anchor = finish(make_anchorer(MemoryLog(9), finality="immediate", signer=signer), 9)

    assert anchor.size == 9
    assert len(server.calls) == len(chain.events()) == 1


# --- what is no answer ---


def drip(text: bytes, *, pause: float = 0.1) -> Answer:
    """Say something for ever, each byte well within a socket's patience."""

    def answer(handler: BaseHTTPRequestHandler, call: Call) -> None:
        for _ in range(600):
            handler.wfile.write(text)
            handler.wfile.flush()
            time.sleep(pause)

    return answer


def silence(handler: BaseHTTPRequestHandler, call: Call) -> None:
    time.sleep(3.0)
    handler.close_connection = True


def hang_up(handler: BaseHTTPRequestHandler, call: Call) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def error(value: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "error": value}).encode()


def result(value: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": value}).encode()


RAW = "0x02"
NO_ANSWERS: dict[str, tuple[str, Answer]] = {
    "a page": ("bad-answer", answer_with(b"<html><body>Welcome</body></html>")),
    "a page of an error": ("bad-answer", answer_with(b"<html>", status=502)),
    "nothing at all": ("bad-answer", answer_with(b"")),
    "a redirect": ("bad-answer", answer_with(b"", status=307, Location="http://127.0.0.1:1/")),
    "no result": ("bad-answer", answer_with(b'{"jsonrpc":"2.0","id":1}')),
    "null": ("bad-answer", answer_with(result(None))),
    "a number": ("bad-answer", answer_with(result(2))),
    "an object": ("bad-answer", answer_with(result({"raw": RAW}))),
    "a list": ("bad-answer", answer_with(b"[1]")),
    "no hex": ("bad-answer", answer_with(result("0xzz"))),
    "odd hex": ("bad-answer", answer_with(result("0x0"))),
    "hex without 0x": ("bad-answer", answer_with(result("02"))),
    "a result with status 500": ("bad-answer", answer_with(result(RAW), status=500)),
    "two results": ("bad-answer", answer_with(b'{"result":"0x02","result":"0x02"}')),
    "a byte that is no text": ("bad-answer", answer_with(b'{"result":"\xff"}')),
    "deep brackets": ("bad-answer", answer_with(b"[" * 100_000)),
    "half an answer": ("bad-answer", answer_with(b'{"result":', size=100)),
    "a million bytes": ("bad-answer", answer_with(result("0x" + "00" * 500_000))),
    "a terabyte": ("bad-answer", answer_with(b'{"result":"0x', size=10**12)),
    "a negative size": ("bad-answer", answer_with(b"{}", size=-1)),
    "no": ("refused", answer_with(error({"code": -32000, "message": "not\x1b[2J allowed"}))),
    "no with status 401": ("refused", answer_with(error("who are you"), status=401)),
    "no without words": ("refused", answer_with(error({}))),
    "no with a result": ("refused", answer_with(b'{"error":"no","result":"0x02"}')),
    "no HTTP": ("unreachable", lambda handler, _: void(handler.wfile.write(b"hello\r\n\r\n"))),
    "a line without end": ("unreachable", drip(b"HTTP/1.1 200 " + b"x" * 70_000, pause=0)),
    "headers without end": ("unreachable", drip(b"X: y\r\n")),
    "100 without end": ("unreachable", drip(b"HTTP/1.1 100 Continue\r\n\r\n")),
    "silence": ("unreachable", silence),
    "a cut line": ("unreachable", hang_up),
}


def void(_: object) -> None:
    """Take a value and give none."""


@pytest.mark.parametrize(("code", "answer"), NO_ANSWERS.values(), ids=NO_ANSWERS.keys())
def test_what_is_no_answer_is_told_within_the_time(
    server: SignerServer, code: str, answer: Answer
) -> None:
    server.answer = answer
    begun = time.monotonic()

    assert refused(server.url, UnavailableError, timeout_seconds=1.0) == f"signer.{code}"

    assert time.monotonic() - begun < 2.5


def test_a_body_that_drips_is_cut(server: SignerServer) -> None:
    def answer(handler: BaseHTTPRequestHandler, call: Call) -> None:
        handler.send_response(200)
        handler.end_headers()
        drip(b" ")(handler, call)

    server.answer = answer
    begun = time.monotonic()

    assert refused(server.url, UnavailableError, timeout_seconds=1.0).startswith("signer.")

    assert time.monotonic() - begun < 2.5


def test_what_a_signer_says_cannot_move_the_cursor(server: SignerServer) -> None:
    server.answer = answer_with(error({"message": "\x1b[2J" + "x" * 10_000}))

    with pytest.raises(UnavailableError) as caught:
        ask(server.url)

    assert "\x1b" not in caught.value.message
    assert len(caught.value.message) < 400


def test_a_signer_that_is_down_is_named() -> None:
    url = f"http://127.0.0.1:{free_port()}"

    assert refused(url, UnavailableError) == "signer.unreachable"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:9000",
        "ftp://127.0.0.1/",
        "http://",
        "http://signer.example:9000/",
        "http://10.0.0.1/",
        "http://127.0.0.1.example/",
        "https://user:word@signer.example/",
        "https://@signer.example/",
        "https://signer.example/?token=1",
        "https://signer.example/#here",
        "https://signer.example:99999/",
        "https://[::1/",
    ],
)
def test_an_address_that_will_not_do_is_refused(url: str) -> None:
    with pytest.raises(InputError) as caught:
        RemoteSigner(RemoteOptions(url=url, address=ADDRESS))

    assert caught.value.code == "signer.url"


# --- TLS on both sides ---


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "authority")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger")


@pytest.fixture(scope="module")
def secure(authority: Authority) -> Iterator[SignerServer]:
    """A signer that asks who is there."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.path)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(*authority.issue("signer"))
    with serve_signer(context) as running:
        yield running


def test_both_sides_show_who_they_are(secure: SignerServer, authority: Authority) -> None:
    certificate, key = authority.issue("anchorer")

    signed = ask(secure.url, authority=authority.path, certificate=certificate, key=key)

    assert signed.raw == AccountSigner(KEY).sign(FIELDS)


def test_whoever_shows_nothing_gets_nothing(secure: SignerServer, authority: Authority) -> None:
    assert refused(secure.url, UnavailableError, authority=authority.path) == "signer.unreachable"


def test_a_strangers_certificate_gets_nothing(
    secure: SignerServer, authority: Authority, stranger: Authority
) -> None:
    certificate, key = stranger.issue("anchorer")
    options = {"authority": authority.path, "certificate": certificate, "key": key}

    assert refused(secure.url, UnavailableError, **options) == "signer.unreachable"


def test_a_signer_nobody_vouches_for_is_not_asked(
    secure: SignerServer, authority: Authority, stranger: Authority
) -> None:
    certificate, key = authority.issue("anchorer")
    asked = len(secure.calls)
    for trusted in (stranger.path, None):
        options = {"authority": trusted, "certificate": certificate, "key": key}

        assert refused(secure.url, UnavailableError, **options) == "signer.unreachable"

    assert len(secure.calls) == asked


def test_a_signer_of_another_name_is_not_asked(secure: SignerServer, authority: Authority) -> None:
    certificate, key = authority.issue("anchorer")
    url = secure.url.replace("127.0.0.1", "localhost")
    options = {"authority": authority.path, "certificate": certificate, "key": key}

    assert refused(url, UnavailableError, **options) == "signer.unreachable"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_tls_key_that_others_may_read_is_refused(authority: Authority, mode: int) -> None:
    certificate, key = authority.issue(f"anchorer-{mode:o}")
    key.chmod(mode)

    with pytest.raises(InputError) as caught:
        ask("https://127.0.0.1:1", certificate=certificate, key=key)

    assert caught.value.code == "key.file-readable"


def test_pem_files_that_will_not_do_are_refused(
    authority: Authority, stranger: Authority, tmp_path: Path
) -> None:
    certificate, key = authority.issue("anchorer")
    _, other_key = stranger.issue("anchorer")
    junk, none = tmp_path / "junk.pem", tmp_path / "none.pem"
    junk.write_text("junk")
    junk.chmod(0o600)
    cases: list[tuple[str, dict[str, Any]]] = [
        ("signer.certificate", {"certificate": certificate}),
        ("signer.certificate", {"key": key}),
        ("signer.certificate", {"certificate": certificate, "key": other_key}),
        ("signer.certificate", {"certificate": junk, "key": key}),
        ("signer.certificate", {"certificate": certificate, "key": junk}),
        ("signer.certificate", {"authority": junk}),
        ("key.file-missing", {"authority": none}),
        ("key.file-missing", {"certificate": none, "key": key}),
        ("key.file-missing", {"certificate": certificate, "key": none}),
    ]
    for code, files in cases:
        with pytest.raises(EvidenceError) as caught:
            RemoteSigner(RemoteOptions(url="https://127.0.0.1:1", address=ADDRESS, **files))

        assert caught.value.code == code, files
