"""What was signed: the head and the checkpoints.

`SqlHeadStore` implements `vermilion_ledger.ports.HeadStore`. It may be opened
on another database than the log: a restored backup of the log then meets the
head that was really signed last, and nothing is signed over it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update

from vermilion_ledger.errors import ConflictError, UnavailableError
from vermilion_ledger.rows import CheckpointRow, Head
from vermilion_ledger.store import schema
from vermilion_ledger.store.engine import looking, writing
from vermilion_ledger.store.moments import decode_moment, encode_moment

__all__ = ["SqlHeadStore"]

_head = schema.head.c
_checkpoints = schema.checkpoints.c


class SqlHeadStore:
    """Moves the head by compare-and-swap of (size, root, epoch), and never back."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def load_head(self) -> Head:
        """Return what was signed last.

        Raises:
            UnavailableError: ``store.not-migrated``: the row is missing.
        """
        with looking(self._engine) as connection:
            row = connection.execute(select(schema.head)).first()
        if row is None:
            raise UnavailableError("store.not-migrated", "the head row is missing")
        return Head(size=row.size, root=row.root, epoch=row.epoch, state=row.state)

    def load_checkpoint(self, size: int | None = None) -> CheckpointRow | None:
        """Return the checkpoint of a size, or the newest; None if there is none."""
        query = select(schema.checkpoints).order_by(_checkpoints.size.desc()).limit(1)
        if size is not None:
            query = query.where(_checkpoints.size == size)
        with looking(self._engine) as connection:
            found = [_checkpoint(row) for row in connection.execute(query)]
        return found[0] if found else None

    def list_checkpoints(self, *, before: int | None, limit: int) -> Sequence[CheckpointRow]:
        """Return checkpoints with size below ``before``, newest first."""
        query = select(schema.checkpoints).order_by(_checkpoints.size.desc()).limit(limit)
        if before is not None:
            query = query.where(_checkpoints.size < before)
        with looking(self._engine) as connection:
            return [_checkpoint(row) for row in connection.execute(query)]

    def oldest_above(self, size: int) -> datetime | None:
        """Return when the oldest checkpoint above a size was published."""
        query = (
            select(_checkpoints.published_at)
            .where(_checkpoints.size > size)
            .order_by(_checkpoints.size)
            .limit(1)
        )
        with looking(self._engine) as connection:
            moment = connection.execute(query).scalar()
        return None if moment is None else decode_moment(moment)

    def take_head(self, head: Head, *, epoch: int) -> Head:
        """Claim a head just read for an epoch, and mark the log open.

        Raises:
            ConflictError: ``log.head-moved``: another epoch was faster.
        """
        taken = Head(size=head.size, root=head.root, epoch=epoch, state="open")
        with writing(self._engine) as connection:
            _swap(connection, head, taken)
        return taken

    def save_checkpoint(self, head: Head, checkpoint: CheckpointRow) -> Head:
        """Insert a checkpoint and swap the head for it in one transaction.

        Raises:
            ConflictError: ``log.head-moved``.
        """
        moved = Head(
            size=checkpoint.size, root=checkpoint.root, epoch=checkpoint.epoch, state=head.state
        )
        with writing(self._engine) as connection:
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

    def halt(self, *, epoch: int) -> None:
        """Mark the log as contradicting itself, unless a newer epoch has the head."""
        with writing(self._engine) as connection:
            connection.execute(
                update(schema.head).where(_head.epoch <= epoch).values(state="halted")
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


def _checkpoint(row: Any) -> CheckpointRow:
    return CheckpointRow(
        size=row.size,
        root=row.root,
        note=row.note,
        epoch=row.epoch,
        published_at=decode_moment(row.published_at),
    )
