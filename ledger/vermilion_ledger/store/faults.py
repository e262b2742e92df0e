"""Foreign database errors end here and become `EvidenceError`.

Every access goes through `translated`, so that no SQLAlchemy, sqlite3 or
psycopg error leaves `vermilion_ledger.store`. SQLite is judged by its result
code (sqlite.org/rescode.html), PostgreSQL by SQLSTATE (its appendix A), never
by the wording, save where SQLite has one code for two causes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    IntegrityError,
    UnavailableError,
)

__all__ = ["APPEND_ONLY", "APPEND_ONLY_STATE", "translate", "translate_sqlite", "translated"]

APPEND_ONLY = "append-only"  # how the messages of our own triggers start
APPEND_ONLY_STATE = "VM001"  # their SQLSTATE on PostgreSQL
_NOT_SAVED = "nothing was saved"
_OUT_OF_REACH = "the database is out of reach"
_TOO_LATE = "another writer was first"
_SQLITE_UNIQUE = frozenset(
    {
        sqlite3.SQLITE_CONSTRAINT_UNIQUE,
        sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
        sqlite3.SQLITE_CONSTRAINT_ROWID,
    }
)


@contextmanager
def translated() -> Iterator[None]:
    """Turn the database errors of the block into `EvidenceError`."""
    try:
        yield
    except SQLAlchemyError as exc:
        raise translate(exc) from exc


def translate(exc: SQLAlchemyError) -> EvidenceError:
    """Return what a database error means to a caller."""
    if isinstance(exc, PoolTimeoutError):
        return UnavailableError("store.busy", "every database connection is in use")
    if not isinstance(exc, DBAPIError):
        return IntegrityError("store.failed", f"the database layer failed: {exc}")
    orig = exc.orig
    detail = str(orig).strip().split("\n")[0]
    if isinstance(orig, sqlite3.Error):
        return translate_sqlite(orig)
    state = getattr(orig, "sqlstate", None)
    if exc.connection_invalidated or (
        state is None and isinstance(exc, (OperationalError, InterfaceError))
    ):
        return UnavailableError("store.unreachable", f"{_OUT_OF_REACH}: {detail}")
    return _from_postgres(state or "", detail)


def translate_sqlite(exc: sqlite3.Error) -> EvidenceError:
    """Return what an error of SQLite itself means to a caller."""
    return _from_sqlite(getattr(exc, "sqlite_errorcode", 0), str(exc).strip().split("\n")[0])


def _from_sqlite(code: int, detail: str) -> EvidenceError:
    if code == sqlite3.SQLITE_CONSTRAINT_TRIGGER and detail.startswith(APPEND_ONLY):
        return IntegrityError("store.append-only", detail)
    match code & 0xFF:
        case sqlite3.SQLITE_FULL:
            return UnavailableError("store.disk-full", f"{_NOT_SAVED}: {detail}")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return UnavailableError("store.busy", f"{_NOT_SAVED}: {detail}")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return IntegrityError("store.corrupt", f"the database file is damaged: {detail}")
        case sqlite3.SQLITE_CONSTRAINT if code in _SQLITE_UNIQUE:
            return ConflictError("store.conflict", f"{_TOO_LATE}: {detail}")
        case sqlite3.SQLITE_ERROR if detail.startswith("no such table"):
            return UnavailableError("store.not-migrated", f"the schema is missing: {detail}")
        case (
            sqlite3.SQLITE_CANTOPEN
            | sqlite3.SQLITE_IOERR
            | sqlite3.SQLITE_READONLY
            | sqlite3.SQLITE_PERM
        ):
            return UnavailableError("store.unreachable", f"{_OUT_OF_REACH}: {detail}")
    return IntegrityError("store.failed", f"the database refused: {detail}")


def _from_postgres(state: str, detail: str) -> EvidenceError:
    """Judge by the whole SQLSTATE first, then by its class, the first two characters."""
    causes: dict[str, tuple[type[EvidenceError], str, str]] = {
        APPEND_ONLY_STATE: (IntegrityError, "store.append-only", "refused"),
        "53100": (UnavailableError, "store.disk-full", _NOT_SAVED),
        "53300": (UnavailableError, "store.busy", _NOT_SAVED),
        "23505": (ConflictError, "store.conflict", _TOO_LATE),
        "40001": (ConflictError, "store.conflict", _TOO_LATE),
        "40P01": (ConflictError, "store.conflict", _TOO_LATE),
        "55P03": (UnavailableError, "store.busy", _NOT_SAVED),
        "57014": (UnavailableError, "store.busy", _NOT_SAVED),
        "42501": (IntegrityError, "store.not-allowed", "the database role may not"),
        "42P01": (UnavailableError, "store.not-migrated", "the schema is missing"),
        "08": (UnavailableError, "store.unreachable", _OUT_OF_REACH),
        "25": (UnavailableError, "store.unreachable", _OUT_OF_REACH),
        "53": (UnavailableError, "store.unreachable", _OUT_OF_REACH),
        "57": (UnavailableError, "store.unreachable", _OUT_OF_REACH),
        "58": (UnavailableError, "store.unreachable", _OUT_OF_REACH),
        "XX": (IntegrityError, "store.corrupt", "the database is damaged"),
    }
    other = (IntegrityError, "store.failed", "the database refused")
    kind, code, meaning = causes.get(state) or causes.get(state[:2]) or other
    return kind(code, f"{meaning}: {detail}")
