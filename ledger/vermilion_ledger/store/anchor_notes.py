"""The anchorers' last words and what past anchors took: for people, not for proofs.

`SqlNoteStore` fits the anchorer's ``NoteStore`` port: one row for each target,
overwritten by its anchorer alone. `SqlAnchorHistory` only reads, newest jobs
first along their key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Engine, Float, and_, cast, func, insert, select, update

from vermilion_ledger.anchor_rows import AnchorTarget, JobState
from vermilion_ledger.anchor_standing import (
    AnchorNote,
    AnchorTotals,
    FinishedAnchor,
    observed_at,
)
from vermilion_ledger.store import schema
from vermilion_ledger.store.engine import looking, reading, writing
from vermilion_ledger.store.moments import decode_moment, encode_moment
from vermilion_ledger.store.vanished import is_standing, is_vanished

__all__ = ["SqlAnchorHistory", "SqlNoteStore"]

_notes = schema.anchor_notes.c
_jobs = schema.anchors.c
_finals = schema.anchor_receipts.c
_payments = schema.anchor_payments.c
_PAID_FOR = and_(
    _payments.chain_id == _finals.chain_id,
    _payments.block_hash == _finals.block_hash,
    _payments.transaction_hash == _finals.transaction_hash,
)


class SqlNoteStore:
    """Keeps one word of each anchorer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def load(self, target: AnchorTarget) -> AnchorNote | None:
        """Return the last word on a target; None before the first."""
        query = select(schema.anchor_notes).where(_of(target, _notes))
        with looking(self._engine) as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return AnchorNote(
            target=target,
            code=row.code,
            note=row.note,
            alarm=row.alarm,
            since=decode_moment(row.since),
            told_at=decode_moment(row.told_at),
        )

    def save(self, note: AnchorNote) -> None:
        """Replace the last word; returns after the durable commit."""
        values = {
            "code": note.code,
            "note": note.note,
            "alarm": note.alarm,
            "since": encode_moment(note.since),
            "told_at": encode_moment(note.told_at),
        }
        target = {
            "chain_id": note.target.chain_id,
            "contract": note.target.contract,
            "log": note.target.log,
        }
        with writing(self._engine) as connection:
            changed = connection.execute(
                update(schema.anchor_notes).where(_of(note.target, _notes)).values(values)
            ).rowcount
            if changed == 0:
                connection.execute(insert(schema.anchor_notes).values(target | values))


class SqlAnchorHistory:
    """Answers what anchors took; changes nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def load_finished(self, target: AnchorTarget, *, limit: int) -> Sequence[FinishedAnchor]:
        """Return final anchors of a target that stand, newest first."""
        query = (
            select(
                _jobs.anchor_id,
                _jobs.created_at,
                _finals.size,
                _finals.block_time,
                _finals.receipt,
                _payments.gas_used,
                _payments.gas_price,
            )
            .join(
                schema.anchor_receipts,
                and_(
                    _finals.chain_id == _jobs.chain_id,
                    _finals.block_hash == _jobs.block_hash,
                    _finals.transaction_hash == _jobs.transaction_hash,
                    _finals.size == _jobs.size,
                    _of(target, _finals),
                ),
            )
            .outerjoin(schema.anchor_payments, _PAID_FOR)
            .where(_of(target, _jobs), _jobs.state == JobState.FINAL.value, is_standing())
            .order_by(_jobs.anchor_id.desc())
            .limit(limit + 1)
        )
        with looking(self._engine) as connection:
            rows = connection.execute(query).all()
        sizes = [*(row.size for row in rows), 0]
        pairs = zip(rows, sizes[1:], strict=True)
        return [_finished(row, documents=row.size - size) for row, size in pairs][:limit]

    def load_totals(self, target: AnchorTarget) -> AnchorTotals:
        """Return sums over every anchor of a target."""
        mine = _of(target, _finals)
        # as floats: the product of two numbers of a node's choice may pass 64 bits
        paid = func.sum(cast(_payments.gas_used, Float) * _payments.gas_price)
        with reading(self._engine) as connection:
            largest = connection.execute(
                select(func.max(_finals.size)).where(mine, is_standing())
            ).scalar()
            vanished = connection.execute(
                select(func.count()).select_from(schema.anchor_receipts).where(mine, is_vanished())
            ).scalar_one()
            total = connection.execute(
                select(paid)
                .select_from(schema.anchor_receipts)
                .join(schema.anchor_payments, _PAID_FOR)
                .where(mine)  # a sum that never falls
            ).scalar()
        return AnchorTotals(final_size=largest or 0, vanished=vanished, paid=float(total or 0.0))


def _finished(row: Any, *, documents: int) -> FinishedAnchor:
    return FinishedAnchor(
        number=row.anchor_id,
        size=row.size,
        documents=documents,
        block_time=decode_moment(row.block_time),
        planned_at=decode_moment(row.created_at),
        final_at=observed_at(row.receipt),
        gas_used=row.gas_used,
        gas_price=row.gas_price,
    )


def _of(target: AnchorTarget, columns: Any) -> ColumnElement[bool]:
    return and_(
        columns.chain_id == target.chain_id,
        columns.contract == target.contract,
        columns.log == target.log,
    )
