"""Waiting until submissions got where their callers want them.

One task per process polls for everybody, so that a thousand waiting callers
cost one query a round, not a thousand. What is told is read from the store
after the commit that made it so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

from vermilion_ledger.errors import EvidenceError, InputError
from vermilion_ledger.rows import SubmissionState

__all__ = ["Outcome", "ProgressSource", "Stage", "Standing", "Waiter", "parse_stage"]

_PAUSES = (0.02, 0.02, 0.2)  # seconds: for an index, for a checkpoint, for the chain
_RETRY_SECONDS = 0.5
_ASK_WHOLE_MAX = 64  # submissions of one caller


class Stage(IntEnum):
    """How far an entry has come; later stages include the earlier ones."""

    PENDING = 0
    SEQUENCED = 1
    PUBLISHED = 2
    ANCHORED = 3
    FINAL = 4

    @property
    def word(self) -> str:
        """The stage as it stands in answers."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Tree sizes: an entry has reached a stage if its index is below the stage's size."""

    published: int
    anchored: int
    final: int

    def stage_of(self, index: int) -> Stage:
        """Return how far the entry at an index has come."""
        if index < self.final:
            return Stage.FINAL
        if index < self.anchored:
            return Stage.ANCHORED
        return Stage.PUBLISHED if index < self.published else Stage.SEQUENCED


class ProgressSource(Protocol):
    """What the waiter looks at; called in worker threads."""

    def states(self, positions: Sequence[int]) -> Mapping[int, SubmissionState]:
        """Return where submissions stand, with one read."""
        ...

    def standing(self) -> Standing:
        """Return how far the log has come."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Where a group of submissions stands when the waiting ends.

    Attributes:
        states: By position.
        stage: The least stage of those that were not refused.
    """

    states: Mapping[int, SubmissionState]
    stage: Stage


@dataclass(slots=True, eq=False)
class _Caller:
    """Who waits.

    Attributes:
        open: Positions of which nothing is known yet, in order.
        top: Largest index of the known ones, -1 while there is none.
    """

    open: list[int]
    goal: Stage
    future: asyncio.Future[Outcome]
    states: dict[int, SubmissionState] = field(default_factory=dict)
    top: int = -1
    stage: Stage = Stage.PENDING

    def settle(self, found: Iterable[SubmissionState]) -> None:
        """Note what became of submissions."""
        for state in found:
            self.states[state.position] = state
            self.top = max(self.top, -1 if state.index is None else state.index)
        self.open = [each for each in self.open if each not in self.states]
        if not self.open:
            self.stage = max(self.stage, Stage.SEQUENCED)

    def outcome(self) -> Outcome:
        # Of those that were all refused there is nothing to wait for.
        stage = self.goal if not self.open and self.top < 0 else self.stage
        return Outcome(states=self.states, stage=stage)


def parse_stage(word: str) -> Stage:
    """Read a ``wait`` parameter.

    Raises:
        InputError: ``request.wait``.
    """
    stage = Stage.__members__.get(word.upper())
    if stage is None or stage is Stage.PENDING or stage.word != word:
        words = [each.word for each in Stage if each is not Stage.PENDING]
        raise InputError("request.wait", f"wait is one of {', '.join(words)}, not {word[:40]!a}")
    return stage


class Waiter:
    """Owned by one event loop; `run` is its one polling task."""

    def __init__(self, source: ProgressSource) -> None:
        self._source = source
        self._callers: set[_Caller] = set()
        self._wake = asyncio.Event()
        self._logger = logging.getLogger(__name__)

    async def wait(
        self,
        positions: Sequence[int],
        goal: Stage,
        *,
        timeout_seconds: float,
        known: Iterable[SubmissionState] = (),
    ) -> Outcome:
        """Return when every submission reached the goal or was refused, or time is up.

        Args:
            positions: Of the submissions.
            goal: How far they shall come.
            timeout_seconds: How long to wait at most.
            known: What is known of them already, so that nobody need look.
        """
        settled = {each.position: each for each in known if each.state != "pending"}
        if goal <= Stage.SEQUENCED and settled.keys() >= set(positions):
            return Outcome(states=settled, stage=Stage.SEQUENCED)
        caller = _Caller(
            open=list(dict.fromkeys(positions)),
            goal=goal,
            future=asyncio.get_running_loop().create_future(),
        )
        caller.settle(settled.values())
        if not caller.open and caller.top < 0:
            return caller.outcome()
        self._callers.add(caller)
        self._wake.set()
        try:
            return await asyncio.wait_for(asyncio.shield(caller.future), timeout_seconds)
        except TimeoutError:
            return caller.outcome()
        finally:
            self._callers.discard(caller)

    async def run(self) -> None:
        """Poll as long as somebody waits, until cancelled."""
        while True:
            self._wake.clear()
            if not self._callers:
                await self._wake.wait()
            callers = list(self._callers)
            try:
                await self._look(callers)
            except EvidenceError as exc:
                self._logger.warning("waiting for the store: %s: %s", exc.code, exc)
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            # Never without a pause; but who comes next does not wait for those
            # who wait for the chain.
            await asyncio.sleep(_PAUSES[0])
            with suppress(TimeoutError):
                async with asyncio.timeout(_pause(self._callers)):
                    await self._wake.wait()

    async def _look(self, callers: Sequence[_Caller]) -> None:
        """Ask for small groups whole; for large ones only once their last one is settled.

        The sequencer goes in order of arrival, so that the last of a group
        tells of the others, and a bulk request does not cost a large query
        again and again.
        """
        asking = [caller for caller in callers if caller.open]
        await self._ask(asking, lambda ids: ids if len(ids) <= _ASK_WHOLE_MAX else ids[-1:])
        await self._ask([each for each in asking if each.states and each.open], lambda ids: ids)
        settled = [caller for caller in callers if not caller.open]
        for caller in settled:
            if caller.goal <= Stage.SEQUENCED and not caller.future.done():
                caller.future.set_result(caller.outcome())
        settled = [caller for caller in settled if not caller.future.done()]
        if not settled:
            return
        standing = await asyncio.to_thread(self._source.standing)
        for caller in settled:
            if caller.top >= 0:
                caller.stage = standing.stage_of(caller.top)
            outcome = caller.outcome()
            if outcome.stage >= caller.goal and not caller.future.done():
                caller.future.set_result(outcome)

    async def _ask(
        self, callers: Sequence[_Caller], choose: Callable[[list[int]], list[int]]
    ) -> None:
        asked = [each for caller in callers for each in choose(caller.open)]
        if not asked:
            return
        found = await asyncio.to_thread(self._source.states, asked)
        settled = {key: state for key, state in found.items() if state.state != "pending"}
        for caller in callers:
            caller.settle(settled[each] for each in caller.open if each in settled)


def _pause(callers: set[_Caller]) -> float:
    """Return how long to pause beyond the shortest pause."""
    waiting = [caller for caller in callers if not caller.future.done()]
    if any(caller.open for caller in waiting):
        return 0.0
    return _PAUSES[1] if any(c.goal <= Stage.PUBLISHED for c in waiting) else _PAUSES[2]
