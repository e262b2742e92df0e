"""Destroying a record: every row that opens or names an entry of it, in one transaction.

`SqlEraser` is the one writer that goes past the append-only triggers
(`vermilion_ledger.store.triggers`). The same transaction notes what is left of
each entry, takes the disposal list in, and marks the files as due for a sweep
(`vermilion_ledger.store.sweeping`): killed at any point, either everything is
there or nothing of the record is. Nobody sequences meanwhile: the caller holds
the lease.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Table, bindparam, delete, select, text, update

from vermilion_ledger.erasure import Condemned
from vermilion_ledger.errors import ConflictError, IntegrityError
from vermilion_ledger.implied import Implied, imply
from vermilion_ledger.integrate import derive_entry
from vermilion_ledger.rows import IntakeBatch, Lease, StoredEntry, Submission
from vermilion_ledger.store import schema
from vermilion_ledger.store.bulk import chunks, delete_rows
from vermilion_ledger.store.counts import count_entries
from vermilion_ledger.store.engine import is_sqlite, looking, writing
from vermilion_ledger.store.erased import add_erased, opened
from vermilion_ledger.store.kinds import decode_kind
from vermilion_ledger.store.numbers import forget_numbers
from vermilion_ledger.store.plan import IntakePlan
from vermilion_ledger.store.prefixes import digest_prefix, record_prefix, record_prefixes
from vermilion_ledger.store.sequencing import check_fence

__all__ = ["SqlEraser"]

_submissions = schema.submissions.c
_entries = schema.entries.c
_places = schema.places.c
_PAGE = 1000  # rows of idempotency keys read at once


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A submission that goes; without an index it was refused."""

    position: int
    envelope: bytes
    implied: Implied
    index: int | None = None
    sequence: int = 0


class SqlEraser:
    """Destroys records. Owned by one process; on PostgreSQL it is the owner of the tables."""

    def __init__(self, engine: Engine, *, intake_keyids: Collection[str]) -> None:
        """Prepare.

        Args:
            engine: Of the log.
            intake_keyids: Key ids of all intake keys, retired ones too.
        """
        self._engine = engine
        self._intake_keyids = intake_keyids

    def check_alone(self) -> None:
        """Refuse while other programs are connected to a PostgreSQL database.

        They may be about to submit, or to copy, what is to be destroyed. To be
        asked before this process opens a second connection. On SQLite whoever
        writes holds the lease.

        Raises:
            ConflictError: ``erase.in-use``.
        """
        with looking(self._engine) as connection:
            if is_sqlite(connection):
                return
            others = connection.execute(
                text(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND pid <> pg_backend_pid()"
                    " AND coalesce(backend_type, 'client backend') = 'client backend'"
                )
            ).scalar_one()
        if others:
            raise ConflictError("erase.in-use", f"{others} others are connected to the database")

    def erase(self, lease: Lease, condemned: Sequence[Condemned], register: Submission) -> None:
        """Destroy records and take in the list of it; returns after the durable commit.

        Args:
            lease: Held by the caller, so that nobody sequences.
            condemned: The records, with the entries as they were judged.
            register: The submission of the disposal list.

        Raises:
            ConflictError: ``sequencer.fenced``; ``erase.moved``: a record has
                other entries by now; ``erase.queued``: something of it waits.
            IntegrityError: ``log.entry-mismatch``: a row does not lead to the
                entry in the log's files.
        """
        with writing(self._engine) as connection:
            check_fence(connection, lease)
            if not is_sqlite(connection):  # nothing may come in while we look
                connection.execute(text("LOCK TABLE submissions, queue IN EXCLUSIVE MODE"))
            _check_queue(connection, [each.record.record_key for each in condemned])
            rows = [
                row for each in condemned for row in _load_entries(connection, each, self._read)
            ]
            keys = [each.record.record_key for each in condemned]
            rows += _load_refused(connection, keys, self._read)
            with opened(connection):
                connection.execute(update(schema.erasing).values(due=1))
                for each in condemned:
                    forget_numbers(connection, each.record.record_id)
                add_erased(connection, [entry for each in condemned for entry in each.entries])
                _delete_rows(connection, rows)
            plan = IntakePlan(connection, [IntakeBatch(submissions=(register,))])
            plan.take(IntakeBatch(submissions=(register,)))
            plan.queue(plan.insert())

    def _read(self, envelope: bytes) -> Implied:
        return imply(envelope, self._intake_keyids)


def _check_queue(connection: Connection, keys: Sequence[bytes]) -> None:
    query = select(schema.queue.c.position).join(
        schema.submissions, _submissions.position == schema.queue.c.position
    )
    for part in chunks(keys):
        waiting = connection.execute(query.where(_submissions.record_key.in_(part))).first()
        if waiting is not None:
            raise ConflictError("erase.queued", f"submission {waiting[0]} of it has no index yet")


def _load_entries(
    connection: Connection, condemned: Condemned, read: Callable[[bytes], Implied]
) -> list[_Row]:
    """Return the rows of a record's entries, which are those that were judged."""
    record = condemned.record
    query = (
        select(
            _entries.leaf_index,
            _entries.position,
            _entries.sequence,
            _submissions.kind,
            _submissions.envelope,
            _submissions.salt,
        )
        .join(schema.places, _places.leaf_index == _entries.leaf_index)
        .join(schema.submissions, _submissions.position == _entries.position)
        .where(_submissions.record_key == record.record_key)
        .order_by(_entries.leaf_index)
    )
    prefixes = record_prefixes(record.record_id, count_entries(connection))
    found = [
        row
        for part in chunks(prefixes)
        for row in connection.execute(query.where(_places.record.in_(part)))
    ]
    if [row.leaf_index for row in found] != [each.index for each in condemned.entries]:
        raise ConflictError("erase.moved", f"{record.record_id} has other entries by now")
    rows = []
    for row, logged in zip(found, condemned.entries, strict=True):
        stored = StoredEntry(
            index=row.leaf_index,
            position=row.position,
            sequence=row.sequence,
            record_key=record.record_key,
            kind=decode_kind(row.kind),
            envelope=row.envelope,
            salt=row.salt,
        )
        if derive_entry(stored) != logged.entry:
            raise IntegrityError(
                "log.entry-mismatch", f"entry {row.leaf_index} is not that of its envelope"
            )
        rows.append(
            _Row(
                position=row.position,
                envelope=row.envelope,
                implied=read(row.envelope),
                index=row.leaf_index,
                sequence=row.sequence,
            )
        )
    return rows


def _load_refused(
    connection: Connection, keys: Sequence[bytes], read: Callable[[bytes], Implied]
) -> Iterator[_Row]:
    """Yield what was refused of records: it holds their keys as well."""
    query = select(_submissions.position, _submissions.envelope).join(
        schema.refusals, schema.refusals.c.position == _submissions.position
    )
    for part in chunks(keys):
        for row in connection.execute(query.where(_submissions.record_key.in_(part))).all():
            yield _Row(position=row[0], envelope=row[1], implied=read(row[1]))


def _delete_rows(connection: Connection, rows: Sequence[_Row]) -> None:
    """Delete everything about these submissions; what refers to them goes first."""
    placed = [(row, row.index) for row in rows if row.index is not None]
    _delete_each(
        connection,
        schema.places,
        [
            {
                "record": record_prefix(row.implied.record_id, index),
                "sequence": row.sequence,
                "leaf_index": index,
            }
            for row, index in placed
        ],
    )
    _delete_each(
        connection,
        schema.digests,
        [
            {"digest": digest_prefix(row.implied.digest, index), "leaf_index": index}
            for row, index in placed
        ],
    )
    hashes = [{"envelope_hash": hashlib.sha256(row.envelope).digest()} for row in rows]
    _delete_each(connection, schema.known_envelopes, hashes)
    nonces = [pair for row in rows for pair in row.implied.nonces]
    used = [{"nonce": nonce, "keyid": bytes(keyid)} for keyid, nonce in nonces]
    _delete_each(connection, schema.nonces, used)
    _delete_promises(connection, {row.position for row in rows})
    positions = [row.position for row in rows]
    for part in chunks(positions):
        delete_rows(connection, _entries.position, part)
        delete_rows(connection, schema.refusals.c.position, part)
        delete_rows(connection, _submissions.position, part)


def _delete_each(connection: Connection, table: Table, keys: Sequence[dict[str, Any]]) -> None:
    """Delete rows by all columns of a key."""
    if not keys:
        return
    matches = [
        table.c[name] == bindparam(f"b_{name}", type_=table.c[name].type) for name in keys[0]
    ]
    values = [{f"b_{name}": value for name, value in key.items()} for key in keys]
    connection.execute(delete(table).where(*matches), values)


def _delete_promises(connection: Connection, positions: set[int]) -> None:
    """Delete idempotency keys of requests that had any of these submissions, and the answers."""
    table = schema.idempotency.c
    rows = connection.execute(
        select(table.key, table.positions), execution_options={"yield_per": _PAGE}
    )
    keys = [key for key, listed in rows if not positions.isdisjoint(json.loads(listed))]
    for each in (schema.responses, schema.idempotency):
        _delete_each(connection, each, [{"key": key} for key in keys])
