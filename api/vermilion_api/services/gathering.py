"""One read for many callers: what is asked while a read runs shares the next.

The same idea as group commit. A read starts after every question that it
answers, so that nobody is told what was true before they asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeVar

__all__ = ["Gatherer"]

_K = TypeVar("_K")
_V = TypeVar("_V")


class Gatherer(Generic[_K, _V]):
    """Owned by one event loop.

    Args:
        read: Answers questions, in order, in a worker thread; an exception in
            place of an answer is raised for whoever asked.
        pool: Where it runs.
        count_max: Questions of one read.
    """

    def __init__(
        self,
        read: Callable[[Sequence[_K]], Sequence[_V | Exception]],
        pool: Executor,
        *,
        count_max: int = 64,
    ) -> None:
        self._read = read
        self._pool = pool
        self._count_max = count_max
        self._waiting: list[tuple[_K, asyncio.Future[_V]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, question: _K) -> _V:
        """Return the answer to a question, from a read that starts after this call."""
        answer: asyncio.Future[_V] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                group = self._waiting[: self._count_max]
                del self._waiting[: self._count_max]
                questions = [question for question, _ in group]
                try:
                    answers = await loop.run_in_executor(self._pool, self._read, questions)
                except Exception as exc:  # noqa: BLE001 - told to everybody who asked
                    answers = [exc] * len(group)
                _tell(group, answers)
        finally:
            self._task = None


def _tell(
    group: Sequence[tuple[_K, asyncio.Future[_V]]], answers: Sequence[_V | Exception]
) -> None:
    for (_, future), answer in zip(group, answers, strict=True):
        if future.done():  # whoever asked is gone
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
