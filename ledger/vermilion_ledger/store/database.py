"""One database, as the composition root sees it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from vermilion_ledger.store.anchors import SqlAnchorJournal
from vermilion_ledger.store.blocks import SqlBlockStore
from vermilion_ledger.store.engine import open_engine
from vermilion_ledger.store.intake import SqlIntakeStore
from vermilion_ledger.store.migrate import check_migrated, migrate
from vermilion_ledger.store.reading import SqlLogStore
from vermilion_ledger.store.responses import SqlResponseStore
from vermilion_ledger.store.sequencing import SqlSequencerStore

__all__ = ["Database", "open_database"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """An implementation of each port over one pool of connections.

    Attributes:
        engine: Opaque outside of the store.
        intake: Takes submissions in.
        log: Reads.
        sequencing: Writes the log, for the holder of the lease.
        anchors: The anchorer's journal.
        blocks: Block headers offered for ``seen``.
        responses: Answers kept for idempotency keys.
    """

    engine: Engine
    intake: SqlIntakeStore
    log: SqlLogStore
    sequencing: SqlSequencerStore
    anchors: SqlAnchorJournal
    blocks: SqlBlockStore
    responses: SqlResponseStore

    def migrate(self) -> None:
        """Bring the database to the schema of this release."""
        migrate(self.engine)

    def check(self) -> None:
        """Refuse a database that is out of reach or of another release.

        Raises:
            UnavailableError: ``store.unreachable`` or ``store.not-migrated``.
        """
        check_migrated(self.engine)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def open_database(
    url: str,
    *,
    page_count_max: int | None = None,
    pool_size: int = 8,
    busy_timeout_seconds: float = 15.0,
) -> Database:
    """Open a database; no connection is made yet.

    Args:
        url: ``sqlite:////path/to/file`` or ``postgresql://…``.
        page_count_max: Bound on the pages of a SQLite file, for a quota.
        pool_size: Connections kept open.
        busy_timeout_seconds: How long to wait for another writer's lock.

    Raises:
        InputError: ``store.url``: another kind of database, or none.
    """
    engine = open_engine(
        url,
        page_count_max=page_count_max,
        pool_size=pool_size,
        busy_timeout_seconds=busy_timeout_seconds,
    )
    return Database(
        engine=engine,
        intake=SqlIntakeStore(engine),
        log=SqlLogStore(engine),
        sequencing=SqlSequencerStore(engine),
        anchors=SqlAnchorJournal(engine),
        blocks=SqlBlockStore(engine),
        responses=SqlResponseStore(engine),
    )
