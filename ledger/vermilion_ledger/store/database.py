"""The databases of one ledger, as the composition root sees them: the log's and the head's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from vermilion_ledger.rows import RecordRow
from vermilion_ledger.store.anchor_notes import SqlAnchorHistory, SqlNoteStore
from vermilion_ledger.store.anchors import SqlAnchorJournal
from vermilion_ledger.store.blocks import SqlBlockStore
from vermilion_ledger.store.engine import open_engine
from vermilion_ledger.store.heads import SqlHeadStore
from vermilion_ledger.store.intake import SqlIntakeStore
from vermilion_ledger.store.migrate import check_migrated, migrate
from vermilion_ledger.store.numbers import SqlNumberStore
from vermilion_ledger.store.reading import SqlLogStore
from vermilion_ledger.store.responses import SqlResponseStore
from vermilion_ledger.store.sequencing import SqlSequencerStore
from vermilion_ledger.store.timestamps import SqlTimestampStore

__all__ = ["Database", "open_database"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """An implementation of each port.

    Attributes:
        engine: Of the log; opaque outside of the store.
        head_engine: Of the head; the same one where it has no database of its own.
        intake: Takes submissions in.
        log: Reads.
        sequencing: Writes the order of the log, for the holder of the lease.
        heads: What was signed.
        anchors: The anchorer's journal.
        notes: The anchorers' last words.
        history: What past anchors took.
        blocks: Block headers offered for ``seen``.
        responses: Answers kept for idempotency keys.
        timestamps: Tokens over anchored checkpoints.
        numbers: The office's book of document numbers.
    """

    engine: Engine
    head_engine: Engine
    intake: SqlIntakeStore
    log: SqlLogStore
    sequencing: SqlSequencerStore
    heads: SqlHeadStore
    anchors: SqlAnchorJournal
    notes: SqlNoteStore
    history: SqlAnchorHistory
    blocks: SqlBlockStore
    responses: SqlResponseStore
    timestamps: SqlTimestampStore
    numbers: SqlNumberStore

    def migrate(self) -> None:
        """Bring the databases to the schema of this release."""
        for engine in self._engines():
            migrate(engine)

    def check(self) -> None:
        """Refuse a database that is out of reach or of another release.

        Raises:
            UnavailableError: ``store.unreachable`` or ``store.not-migrated``.
        """
        for engine in self._engines():
            check_migrated(engine)

    def close(self) -> None:
        """Close every connection."""
        for engine in self._engines():
            engine.dispose()

    def _engines(self) -> Sequence[Engine]:
        return tuple({id(each): each for each in (self.engine, self.head_engine)}.values())


def open_database(
    url: str,
    *,
    head_url: str = "",
    public: Sequence[RecordRow] = (),
    page_count_max: int | None = None,
    pool_size: int = 8,
    busy_timeout_seconds: float = 15.0,
) -> Database:
    """Open the databases of a ledger; no connection is made yet.

    Args:
        url: ``sqlite:////path/to/file`` or ``postgresql://…``.
        head_url: Where the head is kept, if not in the same database.
        public: The key and the policy record.
        page_count_max: Bound on the pages of a SQLite file, for a quota.
        pool_size: Connections kept open.
        busy_timeout_seconds: How long to wait for another writer's lock.

    Raises:
        InputError: ``store.url``: another kind of database, or none.
    """

    def open_one(address: str) -> Engine:
        return open_engine(
            address,
            page_count_max=page_count_max,
            pool_size=pool_size,
            busy_timeout_seconds=busy_timeout_seconds,
        )

    engine = open_one(url)
    head_engine = open_one(head_url) if head_url and head_url != url else engine
    return Database(
        engine=engine,
        head_engine=head_engine,
        intake=SqlIntakeStore(engine),
        log=SqlLogStore(engine, public=public),
        sequencing=SqlSequencerStore(engine),
        heads=SqlHeadStore(head_engine),
        anchors=SqlAnchorJournal(engine),
        notes=SqlNoteStore(engine),
        history=SqlAnchorHistory(engine),
        blocks=SqlBlockStore(engine),
        responses=SqlResponseStore(engine),
        timestamps=SqlTimestampStore(engine),
        numbers=SqlNumberStore(engine),
    )
