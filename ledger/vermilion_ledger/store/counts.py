"""How many entries the log has, and how many each record, exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, exists, func, select, union_all

from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.errors import IntegrityError
from vermilion_ledger.store import schema
from vermilion_ledger.store.bulk import chunks
from vermilion_ledger.store.prefixes import SIZE_MAX, record_prefixes, value_of

__all__ = ["count_entries", "find_gap", "load_counts"]

_places = schema.places.c
_entries = schema.entries.c
_submissions = schema.submissions.c
_erased = schema.erased.c
# An entry without its record has its place all the same.
_ENDS = union_all(
    select(func.max(_entries.leaf_index).label("leaf_index")),
    select(func.max(_erased.leaf_index)),
).subquery()
_LAST = select(func.max(_ENDS.c.leaf_index))


def count_entries(connection: Connection) -> int:
    """Return the number of entries: indices have no gaps, so the last one tells.

    Raises:
        IntegrityError: ``log.gap``: the last index is one that no log reaches.
    """
    last = connection.execute(_LAST).scalar()
    size = 0 if last is None else last + 1
    if size > SIZE_MAX:
        raise IntegrityError("log.gap", f"an entry has the index {last}: it was changed")
    return size


def find_gap(connection: Connection, start: int) -> int | None:
    """Return the first index from ``start`` on that is missing below the last one, or None.

    Reads what is above ``start`` only, which must be an index or the size.
    """
    above = sum(
        connection.execute(
            select(func.count()).select_from(table).where(table.c.leaf_index >= start)
        ).scalar_one()
        for table in (schema.entries, schema.erased)
    )
    if start + above == count_entries(connection):
        return None
    taken = union_all(select(_entries.leaf_index), select(_erased.leaf_index)).subquery()
    following = taken.alias().c
    last_before = (
        select(func.min(taken.c.leaf_index))
        .where(taken.c.leaf_index >= start)
        .where(~exists().where(following.leaf_index == taken.c.leaf_index + 1))
    )
    if connection.execute(select(exists().where(taken.c.leaf_index == start))).scalar():
        return int(connection.execute(last_before).scalar_one()) + 1
    return start


def load_counts(connection: Connection, record_ids: Sequence[str]) -> Mapping[str, int]:
    """Return the number of entries of each record that has any.

    Where several records share the bytes by which they are found, each entry
    is opened and asked whose it is.
    """
    size = count_entries(connection)
    asked = {record_id: record_prefixes(record_id, size) for record_id in record_ids}
    counts, owners = _load_groups(connection, sorted({p for each in asked.values() for p in each}))
    found: dict[str, int] = {}
    for record_id, prefixes in asked.items():
        if not prefixes or record_id not in owners.get(value_of(prefixes[0]), ()):
            continue
        if len(owners[value_of(prefixes[0])]) == 1:
            found[record_id] = counts[value_of(prefixes[0])]
        else:
            found[record_id] = _count_among(connection, prefixes, record_id)
    return found


def _load_groups(
    connection: Connection, prefixes: Sequence[int]
) -> tuple[Mapping[int, int], Mapping[int, set[str]]]:
    """Return, by the bytes of a record, how many entries there are, and of which records."""
    counts: Counter[int] = Counter()
    owners: dict[int, set[str]] = {}
    for part in chunks(prefixes):
        tally = (
            select(_places.record, func.count())
            .where(_places.record.in_(part))
            .group_by(_places.record)
        )
        for prefix, count in connection.execute(tally).all():
            counts[value_of(prefix)] += count
        firsts = (
            select(_places.record, _submissions.record_key)
            .join(schema.entries, _entries.leaf_index == _places.leaf_index)
            .join(schema.submissions, _submissions.position == _entries.position)
            .where(_places.record.in_(part), _places.sequence == 0)
        )
        for prefix, record_key in connection.execute(firsts).all():
            owners.setdefault(value_of(prefix), set()).add(make_record_id(record_key))
    return counts, owners


def _count_among(connection: Connection, prefixes: Sequence[int], record_id: str) -> int:
    query = (
        select(_submissions.record_key)
        .join(schema.entries, _entries.position == _submissions.position)
        .join(schema.places, _places.leaf_index == _entries.leaf_index)
    )
    return sum(
        make_record_id(key) == record_id
        for part in chunks(prefixes)
        for key in connection.execute(query.where(_places.record.in_(part))).scalars()
    )
