"""Let the moment at which a block was offered rise, and nothing else of its row change.

Replaces the trigger that refuses to update ``blocks``. Locks: that table for a
moment, exclusively on PostgreSQL. Duration: well under a second. Forward only;
roles that were granted rights before need `apply_grants` again.

Revision ID: 0006
"""

from __future__ import annotations

from alembic import op

from vermilion_ledger.store.triggers import offered_triggers

__all__ = ["branch_labels", "depends_on", "down_revision", "revision", "upgrade"]

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Replace the guard."""
    for statement in offered_triggers(op.get_bind().dialect.name):
        op.execute(statement)
