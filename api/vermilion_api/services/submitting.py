"""From submissions to an answer: group commit, index, checkpoint, anchor.

Nothing here is told before the index is committed (DESIGN section 1, rule 2).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vermilion_api.services.waiting import Outcome, Stage, Waiter
from vermilion_ledger.errors import UnavailableError
from vermilion_ledger.intake import Intake
from vermilion_ledger.log import LogReader
from vermilion_ledger.rows import Accepted, Idempotency, Submission, SubmissionState

__all__ = ["Receipt", "Receipts", "Submitter"]

_INLINE_COUNT_MAX = 1000  # receipts that take less than the loop may be kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of one submission: an index, or the code of its refusal.

    Attributes:
        envelope: ``H(envelope bytes)``; empty where it was refused.
    """

    record: str
    envelope: bytes = b""
    index: int | None = None
    sequence: int | None = None
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipts:
    """What became of a request.

    Attributes:
        stage: The least stage that all its entries have reached.
        is_reached: Whether that is what the caller asked for.
    """

    items: tuple[Receipt, ...]
    stage: Stage
    is_reached: bool


class Submitter:
    """Brings submissions into the log and waits for them.

    Owned by one event loop, the one into which the intake delivers its answers.
    """

    def __init__(self, *, intake: Intake, waiter: Waiter, reader: LogReader) -> None:
        self._intake = intake
        self._waiter = waiter
        self._reader = reader

    async def submit(
        self,
        submissions: Sequence[Submission],
        *,
        idempotency: Idempotency | None,
        goal: Stage,
        timeout_seconds: float,
        on_saved: Callable[[], None] = lambda: None,
    ) -> Receipts:
        """Submit, wait, and tell what became of it.

        Args:
            submissions: All are taken in, or none.
            idempotency: The caller's key, if any.
            goal: How far to wait.
            timeout_seconds: How long.
            on_saved: Called once they are durable, before the wait.

        Raises:
            UnavailableError: ``intake.overloaded``, ``store.disk-full`` and the
                like: nothing was saved. ``intake.not-sequenced``: saved, and
                without an index when the time was up.
            ConflictError: ``statement.nonce-reused``, ``idempotency.other-body``.
        """
        answer: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        self._intake.put(submissions, answer, idempotency=idempotency)
        accepted = await answer
        on_saved()
        outcome = await self._waiter.wait(
            accepted.positions,
            goal,
            timeout_seconds=timeout_seconds,
            known=accepted.states or (),
        )
        positions, states = accepted.positions, outcome.states
        missing = len(set(positions) - states.keys())
        if missing:
            raise UnavailableError(
                "intake.not-sequenced",
                f"{missing} of {len(positions)} submissions are saved, but have no index yet",
            )
        if accepted.replayed:
            # What an earlier request made: its envelopes are not those of this one.
            hashes = await asyncio.to_thread(self._load_hashes, positions, outcome)
        else:
            hashes = [each.envelope_hash for each in submissions]
        settled = [states[position] for position in positions]
        items = (
            _receipts(settled, hashes)
            if len(settled) <= _INLINE_COUNT_MAX
            else await asyncio.to_thread(_receipts, settled, hashes)
        )
        return Receipts(
            items=items,
            stage=outcome.stage,
            is_reached=outcome.stage >= goal,
        )

    def _load_hashes(self, positions: Sequence[int], outcome: Outcome) -> list[bytes]:
        records = {each.record_id for each in outcome.states.values()}
        found = {
            row.position: hashlib.sha256(row.envelope).digest()
            for rows in self._reader.records_entries(records).values()
            for row in rows
        }
        return [found.get(each, b"") for each in positions]


def _receipts(states: Sequence[SubmissionState], envelopes: Sequence[bytes]) -> tuple[Receipt, ...]:
    return tuple(
        Receipt(
            record=state.record_id,
            envelope=envelope if state.index is not None else b"",
            index=state.index,
            sequence=state.sequence,
            code=state.code,
            message=state.message,
        )
        for state, envelope in zip(states, envelopes, strict=True)
    )
