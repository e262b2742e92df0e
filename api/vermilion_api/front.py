"""What one API process holds between its routes and its services.

Worker threads, reads that many callers share, files kept in memory. Made in
the event loop, when the application starts; closed when it ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from fastapi import Request

from vermilion_api.http import encode
from vermilion_api.requests import parse_bulk, parse_registration
from vermilion_api.services.gathering import Gatherer
from vermilion_api.services.logfiles import LogFiles
from vermilion_api.services.making import Made, MakerProcess, collect
from vermilion_api.wiring import Services
from vermilion_ledger.rows import Submission

__all__ = ["Front", "front_of"]

_READERS = 4  # threads that wait for the store
_MAKERS = 2  # threads that make submissions: one signs while the other writes
_INLINE_BYTES_MAX = 8 * 1024  # a body that costs less to read than to hand to a thread
_HELPED_BYTES_MIN = 64 * 1024  # a body of which a process of its own makes submissions
_CHUNK = 128  # registrations that one thread prepares in a row

_T = TypeVar("_T")


class Front:
    """Owned by one event loop."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._classes = services.settings.record_classes
        self._pool = ThreadPoolExecutor(_READERS, thread_name_prefix="vermilion-read")
        # Of their own, so that a bulk request does not keep readers waiting.
        self._makers = ThreadPoolExecutor(_MAKERS, thread_name_prefix="vermilion-make")
        # Where there are several API processes, they share the processors as it is.
        self._maker = (
            MakerProcess(
                origin=services.settings.origin,
                intake_seed=services.secrets.intake,
                classes=services.settings.record_classes,
            )
            if services.keeper is not None
            else None
        )
        self.files = LogFiles(services.reader, self._pool)
        self._records: Gatherer[str, bytes] = Gatherer(self._read_records, self._pool)

    def close(self) -> None:
        """Wait for what runs, and end the threads and the helper."""
        if self._maker is not None:
            self._maker.close()
        self._makers.shutdown()
        self._pool.shutdown()

    async def in_thread(self, work: Callable[[], _T]) -> _T:
        """Run in a worker thread what would block the loop."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def describe(self, record_id: str) -> bytes:
        """Return the history of a record as JSON.

        Raises:
            NotFoundError: ``record.unknown``.
        """
        return await self._records.ask(record_id)

    async def prepare(self, body: bytes) -> Sequence[Submission]:
        """Return the submission of one registration, from the body of a request.

        Raises:
            EvidenceError: The body is malformed, or what it asks for is refused.
        """
        if len(body) <= _INLINE_BYTES_MAX:
            registration = parse_registration(body, self._classes)
            made = self._services.registrar.prepare(registration)
        else:
            registration = await self.in_thread(lambda: parse_registration(body, self._classes))
            made = await self.in_thread(lambda: self._services.registrar.prepare(registration))
        if not made.is_plain:
            await self._check([made])
        return [made]

    async def prepare_bulk(self, body: bytes) -> Sequence[Submission]:
        """Return the submissions of many registrations, in their order.

        Raises:
            EvidenceError: The body is malformed, or what it asks for is refused.
        """
        made = None
        if self._maker is not None and len(body) >= _HELPED_BYTES_MIN:
            made = await self._maker.make(body)
        if made is None:
            made = await self._make_bulk(body)
        await self._check(made.policies.values())
        return made.submissions

    async def _make_bulk(self, body: bytes) -> Made:
        loop, registrar = asyncio.get_running_loop(), self._services.registrar
        registrations = await loop.run_in_executor(self._makers, parse_bulk, body, self._classes)
        chunks = await asyncio.gather(
            *(
                loop.run_in_executor(
                    self._makers, registrar.prepare_all, registrations[start : start + _CHUNK]
                )
                for start in range(0, len(registrations), _CHUNK)
            )
        )
        return collect(registrations, [each for chunk in chunks for each in chunk])

    async def _check(self, submissions: Iterable[Submission]) -> None:
        """Check submissions that name a policy as the sequencer will."""
        for submission in submissions:
            await self.in_thread(partial(self._services.statements.check_new, submission))

    def _read_records(self, record_ids: Sequence[str]) -> list[bytes | Exception]:
        services = self._services
        found = services.records.describe_all(record_ids, services.progress.standing())
        return [each if isinstance(each, Exception) else encode(each) for each in found]


def front_of(request: Request) -> Front:
    """Return the front of this process."""
    front: Front = request.app.state.front
    return front
