"""Taking submissions in: many callers, one transaction.

`SqlIntakeStore` implements `vermilion_ledger.ports.IntakeStore` for processes
that leave the index to a sequencer. What a batch collides with is looked up
first, in the transaction that then inserts; within SQLite's write lock that
look is final. On PostgreSQL it sees the one state at the start of the
transaction, and another process may insert after it: the insert then fails,
and the whole transaction is tried again with a new look.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine

from vermilion_ledger.errors import ConflictError, EvidenceError, UnavailableError
from vermilion_ledger.rows import Accepted, IntakeBatch
from vermilion_ledger.store.engine import writing
from vermilion_ledger.store.plan import IntakePlan

__all__ = ["SqlIntakeStore"]

_ATTEMPTS = 5


class SqlIntakeStore:
    """Inserts submissions, what they use up, and their places in the queue."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def save_batches(self, batches: Sequence[IntakeBatch]) -> Sequence[Accepted | EvidenceError]:
        """Save many callers' batches in one transaction; one result per batch.

        Returns after the commit. What spoils the shared transaction in spite
        of all checks is found by trying the batches one by one.

        Raises:
            UnavailableError: Nothing was saved for anybody; try again.
            EvidenceError: A single batch failed for a reason of its own.
        """
        for attempt in range(_ATTEMPTS):
            try:
                return self._save(batches)
            except ConflictError:
                if attempt + 1 == _ATTEMPTS and len(batches) == 1:
                    raise
            except UnavailableError:
                raise
            except EvidenceError:
                if len(batches) == 1:
                    raise
                break
        return [self._save_alone(batch) for batch in batches]

    def _save(self, batches: Sequence[IntakeBatch]) -> Sequence[Accepted | EvidenceError]:
        with writing(self._engine, one_state=True) as connection:
            plan = IntakePlan(connection, batches)
            results = [plan.take(batch) for batch in batches]
            plan.queue(plan.insert())
            return results

    def _save_alone(self, batch: IntakeBatch) -> Accepted | EvidenceError:
        try:
            return self.save_batches([batch])[0]
        except EvidenceError as exc:
            return exc
