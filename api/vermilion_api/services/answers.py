"""Idempotency keys: the same request again gets the first answer again.

The key is stored in the transaction that stores the submissions, so that a
repeated request finds them even if the process died before it answered.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vermilion_ledger.errors import ConflictError, InputError, UnavailableError
from vermilion_ledger.ports import Clock
from vermilion_ledger.rows import Idempotency

__all__ = ["Answer", "AnswerBook", "Kept", "ResponseStore"]

_KEY = re.compile(r"[\x21-\x7e]{1,255}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer to a submission.

    Attributes:
        is_last: Whether a repeated request shall get it word for word. What
            was told when the time was up is not the last word.
        is_replayed: Whether this is the first answer, told again.
    """

    status: int
    body: bytes
    media_type: str = "application/json"
    is_last: bool = True
    is_replayed: bool = False


class Kept(Protocol):
    """What is known under a key."""

    @property
    def request_hash(self) -> bytes:
        """Of the request that came first."""
        ...

    @property
    def status(self) -> int | None:
        """HTTP status answered, or None."""
        ...

    @property
    def body(self) -> bytes | None:
        """Bytes answered, or None."""
        ...


class ResponseStore(Protocol):
    """Keeps answers; insert-only."""

    def load(self, key: str) -> Kept | None:
        """Return what is known under a key."""
        ...

    def save(self, key: str, *, status: int, body: bytes, created_at: datetime) -> None:
        """Keep an answer; durable on return."""
        ...


class AnswerBook:
    """Answers requests once. Owned by one event loop."""

    def __init__(self, store: ResponseStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._running: set[str] = set()

    async def answer(
        self,
        key: str | None,
        request: tuple[str, str, bytes],
        run: Callable[[Idempotency | None], Awaitable[Answer]],
    ) -> Answer:
        """Answer a request, or repeat its first answer.

        Args:
            key: The ``Idempotency-Key`` header, if any.
            request: Method, path and body.
            run: Does the work, storing what it is given with the submissions.

        Raises:
            InputError: ``idempotency.key``.
            ConflictError: ``idempotency.other-body`` or ``idempotency.running``.
        """
        if key is None:
            return await run(None)
        if not _KEY.match(key):
            raise InputError("idempotency.key", "the key is not 1 to 255 visible ASCII characters")
        if key in self._running:
            raise ConflictError("idempotency.running", "the first request of this key still runs")
        self._running.add(key)
        try:
            return await self._answer(key, _hash(request), run)
        finally:
            self._running.discard(key)

    async def is_known(self, key: str) -> bool:
        """Tell whether the submissions of a key are saved, whatever was answered."""
        return await asyncio.to_thread(self._store.load, key) is not None

    async def _answer(
        self,
        key: str,
        request_hash: bytes,
        run: Callable[[Idempotency | None], Awaitable[Answer]],
    ) -> Answer:
        kept = await asyncio.to_thread(self._store.load, key)
        if kept is not None and kept.request_hash != request_hash:
            raise ConflictError(
                "idempotency.other-body", "the idempotency key belongs to another request"
            )
        if kept is not None and kept.status is not None and kept.body is not None:
            media = "application/json" if kept.status < 400 else "application/problem+json"
            return Answer(status=kept.status, body=kept.body, media_type=media, is_replayed=True)
        answer = await run(Idempotency(key=key, request_hash=request_hash))
        if answer.is_last:
            # What is answered is durable already; without this row it is derived again.
            with suppress(UnavailableError):
                await asyncio.to_thread(
                    self._store.save,
                    key,
                    status=answer.status,
                    body=answer.body,
                    created_at=self._clock(),
                )
        return answer


def _hash(request: tuple[str, str, bytes]) -> bytes:
    """Hash a request; the query is not part of it, as a retry may wait longer."""
    method, path, body = request
    return hashlib.sha256(f"{method} {path}\n".encode() + body).digest()
