"""Many rows at once, on the hot path.

Inserts go to the driver's ``executemany`` as tuples: SQLAlchemy's own
compilation costs more than the insert. Statement texts hold only names from
`vermilion_ledger.store.schema`, never values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Table

from vermilion_ledger.store.engine import is_sqlite

__all__ = ["chunks", "insert_rows"]

_T = TypeVar("_T")
_CHUNK = 10_000  # SQLite takes 32,766 values in a statement, PostgreSQL 65,535


def insert_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert rows given as tuples in the order of ``columns``."""
    if not rows:
        return
    mark = "?" if is_sqlite(connection) else "%s"
    names = ", ".join(table.c[column].name for column in columns)
    marks = ", ".join([mark] * len(columns))
    statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 -- no values
    connection.exec_driver_sql(statement, list(rows))


def chunks(values: Sequence[_T], size: int = _CHUNK) -> Iterator[Sequence[_T]]:
    """Cut a list of values into parts that fit into one statement."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
