"""Create the office's book of document numbers.

Locks: none that anyone could wait for, as the table is new. Duration: well
under a second. Forward only; roles that were granted rights before need
`apply_grants` again.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vermilion_ledger.store.triggers import kept_triggers

__all__ = ["branch_labels", "depends_on", "down_revision", "revision", "upgrade"]

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table; its rows may change, but none goes away."""
    op.create_table(
        "document_numbers",
        sa.Column("office", sa.Text, nullable=False),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("serial", sa.Integer, nullable=False),
        sa.Column("position", _ROW, sa.ForeignKey("submissions.position")),
        sa.Column("record", sa.Text),
        sa.Column("salt", sa.LargeBinary),
        sa.Column("commitment", sa.LargeBinary),
        sa.Column("replaces", sa.LargeBinary),
        sa.Column("reason", sa.Text),
        sa.PrimaryKeyConstraint("office", "year", "serial"),
        sa.CheckConstraint("length(salt) = 32", name="salt_size"),
        sa.CheckConstraint("length(commitment) = 32", name="commitment_size"),
        sa.CheckConstraint("serial > 0", name="serial"),
    )
    for column in ("position", "record", "commitment"):
        op.create_index(f"ix_document_numbers_{column}", "document_numbers", [column])
    for statement in kept_triggers(op.get_bind().dialect.name, "document_numbers"):
        op.execute(statement)
