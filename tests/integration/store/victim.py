"""A process to be killed: ``victim.py MODE URL HOME [LEASE_SECONDS] [POINT]``.

``writer`` is the API's side: it prints the position of each submission once it
is acknowledged. ``sequencer`` leads or stands by as a real one does, and prints
``leads EPOCH`` and ``stood down: CODE``; with a POINT it kills itself there, as
no clean-up of Python may help it.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import event

from store_kit import Admit, NoteSigner, make_submission, make_tiles, system_clock
from vermilion_api.keeping import LogKeeper
from vermilion_ledger.intake import Intake
from vermilion_ledger.ports import HistoryView
from vermilion_ledger.publisher import Publisher
from vermilion_ledger.rows import Pending
from vermilion_ledger.sequencer import Sequencer, SequencerTiming
from vermilion_ledger.store import Database, open_database
from vermilion_ledger.store.wal import WalKeeper
from vermilion_ledger.tilestore.posix import PosixTileStore

TILE_CALLS = ("put_new", "replace", "remove")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DyingAdmission(Admit):
    def admit(self, pending: Pending, *, index: int, sequence: int, view: HistoryView) -> None:
        if len(self.seen) == 20:
            die()
        super().admit(pending, index=index, sequence=sequence, view=view)


class DyingSigner(NoteSigner):
    def sign_checkpoint(self, size: int, root: bytes) -> str:
        die()
        return super().sign_checkpoint(size, root)


def die_at_statement(database: Database, start: str, *, after: bool) -> None:
    """Die before or after the first statement that starts like this."""

    def look(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith(start):
            die()

    name = "after_cursor_execute" if after else "before_cursor_execute"
    event.listen(database.engine, name, look)


def die_at_file(tiles: PosixTileStore, name: str, *, after: bool) -> None:
    """Die before or after the first call of this name that changes files."""
    original: Callable[..., None] = getattr(tiles, name)

    def look(*arguments: Any) -> None:
        if after:
            original(*arguments)
        die()

    setattr(tiles, name, look)


def die_at_commit(database: Database, number: int) -> None:
    """Die when the n-th write transaction is about to commit."""
    writes = iter(range(1000))

    def on_commit(connection: Any) -> None:
        if "vermilion_begin" in connection.get_execution_options() and next(writes) == number:
            die()

    event.listen(database.engine, "commit", on_commit)


def run_sequencer(database: Database, home: Path, lease_seconds: float, point: str) -> None:
    tiles = make_tiles(home)
    when, _, what = point.partition(" ")
    if what in TILE_CALLS:
        die_at_file(tiles, what, after=when == "after")
    elif when == "commit":
        die_at_commit(database, int(what))
    elif what:
        die_at_statement(database, what, after=when == "after")
    timing = SequencerTiming(
        lease_seconds=lease_seconds,
        publish_interval_seconds=0.05,
        poll_seconds=0.005,
        batch_count_max=50,
    )
    sequencer = Sequencer(
        log=database.log,
        store=database.sequencing,
        admission=DyingAdmission() if point == "admission" else Admit(),
        clock=system_clock,
        timing=timing,
        name=f"victim {os.getpid()}",
    )
    publisher = Publisher(
        log=database.log,
        heads=database.heads,
        tiles=tiles,
        signer=DyingSigner() if point == "signer" else NoteSigner(),
        clock=system_clock,
    )
    keeper = LogKeeper(
        sequencer=sequencer,
        publisher=publisher,
        wal=WalKeeper(database.engine),
        timing=timing,
        observe=tuple,
    )
    print("stands by", flush=True)
    keeper.run(threading.Event(), on_lead=lambda epoch: print(f"leads {epoch}", flush=True))


def run_writer(database: Database) -> None:
    with Intake(database.intake) as intake:
        while True:
            futures = [
                intake.submit(
                    [make_submission(text=os.urandom(16).hex(), nonce=os.urandom(16).hex())]
                )
                for _ in range(5)
            ]
            for future in futures:
                print(*future.result(30).positions, flush=True)


def main() -> None:
    mode, url, home, *rest = sys.argv[1:]
    logging.basicConfig(stream=sys.stdout, format="%(message)s", level=logging.WARNING)
    database = open_database(url)
    if mode == "writer":
        run_writer(database)
    else:
        lease_seconds, point = [*rest, "", ""][:2]
        run_sequencer(database, Path(home), float(lease_seconds or 5), point)


if __name__ == "__main__":
    main()
