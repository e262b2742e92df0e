"""Group commit: concurrent submissions share one transaction.

One writer thread takes whatever queued up while its last commit ran and saves
it with one commit. A caller's future is resolved only after that commit: a
result means durable (DESIGN section 1, rule 2). Indices are none of its
business; they come from `vermilion_ledger.sequencer` alone.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from vermilion_ledger.errors import (
    EvidenceError,
    InputError,
    IntegrityError,
    LimitError,
    UnavailableError,
)
from vermilion_ledger.ports import Clock, IntakeStore
from vermilion_ledger.rows import Accepted, Idempotency, IntakeBatch, Submission

__all__ = ["Intake", "IntakeLimits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeLimits:
    """Bounds of the queue in front of the store.

    Attributes:
        group_count_max: Submissions in one transaction; a larger batch goes alone.
        queue_count_max: Submissions waiting.
        queue_bytes_max: Envelope bytes waiting.
        wait_seconds: How long the writer waits for company; 0 is fastest, as
            company gathers while a commit runs.
    """

    group_count_max: int = 4096
    queue_count_max: int = 50_000
    queue_bytes_max: int = 128 * 1024 * 1024
    wait_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Caller:
    batch: IntakeBatch
    count: int
    size: int
    future: Future[Accepted]


class Intake:
    """The queue between many callers and one writer.

    A context manager: entering starts the writer thread, leaving saves what is
    queued and ends it.
    """

    def __init__(
        self,
        store: IntakeStore,
        clock: Clock,
        *,
        limits: IntakeLimits | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._clock = clock
        self._limits = limits or IntakeLimits()
        self._sleep = sleep
        self._changed = threading.Condition()
        self._waiting: deque[_Caller] = deque()
        self._count = 0
        self._size = 0
        self._is_open = False
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
        """Queue a batch that is accepted whole or not at all.

        The future's result means durable; its exception means that nothing of
        this batch was saved, or (`UnavailableError` only) that nobody knows:
        the same envelopes and idempotency key may be submitted again safely.
        Async callers wrap it with ``asyncio.wrap_future``.

        Raises:
            InputError: ``intake.empty``.
            LimitError: ``intake.batch-size``: more than the queue ever holds.
            UnavailableError: ``intake.overloaded`` or ``intake.closed``.
        """
        caller = _Caller(
            batch=IntakeBatch(submissions=tuple(submissions), idempotency=idempotency),
            count=len(submissions),
            size=sum(len(each.envelope) for each in submissions),
            future=Future(),
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
            self._changed.notify_all()
        return caller.future

    def _run(self) -> None:
        while group := self._take():
            self._save(group)

    def _take(self) -> list[_Caller]:
        """Wait for callers and take a group; empty once closed and drained."""
        with self._changed:
            while not self._waiting and self._is_open:
                self._changed.wait()
            is_open = self._is_open
        if is_open and self._limits.wait_seconds > 0:
            self._sleep(self._limits.wait_seconds)
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
        return group

    def _save(self, group: Sequence[_Caller]) -> None:
        """Save a group and answer its callers after the commit."""
        callers = [each for each in group if each.future.set_running_or_notify_cancel()]
        if not callers:
            return
        try:
            results = self._store.save_batches(
                [each.batch for each in callers], received_at=self._clock()
            )
        except EvidenceError as exc:
            results = [exc] * len(callers)
        except Exception as exc:  # noqa: BLE001 -- the writer must outlive any bug; callers learn of it
            failure = IntegrityError(
                "store.failed", f"the store failed: {type(exc).__name__}: {exc}"
            )
            failure.__cause__ = exc
            results = [failure] * len(callers)
        for caller, result in zip(callers, results, strict=True):
            if isinstance(result, Accepted):
                caller.future.set_result(result)
            else:
                caller.future.set_exception(result)
