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
    SmallInteger,
    Table,
    Text,
    text,
)

__all__ = [
    "INSERT_ONLY",
    "METADATA",
    "anchor_attempts",
    "anchor_nonces",
    "anchor_notes",
    "anchor_payments",
    "anchor_receipts",
    "anchors",
    "blocks",
    "checkpoints",
    "digests",
    "document_numbers",
    "entries",
    "head",
    "idempotency",
    "known_envelopes",
    "lease",
    "nonces",
    "places",
    "queue",
    "refusals",
    "responses",
    "submissions",
    "timestamps",
    "vanished_blocks",
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
# SQLite makes a key the row's own number only where its type is INTEGER.
_ROW = BigInteger().with_variant(Integer(), "sqlite")


def _sized(column: str, size: int) -> CheckConstraint:
    return CheckConstraint(f"length({column}) = {size}", name=f"{column}_size")


# In order of arrival. What the log commits to; the record key is repeated in
# each row, so that a row is enough to open its entry.
submissions = Table(
    "submissions",
    METADATA,
    Column("position", _ROW, Identity(), primary_key=True),
    Column("record_key", LargeBinary, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    _sized("record_key", 32),
    _sized("salt", 32),
    CheckConstraint("kind BETWEEN 0 AND 2", name="kind"),
)

# What could be submitted twice: envelopes that the registrar did not write.
known_envelopes = Table(
    "known_envelopes",
    METADATA,
    Column("envelope_hash", LargeBinary, primary_key=True),
    Column("position", BigInteger, ForeignKey("submissions.position"), nullable=False),
    _sized("envelope_hash", 32),
    sqlite_with_rowid=False,
)

nonces = Table(
    "nonces",
    METADATA,
    Column("nonce", LargeBinary, nullable=False),
    Column("keyid", LargeBinary, nullable=False),
    # The nonce first: it alone finds the row.
    PrimaryKeyConstraint("nonce", "keyid"),
    sqlite_with_rowid=False,
)

# The API inserts, the sequencer deletes; picked by presence, never by `position > last`.
queue = Table(
    "queue",
    METADATA,
    Column(
        "position", _ROW, ForeignKey("submissions.position"), primary_key=True, autoincrement=False
    ),
    Column("digest", LargeBinary, nullable=False),
    Column("is_plain", SmallInteger, nullable=False),
    _sized("digest", 32),
)

entries = Table(
    "entries",
    METADATA,
    Column("leaf_index", _ROW, primary_key=True, autoincrement=False),
    Column("position", BigInteger, ForeignKey("submissions.position"), nullable=False, unique=True),
    Column("sequence", BigInteger, nullable=False),
    CheckConstraint("leaf_index >= 0 AND sequence >= 0", name="order"),
)

# The entries of a record. Eight bytes find it (`vermilion_ledger.store.prefixes`);
# whoever reads compares the whole id, as two records may share them.
places = Table(
    "places",
    METADATA,
    Column("record", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("leaf_index", BigInteger, nullable=False),
    PrimaryKeyConstraint("record", "sequence", "leaf_index"),
    sqlite_with_rowid=False,
)

# The entries about a digest, found by its first eight bytes.
digests = Table(
    "digests",
    METADATA,
    Column("digest", BigInteger, nullable=False),
    Column("leaf_index", BigInteger, nullable=False),
    PrimaryKeyConstraint("digest", "leaf_index"),
    sqlite_with_rowid=False,
)

refusals = Table(
    "refusals",
    METADATA,
    Column(
        "position", _ROW, ForeignKey("submissions.position"), primary_key=True, autoincrement=False
    ),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    METADATA,
    Column("size", _ROW, primary_key=True, autoincrement=False),
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
    Column("anchor_id", _ROW, Identity(), primary_key=True),
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
    Column("anchor_id", _ROW, ForeignKey("anchors.anchor_id"), nullable=False),
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

# Which job a nonce of an account is for. Changed only from a job that is closed to another.
anchor_nonces = Table(
    "anchor_nonces",
    METADATA,
    Column("chain_id", BigInteger, nullable=False),
    Column("address", LargeBinary, nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("anchor_id", _ROW, ForeignKey("anchors.anchor_id"), nullable=False),
    PrimaryKeyConstraint("chain_id", "address", "nonce"),
    _sized("address", 20),
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
    _sized("block_hash", 32),
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

idempotency = Table(
    "idempotency",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("positions", Text, nullable=False),
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

# The book of document numbers, never in clear anywhere else. Written with the submission that
# carries the commitment; changed where that was refused, and blanked when a record is destroyed.
document_numbers = Table(
    "document_numbers",
    METADATA,
    Column("office", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("serial", Integer, nullable=False),
    Column("position", _ROW, ForeignKey("submissions.position"), index=True),
    Column("record", Text, index=True),
    Column("salt", LargeBinary),
    Column("commitment", LargeBinary, index=True),
    Column("replaces", LargeBinary),
    Column("reason", Text),
    PrimaryKeyConstraint("office", "year", "serial"),
    _sized("salt", 32),
    _sized("commitment", 32),
    CheckConstraint("serial > 0", name="serial"),
)

INSERT_ONLY = (
    submissions,
    known_envelopes,
    nonces,
    entries,
    places,
    digests,
    refusals,
    checkpoints,
    blocks,
    anchor_attempts,
    anchor_receipts,
    anchor_payments,
    timestamps,
    idempotency,
    responses,
)
