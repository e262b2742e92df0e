"""The few requests that come by the thousand, past routing and dependency solving.

Calls the very functions that FastAPI routes to, with the same arguments, for
requests whose arguments it can read at a glance. Whatever it is not sure
about, and every error in an argument, is left to FastAPI: so there is one
behaviour, and one description of it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from vermilion_api.gate import Gate, GateLimits
from vermilion_api.http import fault_response, problem_response
from vermilion_api.routes import evidence, submissions, tiles
from vermilion_ledger.errors import EvidenceError

__all__ = ["HotPaths", "open_door"]

_Call = Callable[[Request], Awaitable[Response]]

_RECORD = re.compile(r"/v1/records/(rec_[0-9a-z]{32})\Z", re.ASCII)
_TILE = re.compile(r"/log/tile/([0-9]{1,2}|entries)/([x0-9/.p]{3,40})\Z", re.ASCII)
_WORDS = re.compile(rb"[a-z]{1,20}\Z")
_SECONDS = re.compile(rb"[0-9]{1,4}(?:\.[0-9]{1,6})?\Z")
_FLAGS = {b"true": True, b"false": False}


def open_door(app: FastAPI, limits: GateLimits | None = None) -> ASGIApp:
    """Return what a server serves: the application behind its gate and its hot paths.

    Args:
        app: The whole application, as described.
        limits: What the process holds at once.
    """
    return Gate(HotPaths(app), limits or GateLimits())


class HotPaths:
    """ASGI middleware around a whole application, whose state its functions use."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand the request on untouched."""
        call = _find(scope) if scope["type"] == "http" else None
        if call is None:
            await self._app(scope, receive, send)
            return
        scope["app"] = self._app  # as Starlette would
        request = Request(scope, receive)
        try:
            response = await call(request)
        except EvidenceError as exc:
            response = problem_response(exc, request.headers)
        except ClientDisconnect:
            return
        except Exception as exc:  # noqa: BLE001 - becomes a problem, as in the application
            response = fault_response(exc, request.headers)
        await response(scope, receive, send)


def _find(scope: Scope) -> _Call | None:
    """Return the call that a request stands for; None where FastAPI shall look."""
    path, method = scope["path"], scope["method"]
    if method == "POST":
        if path == "/v1/records":
            return _submission(scope, submissions.register)
        if path == "/v1/records/bulk":
            return _submission(scope, submissions.register_bulk)
    elif method in {"GET", "HEAD"}:
        if match := _TILE.match(path):
            level, place = match.groups()
            if level == "entries":
                return lambda request: tiles.read_entries(request, place)
            return lambda request: tiles.read_tile(request, level, place)
        if path == "/log/checkpoint":
            return tiles.read_checkpoint
        if method == "GET" and (match := _RECORD.match(path)):
            record = match[1]
            return lambda request: evidence.read_record(request, record)
    return None


def _submission(scope: Scope, call: Callable[..., Awaitable[Response]]) -> _Call | None:
    arguments = _arguments(scope["query_string"])
    if arguments is None:
        return None
    for name, value in scope["headers"]:
        if name == b"idempotency-key":
            if "idempotency_key" in arguments:
                return None
            arguments["idempotency_key"] = value.decode("latin-1")
    return lambda request: call(request, **arguments)


def _arguments(query: bytes) -> dict[str, Any] | None:
    """Return a plain query's arguments; None if anything in it is unusual."""
    arguments: dict[str, Any] = {}
    for part in query.split(b"&") if query else ():
        name, _, value = part.partition(b"=")
        if name.decode("latin-1") in arguments:
            return None
        if name == b"wait" and _WORDS.match(value):
            arguments["wait"] = value.decode()
        elif name == b"timeout" and _SECONDS.match(value):
            arguments["timeout"] = float(value)
        elif name == b"proofs" and value in _FLAGS:
            arguments["proofs"] = _FLAGS[value]
        else:
            return None
    return arguments
