"""One history: clients submit and read at the same time while processes are killed.

Offices are the API's processes, each with several clients in threads; keepers
are sequencers that lead or stand by; a reader reads in a process of its own.
One of them is killed now and then, and another takes its place. In the end all
are killed, the log recovers, and what every client saw is compared with it.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Literal

from crash.cycle import Admit, Place, Signer, make_submission
from crash.forks import fork, kill, wait
from crash.linear import Operation, find_violations
from crash.report import Report
from crash.truth import load_rows, root_of
from vermilion_api.keeping import LogKeeper
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.intake import Intake
from vermilion_ledger.merkle import hash_leaf
from vermilion_ledger.ports import LogStore
from vermilion_ledger.publisher import Publisher
from vermilion_ledger.rows import StoredEntry
from vermilion_ledger.sequencer import Sequencer, SequencerTiming
from vermilion_ledger.store import Database, open_database
from vermilion_ledger.store.wal import WalKeeper
from vermilion_ledger.tilestore import open_tile_store

__all__ = ["History"]

Role = Literal["office", "keeper", "reader"]

_CLIENTS = 3  # of each office
_LEASE_SECONDS = 0.3
_ANSWER_SECONDS = 10.0


class History:
    """Runs and judges one history; owned by a process without threads."""

    def __init__(self, place: Place, seed: int, *, seconds: float = 1.0, kills: int = 3) -> None:
        """Prepare.

        Args:
            place: An empty place.
            seed: Decides what clients do and who is killed; timing decides the rest.
            seconds: How long clients are at work.
            kills: How many processes are killed meanwhile.
        """
        self._place = place
        self._dice = random.Random(seed)
        self._seconds = seconds
        self._kills = kills
        self._reports: list[Report] = []

    def run(self) -> tuple[int, list[str]]:
        """Return how many operations there were, and what no single log explains."""
        self._finish(self._prepare)
        staff: list[tuple[Role, int]] = [(role, self._start(role)) for role in self._roles()]
        for _ in range(self._kills):
            time.sleep(self._seconds / (self._kills + 1))
            at = self._dice.randrange(len(staff))
            role, child = staff[at]
            kill(child)
            staff[at] = (role, self._start(role))
        time.sleep(self._seconds / (self._kills + 1))
        for _, child in staff:
            kill(child)
        self._finish(self._recover)
        operations = [each for report in self._reports for each in _operations(report)]
        return len(operations), list(self._judge(operations))

    def _roles(self) -> list[Role]:
        if self._place.is_direct:
            return ["office", "reader"]
        return ["office", "office", "keeper", "keeper", "reader"]

    def _start(self, role: Role) -> int:
        report, seed = Report(), self._dice.getrandbits(32)
        self._reports.append(report)
        return fork(lambda: _Worker(self._place, report, seed).work(role), report)

    def _finish(self, action: Callable[[Report], None]) -> None:
        report = Report()
        self._reports.append(report)
        if status := wait(fork(lambda: action(report), report)):
            told = [*report.told("gave up"), *report.told("broke")]
            raise RuntimeError(f"ended with {status}: {told}")

    def _prepare(self, report: Report) -> None:
        with _opened(self._place) as database:
            database.migrate()
        report.tell("prepared")

    def _recover(self, report: Report) -> None:
        """Lead once more: place what was acknowledged and still waits, and publish all."""
        with _opened(self._place) as database:
            sequencer, publisher = _writers(self._place, database, report, minutes=1)
            sequencer.acquire()
            publisher.start(sequencer.epoch)
            while sequencer.sequence_batch():
                pass
            publisher.publish()
            sequencer.release()

    def _judge(self, operations: list[Operation]) -> Iterator[str]:
        rows = load_rows(self._place.database)
        names = [_name(row.envelope) for row in rows]
        if [row.index for row in rows] != list(range(len(rows))):
            yield "indices are not one after the other"
        yield from find_violations(operations, names)
        leaves = [hash_leaf(row.entry()) for row in rows]
        for report in self._reports:
            for fact in report.told("broke"):
                yield str(fact["trace"])
            for fact in report.told("signed"):
                size = fact["size"]
                if size > len(leaves) or root_of(leaves[:size]).hex() != fact["root"]:
                    yield f"the root signed at {size} is not that of a replay"


class _Worker:
    """What one process does until it is killed."""

    def __init__(self, place: Place, report: Report, seed: int) -> None:
        self._place = place
        self._report = report
        self._dice = random.Random(seed)
        self._numbers = count()
        self._name = f"{os.getpid()}"

    def work(self, role: Role) -> None:
        with _opened(self._place) as database:
            if role == "reader":
                while True:
                    self._read("reader", database.log)
                    time.sleep(0.002)
            sequencer, publisher = _writers(self._place, database, self._report)
            keeper = LogKeeper(
                sequencer=sequencer,
                publisher=publisher,
                wal=WalKeeper(database.engine),
                timing=_TIMING,
                observe=tuple,
            )
            if role == "keeper":
                keeper.run(threading.Event())
            if self._place.is_direct:
                keeper.start()
            with Intake(keeper if self._place.is_direct else database.intake) as intake:
                clients = [
                    threading.Thread(
                        target=self._serve, args=(f"{self._name}.{each}", intake, database)
                    )
                    for each in range(_CLIENTS)
                ]
                for client in clients:
                    client.start()
                for client in clients:
                    client.join()

    def _serve(self, client: str, intake: Intake, database: Database) -> None:
        dice = random.Random(f"{client} {self._dice.random()}")
        mine: list[str] = []
        while True:
            if dice.random() < 0.3:
                self._read(client, database.log)
                continue
            is_new = not mine or dice.random() < 0.8
            name = f"{client}-{len(mine)}" if is_new else dice.choice(mine)
            if is_new:
                mine.append(name)
            with suppress(EvidenceError):
                self._submit(client, name, intake, database)
            time.sleep(dice.random() * 0.01)

    def _submit(self, client: str, name: str, intake: Intake, database: Database) -> None:
        """Submit and wait for the index, as ``wait=sequenced`` does; the answer ends it."""
        number = self._begin("submit", client, envelope=name)
        submission = make_submission(name, record=f"record {hash(name) % 3}")
        accepted = intake.submit([submission]).result(_ANSWER_SECONDS)
        states = accepted.states
        while states is None or states[0].state == "pending":
            time.sleep(0.003)
            states = tuple(database.log.load_states(accepted.positions).values())
        self._end(number, states[0].index, ())

    def _read(self, client: str, log: LogStore) -> None:
        number = self._begin("read", client)
        with suppress(EvidenceError):
            size = log.count_entries()
            seen = [
                _name(each.envelope)
                for each in log.load_stored(max(0, size - 2), size)
                if isinstance(each, StoredEntry)
            ]
            self._end(number, size, tuple(seen))

    def _begin(self, what: str, client: str, *, envelope: str = "") -> str:
        number = f"{client} {next(self._numbers)}"
        self._report.tell(
            "begun",
            number=number,
            what=what,
            client=client,
            envelope=envelope,
            at=time.monotonic_ns(),
        )
        return number

    def _end(self, number: str, result: int | None, seen: tuple[str, ...]) -> None:
        self._report.tell("ended", number=number, at=time.monotonic_ns(), result=result, seen=seen)


_TIMING = SequencerTiming(
    lease_seconds=_LEASE_SECONDS, publish_interval_seconds=0.05, poll_seconds=0.005
)


def _operations(report: Report) -> Iterator[Operation]:
    ended = {fact["number"]: fact for fact in report.told("ended")}
    for fact in report.told("begun"):
        end = ended.get(fact["number"])
        yield Operation(
            client=fact["client"],
            kind=fact["what"],
            invoked=fact["at"],
            envelope=fact["envelope"],
            returned=end["at"] if end else None,
            result=end["result"] if end else None,
            seen=tuple(end["seen"]) if end else (),
        )


def _name(envelope: bytes) -> str:
    return envelope.split()[1].decode()


def _writers(
    place: Place, database: Database, report: Report, *, minutes: int = 0
) -> tuple[Sequencer, Publisher]:
    """Return who would lead; ``minutes`` later than now, when every lease has run out."""

    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(minutes=minutes)

    sequencer = Sequencer(
        log=database.log,
        store=database.sequencing,
        admission=Admit(),
        clock=clock,
        timing=_TIMING,
    )
    publisher = Publisher(
        log=database.log,
        heads=database.heads,
        tiles=open_tile_store(place.tiles, place.home),
        signer=Signer(report),
        clock=clock,
    )
    return sequencer, publisher


@contextmanager
def _opened(place: Place) -> Iterator[Database]:
    database = open_database(place.database, head_url=place.head)
    try:
        yield database
    finally:
        database.close()
