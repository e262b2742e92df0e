"""Many rows at once, on the hot path.

Rows go to the driver as they are: SQLAlchemy's own compilation costs more
than the insert. Statement texts hold only names from
`vermilion_ledger.store.schema`, never values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Column, Connection, Table
from sqlalchemy.dialects import postgresql

from vermilion_ledger.store.engine import is_sqlite

__all__ = ["chunks", "delete_rows", "insert_rows"]

_T = TypeVar("_T")
_CHUNK = 10_000  # SQLite takes 32,766 values in a statement, PostgreSQL 65,535
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def insert_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert rows given as tuples in the order of ``columns``.

    PostgreSQL gets one array for each column, and so one statement for all.
    """
    if not rows:
        return
    names = ", ".join(table.c[column].name for column in columns)
    if is_sqlite(connection):
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 -- no values
        connection.exec_driver_sql(statement, list(rows))
        return
    arrays = ", ".join(f"%b::{_type(table.c[column])}[]" for column in columns)
    statement = f"INSERT INTO {table.name} ({names}) SELECT * FROM unnest({arrays})"  # noqa: S608
    values = tuple(list(column) for column in zip(*rows, strict=True))
    connection.exec_driver_sql(statement, values)


def delete_rows(connection: Connection, column: Column[int], values: Sequence[int]) -> int:
    """Delete the rows with these values of a column; return how many there were."""
    table = column.table.name
    if is_sqlite(connection):
        marks = ", ".join("?" * len(values))
        statement = f"DELETE FROM {table} WHERE {column.name} IN ({marks})"  # noqa: S608
        return connection.exec_driver_sql(statement, tuple(values)).rowcount
    statement = f"DELETE FROM {table} WHERE {column.name} = ANY(%b::bigint[])"  # noqa: S608
    return connection.exec_driver_sql(statement, (list(values),)).rowcount


def chunks(values: Sequence[_T], size: int = _CHUNK) -> Iterator[Sequence[_T]]:
    """Cut a list of values into parts that fit into one statement."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _type(column: Column[Any]) -> str:
    return str(column.type.compile(_DIALECT))
