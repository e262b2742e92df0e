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
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
)

from vermilion_ledger.store.anchor_schema import (
    anchor_attempts,
    anchor_nonces,
    anchor_notes,
    anchor_payments,
    anchor_receipts,
    anchors,
    blocks,
    timestamps,
    vanished_blocks,
)
from vermilion_ledger.store.columns import METADATA
from vermilion_ledger.store.columns import ROW as _ROW
from vermilion_ledger.store.columns import sized as _sized

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
    "erased",
    "erasing",
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

# What is left of an entry whose record was destroyed: its place and the 65 bytes that everybody
# has. Nothing else, and no order: an erasure writes all rows anew, so that no row tells which
# others came with it.
erased = Table(
    "erased",
    METADATA,
    Column("leaf_index", _ROW, primary_key=True, autoincrement=False),
    Column("entry", LargeBinary, nullable=False),
    CheckConstraint("leaf_index >= 0", name="order"),
    _sized("entry", 65),
)

# One row. Evidence can be deleted while `closed` is 0, which no transaction can commit: there is
# no such head. `due` is 1 from an erasure until no file holds the bytes any more.
erasing = Table(
    "erasing",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column(
        "closed",
        Integer,
        ForeignKey("head.id", deferrable=True, initially="DEFERRED"),
        nullable=False,
    ),
    Column("due", Integer, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
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
    erased,
    refusals,
    checkpoints,
    anchor_attempts,
    anchor_receipts,
    anchor_payments,
    timestamps,
    idempotency,
    responses,
)
