"""What a process cannot hold is refused before it is read, and room is given back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from vermilion_api.gate import Gate, GateLimits
from vermilion_ledger.errors import UnavailableError

LIMITS = GateLimits(requests_max=2, bytes_max=1000)


class Application:
    """Reads the body whole, then waits until the test lets it end."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.bodies: list[int] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        size, more = 0, scope["method"] == "POST"
        while more:
            message = await receive()
            size += len(message["body"])
            more = message["more_body"]
        self.bodies.append(size)
        await self.may_end.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


class Call:
    """A request and its answer."""

    def __init__(self, *parts: int, path: str = "/v1/records", announced: bool = True) -> None:
        self.sent: list[Message] = []
        self.taken = 0
        self._parts = list(parts)
        headers = [(b"content-length", str(sum(parts)).encode())] if announced else []
        method = "POST" if parts else "GET"
        self.scope = {"type": "http", "method": method, "path": path, "headers": headers}

    async def receive(self) -> Message:
        self.taken += 1
        body = b"x" * self._parts.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(self._parts)}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    def start(self, gate: Gate) -> asyncio.Task[None]:
        async def run() -> None:
            await gate(self.scope, self.receive, self.send)

        return asyncio.create_task(run())

    @property
    def status(self) -> int | None:
        return self.sent[0]["status"] if self.sent else None


def run(act: Callable[[Gate, Application], Awaitable[Any]]) -> None:
    async def main() -> None:
        application = Application()
        await act(Gate(application, LIMITS), application)

    asyncio.run(main())


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_one_request_too_many_is_refused_with_the_time_to_come_back() -> None:
    async def act(gate: Gate, application: Application) -> None:
        held = [Call().start(gate) for _ in range(2)]
        await settle()

        late = Call()
        await late.start(gate)

        assert late.status == 503
        headers = dict(late.sent[0]["headers"])
        assert headers[b"retry-after"] == b"2"
        assert headers[b"content-type"] == b"application/problem+json"
        found = json.loads(late.sent[1]["body"])
        assert found["code"] == "serve.overloaded"
        assert found["hint"]
        application.may_end.set()
        await asyncio.gather(*held)

    run(act)


def test_room_is_given_back() -> None:
    async def act(gate: Gate, application: Application) -> None:
        application.may_end.set()
        calls = [Call(900) for _ in range(10)]
        for call in calls:
            await call.start(gate)

        assert [call.status for call in calls] == [200] * 10

    run(act)


def test_room_is_given_back_after_an_error() -> None:
    async def main() -> None:
        async def fail(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            raise ZeroDivisionError

        gate = Gate(fail, LIMITS)
        for _ in range(5):
            with pytest.raises(ZeroDivisionError):
                await Call(900).start(gate)

    asyncio.run(main())


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
def test_health_is_told_however_full_it_is(path: str) -> None:
    async def act(gate: Gate, application: Application) -> None:
        held = [Call().start(gate) for _ in range(2)]
        await settle()
        health = Call(path=path)
        asked = health.start(gate)
        application.may_end.set()
        await asyncio.gather(*held, asked)

        assert health.status == 200

    run(act)


def test_an_announced_body_that_does_not_fit_is_refused_unread() -> None:
    async def act(gate: Gate, application: Application) -> None:
        held = Call(600).start(gate)
        await settle()

        late = Call(500)
        await late.start(gate)

        assert (late.status, late.taken) == (503, 0)
        application.may_end.set()
        await held

    run(act)


def test_a_body_that_fits_beside_another_is_let_in() -> None:
    async def act(gate: Gate, application: Application) -> None:
        held = Call(600).start(gate)
        await settle()
        call = Call(400)
        other = call.start(gate)
        application.may_end.set()
        await asyncio.gather(held, other)

        assert call.status == 200

    run(act)


def test_what_is_only_announced_takes_no_room() -> None:
    async def act(gate: Gate, application: Application) -> None:
        silent = Call(900)
        never = asyncio.Event()

        async def wait() -> Message:
            await never.wait()
            raise AssertionError

        async def run_silent() -> None:
            await gate(silent.scope, wait, silent.send)

        slow = asyncio.create_task(run_silent())
        await settle()
        application.may_end.set()
        call = Call(900)
        await call.start(gate)

        assert call.status == 200
        slow.cancel()

    run(act)


def test_a_body_that_announces_nothing_is_cut_off_where_it_does_not_fit() -> None:
    async def act(gate: Gate, application: Application) -> None:
        held = Call(600).start(gate)
        await settle()

        call = Call(100, 100, 100, 200, 200, announced=False)
        with pytest.raises(UnavailableError) as caught:
            await call.start(gate)

        assert (caught.value.code, call.taken) == ("serve.overloaded", 4)
        application.may_end.set()
        await held

    run(act)


def test_a_body_larger_than_the_bound_is_its_routes_business_when_it_is_alone() -> None:
    async def act(gate: Gate, application: Application) -> None:
        application.may_end.set()
        call = Call(3000, 2000)
        await call.start(gate)

        assert (call.status, application.bodies) == (200, [5000])

    run(act)


def test_what_is_no_request_passes() -> None:
    async def main() -> None:
        seen = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(scope["type"])

        gate = Gate(app, GateLimits(requests_max=0))
        call = Call()
        await gate({"type": "lifespan"}, call.receive, call.send)
        assert seen == ["lifespan"]

    asyncio.run(main())
