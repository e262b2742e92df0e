"""The client against a real HTTP server: lost answers, broken answers, refusals."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from archive_kit import code_of
from bulk_server import BulkServer, serve_bulk
from vermilion_hooks.client import LedgerClient
from vermilion_hooks.entries import Acknowledged, Chunk, Entry, Refused
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.digest import FileIdentity
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    InputError,
    NotFoundError,
    UnavailableError,
    VerificationError,
)

PAUSES = (0.5, 1.0, 2.0, 4.0)


@pytest.fixture
def server() -> Iterator[BulkServer]:
    with serve_bulk() as served:
        yield served


class _Caller:
    """A client whose pauses are written down instead of slept."""

    def __init__(self, url: str, *, timeout_seconds: float = 5.0) -> None:
        self.slept: list[float] = []
        self.client = LedgerClient(
            url, sleep=self.slept.append, timeout_seconds=timeout_seconds, pauses=PAUSES
        )

    def send(self, *names: str, key: str = "k" * 64) -> list[int]:
        with self.client as client:
            answers = client.record_bulk(_chunk(*names, key=key))
        return [each.index for each in answers if isinstance(each, Acknowledged)]


def _chunk(*names: str, key: str = "k" * 64) -> Chunk:
    identity = FileIdentity(device=1, inode=2, size=3, mtime_ns=4)
    return Chunk(
        number=1,
        key=key,
        body=encode_json(
            {"records": [{"name": name, "digest": {"sha256": "00" * 32}} for name in names]}
        ),
        entries=tuple(
            Entry(path=f"/{name}", identity=identity, sha256=bytes(32), hashed_ns=0)
            for name in names
        ),
    )


def test_a_chunk_is_answered_in_order(server: BulkServer) -> None:
    caller = _Caller(server.url)

    assert caller.send("a", "b") == [0, 1]
    assert caller.send("c", key="l" * 64) == [2]
    assert server.names == ["a", "b", "c"]
    assert caller.slept == []


@pytest.mark.parametrize(
    "fault",
    [
        "problem 503 intake.overloaded",
        "problem 429 intake.overloaded",
        "problem 409 idempotency.running",
        "reset before",
        "reset after",
        "cut",
        "html",
        "no index",
    ],
)
@pytest.mark.parametrize("times", [1, 3])
def test_what_passes_is_asked_again_with_the_same_key(
    server: BulkServer, fault: str, times: int
) -> None:
    server.faults = [fault] * times
    caller = _Caller(server.url)

    assert caller.send("a", "b") == [0, 1]
    assert server.names == ["a", "b"]
    assert server.keys == ["k" * 64] * (times + 1)
    assert caller.slept == list(PAUSES[:times])


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("problem 503 store.busy", "store.busy"),
        ("problem 409 idempotency.running", "idempotency.running"),
        ("reset after", "server.unreachable"),
        ("html", "server.answer-malformed"),
        ("no index", "server.not-sequenced"),
    ],
)
def test_what_does_not_pass_is_given_up_without_saying_refused(
    server: BulkServer, fault: str, code: str
) -> None:
    server.faults = [fault] * 10

    with pytest.raises(UnavailableError) as error:
        _Caller(server.url).send("a")

    assert code_of(error) == code
    assert len(server.keys) == len(PAUSES) + 1


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "text.too-long", InputError),
        (404, "record.unknown", NotFoundError),
        (409, "statement.nonce-reused", ConflictError),
        (413, "json.too-large", InputError),
        (422, "grade.refused", VerificationError),
        (401, "token.missing", UnavailableError),
        (403, "token.scope", UnavailableError),
        (422, "idempotency.other-body", UnavailableError),
        (500, "internal.fault", UnavailableError),
        (507, "store.disk-full", UnavailableError),
    ],
)
def test_a_problem_becomes_an_error_with_its_code(
    server: BulkServer, status: int, code: str, kind: type[EvidenceError]
) -> None:
    server.faults = [f"problem {status} {code}"]

    with pytest.raises(EvidenceError) as error:
        _Caller(server.url).send("a")

    assert type(error.value) is kind
    assert error.value.code == code
    assert error.value.message == "told by\\n the server (trace t-1)"
    assert len(server.keys) == 1


ID, OTHER = make_record_id(bytes(32)), make_record_id(b"\x01" * 32)


@pytest.mark.parametrize(
    "fault",
    [
        "body ",
        "body {",
        "body []",
        "body {}",
        'body {"records":{}}',
        'body {"records":[]}',
        f'body {{"records":[{{"record":"{ID}","index":0}}]}}',
        f'body {{"records":[{{"record":"{ID}","index":0}},{{"record":"{ID}","index":1}}]}}',
        f'body {{"records":[{{"record":"{ID}","index":0}},{{"record":"{OTHER}","index":0}}]}}',
        f'body {{"records":[{{"record":"{ID}","index":0}},{{"record":"{OTHER}","index":-1}}]}}',
        f'body {{"records":[{{"record":"{ID}","index":0}},{{"record":"{OTHER}","index":1.5}}]}}',
        f'body {{"records":[{{"record":"{ID}","index":0}},{{"record":"{OTHER}","index":true}}]}}',
        f'body {{"records":[{{"record":"{ID}","index":0}},{{"record":"{OTHER}","index":"1"}}]}}',
        f'body {{"records":[{{"record":"{ID}","index":0}},{{"record":"../x","index":1}}]}}',
        f'body {{"records":[{{"record":"{ID}","index":0}},{{"record":5,"index":1}}]}}',
        f'body {{"records":[{{"record":"{ID}","index":0}},7]}}',
        (
            f'body {{"records":[{{"record":"{ID}","index":0}},'
            f'{{"record":"{OTHER}","refused":{{"code":"NotACode","message":""}}}}]}}'
        ),
        (
            f'body {{"records":[{{"record":"{ID}","index":0}},'
            f'{{"record":"{OTHER}","index":1,"refused":{{"code":"a.b","message":""}}}}]}}'
        ),
        'body {"records":[],"records":[]}',
        "body " + "[" * 100,
        "repeat",
        "redirect",
        "problem 400 NotACode",
    ],
)
def test_an_answer_that_is_not_understood_acknowledges_nothing(
    server: BulkServer, fault: str
) -> None:
    server.faults = [fault]

    with pytest.raises(UnavailableError) as error:
        _Caller(server.url).send("a", "b")

    assert code_of(error) == "server.answer-malformed"


def test_a_refusal_of_one_is_told_beside_the_others(server: BulkServer) -> None:
    server.faults = [
        (
            f'body {{"records":[{{"record":"{ID}","index":7,"sequence":0}},{{"record":"{OTHER}",'
            '"refused":{"code":"policy.not-in-force","message":"none\\u001b[2J"}}],"state":"final"}'
        )
    ]

    with _Caller(server.url).client as client:
        answers = client.record_bulk(_chunk("a", "b"))

    assert answers == (
        Acknowledged(record=ID, index=7),
        Refused(code="policy.not-in-force", message="none\\x1b[2J"),
    )


def test_a_server_that_is_down_is_told_after_the_pauses() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    caller = _Caller(url)

    with pytest.raises(UnavailableError) as error, caller.client as client:
        client.check_alive()

    assert code_of(error) == "server.unreachable"
    assert caller.slept == list(PAUSES)


def test_a_server_that_never_answers_is_given_up(server: BulkServer) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        caller = _Caller(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_seconds=0.05)

        with pytest.raises(UnavailableError) as error, caller.client as client:
            client.check_alive()

    assert code_of(error) == "server.unreachable"


def test_a_server_without_tls_is_no_https_server(server: BulkServer) -> None:
    with pytest.raises(UnavailableError) as error:
        _Caller(server.url.replace("http:", "https:")).send("a")

    assert code_of(error) == "server.unreachable"
    assert server.names == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8460",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "http://",
        "http://user:secret@127.0.0.1",
        "http://127.0.0.1/?a=b",
        "http://127.0.0.1/#a",
        "http://127.0.0.1:port",
        "http://127.0.0.1:99999",
        "http://[::1",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InputError) as error:
        _Caller(url)

    assert code_of(error) == "server.url"


def test_a_known_and_an_unknown_record_are_told_apart(server: BulkServer) -> None:
    caller = _Caller(server.url)
    caller.send("a")

    with caller.client as client:
        client.check_alive()
        assert client.has_record(make_record_id(bytes(32)))
        assert not client.has_record(make_record_id(b"\xff" * 32))
