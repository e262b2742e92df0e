"""Create the tables of nonces, payments, vanished blocks and the anchorer's last words.

Locks: none that anyone could wait for, as the tables are new. Duration: well
under a second. Forward only; roles that were granted rights before need
`apply_grants` again.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vermilion_ledger.store.triggers import append_only_triggers

__all__ = ["branch_labels", "depends_on", "down_revision", "revision", "upgrade"]

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables, and guard the one that is insert-only."""
    _create_nonces()
    _create_payments()
    op.create_table(
        "vanished_blocks",
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("block_hash", sa.LargeBinary, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "block_hash"),
        sa.CheckConstraint("length(block_hash) = 32", name="block_hash_size"),
    )
    op.create_table(
        "anchor_notes",
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("contract", sa.LargeBinary, nullable=False),
        sa.Column("log", sa.LargeBinary, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("alarm", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("told_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "contract", "log"),
    )


def _create_nonces() -> None:
    op.create_table(
        "anchor_nonces",
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("address", sa.LargeBinary, nullable=False),
        sa.Column("nonce", sa.BigInteger, nullable=False),
        sa.Column("anchor_id", _ROW, sa.ForeignKey("anchors.anchor_id"), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "address", "nonce"),
        sa.CheckConstraint("length(address) = 20", name="address_size"),
    )


def _create_payments() -> None:
    op.create_table(
        "anchor_payments",
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("block_hash", sa.LargeBinary, nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary, nullable=False),
        sa.Column("gas_used", sa.BigInteger, nullable=False),
        sa.Column("gas_price", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "block_hash", "transaction_hash"),
    )
    for statement in append_only_triggers(op.get_bind().dialect.name, "anchor_payments"):
        op.execute(statement)
