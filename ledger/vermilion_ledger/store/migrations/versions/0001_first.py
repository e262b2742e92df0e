"""Create every table and the triggers that make the log append-only.

Locks: none that anyone could wait for, as the tables are new. Duration: well
under a second. Forward only: evidence tables are never dropped.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vermilion_ledger.store.triggers import postgres_triggers, sqlite_triggers

__all__ = ["branch_labels", "depends_on", "down_revision", "revision", "upgrade"]

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_INSERT_ONLY = (
    "submissions",
    "known_envelopes",
    "nonces",
    "entries",
    "places",
    "digests",
    "refusals",
    "checkpoints",
    "blocks",
    "anchor_attempts",
    "anchor_receipts",
    "idempotency",
    "responses",
)
_EMPTY_ROOT = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # MTH({})
_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables, their first rows and their guards."""
    _create_intake()
    _create_answers()
    _create_log()
    _create_heads()
    _create_anchors()
    _create_receipts()
    connection = op.get_bind()
    connection.execute(
        sa.text(
            "INSERT INTO head (id, size, root, epoch, state) VALUES (1, 0, :root, 0, 'open')"
        ).bindparams(root=bytes.fromhex(_EMPTY_ROOT))
    )
    connection.execute(
        sa.text("INSERT INTO lease (id, holder, epoch, expires_at) VALUES (1, '', 0, 0)")
    )
    is_sqlite = connection.dialect.name == "sqlite"
    for statement in (sqlite_triggers if is_sqlite else postgres_triggers)(_INSERT_ONLY):
        op.execute(statement)


def _create_intake() -> None:
    op.create_table(
        "submissions",
        sa.Column("position", _ROW, sa.Identity(), primary_key=True),
        sa.Column("record_key", sa.LargeBinary, nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        _sized("record_key", 32),
        _sized("salt", 32),
        sa.CheckConstraint("kind BETWEEN 0 AND 2", name="kind"),
    )
    op.create_table(
        "known_envelopes",
        sa.Column("envelope_hash", sa.LargeBinary, primary_key=True),
        sa.Column("position", sa.BigInteger, _to_submission(), nullable=False),
        _sized("envelope_hash", 32),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "nonces",
        sa.Column("nonce", sa.LargeBinary, nullable=False),
        sa.Column("keyid", sa.LargeBinary, nullable=False),
        # The nonce first: it alone finds the row.
        sa.PrimaryKeyConstraint("nonce", "keyid"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "queue",
        sa.Column("position", _ROW, _to_submission(), primary_key=True, autoincrement=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("is_plain", sa.SmallInteger, nullable=False),
        _sized("digest", 32),
    )


def _to_submission() -> sa.ForeignKey:
    return sa.ForeignKey("submissions.position")


def _create_answers() -> None:
    op.create_table(
        "idempotency",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("request_hash", sa.LargeBinary, nullable=False),
        sa.Column("positions", sa.Text, nullable=False),
        _sized("request_hash", 32),
    )
    op.create_table(
        "responses",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )


def _create_log() -> None:
    op.create_table(
        "entries",
        sa.Column("leaf_index", _ROW, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, _to_submission(), nullable=False, unique=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.CheckConstraint("leaf_index >= 0 AND sequence >= 0", name="order"),
    )
    op.create_table(
        "places",
        sa.Column("record", sa.BigInteger, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("record", "sequence", "leaf_index"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "digests",
        sa.Column("digest", sa.BigInteger, nullable=False),
        sa.Column("leaf_index", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("digest", "leaf_index"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "refusals",
        sa.Column("position", _ROW, _to_submission(), primary_key=True, autoincrement=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
    )
    op.create_table(
        "checkpoints",
        sa.Column("size", _ROW, primary_key=True, autoincrement=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("published_at", sa.BigInteger, nullable=False),
        sa.CheckConstraint("size > 0", name="size"),
        _sized("root", 32),
    )


def _create_heads() -> None:
    op.create_table(
        "head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.CheckConstraint("id = 1", name="one_row"),
        sa.CheckConstraint("state IN ('open', 'halted')", name="state"),
        _sized("root", 32),
    )
    op.create_table(
        "lease",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.CheckConstraint("id = 1", name="one_row"),
    )
    op.create_table(
        "blocks",
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("header", sa.LargeBinary, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("offered_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "hash"),
        _sized("hash", 32),
    )
    op.create_index("ix_blocks_chain_id_offered_at", "blocks", ["chain_id", "offered_at"])


def _create_anchors() -> None:
    op.create_table(
        "anchors",
        sa.Column("anchor_id", _ROW, sa.Identity(), primary_key=True),
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("contract", sa.LargeBinary, nullable=False),
        sa.Column("log", sa.LargeBinary, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary),
        sa.Column("block_number", sa.BigInteger),
        sa.Column("block_hash", sa.LargeBinary),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        _sized("contract", 20),
        _sized("log", 32),
        _sized("root", 32),
    )
    op.create_index(
        "uq_anchors_open",
        "anchors",
        ["chain_id", "contract", "log"],
        unique=True,
        sqlite_where=sa.text("state NOT IN ('final', 'superseded')"),
        postgresql_where=sa.text("state NOT IN ('final', 'superseded')"),
    )
    op.create_table(
        "anchor_attempts",
        sa.Column("anchor_id", _ROW, sa.ForeignKey("anchors.anchor_id"), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("nonce", sa.BigInteger, nullable=False),
        sa.Column("gas_limit", sa.BigInteger, nullable=False),
        sa.Column("max_fee", sa.BigInteger, nullable=False),
        sa.Column("priority_fee", sa.BigInteger, nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("signed_block", sa.BigInteger, nullable=False),
        sa.Column("signed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("anchor_id", "attempt"),
        _sized("transaction_hash", 32),
    )


def _create_receipts() -> None:
    op.create_table(
        "anchor_receipts",
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("contract", sa.LargeBinary, nullable=False),
        sa.Column("log", sa.LargeBinary, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary, nullable=False),
        sa.Column("transaction_index", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.BigInteger, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("block_hash", sa.LargeBinary, nullable=False),
        sa.Column("block_time", sa.BigInteger, nullable=False),
        sa.Column("header", sa.LargeBinary, nullable=False),
        sa.Column("receipt", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "block_hash", "transaction_index", "log_index"),
        _sized("root", 32),
    )
    op.create_index(
        "ix_anchor_receipts_chain_id_contract_log_size",
        "anchor_receipts",
        ["chain_id", "contract", "log", "size"],
    )


def _sized(column: str, size: int) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"length({column}) = {size}", name=f"{column}_size")
