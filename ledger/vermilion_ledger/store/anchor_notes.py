"""The anchorers' last words and what past anchors took: for people, not for proofs.

`SqlNoteStore` fits the anchorer's ``NoteStore`` port: one row for each target,
overwritten by its anchorer alone. `SqlAnchorHistory` only reads, newest jobs
first along their key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Float,
    and_,
    cast,
    func,
    insert,
    select,
    update,
)

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
from vermilion_ledger.store.vanished import is_standing

__all__ = ["SqlAnchorHistory", "SqlNoteStore"]

_notes = schema.anchor_notes.c
_jobs = schema.anchors.c
_finals = schema.anchor_receipts.c
_payments = schema.anchor_payments.c
_marks = schema.vanished_blocks.c
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
        newest = (
            select(_jobs.anchor_id, _jobs.created_at, _jobs.block_hash, _jobs.transaction_hash)
            .where(_of(target, _jobs), _jobs.state == JobState.FINAL.value)
            .order_by(_jobs.anchor_id.desc())
        )
        with reading(self._engine) as connection:
            # one more tells what the last one added; so many may be left out as vanished
            spare = 1 + len(_load_vanished(connection, target))
            jobs = connection.execute(newest.limit(limit + spare)).all()
            found = _load_receipts(connection, target, [job.block_hash for job in jobs])
        rows = [
            (job, found[job.block_hash, job.transaction_hash])
            for job in jobs
            if (job.block_hash, job.transaction_hash) in found
        ]
        sizes = [*(receipt.size for _, receipt in rows), 0]
        finished = [
            _finished(job, receipt, documents=receipt.size - before)
            for (job, receipt), before in zip(rows, sizes[1:], strict=True)
        ]
        return finished[:limit]

    def load_totals(self, target: AnchorTarget) -> AnchorTotals:
        """Return how far the anchors of a target go, and how many vanished; quick."""
        largest = (
            select(_finals.size)
            .where(_of(target, _finals), is_standing())
            .order_by(_finals.size.desc())
            .limit(1)
        )
        with reading(self._engine) as connection:
            size = connection.execute(largest).scalar()
            gone = _load_vanished(connection, target)
            # by their key, for the same reason as in `_load_receipts`
            receipts = select(_finals.contract, _finals.log).where(
                _finals.chain_id == target.chain_id, _finals.block_hash.in_(gone)
            )
            found = connection.execute(receipts).all() if gone else ()
        vanished = sum((row.contract, row.log) == (target.contract, target.log) for row in found)
        return AnchorTotals(final_size=size or 0, vanished=vanished)

    def load_paid(self, target: AnchorTarget) -> float:
        """Return what all anchors of a target cost, the vanished ones too, in wei.

        To about 15 digits, as the product of two numbers of a node's choice may
        pass 64 bits. Reads every anchor.
        """
        query = (
            select(func.sum(cast(_payments.gas_used, Float) * _payments.gas_price))
            .select_from(schema.anchor_receipts)
            .join(schema.anchor_payments, _PAID_FOR)
            .where(_of(target, _finals))
        )
        with looking(self._engine) as connection:
            return float(connection.execute(query).scalar() or 0.0)


def _load_vanished(connection: Connection, target: AnchorTarget) -> Sequence[bytes]:
    """Return the marked blocks of a chain: few, if any."""
    query = select(_marks.block_hash).where(_marks.chain_id == target.chain_id)
    return connection.execute(query).scalars().all()


def _load_receipts(
    connection: Connection, target: AnchorTarget, block_hashes: Sequence[bytes]
) -> Mapping[tuple[bytes, bytes], Any]:
    """Return receipts that stand, by block and transaction.

    Which log they are of is compared here: asked of SQLite, it would walk
    through every anchor of the log instead of looking up these few.
    """
    query = (
        select(
            _finals.contract,
            _finals.log,
            _finals.block_hash,
            _finals.transaction_hash,
            _finals.size,
            _finals.block_time,
            _finals.receipt,
            _payments.gas_used,
            _payments.gas_price,
        )
        .outerjoin(schema.anchor_payments, _PAID_FOR)
        .where(
            _finals.chain_id == target.chain_id,
            _finals.block_hash.in_(block_hashes),
            is_standing(),
        )
    )
    return {
        (row.block_hash, row.transaction_hash): row
        for row in connection.execute(query)
        if (row.contract, row.log) == (target.contract, target.log)
    }


def _finished(job: Any, receipt: Any, *, documents: int) -> FinishedAnchor:
    return FinishedAnchor(
        number=job.anchor_id,
        size=receipt.size,
        documents=documents,
        block_time=decode_moment(receipt.block_time),
        planned_at=decode_moment(job.created_at),
        final_at=observed_at(receipt.receipt),
        gas_used=receipt.gas_used,
        gas_price=receipt.gas_price,
    )


def _of(target: AnchorTarget, columns: Any) -> ColumnElement[bool]:
    return and_(
        columns.chain_id == target.chain_id,
        columns.contract == target.contract,
        columns.log == target.log,
    )
