"""A process to be killed: ``victim.py MODE URL [POINT]``.

``intake`` prints the id of each submission once it is acknowledged.
``sequencer`` runs the loop; with a POINT it kills itself there, as no clean-up
of Python may help it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from sqlalchemy import event

from store_kit import Admit, NoteSigner, make_sequencer, make_submission, system_clock
from vermilion_ledger.errors import ConflictError
from vermilion_ledger.intake import Intake
from vermilion_ledger.ports import HistoryView
from vermilion_ledger.rows import Pending
from vermilion_ledger.sequencer import SequencerTiming
from vermilion_ledger.store import Database, open_database


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


def run_sequencer(database: Database, point: str) -> None:
    if point.startswith(("before ", "after ")):
        when, _, statement = point.partition(" ")
        die_at_statement(database, statement, after=when == "after")
    if point == "commit":
        writes = iter(range(100))

        def on_commit(connection: object) -> None:
            options = connection.get_execution_options()  # type: ignore[attr-defined]
            if "vermilion_begin" in options and next(writes) == 3:
                die()

        event.listen(database.engine, "commit", on_commit)
    timing = SequencerTiming(
        lease_seconds=0.3, publish_interval_seconds=0.05, poll_seconds=0.005, batch_count_max=50
    )
    while True:
        sequencer = make_sequencer(
            database,
            admission=DyingAdmission() if point == "admission" else Admit(),
            signer=DyingSigner() if point == "signer" else NoteSigner(),
            timing=timing,
            started=False,
        )
        try:
            sequencer.acquire()
            break
        except ConflictError:
            threading.Event().wait(0.05)
    sequencer.start()
    print("started", flush=True)
    sequencer.run(threading.Event())


def run_intake(database: Database) -> None:
    with Intake(database.intake, system_clock) as intake:
        while True:
            # Ids of make_submission repeat in each process, so these are random.
            batch = []
            for _ in range(5):
                each = make_submission(text=os.urandom(16).hex(), nonce=os.urandom(16).hex())
                object.__setattr__(each, "submission_id", os.urandom(16))
                batch.append(each)
            futures = [intake.submit([each]) for each in batch]
            for future in futures:
                print(future.result(30).submission_ids[0].hex(), flush=True)


def main() -> None:
    mode, url, *rest = sys.argv[1:]
    database = open_database(url)
    if mode == "intake":
        run_intake(database)
    else:
        run_sequencer(database, rest[0] if rest else "")


if __name__ == "__main__":
    main()
