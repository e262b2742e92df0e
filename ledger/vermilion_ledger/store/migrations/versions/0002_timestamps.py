"""Create the table of time-stamps, insert-only like all evidence.

Locks: none that anyone could wait for, as the table is new. Duration: well
under a second. Forward only.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vermilion_ledger.store.triggers import append_only_triggers

__all__ = ["branch_labels", "depends_on", "down_revision", "revision", "upgrade"]

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and its guards."""
    op.create_table(
        "timestamps",
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("authority", sa.Text, nullable=False),
        sa.Column("token", sa.LargeBinary, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("size", "authority"),
        sa.CheckConstraint("size > 0", name="size"),
    )
    for statement in append_only_triggers(op.get_bind().dialect.name, "timestamps"):
        op.execute(statement)
