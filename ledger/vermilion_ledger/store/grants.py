"""Rights in PostgreSQL: each process may do its own part and no more.

Run by the owner of the tables, after each migration. The owner itself is used
for migrations only. No role may UPDATE or DELETE evidence; only the sequencer
may INSERT entries, tiles and checkpoints, and only it may empty the queue.
Roles are created without login: the operator grants them to login roles
(``GRANT vermilion_api TO office_api``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection, Engine, text

from vermilion_ledger.errors import InputError
from vermilion_ledger.store.engine import is_sqlite, writing
from vermilion_ledger.store.schema import METADATA

__all__ = ["apply_grants"]

_Rights = Mapping[str, tuple[str, ...]]

_API: _Rights = {
    "INSERT": (
        "submissions",
        "known_envelopes",
        "nonces",
        "queue",
        "idempotency",
        "responses",
        "blocks",
        "document_numbers",
    ),
    "UPDATE": ("blocks", "document_numbers"),
}
_SEQUENCER: _Rights = {
    "INSERT": ("entries", "places", "digests", "refusals", "checkpoints"),
    "UPDATE": ("head", "lease"),
    "DELETE": ("queue",),
}
_ANCHORER: _Rights = {
    "INSERT": (
        "anchors",
        "anchor_attempts",
        "anchor_nonces",
        "anchor_notes",
        "anchor_payments",
        "anchor_receipts",
        "blocks",
        "timestamps",
        "vanished_blocks",
    ),
    "UPDATE": ("anchors", "anchor_nonces", "anchor_notes"),
    "DELETE": ("vanished_blocks",),
}


def apply_grants(
    engine: Engine, *, api_role: str, sequencer_role: str, anchorer_role: str | None = None
) -> None:
    """Give each role exactly its rights; whatever it had before is taken away.

    Args:
        engine: Connected as the owner of the tables.
        api_role: Inserts submissions, reads everything.
        sequencer_role: Writes the log.
        anchorer_role: Writes the anchoring journal; the sequencer's role where
            none is named.

    Raises:
        InputError: ``store.roles``: SQLite has none, or one role has two parts.
    """
    anchorer_role = anchorer_role or sequencer_role
    if api_role in {sequencer_role, anchorer_role}:
        raise InputError("store.roles", "the API's role has another part too")
    rights: dict[str, list[_Rights]] = {api_role: [_API]}
    rights.setdefault(sequencer_role, []).append(_SEQUENCER)
    rights.setdefault(anchorer_role, []).append(_ANCHORER)
    with writing(engine) as connection:
        if is_sqlite(connection):
            raise InputError("store.roles", "SQLite has no roles to grant rights to")
        for role, parts in rights.items():
            _create_role(connection, role)
            for statement in _statements(_quoted(connection, role), parts):
                connection.exec_driver_sql(statement)


def _create_role(connection: Connection, role: str) -> None:
    known = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
    if known.first() is None:
        connection.exec_driver_sql(f"CREATE ROLE {_quoted(connection, role)} NOLOGIN")


def _statements(role: str, parts: Sequence[_Rights]) -> Iterator[str]:
    tables = ", ".join([*sorted(METADATA.tables), "alembic_version"])
    yield f"REVOKE ALL ON {tables} FROM PUBLIC, {role}"
    yield f"GRANT SELECT ON {tables} TO {role}"
    for part in parts:
        for right, names in part.items():
            yield f"GRANT {right} ON {', '.join(names)} TO {role}"
        if "submissions" in part.get("INSERT", ()):  # it takes positions before it inserts
            yield f"GRANT USAGE ON SEQUENCE submissions_position_seq TO {role}"


def _quoted(connection: Connection, role: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(role).replace("%", "%%")
