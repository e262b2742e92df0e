"""Back-pressure at the door: what a process cannot hold is refused before it is read.

Requests in flight and the bytes of their bodies are bounded, so that memory
stays flat whatever comes in. Who is refused gets 503 with ``Retry-After`` at
once, and the body is not kept. Health pages are always let in.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vermilion_api.http import problem_response
from vermilion_ledger.errors import UnavailableError

__all__ = ["Gate", "GateLimits"]

_ALWAYS = frozenset({"/livez", "/readyz", "/metrics"})


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLimits:
    """Bounds of one process.

    Attributes:
        requests_max: Requests in flight; most of them wait for a commit.
        bytes_max: Body bytes of all requests in flight.
    """

    requests_max: int = 2048
    bytes_max: int = 64 * 1024 * 1024


class Gate:
    """ASGI middleware, owned by one event loop."""

    def __init__(self, app: ASGIApp, limits: GateLimits) -> None:
        self._app = app
        self._limits = limits
        self._requests = 0
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it."""
        if scope["type"] != "http" or scope["path"] in _ALWAYS:
            await self._app(scope, receive, send)
            return
        try:
            self._check_in(scope)
        except UnavailableError as exc:
            await problem_response(exc, Headers(scope=scope))(scope, receive, send)
            return
        self._requests += 1
        try:
            if scope["method"] in {"GET", "HEAD"}:
                await self._app(scope, receive, send)
            else:
                await self._pass_body(scope, receive, send)
        finally:
            self._requests -= 1

    def _check_in(self, scope: Scope) -> None:
        if self._requests >= self._limits.requests_max:
            raise UnavailableError(
                "serve.overloaded", f"{self._requests} requests are in flight already"
            )
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit():
                self._check_bytes(int(value))

    def _check_bytes(self, more: int, own: int = 0) -> None:
        # A body is bounded by its route, too; while it is the only one it is let in.
        if self._bytes > own and self._bytes + more > self._limits.bytes_max:
            raise UnavailableError(
                "serve.overloaded", f"{self._bytes} bytes of requests are held already"
            )

    async def _pass_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count a body as it comes in: what was only announced takes no room from others."""
        held = 0

        async def count() -> Message:
            nonlocal held
            message = await receive()
            size = len(message.get("body", b""))
            self._check_bytes(size, held)
            held += size
            self._bytes += size
            return message

        try:
            await self._app(scope, count, send)
        finally:
            self._bytes -= held
