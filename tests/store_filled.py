"""A database with at least one row in every table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from store_kit import Admit, accept, digest, make_submission, make_writer
from vermilion_ledger.anchor_rows import (
    AnchorAttempt,
    AnchorTarget,
    ChainBlock,
    FinalAnchor,
    StoredTimestamp,
)
from vermilion_ledger.errors import VerificationError
from vermilion_ledger.numbers import DocumentNumber, Numbering
from vermilion_ledger.ports import HistoryView, TileStore
from vermilion_ledger.rows import Idempotency, IntakeBatch, Pending
from vermilion_ledger.store import Database
from vermilion_ledger.store.engine import is_sqlite, writing

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
TARGET = AnchorTarget(chain_id=31337, contract=b"\x01" * 20, log=b"\x02" * 32)


def fill(database: Database, tiles: TileStore) -> None:
    """Put at least one row into every table: 257 entries, a refusal, one that waits."""
    bad = make_submission(text="bad")

    def refuse_marked(pending: Pending, _: HistoryView) -> None:
        if pending.envelope == bad.envelope:
            raise VerificationError("statement.binding", "no")

    idempotency = Idempotency(key="k", request_hash=digest("r"))
    batch = (make_submission(plain=True), *(make_submission() for _ in range(256)))
    database.intake.save_batches([IntakeBatch(submissions=batch, idempotency=idempotency)])
    accept(database, bad)
    writer = make_writer(database, tiles, admission=Admit(refuse_marked))
    writer.grow()
    writer.sequencer.release()
    number = DocumentNumber(office="国办发", year=2026, serial=1)
    numbering = Numbering(number=number, salt=digest("n"))
    accept(database, replace(make_submission(), numbering=numbering))
    database.responses.save("k", status=202, body=b"{}", created_at=NOW)
    block = ChainBlock(chain_id=1, number=2, hash=digest("b"), time=NOW, header=b"header")
    database.blocks.save(block, offered_at=NOW)
    job = database.anchors.plan(TARGET, size=1, root=digest("root"), now=NOW)
    attempt = AnchorAttempt(
        nonce=1,
        gas_limit=2,
        max_fee=3,
        priority_fee=4,
        raw=b"raw",
        transaction=digest("t"),
        signed_block=5,
        signed_at=NOW,
    )
    database.anchors.reserve_nonce(job, b"\x03" * 20, nonce_min=1)
    job = database.anchors.save_signed(job, attempt)
    database.anchors.save_receipt(job, make_final())
    database.anchors.save_vanished(make_final(), now=NOW)
    with writing(database.engine) as connection:
        connection.exec_driver_sql(
            "INSERT INTO anchor_notes VALUES (1, {0}, {0}, 'wait.sent', 'waits', '', 1, 2)".format(
                "''" if is_sqlite(connection) else "''::bytea"
            )
        )
        connection.exec_driver_sql("UPDATE erasing SET closed = 0")
        leaf = "zeroblob(65)" if is_sqlite(connection) else "decode(repeat('00', 65), 'hex')"
        connection.exec_driver_sql(f"INSERT INTO erased VALUES (0, {leaf})")
        connection.exec_driver_sql("UPDATE erasing SET closed = 1")
    stamp = StoredTimestamp(size=1, authority="http://tsa.example", token=b"token", time=NOW)
    database.timestamps.save(stamp)


def make_final() -> FinalAnchor:
    return FinalAnchor(
        target=TARGET,
        size=1,
        root=digest("root"),
        transaction=digest("t"),
        transaction_index=0,
        log_index=0,
        block_number=7,
        block_hash=digest("b"),
        block_time=NOW,
        header=b"header",
        receipt=b"{}",
        gas_used=56_000,
        gas_price=10**9,
    )
