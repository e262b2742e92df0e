"""The tables, as they are after the newest migration.

One schema for SQLite and PostgreSQL. `INSERT_ONLY` tables are never changed
after the insert, which triggers enforce; the others say in their comment who
may change them. Times are microseconds (`vermilion_ledger.store.moments`).
A test migrates a database and compares it with this page.
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
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

__all__ = [
    "INSERT_ONLY",
    "METADATA",
    "anchor_attempts",
    "anchor_receipts",
    "anchors",
    "blocks",
    "checkpoints",
    "entries",
    "head",
    "idempotency",
    "lease",
    "nonces",
    "queue",
    "records",
    "refusals",
    "responses",
    "submissions",
    "tiles",
]

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)
_SERIAL = BigInteger().with_variant(Integer(), "sqlite")  # SQLite numbers only INTEGER keys


def _sized(column: str, size: int) -> CheckConstraint:
    return CheckConstraint(f"length({column}) = {size}", name=f"{column}_size")


records = Table(
    "records",
    METADATA,
    Column("record_id", Text, primary_key=True),
    Column("record_key", LargeBinary, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    _sized("record_key", 32),
    CheckConstraint("kind IN ('document', 'keys', 'policies')", name="kind"),
)

submissions = Table(
    "submissions",
    METADATA,
    Column("submission_id", LargeBinary, primary_key=True),
    Column("record_id", Text, ForeignKey("records.record_id"), nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("envelope_hash", LargeBinary, nullable=False, unique=True),
    Column("salt", LargeBinary, nullable=False),
    Column("event", Text, nullable=False),
    Column("predicate", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    _sized("submission_id", 16),
    _sized("envelope_hash", 32),
    _sized("salt", 32),
    _sized("digest", 32),
)

nonces = Table(
    "nonces",
    METADATA,
    Column("nonce", LargeBinary, nullable=False),
    Column("keyid", LargeBinary, nullable=False),
    # The nonce first: it alone finds the row.
    PrimaryKeyConstraint("nonce", "keyid"),
)

# The API inserts, the sequencer deletes; picked by presence, never by `position > last`.
queue = Table(
    "queue",
    METADATA,
    Column("position", _SERIAL, Identity(), primary_key=True),
    Column(
        "submission_id",
        LargeBinary,
        ForeignKey("submissions.submission_id"),
        nullable=False,
        unique=True,
    ),
)

entries = Table(
    "entries",
    METADATA,
    Column("leaf_index", BigInteger, primary_key=True, autoincrement=False),
    Column(
        "submission_id",
        LargeBinary,
        ForeignKey("submissions.submission_id"),
        nullable=False,
        unique=True,
    ),
    Column("record_id", Text, ForeignKey("records.record_id"), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("commitment", LargeBinary, nullable=False),
    Column("tag", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    Column("sequenced_at", BigInteger, nullable=False),
    UniqueConstraint("record_id", "sequence"),
    CheckConstraint("leaf_index >= 0 AND sequence >= 0", name="order"),
    _sized("commitment", 32),
    _sized("tag", 32),
    _sized("leaf_hash", 32),
)

refusals = Table(
    "refusals",
    METADATA,
    Column("submission_id", LargeBinary, ForeignKey("submissions.submission_id"), primary_key=True),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("refused_at", BigInteger, nullable=False),
)

tiles = Table(
    "tiles",
    METADATA,
    Column("level", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    Column("root", LargeBinary, nullable=False),
    PrimaryKeyConstraint("level", "position"),
    _sized("hashes", 8192),
    _sized("root", 32),
)

checkpoints = Table(
    "checkpoints",
    METADATA,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("published_at", BigInteger, nullable=False),
    CheckConstraint("size > 0", name="size"),
    _sized("root", 32),
)

# One row, swapped by the sequencer; a trigger keeps size and epoch from falling.
head = Table(
    "head",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
    CheckConstraint("state IN ('open', 'halted')", name="state"),
    _sized("root", 32),
)

# One row, taken and prolonged by sequencers; a trigger keeps the epoch from falling.
lease = Table(
    "lease",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("holder", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

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
    _sized("hash", 32),
    Index(None, "chain_id", "offered_at"),
)

# Changed by the anchorer, with `revision` rising at each change.
anchors = Table(
    "anchors",
    METADATA,
    Column("anchor_id", _SERIAL, Identity(), primary_key=True),
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
    _sized("contract", 20),
    _sized("log", 32),
    _sized("root", 32),
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
    Column("anchor_id", _SERIAL, ForeignKey("anchors.anchor_id"), nullable=False),
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
    _sized("transaction_hash", 32),
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
    _sized("root", 32),
)

idempotency = Table(
    "idempotency",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("submission_ids", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    _sized("request_hash", 32),
)

responses = Table(
    "responses",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

INSERT_ONLY = (
    records,
    submissions,
    nonces,
    entries,
    refusals,
    tiles,
    checkpoints,
    blocks,
    anchor_attempts,
    anchor_receipts,
    idempotency,
    responses,
)
