"""Looking at how far things have come: the lease, the anchors, what waits.

Reads only, for the API's waiters, health pages and bundles. Each question is
one statement over an index.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, and_, func, select

from vermilion_ledger.anchor_rows import AnchorTarget, JobState
from vermilion_ledger.rows import Lease
from vermilion_ledger.store import schema
from vermilion_ledger.store.engine import looking, reading
from vermilion_ledger.store.moments import decode_moment
from vermilion_ledger.store.vanished import is_standing

__all__ = ["SqlWatch"]

_finals = schema.anchor_receipts.c
_jobs = schema.anchors.c


class SqlWatch:
    """Answers "how far?"; changes nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def load_lease(self) -> Lease | None:
        """Return who may sequence now, or did last; None before the first."""
        with looking(self._engine) as connection:
            row = connection.execute(select(schema.lease)).first()
        if row is None:
            return None
        return Lease(holder=row.holder, epoch=row.epoch, expires_at=decode_moment(row.expires_at))

    def count_waiting(self) -> int:
        """Return the number of submissions without an index."""
        return self._number(select(func.count()).select_from(schema.queue))

    def final_size(self) -> int:
        """Return the largest tree size with a final anchor on any chain; 0 if there is none."""
        return self._number(select(func.max(_finals.size)).where(is_standing()))

    def mined_size(self) -> int:
        """Return the largest tree size whose anchor is in a block, final or not."""
        is_mined = _jobs.state == JobState.MINED.value
        mined = self._number(select(func.max(_jobs.size)).where(is_mined))
        return max(mined, self.final_size())

    def final_sizes(self, target: AnchorTarget, *, size_max: int, limit: int) -> Sequence[int]:
        """Return tree sizes with a final anchor of a target, newest first."""
        query = (
            select(_finals.size)
            .where(_of(target), _finals.size <= size_max, is_standing())
            .distinct()
            .order_by(_finals.size.desc())
            .limit(limit)
        )
        with looking(self._engine) as connection:
            return list(connection.execute(query).scalars())

    def earliest_sizes(
        self, target: AnchorTarget, indices: Iterable[int], *, size_max: int
    ) -> Sequence[int]:
        """Return, for each leaf index, the smallest anchored tree size that covers it."""
        found: list[int] = []
        with reading(self._engine) as connection:
            for index in sorted(set(indices)):
                if found and found[-1] > index:
                    continue  # the size found for an earlier entry covers this one as early
                query = select(func.min(_finals.size)).where(
                    _of(target), _finals.size > index, _finals.size <= size_max, is_standing()
                )
                size = connection.execute(query).scalar()
                if size is not None:
                    found.append(size)
        return found

    def _number(self, query: Select[Any]) -> int:
        with looking(self._engine) as connection:
            return int(connection.execute(query).scalar() or 0)


def _of(target: AnchorTarget) -> ColumnElement[bool]:
    return and_(
        _finals.chain_id == target.chain_id,
        _finals.contract == target.contract,
        _finals.log == target.log,
    )
