"""The stores: SQLAlchemy Core over SQLite and PostgreSQL.

The only package that imports SQLAlchemy or Alembic. `open_database` gives the
composition root one object with an implementation of each port; nothing of
SQLAlchemy leaves, neither rows nor errors.
"""

from __future__ import annotations

from vermilion_ledger.store.database import Database, open_database

__all__ = ["Database", "open_database"]
