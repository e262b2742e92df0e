"""Giving entries their place: the lease, the queue, the batches.

`SqlSequencerStore` implements `vermilion_ledger.ports.SequencerStore`. Every
write first reads the lease row *with a lock on it* and refuses if the epoch is
no longer ours: no other sequencer can take the lease before that transaction
has ended. SQLite has one lock for everything, taken when the block begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Engine,
    Integer,
    Select,
    bindparam,
    func,
    select,
    update,
)

from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    IntegrityError,
    UnavailableError,
)
from vermilion_ledger.rows import Accepted, IntakeBatch, Lease, Pending, Sequenced
from vermilion_ledger.store import schema
from vermilion_ledger.store.bulk import chunks, delete_rows, insert_rows
from vermilion_ledger.store.counts import count_entries, load_counts
from vermilion_ledger.store.engine import is_sqlite, looking, reading, writing
from vermilion_ledger.store.kinds import decode_kind
from vermilion_ledger.store.moments import decode_moment, encode_moment
from vermilion_ledger.store.plan import IntakePlan
from vermilion_ledger.store.prefixes import digest_prefix, record_prefix
from vermilion_ledger.store.states import load_states

__all__ = ["SqlSequencerStore", "check_fence"]

_lease = schema.lease.c
_queue = schema.queue.c
_submissions = schema.submissions.c
_LEASE = select(_lease.holder, _lease.epoch, _lease.expires_at)
_LEASE_LOCKED = _LEASE.with_for_update()


class SqlSequencerStore:
    """Gives the lease out and writes for whoever holds it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting = _select_waiting()  # made once: it is asked a hundred times a second

    def acquire_lease(self, holder: str, *, now: datetime, ttl_seconds: float) -> Lease:
        """Take the lease with the next epoch, if nobody holds it.

        Raises:
            ConflictError: ``sequencer.lease-held``: another holder lives.
        """
        with writing(self._engine) as connection:
            row = _lock_lease(connection)
            if row.expires_at > encode_moment(now):
                until = decode_moment(row.expires_at).isoformat()
                raise ConflictError(
                    "sequencer.lease-held", f"{row.holder} holds the lease until {until}"
                )
            lease = Lease(
                holder=holder,
                epoch=row.epoch + 1,
                expires_at=now + timedelta(seconds=ttl_seconds),
            )
            connection.execute(
                update(schema.lease).values(
                    holder=holder, epoch=lease.epoch, expires_at=encode_moment(lease.expires_at)
                )
            )
        return lease

    def renew_lease(self, lease: Lease, *, now: datetime, ttl_seconds: float) -> None:
        """Prolong the lease.

        Raises:
            ConflictError: ``sequencer.fenced``: a newer epoch exists.
        """
        until = encode_moment(now + timedelta(seconds=ttl_seconds))
        with writing(self._engine) as connection:
            check_fence(connection, lease)
            connection.execute(update(schema.lease).values(expires_at=until))

    def release_lease(self, lease: Lease) -> None:
        """Give the lease up; nothing happens if it is lost."""
        with writing(self._engine) as connection:
            connection.execute(
                update(schema.lease).where(_lease.epoch == lease.epoch).values(expires_at=0)
            )

    def load_pending(self, *, count_max: int, bytes_max: int) -> Sequence[Pending]:
        """Return waiting submissions in order of arrival, at least one if any.

        Rows are found by being there: a position that commits late is not skipped.
        """
        bounds = {"count_max": count_max, "bytes_max": bytes_max}
        with looking(self._engine) as connection:
            return [_pending(row) for row in connection.execute(self._waiting, bounds).all()]

    def load_counts(self, record_ids: Sequence[str]) -> Mapping[str, int]:
        """Return the number of entries of each record that has any."""
        with reading(self._engine) as connection:
            return load_counts(connection, record_ids)

    def save_sequenced(self, lease: Lease, batch: Sequenced) -> None:
        """Save places in one transaction that also checks the fence.

        Raises:
            ConflictError: ``sequencer.fenced``: a newer epoch exists.
            IntegrityError: ``log.gap``: the log does not end where the batch
                starts, or a submission of it had left the queue.
        """
        with writing(self._engine) as connection:
            check_fence(connection, lease)
            _insert(connection, batch)
            gone = sum(
                delete_rows(connection, _queue.position, part) for part in chunks(batch.positions)
            )
            if gone != len(batch.positions):
                raise IntegrityError(
                    "log.gap", f"{gone} of {len(batch.positions)} submissions were queued"
                )

    def save_batches(
        self,
        lease: Lease,
        batches: Sequence[IntakeBatch],
        sequence: Callable[[Sequence[Pending]], Sequenced],
    ) -> Sequence[Accepted | EvidenceError]:
        """Take submissions in and place them, in one transaction that checks the fence.

        What ``sequence`` leaves undecided goes to the queue.

        Raises:
            ConflictError: ``sequencer.fenced``: a newer epoch exists.
            EvidenceError: Nothing was saved for anybody.
        """
        with writing(self._engine, one_state=True) as connection:
            check_fence(connection, lease)
            plan = IntakePlan(connection, batches)
            results = [plan.take(batch) for batch in batches]
            pending = plan.insert()
            batch = sequence(pending)
            _insert(connection, batch)
            settled = set(batch.positions)
            plan.queue([each for each in pending if each.position not in settled])
            positions = [
                position
                for result in results
                if isinstance(result, Accepted)
                for position in result.positions
            ]
            known = {each.position: each for each in batch.states()}
            states = known | load_states(connection, [p for p in positions if p not in known])
        return [
            replace(result, states=tuple(states[position] for position in result.positions))
            if isinstance(result, Accepted)
            else result
            for result in results
        ]


def _select_waiting() -> Select[Any]:
    """Return the query for the first of the queue, bounded by count and by bytes."""
    first = (
        select(schema.queue)
        .order_by(_queue.position)
        .limit(bindparam("count_max", type_=Integer))
        .subquery()
    )
    size = func.length(_submissions.envelope)
    sized = (
        select(
            schema.submissions,
            first.c.digest,
            first.c.is_plain,
            func.sum(size).over(order_by=first.c.position).label("total"),
        )
        .join(first, first.c.position == _submissions.position)
        .subquery()
    )
    fits = sized.c.total <= bindparam("bytes_max", type_=BigInteger)
    is_first = sized.c.total == func.length(sized.c.envelope)
    return select(sized).where(fits | is_first).order_by(sized.c.position)


def _lock_lease(connection: Connection) -> Any:
    row = connection.execute(_LEASE if is_sqlite(connection) else _LEASE_LOCKED).first()
    if row is None:
        raise UnavailableError("store.not-migrated", "the lease row is missing")
    return row


def check_fence(connection: Connection, lease: Lease) -> None:
    """Refuse unless the lease is ours, and keep its row until this transaction ends.

    Raises:
        ConflictError: ``sequencer.fenced``: a newer epoch exists.
    """
    row = _lock_lease(connection)
    if (row.epoch, row.holder) != (lease.epoch, lease.holder):
        raise ConflictError(
            "sequencer.fenced", f"the lease of epoch {lease.epoch} went to another sequencer"
        )


def _insert(connection: Connection, batch: Sequenced) -> None:
    """Insert places and refusals; sorted, as neighbours share a page of an index."""
    stored = count_entries(connection)
    if stored != batch.first_index:
        raise IntegrityError(
            "log.gap", f"the log has {stored} entries, expected {batch.first_index}"
        )
    placed = batch.placements
    rows = [(each.index, each.position, each.sequence) for each in placed]
    insert_rows(connection, schema.entries, ("leaf_index", "position", "sequence"), rows)
    places = sorted(
        (record_prefix(each.record_id, each.index), each.sequence, each.index) for each in placed
    )
    insert_rows(connection, schema.places, ("record", "sequence", "leaf_index"), places)
    digests = sorted((digest_prefix(each.digest, each.index), each.index) for each in placed)
    insert_rows(connection, schema.digests, ("digest", "leaf_index"), digests)
    refusals = [(each.position, each.code, each.message) for each in batch.refusals]
    insert_rows(connection, schema.refusals, ("position", "code", "message"), refusals)


def _pending(row: Any) -> Pending:
    position, record_key, kind, envelope, salt, digest, is_plain, _ = row
    return Pending(
        position=position,
        record_id=make_record_id(record_key),
        record_key=record_key,
        kind=decode_kind(kind),
        envelope=envelope,
        salt=salt,
        digest=digest,
        is_plain=bool(is_plain),
    )
