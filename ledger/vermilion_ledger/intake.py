"""Group commit: concurrent submissions share one transaction.

One writer thread takes whatever queued up while its last commit ran, waits a
little for company as long as company keeps coming, and saves all with one
commit. A caller's future is resolved only after that commit: a result means
durable (DESIGN section 1, rule 2). Behind the store is either the queue of a
sequencer, or the sequencer itself.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

from vermilion_ledger.errors import (
    EvidenceError,
    InputError,
    IntegrityError,
    LimitError,
    UnavailableError,
)
from vermilion_ledger.ports import IntakeStore
from vermilion_ledger.rows import Accepted, Idempotency, IntakeBatch, Submission

__all__ = ["Answer", "Intake", "IntakeLimits"]

_QUIET_SECONDS = 0.002  # nobody came for so long: no more company is expected


class Answer(Protocol):
    """Where a result goes: a future of threads or of an event loop."""

    def done(self) -> bool:
        """Tell whether nobody waits any more."""
        ...

    def set_result(self, result: Accepted, /) -> None:
        """Hand the result over."""
        ...

    def set_exception(self, exception: BaseException, /) -> None:
        """Hand the failure over."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeLimits:
    """Bounds of the queue in front of the store.

    Attributes:
        group_count_max: Submissions in one transaction; a larger batch goes alone.
        queue_count_max: Submissions waiting.
        queue_bytes_max: Envelope bytes waiting.
        wait_seconds: The longest that a submission waits for company. A
            submission that comes alone does not wait.
    """

    group_count_max: int = 4096
    queue_count_max: int = 50_000
    queue_bytes_max: int = 128 * 1024 * 1024
    wait_seconds: float = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class _Caller:
    batch: IntakeBatch
    count: int
    size: int
    answer: Answer


class Intake:
    """The queue between many callers and one writer.

    A context manager: entering starts the writer thread, leaving saves what is
    queued and ends it.
    """

    def __init__(
        self,
        store: IntakeStore,
        *,
        limits: IntakeLimits | None = None,
        deliver: Callable[[Callable[[], None]], Any] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Queue in front of a store.

        Args:
            store: Saves a group in one transaction.
            limits: Bounds of the queue.
            deliver: Runs a function that answers a whole group: an event loop
                passes its ``call_soon_threadsafe``. Without, the writer does.
            sleep: Waits for company.
            monotonic: Seconds that only rise.
        """
        self._store = store
        self._limits = limits or IntakeLimits()
        self._deliver = deliver or _call
        self._sleep = sleep
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._waiting: deque[_Caller] = deque()
        self._count = 0
        self._size = 0
        self._is_open = False
        self._is_idle = False  # the writer waits to be woken
        self._has_company = False  # the last group had more than one caller
        self._writer: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start the writer thread."""
        with self._changed:
            if self._writer is not None:
                return
            self._is_open = True
            self._writer = threading.Thread(target=self._run, name="vermilion-intake", daemon=True)
            self._writer.start()

    def close(self) -> None:
        """Save what is queued, answer it, and end the writer thread."""
        with self._changed:
            self._is_open = False
            self._changed.notify_all()
            writer, self._writer = self._writer, None
        if writer is not None:
            writer.join()

    def submit(
        self, submissions: Sequence[Submission], *, idempotency: Idempotency | None = None
    ) -> Future[Accepted]:
        """Queue a batch that is accepted whole or not at all; return its future.

        The future's result means durable; its exception means that nothing of
        this batch was saved, or (`UnavailableError` only) that nobody knows:
        the same envelopes and idempotency key may be submitted again safely.

        Raises:
            EvidenceError: As `put`.
        """
        future: Future[Accepted] = Future()
        self.put(submissions, future, idempotency=idempotency)
        return future

    def put(
        self,
        submissions: Sequence[Submission],
        answer: Answer,
        *,
        idempotency: Idempotency | None = None,
    ) -> None:
        """Queue a batch whose answer goes into a future of the caller's.

        Raises:
            InputError: ``intake.empty``.
            LimitError: ``intake.batch-size``: more than the queue ever holds.
            UnavailableError: ``intake.overloaded`` or ``intake.closed``.
        """
        caller = _Caller(
            batch=IntakeBatch(submissions=tuple(submissions), idempotency=idempotency),
            count=len(submissions),
            size=sum(len(each.envelope) for each in submissions),
            answer=answer,
        )
        limits = self._limits
        if not caller.count:
            raise InputError("intake.empty", "a batch has at least one submission")
        for found, limit in (
            (caller.count, limits.queue_count_max),
            (caller.size, limits.queue_bytes_max),
        ):
            if found > limit:
                raise LimitError("intake.batch-size", "batch", found=found, limit=limit)
        with self._changed:
            if not self._is_open:
                raise UnavailableError("intake.closed", "the intake is shutting down")
            if (
                self._count + caller.count > limits.queue_count_max
                or self._size + caller.size > limits.queue_bytes_max
            ):
                raise UnavailableError(
                    "intake.overloaded", f"{self._count} submissions are waiting already"
                )
            self._waiting.append(caller)
            self._count += caller.count
            self._size += caller.size
            if self._is_idle:
                self._changed.notify_all()

    def _run(self) -> None:
        while group := self._take():
            self._save(group)

    def _take(self) -> list[_Caller]:
        """Wait for callers and take a group; empty once closed and drained."""
        with self._changed:
            while not self._waiting and self._is_open:
                self._is_idle = True
                self._changed.wait()
            self._is_idle = False
        if self._has_company:
            self._gather()
        group: list[_Caller] = []
        count = 0
        with self._changed:
            while self._waiting:
                if group and count + self._waiting[0].count > self._limits.group_count_max:
                    break
                caller = self._waiting.popleft()
                count += caller.count
                group.append(caller)
            self._count -= count
            self._size -= sum(caller.size for caller in group)
        self._has_company = len(group) > 1
        return group

    def _gather(self) -> None:
        """Wait for company: until nobody comes, the group is full, or time is up."""
        limits = self._limits
        deadline = self._monotonic() + limits.wait_seconds
        seen = -1
        while self._is_open and seen < self._count < limits.group_count_max:
            seen = self._count
            left = deadline - self._monotonic()
            if left <= 0:
                return
            self._sleep(min(left, _QUIET_SECONDS))

    def _save(self, group: Sequence[_Caller]) -> None:
        """Save a group and answer its callers after the commit."""
        callers = [each for each in group if not each.answer.done()]
        if not callers:
            return
        results: Sequence[Accepted | EvidenceError]
        try:
            results = self._store.save_batches([each.batch for each in callers])
        except EvidenceError as exc:
            results = [exc] * len(callers)
        except Exception as exc:  # noqa: BLE001 -- the writer must outlive any bug; callers learn of it
            failure = IntegrityError(
                "store.failed", f"the store failed: {type(exc).__name__}: {exc}"
            )
            failure.__cause__ = exc
            results = [failure] * len(callers)
        with suppress(RuntimeError):  # an event loop that is gone: so are its callers
            self._deliver(lambda: _answer(callers, results))


def _answer(callers: Sequence[_Caller], results: Sequence[Accepted | EvidenceError]) -> None:
    for caller, result in zip(callers, results, strict=True):
        if caller.answer.done():
            continue
        if isinstance(result, Accepted):
            caller.answer.set_result(result)
        else:
            caller.answer.set_exception(result)


def _call(function: Callable[[], None]) -> None:
    function()
