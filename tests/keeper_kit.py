"""Keepers of one log, each with a database handle of its own, as processes have."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import update

from store_kit import (
    Admit,
    make_submission,
    make_tiles,
    make_writer,
    system_clock,
)
from vermilion_api.keeping import LogKeeper
from vermilion_ledger.errors import (
    EvidenceError,
    UnavailableError,
)
from vermilion_ledger.ports import Clock
from vermilion_ledger.rows import (
    Accepted,
    IntakeBatch,
    ObservedHead,
    Submission,
    SubmissionState,
)
from vermilion_ledger.sequencer import SequencerTiming
from vermilion_ledger.store import Database, open_database, schema
from vermilion_ledger.store.engine import writing
from vermilion_ledger.store.wal import WalKeeper
from vermilion_ledger.tilestore.posix import PosixTileStore

SECONDS = 30.0
__all__ = [
    "QUICK",
    "SECONDS",
    "Place",
    "indices",
    "lose_lease",
    "refused",
    "started",
    "submit",
    "wait",
]

BUSY_SECONDS = 2.0
QUICK = SequencerTiming(
    publish_interval_seconds=0.05, lease_seconds=1.0, poll_seconds=0.01, retry_seconds=0.05
)


@dataclass
class Place:
    """Where one log is; each process opens it for itself."""

    folder: Path
    opened: list[Database] = field(default_factory=list)

    def open(self) -> Database:
        url = f"sqlite:///{self.folder / 'ledger.db'}"
        self.opened.append(open_database(url, busy_timeout_seconds=BUSY_SECONDS))
        return self.opened[-1]

    def tiles(self) -> PosixTileStore:
        return make_tiles(self.folder)

    def keeper(
        self,
        *,
        clock: Clock = system_clock,
        admission: Admit | None = None,
        observe: Callable[[], Iterable[ObservedHead]] = tuple,
    ) -> LogKeeper:
        database = self.open()
        writer = make_writer(
            database, self.tiles(), clock=clock, admission=admission, timing=QUICK, started=False
        )
        return LogKeeper(
            sequencer=writer.sequencer,
            publisher=writer.publisher,
            wal=WalKeeper(database.engine),
            timing=QUICK,
            observe=observe,
        )


@contextmanager
def started(*keepers: LogKeeper) -> Iterator[None]:
    for keeper in keepers:
        keeper.start()
    try:
        yield
    finally:
        for keeper in keepers:
            keeper.close()


def wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not until():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.005)


def submit(store: LogKeeper, *submissions: Submission) -> Accepted:
    (result,) = store.save_batches([IntakeBatch(submissions=submissions)])
    assert isinstance(result, Accepted)
    return result


def indices(accepted: Accepted) -> list[int | None]:
    states: Sequence[SubmissionState] = accepted.states or ()
    return [each.index for each in states]


def refused(store: LogKeeper) -> str:
    with pytest.raises(EvidenceError) as caught:
        submit(store, make_submission())
    # What is refused for good, by who still led at that moment, is no refusal to wait for.
    is_for_now = isinstance(caught.value, UnavailableError)
    return caught.value.code if is_for_now else type(caught.value).__name__


def lose_lease(database: Database) -> None:
    """Let the lease run out, as for a process that was stopped for too long."""
    with writing(database.engine) as connection:
        connection.execute(update(schema.lease).values(expires_at=0))
