"""Ledgers for the benches: made, filled and grown with the production code, no HTTP.

Documents are registered as the API registers them, unless a bench only needs
rows of the right size: those have random bytes for an envelope, which nothing
below the API looks into.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vermilion_api.log_signer import LogSigner
from vermilion_api.requests import Registration
from vermilion_api.services.registering import Registrar
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.log import LogReader
from vermilion_ledger.ports import HistoryView, TileStore
from vermilion_ledger.publisher import Publisher
from vermilion_ledger.rows import Accepted, IntakeBatch, Pending, Submission
from vermilion_ledger.sequencer import Sequencer, SequencerTiming
from vermilion_ledger.store import Database, open_database
from vermilion_ledger.store.wal import WalKeeper
from vermilion_ledger.tilestore import open_tile_store

__all__ = [
    "ENVELOPE_SIZE",
    "Ledger",
    "make_documents",
    "make_registrar",
    "make_rows",
    "open_ledger",
]

ENVELOPE_SIZE = 891  # bytes: what a registered document named document-0.pdf takes
ORIGIN = "localhost/vermilion"
_BULK = 1_000
_PUBLISH_EACH = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """A ledger without an API: its stores, and the two that write."""

    database: Database
    tiles: TileStore
    sequencer: Sequencer
    publisher: Publisher

    def reader(self) -> LogReader:
        """Return a reader that remembers nothing yet."""
        return LogReader(self.database.log, self.database.heads, self.tiles)

    def add(self, submissions: list[Submission]) -> None:
        """Take in and index, one transaction a thousand; then publish."""
        for start in range(0, len(submissions), _BULK):
            batch = IntakeBatch(submissions=tuple(submissions[start : start + _BULK]))
            for result in self.sequencer.save_batches([batch]):
                if not isinstance(result, Accepted):
                    raise result
        self.publisher.publish()

    def fill(self, count: int) -> None:
        """Add rows until the log has so many entries."""
        size = self.database.log.count_entries()
        while size < count:
            part = min(_PUBLISH_EACH, count - size)
            self.add(make_rows(part))
            self.sequencer.renew()
            size += part

    def settle(self) -> None:
        """Copy SQLite's write-ahead log into the database, all of it."""
        busy = 1
        with closing(self.database.engine.raw_connection()) as connection:
            while busy:  # while the keeper is at it
                cursor = connection.cursor()
                busy, *_ = cursor.execute("PRAGMA wal_checkpoint(FULL)").fetchone()


class _AdmitAll:
    """Admits everything: a registration without a policy has nothing to be judged by."""

    def admit(self, pending: Pending, *, index: int, sequence: int, view: HistoryView) -> None:
        """Admit."""


@contextmanager
def open_ledger(
    home: Path,
    *,
    database_url: str = "",
    origin: str = ORIGIN,
    log_seed: bytes = bytes(32),
    timing: SequencerTiming | None = None,
) -> Iterator[Ledger]:
    """Open a ledger in a folder, with the lease and a publisher that has started.

    Args:
        home: Where tiles and, unless an address is given, the database are.
        database_url: Of another database.
        origin: Name of the log.
        log_seed: Signs its checkpoints.
        timing: Bounds of the sequencer.
    """
    database = open_database(database_url or f"sqlite:///{home / 'ledger.db'}")
    database.migrate()
    tiles = open_tile_store("", home)
    sequencer = Sequencer(
        log=database.log,
        store=database.sequencing,
        admission=_AdmitAll(),
        clock=_now,
        timing=timing,
    )
    publisher = Publisher(
        log=database.log,
        heads=database.heads,
        tiles=tiles,
        signer=LogSigner(origin=origin, seed=log_seed, ml_dsa_seed=None, clock=_now),
        clock=_now,
    )
    keeper = WalKeeper(database.engine)
    sequencer.acquire()
    publisher.start(sequencer.epoch)
    keeper.start()
    try:
        yield Ledger(database=database, tiles=tiles, sequencer=sequencer, publisher=publisher)
    finally:
        sequencer.release()
        keeper.close()
        database.close()


def make_registrar() -> Registrar:
    """Return what makes submissions of documents, as the API has it."""
    return Registrar(origin=ORIGIN, intake_seed=bytes(32), clock=_now)


def make_documents(count: int) -> list[Submission]:
    """Return documents as the API registers them: own record, statement, envelope, signature."""
    return make_registrar().prepare_all(
        [
            Registration(name=f"document-{number}.pdf", sha256=secrets.token_bytes(32))
            for number in range(count)
        ]
    )


def make_rows(count: int) -> list[Submission]:
    """Return submissions of that size whose envelopes are random bytes."""
    made = []
    for _ in range(count):
        drawn = secrets.token_bytes(96 + ENVELOPE_SIZE)
        envelope = drawn[96:]
        made.append(
            Submission(
                record_id=make_record_id(drawn[:32]),
                record_key=drawn[:32],
                envelope=envelope,
                envelope_hash=hashlib.sha256(envelope).digest(),
                salt=drawn[32:64],
                digest=drawn[64:96],
                is_plain=True,
            )
        )
    return made


def _now() -> datetime:
    return datetime.now(UTC)
