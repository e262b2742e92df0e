"""What the tables of the schema are made of: their names, row numbers, sized values."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Integer, MetaData

__all__ = ["METADATA", "ROW", "sized"]

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)
# SQLite makes a key the row's own number only where its type is INTEGER.
ROW = BigInteger().with_variant(Integer(), "sqlite")


def sized(column: str, size: int) -> CheckConstraint:
    """Return the constraint that a column's values have a size in bytes."""
    return CheckConstraint(f"length({column}) = {size}", name=f"{column}_size")
