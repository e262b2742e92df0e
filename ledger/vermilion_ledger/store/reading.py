"""Reading the log, the records and where submissions stand.

`SqlLogStore` implements `vermilion_ledger.ports.LogStore`. Single statements
on rows that never change once they are there; nothing reads the whole tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Engine, func, select, tuple_

from vermilion_ledger.errors import UnavailableError
from vermilion_ledger.rows import (
    CheckpointRow,
    EntryRow,
    Head,
    Opening,
    RecordEntry,
    RecordRow,
    SubmissionState,
    TileKey,
    TileRow,
)
from vermilion_ledger.store import schema
from vermilion_ledger.store.bulk import chunks
from vermilion_ledger.store.engine import reading
from vermilion_ledger.store.moments import decode_moment

__all__ = ["SqlLogStore"]

_T = TypeVar("_T")

_entries = schema.entries.c
_submissions = schema.submissions.c
_tiles = schema.tiles.c
_checkpoints = schema.checkpoints.c


class SqlLogStore:
    """Answers every question about what is stored; changes nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def count_entries(self) -> int:
        """Return the number of entries: indices have no gaps, so the last one tells."""
        with reading(self._engine) as connection:
            last = connection.execute(select(func.max(_entries.leaf_index))).scalar()
            return 0 if last is None else last + 1

    def load_leaf_hashes(self, start: int, end: int) -> Sequence[bytes]:
        """Return leaf hashes of ``[start, end)`` up to the first gap."""
        query = (
            select(_entries.leaf_index, _entries.leaf_hash)
            .where(_entries.leaf_index >= start, _entries.leaf_index < end)
            .order_by(_entries.leaf_index)
        )
        with reading(self._engine) as connection:
            return _dense(((row[0], row[1]) for row in connection.execute(query).all()), start)

    def load_leaves(self, start: int, end: int) -> Sequence[tuple[bytes, bytes, bytes]]:
        """Return commitment, tag and leaf hash of ``[start, end)`` up to the first gap."""
        query = (
            select(_entries.leaf_index, _entries.commitment, _entries.tag, _entries.leaf_hash)
            .where(_entries.leaf_index >= start, _entries.leaf_index < end)
            .order_by(_entries.leaf_index)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
            return _dense(((row[0], (row[1], row[2], row[3])) for row in rows), start)

    def load_entries(self, start: int, end: int) -> Sequence[EntryRow]:
        """Return entries of ``[start, end)`` up to the first gap."""
        query = (
            select(schema.entries)
            .where(_entries.leaf_index >= start, _entries.leaf_index < end)
            .order_by(_entries.leaf_index)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
            return _dense(((row.leaf_index, _entry(row)) for row in rows), start)

    def load_openings(self, start: int, end: int) -> Sequence[tuple[EntryRow, Opening]]:
        """Return entries of ``[start, end)`` with what they commit to, up to the first gap."""
        query = (
            select(
                schema.entries,
                _submissions.record_id.label("submitted_to"),
                schema.records.c.record_key,
                _submissions.envelope,
                _submissions.envelope_hash,
                _submissions.salt,
            )
            .join(schema.submissions, _submissions.submission_id == _entries.submission_id)
            .join(schema.records, schema.records.c.record_id == _entries.record_id)
            .where(_entries.leaf_index >= start, _entries.leaf_index < end)
            .order_by(_entries.leaf_index)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
            return _dense(((row.leaf_index, (_entry(row), _opening(row))) for row in rows), start)

    def load_tiles(self, keys: Sequence[TileKey]) -> Mapping[TileKey, bytes]:
        """Return the hashes of those of the tiles that are full."""
        if not keys:
            return {}
        query = select(_tiles.level, _tiles.position, _tiles.hashes).where(
            tuple_(_tiles.level, _tiles.position).in_(list(keys))
        )
        with reading(self._engine) as connection:
            return {(row[0], row[1]): row[2] for row in connection.execute(query)}

    def load_tile_roots(self, level: int, start: int, end: int) -> Sequence[bytes]:
        """Return roots of full tiles ``[start, end)`` of a level up to the first gap."""
        query = (
            select(_tiles.position, _tiles.root)
            .where(_tiles.level == level, _tiles.position >= start, _tiles.position < end)
            .order_by(_tiles.position)
        )
        with reading(self._engine) as connection:
            return _dense(((row[0], row[1]) for row in connection.execute(query).all()), start)

    def load_tile_rows(self, level: int, start: int, end: int) -> Sequence[TileRow]:
        """Return full tiles ``[start, end)`` of a level, in order."""
        query = (
            select(schema.tiles)
            .where(_tiles.level == level, _tiles.position >= start, _tiles.position < end)
            .order_by(_tiles.position)
        )
        with reading(self._engine) as connection:
            return [
                TileRow(level=row.level, position=row.position, hashes=row.hashes, root=row.root)
                for row in connection.execute(query).all()
            ]

    def load_head(self) -> Head:
        """Return what was signed last.

        Raises:
            UnavailableError: ``store.not-migrated``: the row is missing.
        """
        with reading(self._engine) as connection:
            row = connection.execute(select(schema.head)).first()
        if row is None:
            raise UnavailableError("store.not-migrated", "the head row is missing")
        return Head(size=row.size, root=row.root, epoch=row.epoch, state=row.state)

    def load_checkpoint(self, size: int | None = None) -> CheckpointRow | None:
        """Return the checkpoint of a size, or the newest; None if there is none."""
        query = select(schema.checkpoints).order_by(_checkpoints.size.desc()).limit(1)
        if size is not None:
            query = query.where(_checkpoints.size == size)
        with reading(self._engine) as connection:
            found = [_checkpoint(row) for row in connection.execute(query)]
        return found[0] if found else None

    def list_checkpoints(self, *, before: int | None, limit: int) -> Sequence[CheckpointRow]:
        """Return checkpoints with size below ``before``, newest first."""
        query = select(schema.checkpoints).order_by(_checkpoints.size.desc()).limit(limit)
        if before is not None:
            query = query.where(_checkpoints.size < before)
        with reading(self._engine) as connection:
            return [_checkpoint(row) for row in connection.execute(query)]

    def load_record(self, record_id: str) -> RecordRow | None:
        """Return a record, or None."""
        query = select(schema.records).where(schema.records.c.record_id == record_id)
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return RecordRow(
            record_id=row.record_id,
            record_key=row.record_key,
            kind=row.kind,
            created_at=decode_moment(row.created_at),
        )

    def load_history(
        self, record_ids: Sequence[str], *, since: int = 0
    ) -> Mapping[str, Sequence[RecordEntry]]:
        """Return the entries of records from sequence ``since`` on, in order."""
        found: dict[str, list[RecordEntry]] = {record_id: [] for record_id in record_ids}
        with reading(self._engine) as connection:
            for part in chunks(list(found)):
                query = (
                    select(
                        _entries.record_id,
                        _entries.leaf_index,
                        _entries.sequence,
                        _entries.submission_id,
                        _submissions.salt,
                        _submissions.envelope,
                    )
                    .join(schema.submissions, _submissions.submission_id == _entries.submission_id)
                    .where(_entries.record_id.in_(part), _entries.sequence >= since)
                    .order_by(_entries.record_id, _entries.sequence)
                )
                for row in connection.execute(query).all():
                    found[row[0]].append(
                        RecordEntry(
                            record_id=row[0],
                            index=row[1],
                            sequence=row[2],
                            submission_id=row[3],
                            salt=row[4],
                            envelope=row[5],
                        )
                    )
        return found

    def find_by_digest(self, digest: bytes) -> Sequence[str]:
        """Return ids of the records with a submission about this SHA-256."""
        query = (
            select(_submissions.record_id)
            .where(_submissions.digest == digest)
            .distinct()
            .order_by(_submissions.record_id)
        )
        with reading(self._engine) as connection:
            return list(connection.execute(query).scalars())

    def load_states(self, submission_ids: Sequence[bytes]) -> Mapping[bytes, SubmissionState]:
        """Return where submissions stand; unknown ids are left out."""
        refusals = schema.refusals.c
        query = (
            select(
                _submissions.submission_id,
                _submissions.record_id,
                _entries.leaf_index,
                _entries.sequence,
                refusals.code,
                refusals.message,
            )
            .outerjoin(schema.entries, _entries.submission_id == _submissions.submission_id)
            .outerjoin(schema.refusals, refusals.submission_id == _submissions.submission_id)
        )
        found: dict[bytes, SubmissionState] = {}
        with reading(self._engine) as connection:
            for part in chunks(submission_ids):
                rows = connection.execute(query.where(_submissions.submission_id.in_(part))).all()
                found.update((row[0], _state(*row)) for row in rows)
        return found


def _state(
    submission_id: bytes,
    record_id: str,
    index: int | None,
    sequence: int | None,
    code: str | None,
    message: str | None,
) -> SubmissionState:
    if index is not None:
        return SubmissionState(
            submission_id=submission_id,
            record_id=record_id,
            state="sequenced",
            index=index,
            sequence=sequence,
        )
    return SubmissionState(
        submission_id=submission_id,
        record_id=record_id,
        state="pending" if code is None else "refused",
        code=code,
        message=message,
    )


def _entry(row: Any) -> EntryRow:
    return EntryRow(
        index=row.leaf_index,
        submission_id=row.submission_id,
        record_id=row.record_id,
        sequence=row.sequence,
        commitment=row.commitment,
        tag=row.tag,
        leaf_hash=row.leaf_hash,
        sequenced_at=decode_moment(row.sequenced_at),
    )


def _opening(row: Any) -> Opening:
    return Opening(
        record_id=row.submitted_to,
        record_key=row.record_key,
        envelope=row.envelope,
        envelope_hash=row.envelope_hash,
        salt=row.salt,
    )


def _checkpoint(row: Any) -> CheckpointRow:
    return CheckpointRow(
        size=row.size,
        root=row.root,
        note=row.note,
        epoch=row.epoch,
        published_at=decode_moment(row.published_at),
    )


def _dense(rows: Iterable[tuple[int, _T]], start: int) -> list[_T]:
    """Keep rows as long as their positions follow on one another."""
    found: list[_T] = []
    for position, row in rows:
        if position != start + len(found):
            break
        found.append(row)
    return found
