"""Answers kept for idempotency keys, so that a repeated request gets the same one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select

from vermilion_ledger.errors import ConflictError
from vermilion_ledger.store import schema
from vermilion_ledger.store.bulk import insert_rows
from vermilion_ledger.store.engine import reading, writing
from vermilion_ledger.store.moments import encode_moment

__all__ = ["KeptResponse", "SqlResponseStore"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptResponse:
    """What is known under an idempotency key.

    Attributes:
        request_hash: Of the request that came first.
        status: HTTP status answered; None while that request still runs.
        body: Bytes answered; None while that request still runs.
    """

    request_hash: bytes
    status: int | None
    body: bytes | None


class SqlResponseStore:
    """Insert-only: the first answer under a key stays."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def load(self, key: str) -> KeptResponse | None:
        """Return what is known under a key; None if its submissions are not saved."""
        query = (
            select(
                schema.idempotency.c.request_hash,
                schema.responses.c.status,
                schema.responses.c.body,
            )
            .outerjoin(schema.responses, schema.responses.c.key == schema.idempotency.c.key)
            .where(schema.idempotency.c.key == key)
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return KeptResponse(request_hash=row[0], status=row[1], body=row[2])

    def save(self, key: str, *, status: int, body: bytes, created_at: datetime) -> None:
        """Keep an answer; returns after the durable commit.

        A second answer under the key changes nothing: the first was given.
        """
        query = select(schema.responses.c.key).where(schema.responses.c.key == key)
        try:
            with writing(self._engine) as connection:
                if connection.execute(query).first() is None:
                    insert_rows(
                        connection,
                        schema.responses,
                        ("key", "status", "body", "created_at"),
                        [(key, status, body, encode_moment(created_at))],
                    )
        except ConflictError:
            return  # another process kept the answer between look and insert
