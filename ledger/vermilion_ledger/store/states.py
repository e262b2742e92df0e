"""Where submissions stand, by their positions."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.rows import SubmissionState
from vermilion_ledger.store import schema
from vermilion_ledger.store.bulk import chunks

__all__ = ["load_states"]


def load_states(connection: Connection, positions: Sequence[int]) -> dict[int, SubmissionState]:
    """Return where submissions stand; unknown positions are left out."""
    submissions, entries, refusals = (
        schema.submissions.c,
        schema.entries.c,
        schema.refusals.c,
    )
    query = (
        select(
            submissions.position,
            submissions.record_key,
            entries.leaf_index,
            entries.sequence,
            refusals.code,
            refusals.message,
        )
        .outerjoin(schema.entries, entries.position == submissions.position)
        .outerjoin(schema.refusals, refusals.position == submissions.position)
    )
    found: dict[int, SubmissionState] = {}
    for part in chunks(positions):
        for row in connection.execute(query.where(submissions.position.in_(part))).all():
            found[row[0]] = _state(*row)
    return found


def _state(
    position: int,
    record_key: bytes,
    index: int | None,
    sequence: int | None,
    code: str | None,
    message: str | None,
) -> SubmissionState:
    record_id = make_record_id(record_key)
    if index is not None:
        return SubmissionState(
            position=position,
            record_id=record_id,
            state="sequenced",
            index=index,
            sequence=sequence,
        )
    return SubmissionState(
        position=position,
        record_id=record_id,
        state="pending" if code is None else "refused",
        code=code,
        message=message,
    )
