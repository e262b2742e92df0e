"""Reading the log's evidence: entries, records, and where submissions stand.

`SqlLogStore` implements `vermilion_ledger.ports.LogStore`. Single statements
on rows that never change once they are there; nothing reads the whole log.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Engine, bindparam, select

from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.rows import (
    ErasedEntry,
    RecordEntry,
    RecordRow,
    StoredEntry,
    SubmissionState,
)
from vermilion_ledger.store import schema
from vermilion_ledger.store.bulk import chunks
from vermilion_ledger.store.counts import count_entries, find_gap
from vermilion_ledger.store.engine import looking, reading
from vermilion_ledger.store.erased import load_erased
from vermilion_ledger.store.kinds import decode_kind
from vermilion_ledger.store.prefixes import digest_prefixes, record_prefixes
from vermilion_ledger.store.states import load_states

__all__ = ["SqlLogStore"]

_ONE_STATEMENT = 10_000  # positions; as `vermilion_ledger.store.bulk` cuts them
_entries = schema.entries.c
_submissions = schema.submissions.c
_places = schema.places.c
_digests = schema.digests.c
# Each submission asks these; putting them together anew takes as long as to run them.
_SOME_RECORDS = _places.record.in_(bindparam("records", expanding=True))
_RECORD = (
    select(_submissions.record_key, _submissions.kind)
    .join(schema.entries, _entries.position == _submissions.position)
    .join(schema.places, _places.leaf_index == _entries.leaf_index)
    .where(_places.sequence == 0, _SOME_RECORDS)
)
_HISTORY = (
    select(
        _submissions.record_key,
        _places.leaf_index,
        _places.sequence,
        _submissions.position,
        _submissions.salt,
        _submissions.envelope,
    )
    .select_from(schema.places)
    .join(schema.entries, _entries.leaf_index == _places.leaf_index)
    .join(schema.submissions, _submissions.position == _entries.position)
    .where(_SOME_RECORDS, _places.sequence >= bindparam("since"))
    .order_by(_places.leaf_index)
)


class SqlLogStore:
    """Answers every question about what is stored; changes nothing."""

    def __init__(self, engine: Engine, *, public: Sequence[RecordRow] = ()) -> None:
        """Read a database.

        Args:
            engine: Where it is.
            public: The key and the policy record, which are there from the
                beginning, before their first entry.
        """
        self._engine = engine
        self._public = {record.record_id: record for record in public}

    def count_entries(self) -> int:
        """Return the number of entries: indices have no gaps, so the last one tells."""
        with looking(self._engine) as connection:
            return count_entries(connection)

    def find_gap(self, start: int) -> int | None:
        """Return the first index from ``start`` on that is missing below the last, or None."""
        with reading(self._engine) as connection:
            return find_gap(connection, start)

    def load_stored(self, start: int, end: int) -> Sequence[StoredEntry | ErasedEntry]:
        """Return entries of ``[start, end)`` as they are stored, up to the first gap."""
        with reading(self._engine) as connection:
            stored = _load_stored(connection, start, end)
            erased: dict[int, ErasedEntry] = {}
            if len(stored) < end - start:
                rows = load_erased(connection, start, end)
                erased = {each.index: each for each in rows}
        found: list[StoredEntry | ErasedEntry] = []
        for index in range(start, end):
            each = stored.get(index) or erased.get(index)
            if each is None:
                break
            found.append(each)
        return found

    def load_record(self, record_id: str) -> RecordRow | None:
        """Return a record that has an entry, or a public one; else None."""
        if record_id in self._public:
            return self._public[record_id]
        with reading(self._engine) as connection:
            prefixes = record_prefixes(record_id, count_entries(connection))
            for part in chunks(prefixes):
                rows = connection.execute(_RECORD, {"records": part}).all()
                for record_key, kind in rows:
                    if make_record_id(record_key) == record_id:
                        return RecordRow(
                            record_id=record_id, record_key=record_key, kind=decode_kind(kind)
                        )
        return None

    def load_history(
        self, record_ids: Sequence[str], *, since: int = 0
    ) -> Mapping[str, Sequence[RecordEntry]]:
        """Return the entries of records from sequence ``since`` on, in order."""
        found: dict[str, list[RecordEntry]] = {record_id: [] for record_id in record_ids}
        with reading(self._engine) as connection:
            size = count_entries(connection)
            prefixes = {each for record_id in found for each in record_prefixes(record_id, size)}
            for part in chunks(sorted(prefixes)):
                for row in connection.execute(_HISTORY, {"records": part, "since": since}).all():
                    record_id = make_record_id(row[0])
                    if record_id in found:  # else another record with the same prefix
                        found[record_id].append(
                            RecordEntry(
                                record_id=record_id,
                                index=row[1],
                                sequence=row[2],
                                position=row[3],
                                salt=row[4],
                                envelope=row[5],
                            )
                        )
        return found

    def find_by_digest(self, digest: bytes) -> Sequence[str]:
        """Return ids of the records with an entry about this SHA-256."""
        query = (
            select(_submissions.record_key, _submissions.envelope)
            .join(schema.entries, _entries.position == _submissions.position)
            .join(schema.digests, _digests.leaf_index == _entries.leaf_index)
        )
        about: set[bytes] = set()
        with reading(self._engine) as connection:
            for part in chunks(digest_prefixes(digest, count_entries(connection))):
                rows = connection.execute(query.where(_digests.digest.in_(part))).all()
                about |= {key for key, envelope in rows if _is_about(envelope, digest)}
        return sorted(make_record_id(key) for key in about)

    def load_states(self, positions: Sequence[int]) -> Mapping[int, SubmissionState]:
        """Return where submissions stand; unknown positions are left out."""
        if len(positions) <= _ONE_STATEMENT:
            with looking(self._engine) as connection:
                return load_states(connection, positions)
        with reading(self._engine) as connection:
            return load_states(connection, positions)


def _load_stored(connection: Connection, start: int, end: int) -> dict[int, StoredEntry]:
    query = (
        select(
            _entries.leaf_index,
            _entries.position,
            _entries.sequence,
            _submissions.record_key,
            _submissions.kind,
            _submissions.envelope,
            _submissions.salt,
        )
        .join(schema.submissions, _submissions.position == _entries.position)
        .where(_entries.leaf_index >= start, _entries.leaf_index < end)
    )
    return {
        index: StoredEntry(
            index=index,
            position=position,
            sequence=sequence,
            record_key=key,
            kind=decode_kind(kind),
            envelope=envelope,
            salt=salt,
        )
        for index, position, sequence, key, kind, envelope, salt in connection.execute(query)
    }


def _is_about(envelope: bytes, digest: bytes) -> bool:
    """Tell whether a stored envelope's statement is about a digest; its prefix is."""
    statement = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
    return bool(statement["subject"][0]["digest"]["sha256"] == digest.hex())
