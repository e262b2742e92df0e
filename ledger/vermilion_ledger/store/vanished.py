"""Final anchors whose block is on the chain no more: kept, and no longer shown.

A chain may go back past what it called final, and return again: the mark is a
row of its own, so that the receipt stays as it was stored.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select

from vermilion_ledger.store import schema
from vermilion_ledger.store.moments import encode_moment

__all__ = ["clear_vanished", "is_standing", "is_vanished", "mark_vanished"]

_finals = schema.anchor_receipts.c
_marks = schema.vanished_blocks.c


def is_vanished() -> ColumnElement[bool]:
    """The condition that the block of a row of ``anchor_receipts`` is marked."""
    return (
        select(_marks.seen_at)
        .where(_marks.chain_id == _finals.chain_id, _marks.block_hash == _finals.block_hash)
        .exists()
    )


def is_standing() -> ColumnElement[bool]:
    """The condition that it is not."""
    return ~is_vanished()


def mark_vanished(
    connection: Connection, *, chain_id: int, block_hash: bytes, seen_at: datetime
) -> None:
    """Mark a block; one that is marked keeps its moment."""
    if connection.execute(select(_marks.seen_at).where(_of(chain_id, block_hash))).first() is None:
        values: dict[str, Any] = {"chain_id": chain_id, "block_hash": block_hash}
        values["seen_at"] = encode_moment(seen_at)
        connection.execute(insert(schema.vanished_blocks).values(values))


def clear_vanished(connection: Connection, *, chain_id: int, block_hash: bytes) -> None:
    """Take the mark away: the chain has the block again."""
    connection.execute(delete(schema.vanished_blocks).where(_of(chain_id, block_hash)))


def _of(chain_id: int, block_hash: bytes) -> ColumnElement[bool]:
    return and_(_marks.chain_id == chain_id, _marks.block_hash == block_hash)
