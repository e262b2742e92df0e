"""What is left of destroyed records: rows of ``erased``, written only while erasing is open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, delete, select, update

from vermilion_ledger.rows import ErasedEntry
from vermilion_ledger.store import schema
from vermilion_ledger.store.bulk import insert_rows

__all__ = ["add_erased", "load_erased", "opened"]

_erased = schema.erased.c


def load_erased(
    connection: Connection, start: int | None = None, end: int | None = None
) -> Sequence[ErasedEntry]:
    """Return what is left of entries ``[start, end)``, in order; by default of all."""
    query = select(schema.erased).order_by(_erased.leaf_index)
    if start is not None:
        query = query.where(_erased.leaf_index >= start)
    if end is not None:
        query = query.where(_erased.leaf_index < end)
    return [ErasedEntry(index=row[0], entry=row[1]) for row in connection.execute(query)]


@contextmanager
def opened(connection: Connection) -> Iterator[None]:
    """Open the way past the append-only triggers for the block.

    Leaving it otherwise than to the end leaves the way open, and the
    transaction then cannot be committed: the row refers to no head.
    """
    connection.execute(update(schema.erasing).values(closed=0))
    yield
    connection.execute(update(schema.erasing).values(closed=1))


def add_erased(connection: Connection, entries: Sequence[ErasedEntry]) -> None:
    """Add rows, and write all of them anew in order, while erasing is open.

    Neither the order on the disk nor a transaction number then tells which of
    them came together.
    """
    rows = {each.index: each.entry for each in (*load_erased(connection), *entries)}
    connection.execute(delete(schema.erased))
    insert_rows(connection, schema.erased, ("leaf_index", "entry"), sorted(rows.items()))
