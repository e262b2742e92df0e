"""Filling an empty database from an export, and copying one that is in use.

`SqlRestorer` implements `vermilion_ledger.restored.Restorer`. Rows are
inserted as any other process inserts them, under the same triggers; only head
and lease are moved on to where the exported ledger stood.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Column, Connection, Engine, Integer, LargeBinary, func, select, text, update

from vermilion_ledger.errors import ConflictError, InputError, UnavailableError
from vermilion_ledger.restored import RestoredSubmission
from vermilion_ledger.rows import ErasedEntry, RecordKind
from vermilion_ledger.store import schema
from vermilion_ledger.store.bulk import insert_rows
from vermilion_ledger.store.engine import is_sqlite, reading, writing
from vermilion_ledger.store.erased import opened
from vermilion_ledger.store.kinds import encode_kind
from vermilion_ledger.store.prefixes import digest_prefix, record_prefix

__all__ = ["SqlRestorer", "copy_sqlite"]

_NUMBERED = (("submissions", "position"), ("anchors", "anchor_id"))
_INTEGER_MAX = 2**63 - 1


class SqlRestorer:
    """Fills the databases of one ledger. Used once."""

    def __init__(self, engine: Engine, head_engine: Engine) -> None:
        self._engine = engine
        self._head_engine = head_engine

    def check_empty(self) -> None:
        """Refuse a database that anything was written to.

        Raises:
            ConflictError: ``export.not-empty``.
        """
        for engine, tables in (
            (
                self._engine,
                (schema.submissions, schema.erased, schema.anchors, schema.idempotency),
            ),
            (self._head_engine, (schema.checkpoints,)),
        ):
            with reading(engine) as connection:
                for table in tables:
                    if connection.execute(select(func.count()).select_from(table)).scalar():
                        raise ConflictError("export.not-empty", f"{table.name} has rows already")

    def save_submissions(self, submissions: Sequence[RestoredSubmission]) -> None:
        """Insert submissions, and every row that they imply, in one transaction."""
        with writing(self._engine) as connection:
            _insert_content(connection, submissions)
            placed = [(each.index, each) for each in submissions if each.index is not None]
            insert_rows(
                connection,
                schema.entries,
                ("leaf_index", "position", "sequence"),
                [(index, each.position, each.sequence) for index, each in placed],
            )
            insert_rows(
                connection,
                schema.places,
                ("record", "sequence", "leaf_index"),
                sorted(
                    (record_prefix(each.implied.record_id, index), each.sequence, index)
                    for index, each in placed
                ),
            )
            insert_rows(
                connection,
                schema.digests,
                ("digest", "leaf_index"),
                sorted(
                    (digest_prefix(each.implied.digest, index), index) for index, each in placed
                ),
            )
            refused = [each for each in submissions if each.code]
            insert_rows(
                connection,
                schema.refusals,
                ("position", "code", "message"),
                [(each.position, each.code, each.message) for each in refused],
            )
            queued = [each for each in submissions if each.index is None and not each.code]
            insert_rows(
                connection,
                schema.queue,
                ("position", "digest", "is_plain"),
                [
                    (each.position, each.implied.digest, int(each.implied.is_plain))
                    for each in queued
                ],
            )

    def save_erased(self, entries: Sequence[ErasedEntry]) -> None:
        """Insert what is left of destroyed records, in one transaction."""
        if not entries:
            return
        rows = [(each.index, each.entry) for each in entries]
        with writing(self._engine) as connection, opened(connection):
            insert_rows(connection, schema.erased, ("leaf_index", "entry"), rows)

    def save_rows(self, table: str, rows: Sequence[Mapping[str, str | None]]) -> None:
        """Insert rows of a table that is restored as it stood.

        Raises:
            InputError: ``export.malformed``: a row has other columns, or values.
        """
        known = schema.METADATA.tables[table]
        columns = list(known.columns)
        engine = self._head_engine if known is schema.checkpoints else self._engine
        values = [tuple(_decode(column, row) for column in columns) for row in rows]
        if any(len(row) != len(columns) for row in rows):
            raise InputError("export.malformed", f"a row of {table} has other columns")
        with writing(engine) as connection:
            insert_rows(connection, known, [column.name for column in columns], values)

    def finish(self, size: int, root: bytes) -> None:
        """Set the head, and all that counts on from what is there."""
        checkpoints, head = schema.checkpoints.c, schema.head.c
        with writing(self._head_engine) as connection:
            epoch = connection.execute(select(func.max(checkpoints.epoch))).scalar() or 0
            if size:
                connection.execute(
                    update(schema.head)
                    .where(head.id == 1)
                    .values(size=size, root=root, epoch=epoch, state="open")
                )
        with writing(self._engine) as connection:
            connection.execute(update(schema.lease).values(epoch=epoch))
            if not is_sqlite(connection):
                for table, column in _NUMBERED:
                    connection.execute(
                        text(
                            f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'),"  # noqa: S608
                            f" (SELECT max({column}) FROM {table}))"
                        )
                    )


def copy_sqlite(engine: Engine, path: Path) -> None:
    """Copy a SQLite database that is in use, as of one moment; durable on return.

    The copy is readable by its owner only: it holds salts and record keys.

    Raises:
        ConflictError: ``export.exists``: there is such a file.
        InputError: ``export.not-sqlite``: it is another kind of database.
        UnavailableError: ``export.unwritable``.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except FileExistsError as exc:
        raise ConflictError("export.exists", f"{path} exists already") from exc
    except OSError as exc:
        raise UnavailableError("export.unwritable", f"{path}: {exc.strerror}") from exc
    with reading(engine) as connection:
        if not is_sqlite(connection):
            path.unlink()
            raise InputError("export.not-sqlite", "only SQLite is copied so; use pg_dump")
        source = cast("sqlite3.Connection", connection.connection.driver_connection)
        try:
            target = sqlite3.connect(path)
            with target:
                source.backup(target)  # all pages in one step: nobody else can come between
            target.close()
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
        except (OSError, sqlite3.Error) as exc:
            path.unlink(missing_ok=True)
            raise UnavailableError("export.unwritable", f"{path}: {exc}") from exc


def _insert_content(connection: Connection, submissions: Sequence[RestoredSubmission]) -> None:
    insert_rows(
        connection,
        schema.submissions,
        ("position", "record_key", "kind", "envelope", "salt"),
        [
            (
                each.position,
                each.record_key,
                encode_kind(cast("RecordKind", each.kind)),
                each.envelope,
                each.salt,
            )
            for each in submissions
        ],
    )
    insert_rows(
        connection,
        schema.known_envelopes,
        ("envelope_hash", "position"),
        sorted(
            (hashlib.sha256(each.envelope).digest(), each.position)
            for each in submissions
            if not each.implied.is_plain
        ),
    )
    used = [(nonce, keyid) for each in submissions for keyid, nonce in each.implied.nonces]
    insert_rows(connection, schema.nonces, ("nonce", "keyid"), sorted(used))


def _decode(column: Column[Any], row: Mapping[str, str | None]) -> Any:
    """Return the value that a database takes for what stands in an export."""
    if column.name not in row:
        raise InputError("export.malformed", f"a row lacks column {column.name}")
    value = row[column.name]
    if value is None:
        return None
    try:
        if isinstance(column.type, LargeBinary):
            return bytes.fromhex(value)
        if isinstance(column.type, Integer):
            return _parse_number(value)
    except ValueError as exc:
        raise InputError("export.malformed", f"column {column.name}: {value[:40]!a}") from exc
    return value


def _parse_number(text: str) -> int:
    number = int(text)
    if str(number) != text or abs(number) > _INTEGER_MAX:
        raise ValueError(text)
    return number
