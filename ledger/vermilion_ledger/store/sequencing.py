"""Writing the log: the lease, the batches, the checkpoints.

`SqlSequencerStore` implements `vermilion_ledger.ports.SequencerStore`. Every
write begins by updating the lease row *where the epoch is still ours*: that
both checks the fence and holds the row, so that no other sequencer can take
the lease before this transaction has ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from vermilion_ledger.errors import ConflictError, IntegrityError, UnavailableError
from vermilion_ledger.rows import CheckpointRow, Head, Integration, Lease, Pending
from vermilion_ledger.store import schema
from vermilion_ledger.store.bulk import chunks, insert_rows
from vermilion_ledger.store.engine import is_sqlite, reading, writing
from vermilion_ledger.store.moments import decode_moment, encode_moment

__all__ = ["SqlSequencerStore"]

_lease = schema.lease.c
_head = schema.head.c
_queue = schema.queue.c
_ENTRY_COLUMNS = (
    "leaf_index",
    "submission_id",
    "record_id",
    "sequence",
    "commitment",
    "tag",
    "leaf_hash",
    "sequenced_at",
)


class SqlSequencerStore:
    """Gives the lease out and writes for whoever holds it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def acquire_lease(self, holder: str, *, now: datetime, ttl_seconds: float) -> Lease:
        """Take the lease with the next epoch, if nobody holds it.

        Raises:
            ConflictError: ``sequencer.lease-held``: another holder lives.
        """
        with writing(self._engine) as connection:
            query = select(schema.lease)
            if not is_sqlite(connection):
                query = query.with_for_update()
            row = connection.execute(query).first()
            if row is None:
                raise UnavailableError("store.not-migrated", "the lease row is missing")
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
        with writing(self._engine) as connection:
            _hold(connection, lease, until=now + timedelta(seconds=ttl_seconds))

    def release_lease(self, lease: Lease) -> None:
        """Give the lease up; nothing happens if it is lost."""
        with writing(self._engine) as connection:
            connection.execute(
                update(schema.lease).where(_lease.epoch == lease.epoch).values(expires_at=0)
            )

    def take_head(self, lease: Lease, head: Head) -> Head:
        """Claim a head just read for this epoch, and mark the log open.

        Raises:
            ConflictError: ``sequencer.fenced`` or ``log.head-moved``.
        """
        taken = Head(size=head.size, root=head.root, epoch=lease.epoch, state="open")
        with writing(self._engine) as connection:
            _hold(connection, lease)
            _swap(connection, head, taken)
        return taken

    def halt(self, lease: Lease) -> None:
        """Mark the log as contradicting itself, for every process to see."""
        with writing(self._engine) as connection:
            _hold(connection, lease)
            connection.execute(update(schema.head).values(state="halted"))

    def load_pending(self, *, count_max: int, bytes_max: int) -> Sequence[Pending]:
        """Return waiting submissions in order of arrival, at least one if any.

        Both statements see one state of the database. Rows are found by being
        there: a position that commits late is not skipped.
        """
        submissions, records = schema.submissions.c, schema.records.c
        joined = schema.queue.join(
            schema.submissions, submissions.submission_id == _queue.submission_id
        )
        sizes = (
            select(_queue.position, func.length(submissions.envelope))
            .select_from(joined)
            .order_by(_queue.position)
            .limit(count_max)
        )
        with reading(self._engine) as connection:
            last, total = None, 0
            for position, size in connection.execute(sizes).all():
                total += size
                if last is not None and total > bytes_max:
                    break
                last = position
            if last is None:
                return []
            query = (
                select(_queue.position, schema.submissions, records.record_key, records.kind)
                .select_from(
                    joined.join(schema.records, records.record_id == submissions.record_id)
                )
                .where(_queue.position <= last)
                .order_by(_queue.position)
            )
            return [
                Pending(
                    position=row.position,
                    submission_id=row.submission_id,
                    record_id=row.record_id,
                    record_key=row.record_key,
                    kind=row.kind,
                    envelope=row.envelope,
                    envelope_hash=row.envelope_hash,
                    salt=row.salt,
                    event=row.event,
                    predicate=row.predicate,
                    digest=row.digest,
                    name=row.name,
                    received_at=decode_moment(row.received_at),
                )
                for row in connection.execute(query).all()
            ]

    def load_counts(self, record_ids: Sequence[str]) -> Mapping[str, int]:
        """Return the number of entries of each record that has any."""
        entries = schema.entries.c
        found: dict[str, int] = {}
        with reading(self._engine) as connection:
            for part in chunks(record_ids):
                query = (
                    select(entries.record_id, func.max(entries.sequence))
                    .where(entries.record_id.in_(part))
                    .group_by(entries.record_id)
                )
                found.update((row[0], row[1] + 1) for row in connection.execute(query))
        return found

    def save_integration(
        self, lease: Lease, integration: Integration, *, now: datetime, ttl_seconds: float
    ) -> None:
        """Save a batch in one transaction that also checks and prolongs the lease.

        Raises:
            ConflictError: ``sequencer.fenced``: a newer epoch exists.
            IntegrityError: ``log.gap``: the log does not end where the batch
                starts, or a submission of it had left the queue.
        """
        with writing(self._engine) as connection:
            _hold(connection, lease, until=now + timedelta(seconds=ttl_seconds))
            last = connection.execute(select(func.max(schema.entries.c.leaf_index))).scalar()
            stored = 0 if last is None else last + 1
            if stored != integration.first_index:
                raise IntegrityError(
                    "log.gap", f"the log has {stored} entries, expected {integration.first_index}"
                )
            _insert(connection, integration)
            gone = 0
            for part in chunks(integration.positions):
                gone += connection.execute(
                    delete(schema.queue).where(_queue.position.in_(part))
                ).rowcount
            if gone != len(integration.positions):
                raise IntegrityError(
                    "log.gap", f"{gone} of {len(integration.positions)} submissions were queued"
                )

    def save_checkpoint(self, lease: Lease, head: Head, checkpoint: CheckpointRow) -> Head:
        """Insert a checkpoint and swap the head in one transaction.

        Raises:
            ConflictError: ``sequencer.fenced`` or ``log.head-moved``.
        """
        moved = Head(
            size=checkpoint.size, root=checkpoint.root, epoch=lease.epoch, state=head.state
        )
        with writing(self._engine) as connection:
            _hold(connection, lease)
            _swap(connection, head, moved)
            connection.execute(
                insert(schema.checkpoints).values(
                    size=checkpoint.size,
                    root=checkpoint.root,
                    note=checkpoint.note,
                    epoch=checkpoint.epoch,
                    published_at=encode_moment(checkpoint.published_at),
                )
            )
        return moved


def _hold(connection: Connection, lease: Lease, until: datetime | None = None) -> None:
    """Check the fence and keep the lease row until this transaction ends."""
    expiry = _lease.expires_at if until is None else encode_moment(until)
    changed = connection.execute(
        update(schema.lease)
        .where(_lease.epoch == lease.epoch, _lease.holder == lease.holder)
        .values(expires_at=expiry)
    ).rowcount
    if changed != 1:
        raise ConflictError(
            "sequencer.fenced", f"the lease of epoch {lease.epoch} went to another sequencer"
        )


def _swap(connection: Connection, old: Head, new: Head) -> None:
    changed = connection.execute(
        update(schema.head)
        .where(_head.size == old.size, _head.root == old.root, _head.epoch == old.epoch)
        .values(size=new.size, root=new.root, epoch=new.epoch, state=new.state)
    ).rowcount
    if changed != 1:
        raise ConflictError(
            "log.head-moved", f"the head is no longer size {old.size} of epoch {old.epoch}"
        )


def _insert(connection: Connection, integration: Integration) -> None:
    entries = [
        (
            row.index,
            row.submission_id,
            row.record_id,
            row.sequence,
            row.commitment,
            row.tag,
            row.leaf_hash,
            encode_moment(row.sequenced_at),
        )
        for row in integration.entries
    ]
    insert_rows(connection, schema.entries, _ENTRY_COLUMNS, entries)
    tiles = [(row.level, row.position, row.hashes, row.root) for row in integration.tiles]
    insert_rows(connection, schema.tiles, ("level", "position", "hashes", "root"), tiles)
    refusals = [
        (row.submission_id, row.code, row.message, encode_moment(row.refused_at))
        for row in integration.refusals
    ]
    insert_rows(
        connection, schema.refusals, ("submission_id", "code", "message", "refused_at"), refusals
    )
