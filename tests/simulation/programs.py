"""The programs that run in a simulated world: production code behind simulated ports.

A keeper is a process that sequences and publishes; in direct mode it takes
submissions in as well. An office is an API process that only queues. Threads
become tasks, locks become the scheduler's; nothing else is replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from simulation.database import LogDatabase, SimIntakeStore, SimLogStore, SimSequencerStore
from simulation.disk import Disk
from simulation.faults import Gate, GatedDisk, Odds
from simulation.heads import HeadDatabase, SimHeadStore
from simulation.oracle import LOG_FOLDER, Oracle
from simulation.reference import note_of
from simulation.scheduler import Condition, Event, Lock, Process, Scheduler, Violation
from vermilion_api.keeping import GuardedIntake, LogKeeper
from vermilion_ledger.errors import InputError, UnavailableError
from vermilion_ledger.intake import Intake
from vermilion_ledger.log import LogReader
from vermilion_ledger.ports import HistoryView, IntakeStore
from vermilion_ledger.publisher import Publisher
from vermilion_ledger.rows import Pending
from vermilion_ledger.sequencer import Sequencer, SequencerTiming
from vermilion_ledger.store.wal import WalKeeper
from vermilion_ledger.tilestore.posix import PosixTileStore

__all__ = ["Program", "Site"]

_TIMING = SequencerTiming(
    lease_seconds=4.0,
    publish_interval_seconds=0.6,
    poll_seconds=0.5,
    retry_seconds=0.3,
    batch_count_max=100,
)


@dataclass(slots=True, kw_only=True)
class Site:
    """Where programs run: the servers, the machine and its disk."""

    scheduler: Scheduler
    odds: Odds
    log: LogDatabase
    heads: HeadDatabase
    disk: Disk
    oracle: Oracle


class Program:
    """One run of a program."""

    def __init__(self, site: Site, name: str) -> None:
        random = site.scheduler.random
        self.process = Process(name, skew=random.choice((0.0, 0.0, -2.0, 2.0)))
        self.intake: Intake | None = None
        self._site = site
        gate = Gate(site.scheduler, self.process, site.odds)
        self._gate = gate
        self._log = SimLogStore(gate, site.log)
        self._heads = SimHeadStore(gate, site.heads)
        disk = GatedDisk(gate, lambda: site.disk, site.scheduler)
        self._tiles = PosixTileStore(disk, Path(LOG_FOLDER), writer=name)
        self.reader = LogReader(self._log, self._heads, self._tiles, cached_tile_count_max=4)
        self._monotonic: Callable[[], float] = lambda: site.scheduler.now

    def keep(self, *, takes_in: bool) -> None:
        """Sequence and publish, as soon as the lease can be had."""
        site = self._site
        admission = _Admission(site)
        sequencer = Sequencer(
            log=self._log,
            store=SimSequencerStore(self._gate, site.log),
            admission=admission,
            clock=lambda: site.scheduler.moment(self.process),
            timing=_TIMING,
            name=self.process.name,
        )
        vars(sequencer)["_lock"] = Lock(site.scheduler)
        admission.sequencer = sequencer
        publisher = Publisher(
            log=self._log,
            heads=self._heads,
            tiles=self._tiles,
            signer=_Signer(),
            clock=lambda: site.scheduler.moment(self.process),
        )
        elsewhere = SimpleNamespace(dialect=SimpleNamespace(name="simulated"))
        keeper = LogKeeper(
            sequencer=sequencer,
            publisher=publisher,
            wal=WalKeeper(cast("Any", elsewhere)),
            timing=_TIMING,
            observe=lambda: tuple(site.oracle.chain),
            monotonic=self._monotonic,
        )
        stop = Event(site.scheduler)
        vars(keeper)["_stop"] = stop

        def serve() -> None:
            keeper._serve()
            if keeper._trouble is not None:
                site.oracle.halted(keeper._trouble)

        site.scheduler.spawn(self.process, serve)
        if takes_in:
            self._take_in(keeper)

    def queue(self) -> None:
        """Take submissions in and leave them to a sequencer."""
        store = SimIntakeStore(self._gate, self._site.log)
        self._take_in(GuardedIntake(store, self._heads, monotonic=self._monotonic))

    def _take_in(self, store: IntakeStore) -> None:
        scheduler = self._site.scheduler
        intake = Intake(
            store,
            deliver=lambda answer: scheduler.spawn(self.process, answer),
            sleep=scheduler.sleep,
            monotonic=self._monotonic,
        )
        vars(intake).update(_changed=Condition(scheduler), _is_open=True)
        scheduler.spawn(self.process, intake._run)
        self.intake = intake


class _Signer:
    """Holds no key: who reads checkpoints here compares them with a replay."""

    def sign_checkpoint(self, size: int, root: bytes) -> str:
        return note_of(size, root)


class _Admission:
    """Refuses what says so, is undecided at times, and checks what it is told of the log."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.sequencer: Sequencer | None = None

    def admit(self, pending: Pending, *, index: int, sequence: int, view: HistoryView) -> None:
        site = self._site
        if pending.is_plain:
            return
        if site.odds.fail and site.scheduler.random.random() < 0.05:
            raise UnavailableError("test.undecided", "not now")
        self._check(view, pending.record_id, index, sequence)
        # A rule may ask for any record: here for one that somebody is only about to begin.
        self._check(view, site.oracle.requests[-1].wanted[0].record_id, index)
        kind, *_ = pending.envelope.split()
        if kind == b"refuse" or (kind == b"review" and not sequence):
            raise InputError("test.refused", "nothing is registered, or it says so itself")

    def _check(
        self, view: HistoryView, record_id: str, index: int, sequence: int | None = None
    ) -> None:
        found: Sequence[Any] = view.history(record_id)
        lease = self.sequencer and self.sequencer._lease
        if lease is None or lease.epoch != self._site.log.evidence.lease.epoch:
            return  # told stale things, but unable to commit what it concludes
        length = len(found) if sequence is None else sequence
        if [each.sequence for each in found] != list(range(length)):
            raise Violation(f"{record_id}: a history of {len(found)} entries at {sequence}")
        indices = tuple(each.index for each in found)
        stored = self._site.log.evidence.records.get(record_id, ())
        if indices[: len(stored)] != stored or not set(indices).issubset(range(index)):
            raise Violation(f"{record_id}: a history of {indices} at index {index}, not {stored}")
