"""A database of the log in memory that keeps the promises of the store's ports.

A commit is one step and durable; a transaction that calls back holds the write
lock meanwhile, as SQLite's does. Positions are drawn before the transaction
that uses them, as PostgreSQL's are: they commit out of order. What a process
sees are the stores, which go through its gate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from simulation.evidence import LONG_AGO, Evidence
from simulation.faults import Gate
from simulation.scheduler import Lock, Scheduler
from vermilion_ledger.errors import ConflictError, EvidenceError, IntegrityError
from vermilion_ledger.rows import (
    Accepted,
    IntakeBatch,
    Lease,
    Pending,
    RecordEntry,
    RecordRow,
    Sequenced,
    StoredEntry,
    Submission,
    SubmissionState,
)

__all__ = ["LogDatabase", "SimIntakeStore", "SimLogStore", "SimSequencerStore"]


class LogDatabase:
    """A server with the evidence; its write lock is held where a transaction calls back."""

    def __init__(self, scheduler: Scheduler, evidence: Evidence) -> None:
        self.evidence = evidence
        self.lock = Lock(scheduler)
        self._positions = max(evidence.submissions, default=0)

    def draw(self, batches: Sequence[IntakeBatch]) -> Sequence[int]:
        """Give out positions, each once; those not used in the end stay unused."""
        start = self._positions + 1
        self._positions += sum(len(batch.submissions) for batch in batches)
        return range(start, self._positions + 1)


class SimIntakeStore:
    """Implements `vermilion_ledger.ports.IntakeStore`."""

    def __init__(self, gate: Gate, database: LogDatabase) -> None:
        self._gate = gate
        self._database = database

    def save_batches(self, batches: Sequence[IntakeBatch]) -> Sequence[Accepted | EvidenceError]:
        """Number the submissions, then insert them: numbers commit out of order."""
        numbers = self._gate.read(self._database.draw, batches)
        return self._gate.write(self._database.lock, self._save, batches, numbers)

    def _save(
        self, batches: Sequence[IntakeBatch], numbers: Sequence[int]
    ) -> Sequence[Accepted | EvidenceError]:
        evidence = self._database.evidence
        results, fresh = evidence.take(batches, numbers)
        evidence.queue.update(position for position, _ in fresh)
        return results


class SimLogStore:
    """Implements `vermilion_ledger.ports.LogStore`."""

    def __init__(self, gate: Gate, database: LogDatabase) -> None:
        self._gate = gate
        self._database = database

    @property
    def _evidence(self) -> Evidence:
        return self._database.evidence

    def count_entries(self) -> int:
        return self._gate.read(lambda: len(self._evidence.entries))

    def find_gap(self, start: int) -> int | None:  # entries of a list have no gaps
        return self._gate.read(lambda: None)

    def load_stored(self, start: int, end: int) -> Sequence[StoredEntry]:
        return self._gate.read(lambda: self._evidence.entries[start:end])

    def load_record(self, record_id: str) -> RecordRow | None:
        indices = self._gate.read(lambda: self._evidence.records.get(record_id))
        if not indices:
            return None
        first = self._evidence.entries[indices[0]]
        return RecordRow(record_id=record_id, record_key=first.record_key, kind=first.kind)

    def load_history(
        self, record_ids: Sequence[str], *, since: int = 0
    ) -> Mapping[str, Sequence[RecordEntry]]:
        return self._gate.read(lambda: {each: self._history(each)[since:] for each in record_ids})

    def find_by_digest(self, digest: bytes) -> Sequence[str]:
        return self._gate.read(lambda: self._about(digest))

    def load_states(self, positions: Sequence[int]) -> Mapping[int, SubmissionState]:
        def found() -> Mapping[int, SubmissionState]:
            evidence = self._evidence
            return {
                each: evidence.state(each) for each in positions if each in evidence.submissions
            }

        return self._gate.read(found)

    def _history(self, record_id: str) -> list[RecordEntry]:
        found = [self._evidence.entries[at] for at in self._evidence.records.get(record_id, ())]
        return [
            RecordEntry(
                record_id=record_id,
                index=each.index,
                sequence=each.sequence,
                position=each.position,
                salt=each.salt,
                envelope=each.envelope,
            )
            for each in found
        ]

    def _about(self, digest: bytes) -> list[str]:
        rows = (self._evidence.submissions[each.position] for each in self._evidence.entries)
        return sorted({row.record_id for row in rows if row.digest == digest})


class SimSequencerStore:
    """Implements `vermilion_ledger.ports.SequencerStore`."""

    def __init__(self, gate: Gate, database: LogDatabase) -> None:
        self._gate = gate
        self._database = database

    @property
    def _evidence(self) -> Evidence:
        return self._database.evidence

    def acquire_lease(self, holder: str, *, now: datetime, ttl_seconds: float) -> Lease:
        def acquire() -> Lease:
            held = self._evidence.lease
            if held.expires_at > now:
                raise ConflictError("sequencer.lease-held", f"{held.holder} holds the lease")
            until = now + timedelta(seconds=ttl_seconds)
            self._evidence.lease = Lease(holder=holder, epoch=held.epoch + 1, expires_at=until)
            return self._evidence.lease

        return self._gate.write(self._database.lock, acquire)

    def renew_lease(self, lease: Lease, *, now: datetime, ttl_seconds: float) -> None:
        def renew() -> None:
            self._evidence.fence(lease)
            until = now + timedelta(seconds=ttl_seconds)
            self._evidence.lease = replace(lease, expires_at=until)

        self._gate.write(self._database.lock, renew)

    def release_lease(self, lease: Lease) -> None:
        def release() -> None:
            if self._evidence.lease.epoch == lease.epoch:
                self._evidence.lease = replace(self._evidence.lease, expires_at=LONG_AGO)

        self._gate.write(self._database.lock, release)

    def load_pending(self, *, count_max: int, bytes_max: int) -> Sequence[Pending]:
        def load() -> Sequence[Pending]:
            positions = sorted(self._evidence.queue)[:count_max]
            return [_pending(each, self._evidence.submissions[each]) for each in positions]

        return self._gate.read(load)

    def load_counts(self, record_ids: Sequence[str]) -> Mapping[str, int]:
        def load() -> Mapping[str, int]:
            records = self._evidence.records
            return {each: len(records[each]) for each in record_ids if each in records}

        return self._gate.read(load)

    def save_sequenced(self, lease: Lease, batch: Sequenced) -> None:
        def save() -> None:
            evidence = self._evidence
            evidence.fence(lease)
            gone = evidence.queue.intersection(batch.positions)
            if len(gone) != len(batch.positions):
                raise IntegrityError("log.gap", f"{len(gone)} submissions were queued")
            evidence.place(batch)
            evidence.queue -= gone

        self._gate.write(self._database.lock, save)

    def save_batches(
        self,
        lease: Lease,
        batches: Sequence[IntakeBatch],
        sequence: Callable[[Sequence[Pending]], Sequenced],
    ) -> Sequence[Accepted | EvidenceError]:
        self._gate.wait(self._database.lock)
        with self._database.lock:
            before = self._evidence
            before.fence(lease)
            after = before.copy()  # seen by nobody until the commit
            results, fresh = after.take(batches, self._database.draw(batches))
            placed = sequence([_pending(position, row) for position, row in fresh])
            after.place(placed)
            after.queue.update({position for position, _ in fresh}.difference(placed.positions))
            self._gate.enter()
            self._database.evidence = after
        self._gate.leave()
        return [
            replace(result, states=tuple(after.state(each) for each in result.positions))
            if isinstance(result, Accepted)
            else result
            for result in results
        ]


def _pending(position: int, row: Submission) -> Pending:
    return Pending(
        position=position,
        record_id=row.record_id,
        record_key=row.record_key,
        kind=row.kind,
        envelope=row.envelope,
        salt=row.salt,
        digest=row.digest,
        is_plain=row.is_plain,
    )
