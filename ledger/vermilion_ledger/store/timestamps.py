"""Time-stamps over anchored checkpoints: insert-only, one for each authority.

`SqlTimestampStore` fits the stamper's ``TimestampStore`` port. A save returns
after the durable commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, Select, insert, select

from vermilion_ledger.anchor_rows import StoredTimestamp
from vermilion_ledger.store import schema
from vermilion_ledger.store.engine import looking, reading, writing
from vermilion_ledger.store.moments import decode_moment, encode_moment
from vermilion_ledger.store.vanished import is_standing

__all__ = ["SqlTimestampStore"]

_stamps = schema.timestamps.c
_finals = schema.anchor_receipts.c


class SqlTimestampStore:
    """Keeps tokens, and says which are still to be asked for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def sizes_without(self, authority: str, *, among: int) -> Sequence[int]:
        """Return tree sizes with a final anchor and no time-stamp, newest first.

        Args:
            authority: Its address.
            among: How many of the newest anchored sizes are looked at.
        """
        newest = (
            select(_finals.size)
            .where(is_standing())
            .distinct()
            .order_by(_finals.size.desc())
            .limit(among)
            .subquery()
        )
        done = select(_stamps.size).where(_stamps.authority == authority)
        query = (
            select(newest.c.size).where(newest.c.size.not_in(done)).order_by(newest.c.size.desc())
        )
        with reading(self._engine) as connection:
            return list(connection.execute(query).scalars())

    def save(self, stamp: StoredTimestamp) -> None:
        """Store a token; the same (size, authority) again changes nothing."""
        same = select(_stamps.size).where(
            _stamps.size == stamp.size, _stamps.authority == stamp.authority
        )
        values = {
            "size": stamp.size,
            "authority": stamp.authority,
            "token": stamp.token,
            "time": encode_moment(stamp.time),
        }
        with writing(self._engine) as connection:
            if connection.execute(same).first() is None:
                connection.execute(insert(schema.timestamps).values(values))

    def load(self, size: int) -> Sequence[StoredTimestamp]:
        """Return the time-stamps over the checkpoint of a size, by authority."""
        return self._load(
            select(schema.timestamps).where(_stamps.size == size).order_by(_stamps.authority)
        )

    def list_newest(self, *, limit: int) -> Sequence[StoredTimestamp]:
        """Return time-stamps, those over the largest checkpoints first."""
        return self._load(
            select(schema.timestamps).order_by(_stamps.size.desc(), _stamps.authority).limit(limit)
        )

    def _load(self, query: Select[Any]) -> list[StoredTimestamp]:
        with looking(self._engine) as connection:
            return [
                StoredTimestamp(
                    size=row.size,
                    authority=row.authority,
                    token=row.token,
                    time=decode_moment(row.time),
                )
                for row in connection.execute(query)
            ]
