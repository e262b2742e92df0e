"""The anchoring journal: jobs, their signed transactions, final anchors.

`SqlAnchorJournal` fits the anchorer's ``JournalStore`` port, whose rows are
`vermilion_ledger.anchor_rows`. Every save returns after the durable commit.
A job changes only from the revision it was read at; attempts and final
anchors are insert-only. A final anchor whose block vanished is kept and no
longer shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, insert, select, update

from vermilion_ledger.anchor_rows import (
    AnchorAttempt,
    AnchorJob,
    AnchorTarget,
    FinalAnchor,
    JobState,
    MinedIn,
)
from vermilion_ledger.errors import ConflictError
from vermilion_ledger.store import schema
from vermilion_ledger.store.engine import reading, writing
from vermilion_ledger.store.finals import insert_final, read_final, select_finals
from vermilion_ledger.store.moments import decode_moment, encode_moment
from vermilion_ledger.store.nonces import find_nonce, take_nonce
from vermilion_ledger.store.vanished import (
    clear_vanished,
    is_standing,
    is_vanished,
    mark_vanished,
)

__all__ = ["SqlAnchorJournal"]

_jobs = schema.anchors.c
_attempts = schema.anchor_attempts.c
_finals = schema.anchor_receipts.c
_CLOSED = (JobState.FINAL.value, JobState.SUPERSEDED.value)
_COST_ROWS = 200  # attempts fetched at once


class SqlAnchorJournal:
    """Keeps what the anchorer must not forget between two of its steps."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def load_open(self, target: AnchorTarget) -> AnchorJob | None:
        """Return the one open job of a target, with all its attempts."""
        query = select(schema.anchors).where(
            _of(target, schema.anchors), _jobs.state.not_in(_CLOSED)
        )
        with reading(self._engine) as connection:
            found = _load_jobs(connection, query)
        return found[0] if found else None

    def list_all(self, *, limit: int = 100) -> Sequence[AnchorJob]:
        """Return jobs of every target, newest first."""
        query = select(schema.anchors).order_by(_jobs.anchor_id.desc()).limit(limit)
        with reading(self._engine) as connection:
            return _load_jobs(connection, query)

    def plan(self, target: AnchorTarget, *, size: int, root: bytes, now: datetime) -> AnchorJob:
        """Open a job in state `planned`.

        Raises:
            ConflictError: ``anchor.job-open``: the target has an open job.
        """
        values = {
            "chain_id": target.chain_id,
            "contract": target.contract,
            "log": target.log,
            "size": size,
            "root": root,
            "state": JobState.PLANNED.value,
            "revision": 0,
            "created_at": encode_moment(now),
        }
        try:
            with writing(self._engine) as connection:
                number = connection.execute(
                    insert(schema.anchors).values(values).returning(_jobs.anchor_id)
                ).scalar_one()
        except ConflictError as exc:
            raise ConflictError(
                "anchor.job-open", f"chain {target.chain_id} has an open anchoring job"
            ) from exc
        return AnchorJob(
            number=number,
            target=target,
            size=size,
            root=root,
            state=JobState.PLANNED,
            planned_at=now,
        )

    def reserve_nonce(self, job: AnchorJob, address: bytes, *, nonce_min: int) -> int:
        """Return the lowest nonce from ``nonce_min`` on that is no other open job's.

        Raises:
            ConflictError: ``anchor.nonce-moved``: another process was faster; retry.
        """
        with reading(self._engine) as connection:
            found = find_nonce(connection, job, address, nonce_min=nonce_min)
        if found.owner == job.number:
            return found.number  # nearly always: no write for each look at the chain
        try:
            with writing(self._engine) as connection:
                take_nonce(connection, job, address, found)
                return found.number
        except ConflictError as exc:
            raise ConflictError(
                "anchor.nonce-moved", f"a nonce from {nonce_min} on was given to another job"
            ) from exc

    def save_signed(self, job: AnchorJob, attempt: AnchorAttempt) -> AnchorJob:
        """Append an attempt and set the state `signed`, in one transaction.

        ``job.size`` and ``job.root`` are saved as well: they are the attempt's.

        Raises:
            ConflictError: ``anchor.job-moved``.
        """
        values = {
            "anchor_id": job.number,
            "attempt": len(job.attempts),
            "nonce": attempt.nonce,
            "gas_limit": attempt.gas_limit,
            "max_fee": attempt.max_fee,
            "priority_fee": attempt.priority_fee,
            "raw": attempt.raw,
            "transaction_hash": attempt.transaction,
            "signed_block": attempt.signed_block,
            "signed_at": encode_moment(attempt.signed_at),
        }
        with writing(self._engine) as connection:
            _move(connection, job, JobState.SIGNED, None)
            connection.execute(insert(schema.anchor_attempts).values(values))
        return _moved(job, JobState.SIGNED, None, (*job.attempts, attempt))

    def has_attempt(self, transaction: bytes) -> bool:
        """Tell whether a transaction was signed for any job of any target already."""
        query = select(_attempts.attempt).where(_attempts.transaction_hash == transaction)
        with reading(self._engine) as connection:
            return connection.execute(query).first() is not None

    def save_state(
        self, job: AnchorJob, state: JobState, *, mined: MinedIn | None = None
    ) -> AnchorJob:
        """Set the state; ``mined`` is given exactly with `JobState.MINED` and cleared otherwise.

        ``job.size`` and ``job.root`` are saved as well: of several attempts that of the one mined.

        Raises:
            InputError: ``anchor.row``: state and ``mined`` disagree.
            ConflictError: ``anchor.job-moved``.
        """
        moved = _moved(job, state, mined, job.attempts)
        with writing(self._engine) as connection:
            _move(connection, job, state, mined)
        return moved

    def save_receipt(self, job: AnchorJob, anchor: FinalAnchor) -> None:
        """Store a final anchor and close its job as `final`, in one transaction.

        Its block counts as no longer vanished.

        Raises:
            ConflictError: ``anchor.job-moved``.
        """
        mined = MinedIn(
            transaction=anchor.transaction,
            block_number=anchor.block_number,
            block_hash=anchor.block_hash,
        )
        with writing(self._engine) as connection:
            _move(connection, job, JobState.FINAL, mined)
            clear_vanished(
                connection, chain_id=anchor.target.chain_id, block_hash=anchor.block_hash
            )
            insert_final(connection, anchor)

    def save_vanished(self, anchor: FinalAnchor, *, now: datetime) -> None:
        """Remember that the block of a final anchor is on its chain no more."""
        with writing(self._engine) as connection:
            mark_vanished(
                connection,
                chain_id=anchor.target.chain_id,
                block_hash=anchor.block_hash,
                seen_at=now,
            )

    def load_vanished(self, target: AnchorTarget) -> FinalAnchor | None:
        """Return the anchor of the largest size whose block vanished; None without one."""
        query = select_finals().where(_of(target, schema.anchor_receipts), is_vanished())
        found = self._load_finals(query.order_by(_finals.size.desc()).limit(1))
        return found[0] if found else None

    def load_final(self, target: AnchorTarget, *, size: int | None = None) -> FinalAnchor | None:
        """Return the final anchor of that size, or of the largest size; None without one."""
        query = (
            select_finals()
            .where(_of(target, schema.anchor_receipts), is_standing())
            .order_by(_finals.size.desc(), _finals.block_number)
            .limit(1)
        )
        if size is not None:
            query = query.where(_finals.size == size)
        found = self._load_finals(query)
        return found[0] if found else None

    def load_costs(self, target: AnchorTarget, *, since: datetime) -> Mapping[int, int]:
        """Return by nonce what the attempts signed since then may cost at most, in wei.

        Read from the newest attempt backwards to the first that is older: jobs of a
        target follow one another, so that the moments of signing do as well.
        """
        query = (
            select(_attempts.nonce, _attempts.gas_limit, _attempts.max_fee, _attempts.signed_at)
            .join(schema.anchors, _attempts.anchor_id == _jobs.anchor_id)
            .where(_of(target, schema.anchors))
            .order_by(_attempts.anchor_id.desc(), _attempts.attempt.desc())
            .execution_options(yield_per=_COST_ROWS)
        )
        costs: dict[int, int] = {}
        with reading(self._engine) as connection:
            rows = connection.execute(query)
            for row in rows:
                if row.signed_at < encode_moment(since):
                    break
                cost = row.gas_limit * row.max_fee
                costs[row.nonce] = max(cost, costs.get(row.nonce, 0))
            rows.close()
        return costs

    def list_final(
        self, *, size_min: int = 1, size_max: int | None = None, limit: int = 100
    ) -> Sequence[FinalAnchor]:
        """Return final anchors on every chain within sizes, largest first."""
        query = (
            select_finals()
            .where(_finals.size >= size_min, is_standing())
            .order_by(_finals.size.desc(), _finals.chain_id, _finals.block_number)
            .limit(limit)
        )
        if size_max is not None:
            query = query.where(_finals.size <= size_max)
        return self._load_finals(query)

    def _load_finals(self, query: Select[Any]) -> list[FinalAnchor]:
        with reading(self._engine) as connection:
            return [read_final(row) for row in connection.execute(query)]


def _of(target: AnchorTarget, table: Any) -> ColumnElement[bool]:
    return and_(
        table.c.chain_id == target.chain_id,
        table.c.contract == target.contract,
        table.c.log == target.log,
    )


def _move(connection: Connection, job: AnchorJob, state: JobState, mined: MinedIn | None) -> None:
    """Change a job where it still is at the revision it was read at."""
    changed = connection.execute(
        update(schema.anchors)
        .where(_jobs.anchor_id == job.number, _jobs.revision == job.revision)
        .values(
            state=state.value,
            size=job.size,
            root=job.root,
            revision=job.revision + 1,
            transaction_hash=mined.transaction if mined else None,
            block_number=mined.block_number if mined else None,
            block_hash=mined.block_hash if mined else None,
        )
    ).rowcount
    if changed != 1:
        raise ConflictError(
            "anchor.job-moved", f"job {job.number} is no longer at revision {job.revision}"
        )


def _moved(
    job: AnchorJob, state: JobState, mined: MinedIn | None, attempts: tuple[AnchorAttempt, ...]
) -> AnchorJob:
    return AnchorJob(
        number=job.number,
        target=job.target,
        size=job.size,
        root=job.root,
        state=state,
        attempts=attempts,
        mined=mined,
        revision=job.revision + 1,
        planned_at=job.planned_at,
    )


def _load_jobs(connection: Connection, query: Select[Any]) -> list[AnchorJob]:
    rows = connection.execute(query).all()
    attempts: dict[int, list[AnchorAttempt]] = {row.anchor_id: [] for row in rows}
    signed = (
        select(schema.anchor_attempts)
        .where(_attempts.anchor_id.in_(list(attempts)))
        .order_by(_attempts.anchor_id, _attempts.attempt)
    )
    for row in connection.execute(signed) if attempts else ():
        attempts[row.anchor_id].append(
            AnchorAttempt(
                nonce=row.nonce,
                gas_limit=row.gas_limit,
                max_fee=row.max_fee,
                priority_fee=row.priority_fee,
                raw=row.raw,
                transaction=row.transaction_hash,
                signed_block=row.signed_block,
                signed_at=decode_moment(row.signed_at),
            )
        )
    return [_job(row, tuple(attempts[row.anchor_id])) for row in rows]


def _job(row: Any, attempts: tuple[AnchorAttempt, ...]) -> AnchorJob:
    mined = None
    if row.transaction_hash is not None:
        mined = MinedIn(
            transaction=row.transaction_hash,
            block_number=row.block_number,
            block_hash=row.block_hash,
        )
    return AnchorJob(
        number=row.anchor_id,
        target=AnchorTarget(chain_id=row.chain_id, contract=row.contract, log=row.log),
        size=row.size,
        root=row.root,
        state=JobState(row.state),
        attempts=attempts,
        mined=mined,
        revision=row.revision,
        planned_at=decode_moment(row.created_at),
    )
