"""Taking submissions in: many callers, one transaction.

`SqlIntakeStore` implements `vermilion_ledger.ports.IntakeStore`. What a batch
collides with is looked up first, in the transaction that then inserts; within
SQLite's write lock that look is final. On PostgreSQL it sees the one state at
the start of the transaction, and another process may insert after it: the
insert then fails, and the whole transaction is tried again with a new look.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine, select

from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    NotFoundError,
    UnavailableError,
)
from vermilion_ledger.rows import Accepted, IntakeBatch, NewRecord, Submission
from vermilion_ledger.store import schema
from vermilion_ledger.store.bulk import chunks, insert_rows
from vermilion_ledger.store.engine import writing
from vermilion_ledger.store.moments import encode_moment

__all__ = ["SqlIntakeStore"]

_ATTEMPTS = 5
_RECORD_COLUMNS = ("record_id", "record_key", "kind", "created_at")
_SUBMISSION_COLUMNS = (
    "submission_id",
    "record_id",
    "envelope",
    "envelope_hash",
    "salt",
    "event",
    "predicate",
    "digest",
    "name",
    "received_at",
)


class SqlIntakeStore:
    """Inserts records, submissions, nonces, queue rows and idempotency keys."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def save_batches(
        self, batches: Sequence[IntakeBatch], *, received_at: datetime
    ) -> Sequence[Accepted | EvidenceError]:
        """Save many callers' batches in one transaction; one result per batch.

        Returns after the commit. What spoils the shared transaction in spite
        of all checks is found by trying the batches one by one.

        Raises:
            UnavailableError: Nothing was saved for anybody; try again.
            EvidenceError: A single batch failed for a reason of its own.
        """
        for attempt in range(_ATTEMPTS):
            try:
                with writing(self._engine, one_state=True) as connection:
                    return _save(connection, batches, encode_moment(received_at))
            except ConflictError:
                if attempt + 1 == _ATTEMPTS and len(batches) == 1:
                    raise
            except UnavailableError:
                raise
            except EvidenceError:
                if len(batches) == 1:
                    raise
                break
        return [self._save_alone(batch, received_at) for batch in batches]

    def save_record(self, record: NewRecord, *, created_at: datetime) -> None:
        """Create a record ahead of its first submission.

        Raises:
            ConflictError: ``record.exists``.
        """
        with writing(self._engine) as connection:
            known = select(schema.records.c.record_id).where(
                schema.records.c.record_id == record.record_id
            )
            if connection.execute(known).first() is not None:
                raise _record_exists(record.record_id)
            insert_rows(
                connection,
                schema.records,
                _RECORD_COLUMNS,
                [_record_values(record, encode_moment(created_at))],
            )

    def _save_alone(self, batch: IntakeBatch, received_at: datetime) -> Accepted | EvidenceError:
        try:
            return self.save_batches([batch], received_at=received_at)[0]
        except EvidenceError as exc:
            return exc


def _save(
    connection: Connection, batches: Sequence[IntakeBatch], now: int
) -> list[Accepted | EvidenceError]:
    plan = _Plan(connection, batches, now)
    results = [plan.take(batch) for batch in batches]
    plan.insert(connection)
    return results


class _Plan:
    """What one transaction will insert, and what is there already.

    A batch is judged whole before any of it is noted, so that a refused batch
    leaves no trace. A batch sees the accepted ones before it as if stored.
    """

    def __init__(self, connection: Connection, batches: Sequence[IntakeBatch], now: int) -> None:
        self._now = now
        self._connection = connection
        submissions = [each for batch in batches for each in batch.submissions]
        self._ids = _load_ids(connection, [each.envelope_hash for each in submissions])
        self._nonces = _load_nonces(
            connection, [nonce for each in submissions for _, nonce in each.nonces]
        )
        self._records = _load_records(connection, list({each.record_id for each in submissions}))
        self._keys = _load_keys(
            connection, [batch.idempotency.key for batch in batches if batch.idempotency]
        )
        self._new_records: list[tuple[object, ...]] = []
        self._new_submissions: list[Submission] = []
        self._new_keys: list[tuple[object, ...]] = []

    def take(self, batch: IntakeBatch) -> Accepted | EvidenceError:
        """Judge a batch and, if it is good, note what to insert for it."""
        if batch.idempotency and (known := self._keys.get(batch.idempotency.key)):
            if known[0] == batch.idempotency.request_hash:
                return Accepted(submission_ids=known[1], replayed=True)
            return ConflictError(
                "idempotency.other-body", "the idempotency key belongs to another request"
            )
        fresh: dict[bytes, Submission] = {}
        nonces: set[tuple[bytes, bytes]] = set()
        records: dict[str, NewRecord] = {}
        for each in batch.submissions:
            if each.envelope_hash in self._ids or each.envelope_hash in fresh:
                continue
            if error := self._judge(each, nonces, records):
                return error
            fresh[each.envelope_hash] = each
            nonces.update(each.nonces)
            if each.new_record:
                records[each.record_id] = each.new_record
        self._note(fresh, nonces, records)
        ids = tuple(self._ids[each.envelope_hash] for each in batch.submissions)
        if batch.idempotency:
            key, request_hash = batch.idempotency.key, batch.idempotency.request_hash
            self._keys[key] = (request_hash, ids)
            listed = json.dumps([each.hex() for each in ids])
            self._new_keys.append((key, request_hash, listed, self._now))
        return Accepted(submission_ids=ids)

    def insert(self, connection: Connection) -> None:
        """Insert everything noted; one statement per table."""
        now, fresh = self._now, self._new_submissions
        insert_rows(connection, schema.records, _RECORD_COLUMNS, self._new_records)
        rows = [
            (
                each.submission_id,
                each.record_id,
                each.envelope,
                each.envelope_hash,
                each.salt,
                each.event,
                each.predicate,
                each.digest,
                each.name,
                now,
            )
            for each in fresh
        ]
        insert_rows(connection, schema.submissions, _SUBMISSION_COLUMNS, rows)
        used = [(nonce, keyid) for each in fresh for keyid, nonce in each.nonces]
        insert_rows(connection, schema.nonces, ("nonce", "keyid"), used)
        waiting = [(each.submission_id,) for each in fresh]
        insert_rows(connection, schema.queue, ("submission_id",), waiting)
        insert_rows(
            connection,
            schema.idempotency,
            ("key", "request_hash", "submission_ids", "created_at"),
            self._new_keys,
        )

    def _judge(
        self, each: Submission, nonces: set[tuple[bytes, bytes]], records: dict[str, NewRecord]
    ) -> EvidenceError | None:
        is_known = each.record_id in self._records or each.record_id in records
        if each.new_record is None and not is_known:
            return NotFoundError("record.unknown", f"there is no record {each.record_id}")
        if each.new_record is not None and is_known:
            return _record_exists(each.record_id)
        if len(set(each.nonces)) < len(each.nonces):
            return _nonce_reused()
        if any(pair in self._nonces or pair in nonces for pair in each.nonces):
            return _nonce_reused()
        return None

    def _note(
        self,
        fresh: dict[bytes, Submission],
        nonces: set[tuple[bytes, bytes]],
        records: dict[str, NewRecord],
    ) -> None:
        self._ids.update((hash_, each.submission_id) for hash_, each in fresh.items())
        self._nonces |= nonces
        self._records |= records.keys()
        self._new_submissions.extend(fresh.values())
        self._new_records.extend(_record_values(each, self._now) for each in records.values())


def _load_ids(connection: Connection, hashes: Sequence[bytes]) -> dict[bytes, bytes]:
    table = schema.submissions.c
    found: dict[bytes, bytes] = {}
    for part in chunks(hashes):
        query = select(table.envelope_hash, table.submission_id).where(
            table.envelope_hash.in_(part)
        )
        found.update((row[0], row[1]) for row in connection.execute(query))
    return found


def _load_nonces(connection: Connection, nonces: Sequence[bytes]) -> set[tuple[bytes, bytes]]:
    table = schema.nonces.c
    found: set[tuple[bytes, bytes]] = set()
    for part in chunks(nonces):
        query = select(table.keyid, table.nonce).where(table.nonce.in_(part))
        found.update((row[0], row[1]) for row in connection.execute(query))
    return found


def _load_records(connection: Connection, record_ids: Sequence[str]) -> set[str]:
    column = schema.records.c.record_id
    found: set[str] = set()
    for part in chunks(record_ids):
        found.update(connection.execute(select(column).where(column.in_(part))).scalars())
    return found


def _load_keys(
    connection: Connection, keys: Sequence[str]
) -> dict[str, tuple[bytes, tuple[bytes, ...]]]:
    table = schema.idempotency.c
    found: dict[str, tuple[bytes, tuple[bytes, ...]]] = {}
    for part in chunks(keys):
        query = select(table.key, table.request_hash, table.submission_ids).where(
            table.key.in_(part)
        )
        for key, request_hash, listed in connection.execute(query):
            ids = tuple(bytes.fromhex(each) for each in json.loads(listed))
            found[key] = (request_hash, ids)
    return found


def _record_values(record: NewRecord, now: int) -> tuple[object, ...]:
    return (record.record_id, record.record_key, record.kind, now)


def _record_exists(record_id: str) -> ConflictError:
    return ConflictError("record.exists", f"there is a record {record_id} already")


def _nonce_reused() -> ConflictError:
    return ConflictError("statement.nonce-reused", "this key has used this nonce before")
