"""How many entries records have, exactly, though rows are found by eight bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, func, select

from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.store import schema
from vermilion_ledger.store.bulk import chunks
from vermilion_ledger.store.prefixes import record_prefix

__all__ = ["load_counts"]

_places = schema.places.c
_entries = schema.entries.c
_submissions = schema.submissions.c


def load_counts(connection: Connection, record_ids: Sequence[str]) -> Mapping[str, int]:
    """Return the number of entries of each record that has any."""
    asked: dict[int, list[str]] = {}
    for record_id in record_ids:
        asked.setdefault(record_prefix(record_id), []).append(record_id)
    found: dict[str, int] = {}
    for part in chunks(sorted(asked)):
        owners = _load_owners(connection, part)
        query = (
            select(_places.record, func.count())
            .where(_places.record.in_(part))
            .group_by(_places.record)
        )
        for prefix, count in connection.execute(query).all():
            for record_id in set(asked[prefix]) & owners[prefix]:
                is_alone = len(owners[prefix]) == 1
                found[record_id] = (
                    count if is_alone else _count_among(connection, prefix, record_id)
                )
    return found


def _load_owners(connection: Connection, prefixes: Sequence[int]) -> dict[int, set[str]]:
    """Return the records that have a prefix: each has a first entry."""
    query = (
        select(_places.record, _submissions.record_key)
        .join(schema.entries, _entries.leaf_index == _places.leaf_index)
        .join(schema.submissions, _submissions.position == _entries.position)
        .where(_places.record.in_(prefixes), _places.sequence == 0)
    )
    owners: dict[int, set[str]] = {prefix: set() for prefix in prefixes}
    for prefix, record_key in connection.execute(query).all():
        owners[prefix].add(make_record_id(record_key))
    return owners


def _count_among(connection: Connection, prefix: int, record_id: str) -> int:
    """Return the number of entries of one of the records that share a prefix."""
    query = (
        select(_submissions.record_key)
        .join(schema.entries, _entries.position == _submissions.position)
        .join(schema.places, _places.leaf_index == _entries.leaf_index)
        .where(_places.record == prefix)
    )
    return sum(make_record_id(key) == record_id for key in connection.execute(query).scalars())
