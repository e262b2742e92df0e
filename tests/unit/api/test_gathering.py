"""One read for many: nobody is told what was true before they asked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from vermilion_api.services.gathering import Gatherer
from vermilion_ledger.errors import NotFoundError

_T = TypeVar("_T")


class Source:
    """Answers with the question; a test may hold a read up."""

    def __init__(self) -> None:
        self.reads: list[list[int]] = []
        self.has_begun = threading.Event()
        self.is_open = threading.Event()
        self.is_open.set()
        self.is_broken = False

    def read(self, questions: Sequence[int]) -> list[int | Exception]:
        self.reads.append(list(questions))
        self.has_begun.set()
        assert self.is_open.wait(10)
        if self.is_broken:
            raise ZeroDivisionError
        return [NotFoundError("x.y", "odd") if each % 2 else each * 10 for each in questions]


def run(
    source: Source, act: Callable[[Gatherer[int, int]], Awaitable[_T]], *, count_max: int = 64
) -> _T:
    async def main() -> _T:
        with ThreadPoolExecutor(2) as pool:
            return await act(Gatherer(source.read, pool, count_max=count_max))

    return asyncio.run(main())


async def ask_while_reading(source: Source, gatherer: Gatherer[int, int]) -> list[int]:
    """Ask 0; while that is being read, ask 2, 4 and 6."""
    source.is_open.clear()
    first = asyncio.create_task(gatherer.ask(0))
    await asyncio.to_thread(source.has_begun.wait)
    later = [asyncio.create_task(gatherer.ask(each)) for each in (2, 4, 6)]
    await asyncio.sleep(0.01)
    source.is_open.set()
    return [await first, *[await each for each in later]]


def test_what_is_asked_while_a_read_runs_shares_the_next() -> None:
    source = Source()

    answers = run(source, lambda gatherer: ask_while_reading(source, gatherer))

    assert answers == [0, 20, 40, 60]
    assert source.reads == [[0], [2, 4, 6]]


def test_a_read_answers_no_more_than_its_bound() -> None:
    source = Source()

    run(source, lambda gatherer: ask_while_reading(source, gatherer), count_max=2)

    assert source.reads == [[0], [2, 4], [6]]


def test_an_error_is_raised_for_who_asked_and_for_nobody_else() -> None:
    async def act(gatherer: Gatherer[int, int]) -> list[int | BaseException]:
        calls = [gatherer.ask(each) for each in (1, 2, 3)]
        return await asyncio.gather(*calls, return_exceptions=True)

    found = run(Source(), act)

    assert [getattr(each, "code", each) for each in found] == ["x.y", 20, "x.y"]


def test_a_read_that_fails_is_told_to_all_and_does_not_end_the_reading() -> None:
    source = Source()
    source.is_broken = True

    async def act(gatherer: Gatherer[int, int]) -> int:
        calls = [gatherer.ask(each) for each in (2, 4)]
        failed = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(each) for each in failed] == [ZeroDivisionError] * 2
        source.is_broken = False
        return await gatherer.ask(6)

    assert run(source, act) == 60


def test_who_does_not_wait_any_more_spoils_nothing_for_others() -> None:
    source = Source()

    async def act(gatherer: Gatherer[int, int]) -> int:
        source.is_open.clear()
        gone = asyncio.create_task(gatherer.ask(2))
        await asyncio.to_thread(source.has_begun.wait)
        stays = asyncio.create_task(gatherer.ask(4))
        gone.cancel()
        source.is_open.set()
        with pytest.raises(asyncio.CancelledError):
            await gone
        return await stays

    assert run(source, act) == 40
