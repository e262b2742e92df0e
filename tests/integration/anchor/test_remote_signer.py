"""A remote signer over real HTTP: what it may give, and everything that it may not."""

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
from eth_account import Account

from chain import KEY, OTHER_KEY, Chain, MemoryLog, free_port
from signer_kit import (
    Answer,
    Authority,
    Call,
    SignerServer,
    answer_with,
    serve_signer,
    sign_call,
)
from vermilion_anchor.evm import AccountSigner
from vermilion_anchor.ports import TransactionFields
from vermilion_anchor.remote import RemoteOptions, RemoteSigner
from vermilion_anchor.transactions import SignedTransaction, sign_transaction
from vermilion_ledger.anchor_rows import FinalAnchor, JobState
from vermilion_ledger.errors import (
    EvidenceError,
    InputError,
    SignatureError,
    UnavailableError,
    VerificationError,
)
from vermilion_ledger.evm.rlp import Item, decode_rlp, encode_rlp

ADDRESS = AccountSigner(KEY).address
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
FIELDS = TransactionFields(
    chain_id=31337,
    nonce=7,
    to=b"\x12" * 20,
    data=b"\x34" * 100,
    gas_limit=100_000,
    max_fee=3 * 10**9,
    priority_fee=10**9,
)


@pytest.fixture(scope="module")
def running() -> Iterator[SignerServer]:
    with serve_signer() as server:
        yield server


@pytest.fixture
def server(running: SignerServer) -> SignerServer:
    running.answer = None
    running.calls.clear()
    return running


def ask(url: str, fields: TransactionFields = FIELDS, **options: Any) -> SignedTransaction:
    values: dict[str, Any] = {"address": ADDRESS, "timeout_seconds": 5.0} | options
    return sign_transaction(RemoteSigner(RemoteOptions(url=url, **values)), fields)


def refused(url: str, kind: type[EvidenceError], **options: Any) -> str:
    with pytest.raises(kind) as error:
        ask(url, **options)
    return error.value.code


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


# --- liars: each field, and the signature ---


def members(call: Call) -> list[Item]:
    items = decode_rlp(sign_call(call)[1:], what="transaction")
    assert not isinstance(items, bytes)
    return list(items)


def with_member(number: int, value: Item) -> Callable[[Call], bytes]:
    """Change one member of the finished transaction, signature and all."""

    def lie(call: Call) -> bytes:
        items = members(call)
        items[number] = value
        return b"\x02" + encode_rlp(items)

    return lie


def with_high_s(call: Call) -> bytes:
    items = members(call)
    parity, s = items[9], items[11]
    assert isinstance(s, bytes)
    items[9] = b"" if parity else b"\x01"
    items[11] = (N - int.from_bytes(s, "big")).to_bytes(32, "big").lstrip(b"\0")
    return b"\x02" + encode_rlp(items)


def with_other_parity(call: Call) -> bytes:
    items = members(call)
    items[9] = b"" if items[9] else b"\x01"
    return b"\x02" + encode_rlp(items)


def re_signed(**changes: Any) -> Callable[[Call], bytes]:
    """Another transaction, properly signed with the right key."""
    return lambda call: sign_call(call, **changes)


OTHER_TRANSACTIONS: dict[str, Callable[[Call], bytes]] = {
    "other chain": re_signed(chainId=1),
    "later nonce": re_signed(nonce=8),
    "earlier nonce": re_signed(nonce=0),
    "higher fee": re_signed(maxFeePerGas=3 * 10**9 + 1),
    "lower fee": re_signed(maxFeePerGas=3 * 10**9 - 1),
    "higher tip": re_signed(maxPriorityFeePerGas=3 * 10**9),
    "more gas": re_signed(gas=100_001),
    "less gas": re_signed(gas=99_999),
    "other recipient": re_signed(to=b"\x13" * 20),
    "new contract": re_signed(to=None),
    "some value": re_signed(value=1),
    "other data": re_signed(data="0x" + "34" * 99 + "35"),
    "no data": re_signed(data="0x"),
    "an access list": re_signed(
        accessList=[{"address": "0x" + "12" * 20, "storageKeys": ["0x" + "00" * 32]}]
    ),
    "a type 1 transaction": re_signed(
        type=1, gasPrice=10**9, maxFeePerGas=None, maxPriorityFeePerGas=None
    ),
    "a legacy transaction": re_signed(
        type=None, gasPrice=10**9, maxFeePerGas=None, maxPriorityFeePerGas=None
    ),
    "nonce with a leading zero": with_member(1, b"\0\x07"),
    "nonce as a list": with_member(1, (b"\x07",)),
    "access list as a string": with_member(8, b""),
    "one member less": lambda call: b"\x02" + encode_rlp(members(call)[:-1]),
    "one member more": lambda call: b"\x02" + encode_rlp([*members(call), b""]),
    "no signature": lambda call: b"\x02" + encode_rlp(members(call)[:9]),
    "a byte more": lambda call: sign_call(call) + b"\0",
    "a byte less": lambda call: sign_call(call)[:-1],
    "the type alone": lambda _: b"\x02",
    "nothing": lambda _: b"",
    "no list": lambda _: b"\x02\x83abc",
    "an endless list": lambda _: b"\x02\xff" + b"\xff" * 8,
}
BAD_SIGNATURES: dict[str, tuple[str, Callable[[Call], bytes]]] = {
    "other key": ("signer.other-key", re_signed(key=OTHER_KEY)),
    "other parity": ("signer.other-key", with_other_parity),
    "other r": ("signer.other-key", with_member(10, (1).to_bytes(1, "big"))),
    "other s": ("signer.other-key", with_member(11, b"\x01")),
    "the higher s": ("signer.bad-signature", with_high_s),
    "no s": ("signer.bad-signature", with_member(11, b"")),
    "no r": ("signer.bad-signature", with_member(10, b"")),
    "r too large": ("signer.bad-signature", with_member(10, N.to_bytes(32, "big"))),
    "r of 33 bytes": ("signer.bad-signature", with_member(10, b"\x01" * 33)),
    "r with a leading zero": ("signer.bad-signature", with_member(10, b"\0" + b"\x01" * 31)),
    "r as a list": ("signer.bad-signature", with_member(10, (b"\x01",))),
    "r on no point": ("signer.bad-signature", with_member(10, b"\x05")),
    "parity 27": ("signer.bad-signature", with_member(9, b"\x1b")),
    "parity 2": ("signer.bad-signature", with_member(9, b"\x02")),
}


@pytest.mark.parametrize("lie", OTHER_TRANSACTIONS.values(), ids=OTHER_TRANSACTIONS.keys())
def test_another_transaction_is_refused(server: SignerServer, lie: Callable[[Call], bytes]) -> None:
    server.lie(lie)

    assert refused(server.url, VerificationError) == "signer.other-transaction"


@pytest.mark.parametrize(("code", "lie"), BAD_SIGNATURES.values(), ids=BAD_SIGNATURES.keys())
def test_a_signature_that_is_not_the_address_s_is_refused(
    server: SignerServer, code: str, lie: Callable[[Call], bytes]
) -> None:
    server.lie(lie)

    assert refused(server.url, SignatureError) == code


@pytest.mark.parametrize("key", [b"\x01" * 32, b"\x02" * 32])
def test_a_configured_address_of_another_key_is_refused(server: SignerServer, key: bytes) -> None:
    address = bytes.fromhex(Account.from_key(key).address[2:])

    assert refused(server.url, SignatureError, address=address) == "signer.other-key"


def test_a_lie_is_neither_stored_nor_sent(
    server: SignerServer, chain: Chain, journal: Any, make_anchorer: Callable[..., Any]
) -> None:
    server.lie(re_signed(maxFeePerGas=10**12))
    signer = RemoteSigner(RemoteOptions(url=server.url, address=ADDRESS))
    anchorer = make_anchorer(MemoryLog(9), finality="immediate", signer=signer)
    anchorer.step()
    before = chain.client.nonce(ADDRESS)

    for _ in range(3):
        with pytest.raises(VerificationError):
            anchorer.step()

    job = journal.load_open(chain.target)
    assert (job.state, job.attempts) == (JobState.PLANNED, ())
    assert chain.client.nonce(ADDRESS) == before
    assert chain.rpc("eth_getTransactionCount", "0x" + ADDRESS.hex(), "pending") == hex(before)


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
