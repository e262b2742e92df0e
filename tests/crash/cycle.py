"""One full cycle of a log, the same each time it is run.

Open, migrate, acquire, submit one and many and the same again, sequence,
publish, close, open again. Run on what a killed run left behind, it is the
recovery: callers that got no answer ask again, and those that did get theirs
again. It takes the path of production: `Intake`, `Sequencer`, `Publisher`.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from crash.report import Report
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.errors import EvidenceError, IntegrityError, UnavailableError
from vermilion_ledger.intake import Intake
from vermilion_ledger.ports import HistoryView
from vermilion_ledger.publisher import Publisher
from vermilion_ledger.rows import Accepted, Idempotency, Pending, Submission
from vermilion_ledger.sequencer import Sequencer
from vermilion_ledger.store import Database, open_database
from vermilion_ledger.store.wal import WalKeeper
from vermilion_ledger.tilestore import open_tile_store

__all__ = [
    "BULK_COUNT",
    "Admit",
    "Cycle",
    "Place",
    "Signer",
    "Step",
    "cycle_steps",
    "make_note",
    "make_submission",
]

BULK_COUNT = 260  # with what is before it, more than one full tile
_ATTEMPTS = 4
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a log is kept, and how.

    Attributes:
        database: Address of the log's database.
        head: Address of the head's, if it has one of its own.
        tiles: Address of the tile store, as `open_tile_store` takes it.
        home: The home folder.
        is_direct: Whether intake and sequencer are one transaction.
    """

    database: str
    home: Path
    head: str = ""
    tiles: str = ""
    is_direct: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one caller asks for."""

    name: str
    submissions: tuple[Submission, ...]
    key: str = ""

    @property
    def idempotency(self) -> Idempotency | None:
        """The caller's promise, if it makes one."""
        if not self.key:
            return None
        return Idempotency(key=self.key, request_hash=_digest(f"request {self.key}"))


@cache
def cycle_steps() -> tuple[tuple[Step, ...], ...]:
    """Return what is asked for, in groups; a checkpoint is published after each group."""
    single = Step(name="single", submissions=(make_submission("single", record="r0"),))
    bulk = Step(
        name="bulk",
        key="bulk-key",
        submissions=tuple(
            make_submission(f"bulk {number}", record=f"bulk {number}", is_plain=True)
            for number in range(BULK_COUNT)
        ),
    )
    follow = Step(name="follow", submissions=(make_submission("follow", record="r0"),))
    keyed = Step(name="keyed", key="one-key", submissions=(make_submission("keyed", record="r1"),))
    late = Step(name="late", key="late-key", submissions=(make_submission("late", record="r0"),))
    return (single,), (bulk,), (single, bulk, follow, keyed, keyed), (late, single)


def make_note(size: int, root: bytes) -> str:
    """Return what the signer of the cycle writes: a note, signed by nobody."""
    signature = base64.b64encode(b"keyid" + root + root).decode()
    return f"log.test\n{size}\n{base64.b64encode(root).decode()}\n\n— log.test {signature}\n"


class Cycle:
    """Runs in a process of its own; says in its report what it was told."""

    def __init__(self, place: Place, report: Report, *, run: int) -> None:
        """Prepare.

        Args:
            place: Where the log is.
            report: Where acknowledgements are told.
            run: How many runs there were before: each finds the leases of the
                former ones run out.
        """
        self._place = place
        self._report = report
        self._clock: Callable[[], datetime] = lambda: datetime.now(UTC) + timedelta(minutes=run)
        self._first = True

    def run(self) -> None:
        """Live twice: everything up to the last group, then the rest after opening anew."""
        groups = cycle_steps()
        self._tell_roles()
        self._report.pass_gate("main", threading.get_native_id())
        self._live(groups[:-1], "writer")
        self._live(groups[-1:], "second writer")

    def _tell_roles(self) -> None:
        """Name the threads that are there from the start; an S3 client has one of its own."""
        main = threading.get_native_id()
        self._report.tell("role", role="main", thread=main)
        if not self._place.tiles:
            return
        open_tile_store(self._place.tiles, self._place.home).load(["checkpoint"])
        others = {int(task.name) for task in Path("/proc/self/task").iterdir()} - {main}
        for number, thread in enumerate(sorted(others)):
            role = "http" if number == 0 else f"http {number}"
            self._report.tell("role", role=role, thread=thread)
            self._report.pass_gate(role, thread)

    def _live(self, groups: Sequence[Sequence[Step]], writer: str) -> None:
        database = open_database(
            self._place.database, head_url=self._place.head, busy_timeout_seconds=5
        )
        try:
            self._insist(database.migrate)
            with self._sequencing(database) as (sequencer, publisher):
                store = sequencer if self._place.is_direct else database.intake
                with Intake(store) as intake:
                    assert intake._writer is not None
                    thread = intake._writer.native_id or 0
                    self._report.tell("role", role=writer, thread=thread)
                    self._report.pass_gate(writer, thread)
                    for group in groups:
                        for step in group:
                            self._submit(step, intake, sequencer, database)
                        self._insist(publisher.publish)
                    self._copy_wal(database)
        finally:
            database.close()

    def _copy_wal(self, database: Database) -> None:
        """Do here what a thread of its own does now and then; its errors are nobody's."""
        if database.engine.dialect.name == "sqlite":
            with suppress(SQLAlchemyError, sqlite3.Error):
                WalKeeper(database.engine)._copy()

    @contextmanager
    def _sequencing(self, database: Database) -> Iterator[tuple[Sequencer, Publisher]]:
        tiles = open_tile_store(self._place.tiles, self._place.home)
        sequencer = Sequencer(
            log=database.log, store=database.sequencing, admission=Admit(), clock=self._clock
        )
        publisher = Publisher(
            log=database.log,
            heads=database.heads,
            tiles=tiles,
            signer=Signer(self._report),
            clock=self._clock,
        )
        self._insist(sequencer.acquire)
        try:
            self._insist(lambda: publisher.start(sequencer.epoch))
            yield sequencer, publisher
        except IntegrityError:
            publisher.halt()
            raise
        finally:
            with suppress(UnavailableError):
                sequencer.release()

    def _submit(self, step: Step, intake: Intake, sequencer: Sequencer, database: Database) -> None:
        accepted: Accepted = self._insist(
            lambda: intake.submit(step.submissions, idempotency=step.idempotency).result()
        )
        self._report.tell("accepted", step=step.name, positions=accepted.positions)
        states = accepted.states
        if states is None:
            while self._insist(sequencer.sequence_batch):
                pass
            known = self._insist(lambda: database.log.load_states(accepted.positions))
            states = tuple(known[position] for position in accepted.positions)
        self._report.tell(
            "placed", step=step.name, places=[(each.index, each.sequence) for each in states]
        )

    def _insist(self, action: Callable[[], _Result]) -> _Result:
        """Try again while a store is out of reach, as the runner of a real log does."""
        for attempt in range(_ATTEMPTS):
            try:
                return action()
            except UnavailableError as exc:
                self._report.tell("waited", code=exc.code)
                if attempt + 1 == _ATTEMPTS:
                    raise
            except EvidenceError as exc:
                self._report.tell("failed", code=exc.code, message=exc.message)
                raise
        raise AssertionError


class Admit:
    """Admits everything."""

    def admit(self, pending: Pending, *, index: int, sequence: int, view: HistoryView) -> None:
        """Admit everything."""


class Signer:
    """Tells of a signature before anybody else can have it."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def sign_checkpoint(self, size: int, root: bytes) -> str:
        self._report.tell("signed", size=size, root=root.hex())
        return make_note(size, root)


def make_submission(name: str, *, record: str, is_plain: bool = False) -> Submission:
    """Return a submission that is the same each time."""
    record_key = _digest(f"record {record}")
    envelope = f"envelope {name} ".encode().ljust(180, b".")
    return Submission(
        record_id=make_record_id(record_key),
        record_key=record_key,
        envelope=envelope,
        envelope_hash=hashlib.sha256(envelope).digest(),
        salt=_digest(f"salt {name}"),
        digest=_digest(f"document {record}"),
        nonces=() if is_plain else ((_digest("key"), _digest(f"nonce {name}")[:16]),),
        is_plain=is_plain,
    )


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


for name in ("vermilion_ledger", "psycopg"):  # what they warn of is what is done to them
    logging.getLogger(name).addHandler(logging.NullHandler())
