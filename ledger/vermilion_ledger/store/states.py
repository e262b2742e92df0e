"""Where submissions stand, by their positions."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.rows import SubmissionState
from vermilion_ledger.store import schema
from vermilion_ledger.store.bulk import chunks

__all__ = ["load_states"]

_submissions = schema.submissions.c
_entries = schema.entries.c
_refusals = schema.refusals.c
_STATES = (
    select(
        _submissions.position,
        _submissions.record_key,
        _entries.leaf_index,
        _entries.sequence,
        _refusals.code,
        _refusals.message,
    )
    .outerjoin(schema.entries, _entries.position == _submissions.position)
    .outerjoin(schema.refusals, _refusals.position == _submissions.position)
)


def load_states(connection: Connection, positions: Sequence[int]) -> dict[int, SubmissionState]:
    """Return where submissions stand; unknown positions are left out."""
    found: dict[int, SubmissionState] = {}
    for part in chunks(positions):
        for row in connection.execute(_STATES.where(_submissions.position.in_(part))).all():
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
