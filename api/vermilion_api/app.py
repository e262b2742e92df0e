"""The FastAPI application: routes, problems and the life of the services.

Errors become problems here and nowhere else. An error that nobody meant gets
a trace id and one line in the server's log, never a traceback to a caller.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from vermilion_api import schemas
from vermilion_api.front import Front
from vermilion_api.gate import Gate, GateLimits
from vermilion_api.hot import HotPaths
from vermilion_api.http import problem_response, trace_of
from vermilion_api.routes import evidence, health, log, submissions, tiles
from vermilion_api.wiring import Ledger, build_services
from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    InputError,
    IntegrityError,
    NotFoundError,
)

__all__ = ["create_app"]

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_BODIES = (
    schemas.BulkIn,
    schemas.DraftIn,
    schemas.EnvelopeIn,
    schemas.Problem,
    schemas.RecordIn,
    schemas.VerifyIn,
)


def create_app(
    ledger: Ledger | None, *, limits: GateLimits | None = None, is_hot: bool = True
) -> FastAPI:
    """Return the application.

    Args:
        ledger: What to serve; None only to describe the API.
        limits: What the process holds at once.
        is_hot: Whether the most frequent requests go past FastAPI's routing;
            the answers are the same.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if ledger is None:
            yield
            return
        services = build_services(ledger)
        app.state.services = services
        app.state.front = Front(services)
        if services.keeper is not None:
            services.keeper.start()
        services.intake.start()
        poller = asyncio.create_task(services.waiter.run())
        try:
            yield
        finally:
            poller.cancel()
            with suppress(asyncio.CancelledError):
                await poller
            # Saves and answers what is queued.
            await asyncio.to_thread(services.intake.close)
            if services.keeper is not None:
                await asyncio.to_thread(services.keeper.close)
            await asyncio.to_thread(app.state.front.close)
            ledger.database.close()

    app = FastAPI(
        title="Vermilion",
        version="1",
        summary="A blockchain-anchored evidence ledger for official documents",
        lifespan=lifespan,
        docs_url=None,  # the page would fetch its scripts from a stranger's server
        redoc_url=None,
    )
    for module in (submissions, evidence, log, tiles, health):
        app.include_router(module.router)
    app.add_exception_handler(EvidenceError, _answer_evidence_error)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)
    app.add_exception_handler(HTTPException, _answer_http_error)
    # The last one added is asked first.
    if is_hot:
        app.add_middleware(HotPaths)
    app.add_middleware(Gate, limits=limits or GateLimits())
    app.add_middleware(_Guard)
    app.openapi = lambda: _describe(app)  # type: ignore[method-assign]
    return app


class _Guard:
    """Catches what nobody meant, before the server would print its traceback."""

    def __init__(self, app: Callable[[_Scope, _Receive, _Send], Awaitable[None]]) -> None:
        self._app = app
        self._logger = logging.getLogger("vermilion_api")

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def note(message: MutableMapping[str, Any]) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, note)
        except ClientDisconnect:
            return
        except Exception as exc:
            headers = Headers(scope=scope)
            trace = trace_of(headers)
            is_debug = os.environ.get("VERMILION_DEBUG") == "1"
            self._logger.error(  # noqa: TRY400 - the traceback is for those who ask for it
                "internal error %s: %s", trace, type(exc).__name__, exc_info=is_debug
            )
            if started:
                return
            known = {"accept-language": headers.get("accept-language", "")}
            known["traceparent"] = f"00-{trace}-{'0' * 16}-00"
            error = IntegrityError("internal", f"{type(exc).__name__} in the ledger")
            await problem_response(error, known)(scope, receive, send)


async def _answer_evidence_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, EvidenceError)  # noqa: S101 - registered for it
    return problem_response(exc, request.headers)


async def _answer_validation_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)  # noqa: S101 - registered for it
    first = exc.errors()[0] if exc.errors() else {"loc": (), "msg": "malformed"}
    where = ".".join(str(part) for part in first["loc"])
    error = InputError("request.malformed", f"{where}: {first['msg']}")
    return problem_response(error, request.headers)


async def _answer_http_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)  # noqa: S101 - registered for it
    error: EvidenceError = InputError("request.malformed", str(exc.detail))
    if exc.status_code == 404:
        error = NotFoundError("request.no-route", f"nothing is at {request.url.path[:80]!a}")
    elif exc.status_code == 405:
        error = ConflictError("request.method", f"{request.method} is not for this address")
    return problem_response(error, request.headers, status=exc.status_code)


def _describe(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with the shapes of bodies that are read by hand."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, summary=app.summary, routes=app.routes
        )
        known = document.setdefault("components", {}).setdefault("schemas", {})
        for model in _BODIES:
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            for name, inner in schema.pop("$defs", {}).items():
                known.setdefault(name, inner)
            known.setdefault(model.__name__, schema)
        app.openapi_schema = document
    return app.openapi_schema
