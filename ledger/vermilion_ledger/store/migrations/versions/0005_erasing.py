"""Let evidence be destroyed, by a way that only an erasure can go.

Creates ``erased`` and ``erasing``, and replaces the triggers that refuse to
delete from the tables an erasure touches. Locks: each of these tables for a
moment, exclusively on PostgreSQL. Duration: well under a second, whatever their
size. Forward only; roles that were granted rights before need `apply_grants`
again.

Revision ID: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vermilion_ledger.store.triggers import (
    append_only_triggers,
    erasable_triggers,
    erasing_triggers,
)

__all__ = ["branch_labels", "depends_on", "down_revision", "revision", "upgrade"]

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ERASABLE = (
    "submissions",
    "known_envelopes",
    "nonces",
    "entries",
    "places",
    "digests",
    "erased",
    "refusals",
    "idempotency",
    "responses",
)
_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables and make the guards those of erasable tables."""
    op.create_table(
        "erased",
        sa.Column("leaf_index", _ROW, primary_key=True, autoincrement=False),
        sa.Column("entry", sa.LargeBinary, nullable=False),
        sa.CheckConstraint("leaf_index >= 0", name="order"),
        sa.CheckConstraint("length(entry) = 65", name="entry_size"),
    )
    op.create_table(
        "erasing",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column(
            "closed",
            sa.Integer,
            sa.ForeignKey("head.id", deferrable=True, initially="DEFERRED"),
            nullable=False,
        ),
        sa.Column("due", sa.Integer, nullable=False),
        sa.CheckConstraint("id = 1", name="one_row"),
    )
    dialect = op.get_bind().dialect.name
    for statement in append_only_triggers(dialect, "erased"):
        op.execute(statement)
    for statement in erasing_triggers(dialect):
        op.execute(statement)
    for table in _ERASABLE:
        for statement in erasable_triggers(dialect, table):
            op.execute(statement)
    # Last: a row whose reference is still to be checked keeps PostgreSQL from altering its table.
    op.execute("INSERT INTO erasing (id, closed, due) VALUES (1, 1, 0)")
