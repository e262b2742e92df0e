"""What the simulated log's database holds, and what SQL would refuse to put there.

Nothing here knows of processes: `simulation.database` gives it to them.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from vermilion_ledger.errors import ConflictError, EvidenceError, IntegrityError
from vermilion_ledger.rows import (
    Accepted,
    IntakeBatch,
    Lease,
    Refusal,
    Sequenced,
    StoredEntry,
    Submission,
    SubmissionState,
)

__all__ = ["LONG_AGO", "Evidence"]

_K = TypeVar("_K")
_V = TypeVar("_V")

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_NO_LEASE = Lease(holder="", epoch=0, expires_at=LONG_AGO)


@dataclass(slots=True, kw_only=True)
class Evidence:
    """The contents of the log's database.

    Attributes:
        submissions: By position.
        entries: By index.
        index_of: Index by position.
        refusals: By position.
        queue: Positions that wait.
        prints: Positions by the hash of the envelope.
        keys: Idempotency keys with the request and its positions.
        records: Indices of the entries of each record.
    """

    submissions: ChainMap[int, Submission] = field(default_factory=ChainMap)
    entries: list[StoredEntry] = field(default_factory=list)
    index_of: ChainMap[int, int] = field(default_factory=ChainMap)
    refusals: dict[int, Refusal] = field(default_factory=dict)
    queue: set[int] = field(default_factory=set)
    prints: ChainMap[bytes, int] = field(default_factory=ChainMap)
    keys: dict[str, tuple[bytes, tuple[int, ...]]] = field(default_factory=dict)
    records: ChainMap[str, tuple[int, ...]] = field(default_factory=ChainMap)
    lease: Lease = _NO_LEASE

    def copy(self) -> Evidence:
        """Return what a backup restores. What is large and never changes is shared."""
        return Evidence(
            submissions=_copied(self.submissions),
            entries=list(self.entries),
            index_of=_copied(self.index_of),
            refusals=dict(self.refusals),
            queue=set(self.queue),
            prints=_copied(self.prints),
            keys=dict(self.keys),
            records=_copied(self.records),
            lease=self.lease,
        )

    def take(
        self, batches: Sequence[IntakeBatch], numbers: Sequence[int]
    ) -> tuple[list[Accepted | EvidenceError], list[tuple[int, Submission]]]:
        """Insert what is new, under the numbers drawn for it."""
        results: list[Accepted | EvidenceError] = []
        fresh: list[tuple[int, Submission]] = []
        for batch in batches:
            promise = batch.idempotency
            kept = self.keys.get(promise.key) if promise else None
            if promise and kept:
                results.append(
                    Accepted(positions=kept[1], replayed=True)
                    if kept[0] == promise.request_hash
                    else ConflictError("idempotency.other-body", "another request's key")
                )
                continue
            positions = []
            for each in batch.submissions:
                position = None if each.is_plain else self.prints.get(each.envelope_hash)
                if position is None:
                    position = numbers[len(fresh)]
                    fresh.append((position, each))
                    self.submissions[position] = each
                    self.prints[each.envelope_hash] = position
                positions.append(position)
            if promise:
                self.keys[promise.key] = (promise.request_hash, tuple(positions))
            results.append(Accepted(positions=tuple(positions)))
        return results, fresh

    def place(self, batch: Sequenced) -> None:
        """Insert places; what SQL would refuse is refused.

        Raises:
            IntegrityError: ``log.gap``.
        """
        if len(self.entries) != batch.first_index:
            raise IntegrityError(
                "log.gap", f"the log has {len(self.entries)} entries, expected {batch.first_index}"
            )
        for place in batch.placements:
            row = self.submissions[place.position]
            if place.index != len(self.entries) or place.position in self.index_of:
                raise IntegrityError("log.gap", f"index {place.index} is given twice")
            self.entries.append(
                StoredEntry(
                    index=place.index,
                    position=place.position,
                    sequence=place.sequence,
                    record_key=row.record_key,
                    kind=row.kind,
                    envelope=row.envelope,
                    salt=row.salt,
                )
            )
            self.index_of[place.position] = place.index
            self.records[place.record_id] = (*self.records.get(place.record_id, ()), place.index)
        for refusal in batch.refusals:
            self.refusals[refusal.position] = refusal

    def state(self, position: int) -> SubmissionState:
        """Return where a submission stands."""
        record_id = self.submissions[position].record_id
        index = self.index_of.get(position)
        if index is not None:
            return SubmissionState(
                position=position,
                record_id=record_id,
                state="sequenced",
                index=index,
                sequence=self.entries[index].sequence,
            )
        refusal = self.refusals.get(position)
        return SubmissionState(
            position=position,
            record_id=record_id,
            state="refused" if refusal else "pending",
            code=refusal.code if refusal else None,
            message=refusal.message if refusal else None,
        )

    def fence(self, lease: Lease) -> None:
        """Refuse a lease that was lost.

        Raises:
            ConflictError: ``sequencer.fenced``.
        """
        if (self.lease.holder, self.lease.epoch) != (lease.holder, lease.epoch):
            raise ConflictError("sequencer.fenced", f"epoch {lease.epoch} is over")


def _copied(table: ChainMap[_K, _V]) -> ChainMap[_K, _V]:
    return ChainMap(dict(table.maps[0]), *table.maps[1:])
