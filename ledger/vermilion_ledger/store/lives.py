"""Which records have a life: more than the entry that opened them.

A record of one entry can have no lapse, and most have but one; so whoever
supervises starts from second entries, in the order of the log.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, select

from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.store import schema
from vermilion_ledger.store.engine import reading
from vermilion_ledger.store.kinds import encode_kind

__all__ = ["SqlLives"]

_entries = schema.entries.c
_submissions = schema.submissions.c


class SqlLives:
    """Lists records of documents page by page; changes nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def next_records(self, after: int, limit: int) -> Sequence[tuple[int, str]]:
        """Return records whose second entry has an index above ``after``, in order.

        Args:
            after: A leaf index, -1 to begin with.
            limit: How many at most.

        Returns:
            Pairs of that index and the record's id.
        """
        query = (
            select(_entries.leaf_index, _submissions.record_key)
            .join(schema.submissions, _submissions.position == _entries.position)
            .where(
                _entries.leaf_index > after,
                _entries.sequence == 1,
                _submissions.kind == encode_kind("document"),
            )
            .order_by(_entries.leaf_index)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return [(index, make_record_id(key)) for index, key in rows]
