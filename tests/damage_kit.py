"""Damage done on purpose: one bit of a row or a file the other way.

Rows of SQLite are changed past triggers and constraints, as a broken disk or
a program with the file open would; every change is taken back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Cell", "Damage", "flip_bit", "flipped_file"]

Value = bytes | int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One value of a row; the row is named by SQLite's own number of it or its key."""

    table: str
    column: str
    key: tuple[tuple[str, Value], ...]
    value: Value

    @property
    def bit_count(self) -> int:
        if isinstance(self.value, int):
            return 64
        return 8 * len(self.value if isinstance(self.value, bytes) else self.value.encode())


def flip_bit(value: Value, bit: int) -> bytes | int:
    """Return a value with one bit the other way; texts as bytes."""
    if isinstance(value, int):
        number = (value & (1 << 64) - 1) ^ 1 << bit
        return number - (1 << 64) if number >> 63 else number
    data = bytearray(value.encode() if isinstance(value, str) else value)
    data[bit // 8] ^= 1 << bit % 8
    return bytes(data)


class Damage:
    """A connection to a ledger's file that keeps no rule."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA foreign_keys = OFF")
        self._connection.execute("PRAGMA ignore_check_constraints = ON")
        triggers = self._connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for (name,) in triggers:
            self._connection.execute(f"DROP TRIGGER {name}")

    def close(self) -> None:
        self._connection.close()

    def cells(self, table: str) -> list[Cell]:
        """Every value of a table."""
        columns = self._connection.execute(f"PRAGMA table_info({table})").fetchall()
        names = [column[1] for column in columns]
        keys = [column[1] for column in columns if column[5]]
        rows = self._connection.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall()
        return [
            Cell(
                table=table,
                column=name,
                key=tuple((key, row[names.index(key)]) for key in keys),
                value=value,
            )
            for row in rows
            for name, value in zip(names, row, strict=True)
            if value is not None
        ]

    @contextmanager
    def flipped(self, cell: Cell, bit: int) -> Iterator[None]:
        """Change one bit for the time of the block."""
        changed = flip_bit(cell.value, bit)
        after = [(name, changed if name == cell.column else value) for name, value in cell.key]
        self._update(cell, cell.key, changed)
        try:
            yield
        finally:
            self._update(cell, after, cell.value)

    def execute(self, statement: str, values: Sequence[Value] = ()) -> None:
        self._connection.execute(statement, values)

    def _update(self, cell: Cell, key: Sequence[tuple[str, Value]], value: Value) -> None:
        is_text = isinstance(cell.value, str)
        mark = "CAST(? AS TEXT)" if is_text and isinstance(value, bytes) else "?"
        wheres = [f"{name} IS ?" for name, _ in key]
        values: list[Value] = [value]
        for place, (name, part) in enumerate(key):
            if name == cell.column and is_text and isinstance(part, bytes):
                wheres[place] = f"{name} IS CAST(? AS TEXT)"
            values.append(part)
        done = self._connection.execute(
            f"UPDATE {cell.table} SET {cell.column} = {mark} WHERE {' AND '.join(wheres)}", values
        )
        assert done.rowcount == 1, (cell, key)


@contextmanager
def flipped_file(path: Path, bit: int) -> Iterator[None]:
    """Change one bit of a file for the time of the block."""
    with path.open("r+b") as file:
        file.seek(bit // 8)
        before = file.read(1)[0]
        file.seek(bit // 8)
        file.write(bytes([before ^ 1 << bit % 8]))
    try:
        yield
    finally:
        with suppress(FileNotFoundError), path.open("r+b") as file:
            file.seek(bit // 8)
            file.write(bytes([before]))
