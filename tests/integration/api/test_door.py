"""The door and the application behind it give the same answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from served import Served, serving, sha256
from vermilion_api.hot import open_door

PAST = {"X-Past-The-Door": "1"}
BODY = {"name": "a.pdf", "digest": {"sha256": sha256("a")}}
UNKNOWN = "rec_" + "0" * 32
FRESH = {"record", "index", "envelope", "trace_id", "checkpoint", "proof"}  # of each submission


def choose(app: FastAPI) -> ASGIApp:
    """Serve through the door, and past it for those who say so."""
    door = open_door(app)

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        is_past = (b"x-past-the-door", b"1") in scope.get("headers", ())
        await (app if is_past else door)(scope, receive, send)

    return run


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("served.open_door", choose)
        with serving(tmp_path_factory.mktemp("both")) as found:
            yield found


def compare(served: Served, method: str, path: str, **request: Any) -> httpx.Response:
    """Ask both; the answers differ in nothing but what is new each time."""
    headers = request.pop("headers", {})
    hot = served.client.request(method, path, headers=headers, **request)
    plain = served.client.request(method, path, headers={**headers, **PAST}, **request)
    assert hot.status_code == plain.status_code
    for response in (hot, plain):
        del response.headers["date"]
    assert _stable(hot) == _stable(plain)
    return hot


def _stable(answer: httpx.Response) -> tuple[Any, Any]:
    headers = dict(answer.headers)
    if not answer.headers.get("content-type", "").endswith("json") or not answer.content:
        return headers, answer.content
    value = answer.json()
    for part in (value, *value.get("records", ())):
        for name in FRESH & part.keys():
            part[name] = type(part[name]).__name__
    headers.pop("content-length")  # an index has more digits than the one before
    return headers, json.dumps(value)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200),
        ("?wait=sequenced", 200),
        ("?wait=published&proofs=true", 200),
        ("?wait=published&proofs=false&timeout=5", 200),
        ("?wait=final&timeout=2", 202),
        ("?wait=sequenced&proofs=true", 400),
        ("?wait=soon", 400),
        ("?timeout=0", 400),
        ("?timeout=601", 400),
        ("?timeout=-1", 400),
        ("?timeout=x", 400),
        ("?proofs=maybe", 400),
        ("?wait=", 400),
        ("?other=1", 200),
    ],
)
@pytest.mark.parametrize("is_bulk", [False, True])
def test_a_submission_is_answered_alike(
    both: Served, query: str, status: int, *, is_bulk: bool
) -> None:
    path, body = ("/bulk", {"records": [BODY] * 3}) if is_bulk else ("", BODY)

    answer = compare(both, "POST", f"/v1/records{path}{query}", json=body)

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("content", "headers", "code"),
    [
        (b'{"name":"a","name":"b","digest":{}}', {}, "json.duplicate-key"),
        (b"{", {}, "json.malformed"),
        (b"", {}, "json.malformed"),
        (json.dumps({**BODY, "grade": "绝密"}).encode(), {}, "grade.refused"),
        (json.dumps({**BODY, "policy": "ab" * 32}).encode(), {}, "policy.not-in-force"),
        (b" " * (96 * 1024 + 1), {}, "request.too-large"),
        (b"x", {"Content-Type": "text/xml"}, "request.media-type"),
        (b"{}", {"Idempotency-Key": "a b"}, "idempotency.key"),
        (b"{", {"Accept-Language": "zh-CN"}, "json.malformed"),
        (b"{", {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"}, "json.malformed"),
    ],
)
def test_a_refusal_is_told_alike(
    both: Served, content: bytes, headers: dict[str, str], code: str
) -> None:
    known = {"Content-Type": "application/json", **headers}

    answer = compare(both, "POST", "/v1/records", content=content, headers=known)

    assert answer.json()["code"] == code


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "path",
    [
        f"/v1/records/{UNKNOWN}",
        "/v1/records/rec_short",
        "/v1/nothing",
        "/v1/records/",
        "/log/checkpoint",
        "/log/checkpoint?x=1",
        "/log/tile/0/000",
        "/log/tile/0/999",
        "/log/tile/64/000",
        "/log/tile/entries/000.p/0",
        "/log/tile/entries/x000/001",
    ],
)
def test_a_question_is_answered_alike(both: Served, method: str, path: str) -> None:
    compare(both, method, path)


def test_a_record_is_read_alike(both: Served) -> None:
    record = both.register("read alike")["record"]

    answer = compare(both, "GET", f"/v1/records/{record}")

    assert answer.json()["record"] == record


def test_an_idempotency_key_holds_on_both_ways(both: Served) -> None:
    key = {"Idempotency-Key": "both-ways"}
    first = both.client.post("/v1/records", json=BODY, headers=key)

    again = both.client.post("/v1/records", json=BODY, headers={**key, **PAST})

    assert again.json() == first.json()
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("past", [{}, PAST])
def test_a_fault_of_ours_is_a_problem_on_both_ways(
    both: Served, monkeypatch: pytest.MonkeyPatch, past: dict[str, str]
) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(both.app.state.front, "describe", fail)

    answer = both.client.get(f"/v1/records/{UNKNOWN}", headers=past)

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "Traceback" not in answer.text
