"""The tables of the anchorer: jobs, transactions, receipts, blocks, time-stamps.

Part of `vermilion_ledger.store.schema`, which names every table.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from vermilion_ledger.store.columns import METADATA, ROW, sized

__all__ = [
    "anchor_attempts",
    "anchor_nonces",
    "anchor_notes",
    "anchor_payments",
    "anchor_receipts",
    "anchors",
    "blocks",
    "timestamps",
    "vanished_blocks",
]

blocks = Table(
    "blocks",
    METADATA,
    Column("chain_id", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("header", LargeBinary, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("offered_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("chain_id", "hash"),
    sized("hash", 32),
    Index(None, "chain_id", "offered_at"),
)

# Changed by the anchorer, with `revision` rising at each change.
anchors = Table(
    "anchors",
    METADATA,
    Column("anchor_id", ROW, Identity(), primary_key=True),
    Column("chain_id", BigInteger, nullable=False),
    Column("contract", LargeBinary, nullable=False),
    Column("log", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("transaction_hash", LargeBinary),
    Column("block_number", BigInteger),
    Column("block_hash", LargeBinary),
    Column("created_at", BigInteger, nullable=False),
    sized("contract", 20),
    sized("log", 32),
    sized("root", 32),
)
Index(
    "uq_anchors_open",
    anchors.c.chain_id,
    anchors.c.contract,
    anchors.c.log,
    unique=True,
    sqlite_where=text("state NOT IN ('final', 'superseded')"),
    postgresql_where=text("state NOT IN ('final', 'superseded')"),
)

anchor_attempts = Table(
    "anchor_attempts",
    METADATA,
    Column("anchor_id", ROW, ForeignKey("anchors.anchor_id"), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("gas_limit", BigInteger, nullable=False),
    Column("max_fee", BigInteger, nullable=False),
    Column("priority_fee", BigInteger, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("transaction_hash", LargeBinary, nullable=False, unique=True),
    Column("signed_block", BigInteger, nullable=False),
    Column("signed_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("anchor_id", "attempt"),
    sized("transaction_hash", 32),
)

anchor_receipts = Table(
    "anchor_receipts",
    METADATA,
    Column("chain_id", BigInteger, nullable=False),
    Column("contract", LargeBinary, nullable=False),
    Column("log", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("transaction_hash", LargeBinary, nullable=False),
    Column("transaction_index", BigInteger, nullable=False),
    Column("log_index", BigInteger, nullable=False),
    Column("block_number", BigInteger, nullable=False),
    Column("block_hash", LargeBinary, nullable=False),
    Column("block_time", BigInteger, nullable=False),
    Column("header", LargeBinary, nullable=False),
    Column("receipt", LargeBinary, nullable=False),
    PrimaryKeyConstraint("chain_id", "block_hash", "transaction_index", "log_index"),
    Index(None, "chain_id", "contract", "log", "size"),
    sized("root", 32),
)

# Which job a nonce of an account is for. Changed only from a job that is closed to another.
anchor_nonces = Table(
    "anchor_nonces",
    METADATA,
    Column("chain_id", BigInteger, nullable=False),
    Column("address", LargeBinary, nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("anchor_id", ROW, ForeignKey("anchors.anchor_id"), nullable=False),
    PrimaryKeyConstraint("chain_id", "address", "nonce"),
    sized("address", 20),
)

# What a node said that an anchor in a block has cost: a remark, not evidence.
anchor_payments = Table(
    "anchor_payments",
    METADATA,
    Column("chain_id", BigInteger, nullable=False),
    Column("block_hash", LargeBinary, nullable=False),
    Column("transaction_hash", LargeBinary, nullable=False),
    Column("gas_used", BigInteger, nullable=False),
    Column("gas_price", BigInteger, nullable=False),
    PrimaryKeyConstraint("chain_id", "block_hash", "transaction_hash"),
)

# Blocks of final anchors that are on their chain no more. A row goes away again where the
# chain returned to its block; the receipts themselves are kept.
vanished_blocks = Table(
    "vanished_blocks",
    METADATA,
    Column("chain_id", BigInteger, nullable=False),
    Column("block_hash", LargeBinary, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("chain_id", "block_hash"),
    sized("block_hash", 32),
)

# The anchorer's last word on each target, for people; overwritten.
anchor_notes = Table(
    "anchor_notes",
    METADATA,
    Column("chain_id", BigInteger, nullable=False),
    Column("contract", LargeBinary, nullable=False),
    Column("log", LargeBinary, nullable=False),
    Column("code", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("alarm", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("told_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("chain_id", "contract", "log"),
)

# Tokens over checkpoints whose anchor is final; the authority by its address. Checkpoints may
# lie in a database of their own, hence no reference.
timestamps = Table(
    "timestamps",
    METADATA,
    Column("size", BigInteger, nullable=False),
    Column("authority", Text, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("time", BigInteger, nullable=False),
    PrimaryKeyConstraint("size", "authority"),
    CheckConstraint("size > 0", name="size"),
)
