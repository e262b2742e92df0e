"""The FastAPI application: routes, problems and the life of the services.

Errors become problems here and nowhere else. An error that nobody meant gets
a trace id and one line in the server's log, never a traceback to a caller.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vermilion_api import office_schemas, schemas
from vermilion_api.front import Front
from vermilion_api.http import fault_response, problem_response
from vermilion_api.routes import (
    approving,
    evidence,
    health,
    log,
    office,
    page,
    submissions,
    tiles,
)
from vermilion_api.wiring import Ledger, build_services
from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    InputError,
    NotFoundError,
)

__all__ = ["create_app"]

_BODIES = (
    schemas.BulkIn,
    schemas.DraftIn,
    schemas.EnvelopeIn,
    office_schemas.NumberIn,
    office_schemas.RefusalIn,
    office_schemas.VoidIn,
    schemas.Problem,
    schemas.RecordIn,
    schemas.VerifyIn,
)


def create_app(ledger: Ledger | None) -> FastAPI:
    """Return the application; `vermilion_api.hot.open_door` makes it ready to be served.

    Args:
        ledger: What to serve; None only to describe the API.
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
            await services.office.refusals.close()
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
    for module in (submissions, evidence, office, log, tiles, health, page, approving):
        app.include_router(module.router)
    app.add_exception_handler(EvidenceError, _answer_evidence_error)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_middleware(_Guard)
    app.openapi = lambda: _describe(app)  # type: ignore[method-assign]
    return app


class _Guard:
    """Catches what nobody meant, before the server would print its traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, note)
        except ClientDisconnect:
            return
        except Exception as exc:  # noqa: BLE001 - becomes a problem, and a line in the log
            response = fault_response(exc, Headers(scope=scope))
            if not started:
                await response(scope, receive, send)


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
