"""Whatever is unusual in a request is left to FastAPI; the rest goes to the same functions."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from vermilion_api.hot import HotPaths

RECORD = "/v1/records/rec_" + "0" * 32


def is_handed_on(
    method: str, path: str, query: bytes = b"", headers: tuple[tuple[bytes, bytes], ...] = ()
) -> bool:
    """Whether the application behind is asked; it is never really there."""
    asked = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["path"])

    async def nothing() -> Message:
        return {"type": "http.disconnect"}

    async def drop(message: Message) -> None:
        pass

    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query,
        "headers": headers,
    }
    application: Any = app
    application.state = None  # a call that is not handed on finds no services, and is a fault
    asyncio.run(HotPaths(application)(scope, nothing, drop))
    return bool(asked)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/records"),
        ("POST", "/v1/records/"),
        ("POST", f"{RECORD}/events"),
        ("POST", f"{RECORD}/statements"),
        ("PUT", "/v1/records"),
        ("HEAD", "/v1/records"),
        ("HEAD", RECORD),
        ("DELETE", RECORD),
        ("GET", f"{RECORD}/"),
        ("GET", f"{RECORD}/bundle"),
        ("GET", f"{RECORD}0"),
        ("GET", "/v1/records/rec_short"),
        ("GET", "/v1/records/REC_" + "0" * 32),
        ("GET", f"{RECORD}\n"),
        ("POST", "/log/checkpoint"),
        ("GET", "/log/checkpoint/"),
        ("GET", "/log/tile/abc/000"),
        ("GET", "/log/tile/000/000"),
        ("GET", "/log/tile/0/00"),
        ("GET", "/log/tile/0/000\n"),
        ("GET", "/log/tile/0/" + "x000/" * 9 + "000"),
        ("GET", "/livez"),
        ("OPTIONS", "/v1/records"),
    ],
)
def test_another_path_or_method_is_handed_on(method: str, path: str) -> None:
    assert is_handed_on(method, path)


@pytest.mark.parametrize(
    "query",
    [
        b"wait",
        b"wait=",
        b"wait=Published",
        b"wait=published&wait=final",
        b"wait=published&",
        b"&",
        b"wait=%70ublished",
        b"timeout=",
        b"timeout=-1",
        b"timeout=1e3",
        b"timeout=nan",
        b"timeout=12345",
        b"timeout=1.",
        b"proofs=1",
        b"proofs=True",
        b"proofs",
        b"other=1",
        b"wait=published\n",
    ],
)
def test_an_unusual_query_is_handed_on(query: bytes) -> None:
    assert is_handed_on("POST", "/v1/records", query)
    assert is_handed_on("POST", "/v1/records/bulk", query)


def test_two_idempotency_keys_are_handed_on() -> None:
    twice = ((b"idempotency-key", b"a"), (b"idempotency-key", b"b"))

    assert is_handed_on("POST", "/v1/records", headers=twice)


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("POST", "/v1/records", b""),
        ("POST", "/v1/records", b"wait=sequenced"),
        ("POST", "/v1/records/bulk", b"timeout=0.5&proofs=true&wait=final"),
        ("GET", RECORD, b""),
        ("GET", RECORD, b"what=ever"),
        ("GET", "/log/checkpoint", b""),
        ("HEAD", "/log/checkpoint", b""),
        ("GET", "/log/tile/0/000", b""),
        ("HEAD", "/log/tile/entries/x001/x234/067.p/8", b""),
    ],
)
def test_what_comes_by_the_thousand_is_not(method: str, path: str, query: bytes) -> None:
    assert not is_handed_on(method, path, query)
