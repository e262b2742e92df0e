"""Every row as it stands, for fsck and export.

`SqlAudit` implements `vermilion_ledger.cells.AuditStore`. Nothing is
decoded, so that no damage can keep a row from being looked at: a text of
SQLite, which may hold any bytes, is read as bytes.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    LargeBinary,
    Select,
    Text,
    cast,
    func,
    literal,
    select,
    union_all,
)

from vermilion_ledger.cells import (
    AnchoredCells,
    CheckpointCells,
    Counts,
    EntryCells,
    HeadCells,
    QueuedCells,
    RefusedCells,
)
from vermilion_ledger.store import schema
from vermilion_ledger.store.bulk import chunks
from vermilion_ledger.store.engine import is_sqlite, reading

__all__ = ["SqlAudit", "SqlAuditView"]

_entries = schema.entries.c
_erased = schema.erased.c
_submissions = schema.submissions.c
_refusals = schema.refusals.c
_queue = schema.queue.c
_checkpoints = schema.checkpoints.c
_CONTENT = (
    _submissions.record_key,
    _submissions.kind,
    _submissions.envelope,
    _submissions.salt,
)
_PAGE = 1000  # rows held at once while a table is read through
_PLANNING = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")


class SqlAudit:
    """Reads the evidence store, and the head wherever it lives."""

    def __init__(self, engine: Engine, head_engine: Engine) -> None:
        self._engine = engine
        self._head_engine = head_engine

    @contextmanager
    def view(self) -> Iterator[SqlAuditView]:
        """Open one state of the evidence store."""
        with reading(self._engine) as connection:
            yield SqlAuditView(connection)

    def load_head(self, limit: int = 1) -> tuple[HeadCells | None, Sequence[CheckpointCells]]:
        """Return the head and the newest checkpoints, newest first, as of one moment."""
        head = schema.head.c
        with reading(self._head_engine) as connection:
            row = connection.execute(
                select(head.size, head.root, head.epoch, _raw(connection, head.state))
            ).first()
            newest = connection.execute(
                _select_checkpoints(connection).order_by(_checkpoints.size.desc()).limit(limit)
            ).all()
        return (
            None if row is None else HeadCells._make(row),
            [CheckpointCells._make(each) for each in newest],
        )

    def next_checkpoints(self, after: int | None, limit: int) -> Sequence[CheckpointCells]:
        """Return checkpoints of sizes above ``after``, in order."""
        with reading(self._head_engine) as connection:
            query = _select_checkpoints(connection).order_by(_checkpoints.size).limit(limit)
            if after is not None:
                query = query.where(_checkpoints.size > after)
            return [CheckpointCells._make(row) for row in connection.execute(query).all()]

    def check_files(self, limit: int) -> Sequence[str]:
        """Return what SQLite finds wrong with its pages; PostgreSQL is not asked."""
        found: list[str] = []
        for engine in {id(each): each for each in (self._engine, self._head_engine)}.values():
            with reading(engine) as connection:
                if is_sqlite(connection):
                    rows = connection.exec_driver_sql(f"PRAGMA integrity_check({int(limit)})")
                    found += [str(row[0]) for row in rows if row[0] != "ok"]
        return found


class SqlAuditView:
    """One state of the evidence store. Owned by the transaction that it was opened in."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_sqlite = is_sqlite(connection)

    def load_entries(self, start: int, end: int) -> Sequence[EntryCells]:
        """Return the entries with index in ``[start, end)``, erased ones too, in order."""
        query = _select_entries().where(_entries.leaf_index >= start, _entries.leaf_index < end)
        stored = [EntryCells(*row) for row in self._connection.execute(query).all()]
        if len(stored) >= end - start:
            return stored
        erased = select(schema.erased).where(_erased.leaf_index >= start, _erased.leaf_index < end)
        return self._with_erased(stored, erased)

    def load_entries_at(self, indices: Sequence[int]) -> Sequence[EntryCells]:
        """Return the entries of these indices."""
        found: list[EntryCells] = []
        for part in chunks(sorted(set(indices))):
            query = _select_entries().where(_entries.leaf_index.in_(part))
            found += [EntryCells(*row) for row in self._connection.execute(query).all()]
        return found

    def next_entries(self, after: int | None, limit: int) -> Sequence[EntryCells]:
        """Return the entries with an index above ``after``, erased ones too, in order."""
        query = _select_entries().limit(limit)
        erased = select(schema.erased).order_by(_erased.leaf_index).limit(limit)
        if after is not None:
            query = query.where(_entries.leaf_index > after)
            erased = erased.where(_erased.leaf_index > after)
        stored = [EntryCells(*row) for row in self._connection.execute(query).all()]
        return self._with_erased(stored, erased)[:limit]

    def next_refused(self, after: int, limit: int) -> Sequence[RefusedCells]:
        """Return refusals of positions above ``after``, in order."""
        query = (
            select(
                _refusals.position,
                _raw(self._connection, _refusals.code),
                _raw(self._connection, _refusals.message),
                *_CONTENT,
            )
            .outerjoin(schema.submissions, _submissions.position == _refusals.position)
            .where(_refusals.position > after)
            .order_by(_refusals.position)
            .limit(limit)
        )
        return [RefusedCells._make(row) for row in self._connection.execute(query).all()]

    def next_queued(self, after: int, limit: int) -> Sequence[QueuedCells]:
        """Return what is queued of positions above ``after``, in order."""
        query = (
            select(_queue.position, _queue.digest, _queue.is_plain, *_CONTENT)
            .outerjoin(schema.submissions, _submissions.position == _queue.position)
            .where(_queue.position > after)
            .order_by(_queue.position)
            .limit(limit)
        )
        return [QueuedCells._make(row) for row in self._connection.execute(query).all()]

    def counts(self) -> Counts:
        """Return how many rows there are."""
        tables = (
            schema.submissions,
            schema.entries,
            schema.refusals,
            schema.queue,
            schema.places,
            schema.digests,
            schema.known_envelopes,
            schema.nonces,
            schema.erased,
        )
        found = {
            table.name: self._connection.execute(select(func.count()).select_from(table)).scalar()
            for table in tables
        }
        return Counts(**{name: int(count or 0) for name, count in found.items()})

    def list_overlaps(self, limit: int) -> Sequence[tuple[int, str]]:
        """Return positions that are in two of entries, refusals and queue; and in which."""
        queries: list[Select[Any]] = [
            select(_refusals.position, literal("entry and refusal")).join(
                schema.entries, _entries.position == _refusals.position
            ),
            select(_queue.position, literal("entry and queued")).join(
                schema.entries, _entries.position == _queue.position
            ),
            select(_queue.position, literal("refusal and queued")).join(
                schema.refusals, _refusals.position == _queue.position
            ),
        ]
        rows = self._connection.execute(union_all(*queries).limit(limit))
        return [(row[0], row[1]) for row in rows]

    def list_orphans(self, limit: int) -> Sequence[int]:
        """Return positions of submissions that are in none of the three."""
        query = (
            select(_submissions.position)
            .outerjoin(schema.entries, _entries.position == _submissions.position)
            .outerjoin(schema.refusals, _refusals.position == _submissions.position)
            .outerjoin(schema.queue, _queue.position == _submissions.position)
            .where(
                _entries.position.is_(None),
                _refusals.position.is_(None),
                _queue.position.is_(None),
            )
            .limit(limit)
        )
        return list(self._connection.execute(query).scalars())

    def load_envelopes(self, positions: Sequence[int]) -> Mapping[int, bytes]:
        """Return the envelopes of these submissions."""
        found: dict[int, bytes] = {}
        for part in chunks(sorted(set(positions))):
            query = select(_submissions.position, _submissions.envelope)
            rows = self._connection.execute(query.where(_submissions.position.in_(part)))
            found.update((row[0], row[1]) for row in rows)
        return found

    def find_positions(self, positions: Sequence[int]) -> set[int]:
        """Return those of the positions that a submission has."""
        found: set[int] = set()
        for part in chunks(sorted(set(positions))):
            query = select(_submissions.position).where(_submissions.position.in_(part))
            found.update(self._connection.execute(query).scalars())
        return found

    def anchored_between(self, after: int, upto: int) -> Sequence[AnchoredCells]:
        """Return what the journal anchored, or was to, of sizes in ``(after, upto]``."""
        found: list[AnchoredCells] = []
        receipts, jobs = schema.anchor_receipts.c, schema.anchors.c
        for table, what in (
            (receipts, [literal("anchor of block "), receipts.block_number, receipts.chain_id]),
            (jobs, [literal("anchoring job "), jobs.anchor_id, jobs.chain_id]),
        ):
            query = select(table.size, table.root, *what)
            rows = self._connection.execute(query.where(table.size > after, table.size <= upto))
            found += [
                AnchoredCells(size=row[0], root=row[1], source=f"{row[2]}{row[3]}, chain {row[4]}")
                for row in rows
            ]
        return sorted(found)

    def has_places(self, rows: Collection[tuple[int, int, int]]) -> bool:
        """Tell whether all these (record, sequence, leaf index) are rows of ``places``."""
        columns = ("record", "sequence", "leaf_index")
        return bool(self._look_up("places", columns, "count(*)", rows)[0][0] == len(rows))

    def has_digests(self, rows: Collection[tuple[int, int]]) -> bool:
        """Tell whether all these (digest, leaf index) are rows of ``digests``."""
        columns = ("digest", "leaf_index")
        return bool(self._look_up("digests", columns, "count(*)", rows)[0][0] == len(rows))

    def find_places(self, keys: Sequence[tuple[int, int]]) -> set[tuple[int, int, int]]:
        """Return the rows of ``places`` with these (record, sequence)."""
        names = "t.record, t.sequence, t.leaf_index"
        rows = self._look_up("places", ("record", "sequence"), names, keys)
        return {(row[0], row[1], row[2]) for row in rows}

    def find_digests(self, keys: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
        """Return the rows of ``digests`` among these (digest, leaf index)."""
        names = "t.digest, t.leaf_index"
        rows = self._look_up("digests", ("digest", "leaf_index"), names, keys)
        return {(row[0], row[1]) for row in rows}

    def find_known(self, hashes: Sequence[bytes]) -> Mapping[bytes, int]:
        """Return the rows of ``known_envelopes`` with these hashes."""
        table = schema.known_envelopes.c
        found: dict[bytes, int] = {}
        for part in chunks(sorted(hashes)):
            query = select(table.envelope_hash, table.position)
            rows = self._connection.execute(query.where(table.envelope_hash.in_(part)))
            found.update((row[0], row[1]) for row in rows)
        return found

    def find_nonces(self, nonces: Sequence[bytes]) -> set[tuple[bytes, bytes]]:
        """Return the rows of ``nonces`` with these nonces, as (key id, nonce)."""
        table = schema.nonces.c
        found: set[tuple[bytes, bytes]] = set()
        for part in chunks(sorted(set(nonces))):
            query = select(table.keyid, table.nonce).where(table.nonce.in_(part))
            found.update((row[0], row[1]) for row in self._connection.execute(query))
        return found

    def is_sweep_due(self) -> bool:
        """Tell whether an erasure has not cleared the files yet."""
        return bool(self._connection.execute(select(schema.erasing.c.due)).scalar())

    def texts(self, table: str) -> frozenset[str]:
        """Return the columns of a table that hold texts, which `scan` gives as bytes."""
        columns = schema.METADATA.tables[table].columns
        return frozenset(column.name for column in columns if isinstance(column.type, Text))

    def scan(self, table: str) -> Iterator[Mapping[str, Any]]:
        """Yield whole rows of a table in the order of its primary key, texts as bytes."""
        known = schema.METADATA.tables[table]
        query = select(*(_raw(self._connection, column) for column in known.columns))
        names = [column.name for column in known.columns]
        rows = self._connection.execute(
            query.order_by(*known.primary_key.columns), execution_options={"yield_per": _PAGE}
        )
        for row in rows:
            yield dict(zip(names, row, strict=True))

    def _with_erased(self, stored: list[EntryCells], query: Select[Any]) -> list[EntryCells]:
        """Return entries with those whose record was destroyed, by index; a row comes first."""
        known = {cells.leaf_index for cells in stored}
        erased = [
            EntryCells(index, 0, 0, None, None, None, None, entry)
            for index, entry in self._connection.execute(query).all()
            if index not in known
        ]
        return sorted([*stored, *erased], key=lambda cells: cells.leaf_index) if erased else stored

    def _look_up(
        self,
        table: str,
        by: tuple[str, ...],
        names: str,
        keys: Collection[tuple[int, ...]],
    ) -> Sequence[Any]:
        """Return what is asked of the rows with these numbers: one statement, no long text."""
        rows = sorted(keys)  # neighbours share a page
        if self._is_sqlite:
            matches = " AND ".join(f"t.{name} = k.value ->> {at}" for at, name in enumerate(by))
            statement = (
                f"SELECT {names} FROM json_each(?) AS k CROSS JOIN {table} AS t ON {matches}"  # noqa: S608
            )
            return self._connection.exec_driver_sql(statement, (json.dumps(rows),)).all()
        for name in _PLANNING:  # each is looked up: never the whole table for a chunk
            self._connection.exec_driver_sql(f"SET LOCAL {name} = off")
        arrays = ", ".join(["%s::bigint[]"] * len(by))
        columns = ", ".join(f"k{at}" for at in range(len(by)))
        matches = " AND ".join(f"t.{name} = k.k{at}" for at, name in enumerate(by))
        statement = (
            f"SELECT {names} FROM unnest({arrays}) AS k ({columns})"  # noqa: S608
            f" JOIN {table} AS t ON {matches}"
        )
        values = tuple([row[at] for row in rows] for at in range(len(by)))
        found = self._connection.exec_driver_sql(statement, values).all()
        for name in _PLANNING:
            self._connection.exec_driver_sql(f"SET LOCAL {name} = on")
        return found


def _select_entries() -> Select[Any]:
    return (
        select(_entries.leaf_index, _entries.position, _entries.sequence, *_CONTENT)
        .outerjoin(schema.submissions, _submissions.position == _entries.position)
        .order_by(_entries.leaf_index)
    )


def _select_checkpoints(connection: Connection) -> Select[Any]:
    return select(
        _checkpoints.size,
        _checkpoints.root,
        _raw(connection, _checkpoints.note),
        _checkpoints.epoch,
        _checkpoints.published_at,
    )


def _raw(connection: Connection, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a text as the bytes it consists of; anything else as it is."""
    if not isinstance(column.type, Text):
        return column
    if is_sqlite(connection):
        return cast(column, LargeBinary)
    return func.convert_to(column, "UTF8")
