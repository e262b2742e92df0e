"""From worker threads back into the event loop, many results with one wake-up.

The writer thread settles a whole group of callers after one commit. To wake
the loop for each of them would cost more than their part of the commit.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import Any, TypeVar

__all__ = ["Landing"]

_T = TypeVar("_T")


class Landing:
    """Owned by one event loop; futures may be settled by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._landed: list[tuple[asyncio.Future[Any], Future[Any]]] = []

    async def wait(self, future: Future[_T]) -> _T:
        """Return the result of a future that a thread settles, or raise its exception.

        Whoever stops waiting leaves the work to be finished: a submission that
        was queued is saved.
        """
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[_T] = loop.create_future()

        def land(settled: Future[_T]) -> None:
            with self._lock:
                self._landed.append((waiting, settled))
                is_first = len(self._landed) == 1
            if is_first:  # the others ride along
                loop.call_soon_threadsafe(self._deliver)

        future.add_done_callback(land)
        return await waiting

    def _deliver(self) -> None:
        with self._lock:
            landed, self._landed = self._landed, []
        for waiting, settled in landed:
            if waiting.done():  # its caller is gone
                continue
            if (error := settled.exception()) is not None:
                waiting.set_exception(error)
            else:
                waiting.set_result(settled.result())
