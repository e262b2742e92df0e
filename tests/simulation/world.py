"""One simulated world from one seed: programs, clients, accidents, and a calm end.

Everything that happens comes from ``Random(seed)``: no thread, no clock and no
random number of the real machine takes part.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

from simulation.beginnings import SIZES, begin
from simulation.clients import Client
from simulation.database import LogDatabase
from simulation.disk import Disk
from simulation.evidence import LONG_AGO, Evidence
from simulation.faults import Odds
from simulation.heads import HeadDatabase, Heads
from simulation.oracle import Oracle, shown_size
from simulation.programs import Program, Site
from simulation.scheduler import Process, Scheduler, Violation
from vermilion_ledger.rows import ObservedHead

__all__ = ["Outcome", "simulate"]

_RESTORES = (
    ("evidence",),
    ("heads",),
    ("disk",),
    ("evidence", "heads"),
    ("evidence", "disk"),
    ("evidence", "heads", "disk"),
)
_BUSY_SECONDS = 40.0
_CALM_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a world came to; equal for equal seeds.

    Attributes:
        steps: How often the scheduler chose.
        size: Entries in the end.
        root: Their root.
        checkpoints: How many were published.
        is_halted: Whether the log stopped, as it then must or may.
        kills: Processes that died.
    """

    steps: int
    size: int
    root: str
    checkpoints: int
    is_halted: bool
    kills: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Backup:
    evidence: Evidence
    heads: Heads
    disk: Disk


def simulate(seed: int) -> Outcome:
    """Run one world to its end.

    Raises:
        Violation: A promise was broken; the same seed breaks it again.
    """
    with _silence():
        world = _World(Random(seed))
        try:
            return world.run()
        finally:
            world.close()


class _World:
    def __init__(self, random: Random) -> None:
        self._random = random
        self._scheduler = Scheduler(random)
        beginning = begin(random.choice(SIZES))
        log = LogDatabase(self._scheduler, beginning.evidence)
        oracle = Oracle(log, beginning.reference)
        for size, row in beginning.heads.checkpoints.items():
            oracle.signed[size] = row.root
        heads = HeadDatabase(
            self._scheduler,
            beginning.heads,
            lambda row: oracle.published(row, self._site.disk),
        )
        self._site = Site(
            scheduler=self._scheduler,
            odds=Odds.draw(random),
            log=log,
            heads=heads,
            disk=beginning.disk,
            oracle=oracle,
        )
        self._nature = Process("nature")
        self._programs: list[Program] = []
        self._clients: list[Client] = []
        self._backups: list[_Backup] = []
        self._restores = random.random() < 0.3
        self._is_one_database = random.random() < 0.5
        self._has_chain = random.random() < 0.6
        self._kills = 0

    def run(self) -> Outcome:
        self._build()
        self._run_until(lambda: all(each.is_done for each in self._clients), _BUSY_SECONDS)
        self._site.odds.calm()
        for program in self._programs:
            program.process.stopped_until = 0.0
        self._run_until(self._is_at_rest, self._scheduler.now + _CALM_SECONDS)
        return self._judge()

    def close(self) -> None:
        """End every task."""
        self._scheduler.close()

    def _build(self) -> None:
        random, spawn = self._random, self._scheduler.spawn
        modes = [random.choice(("direct", "queue")) for _ in range(random.randint(2, 3))]
        slots = [*modes, "office"] if "queue" in modes or random.random() < 0.3 else modes
        for number, mode in enumerate(slots):
            spawn(self._nature, self._keeper_of(f"{mode}{number}", mode))
        for number in range(random.randint(1, 8)):
            client = Client(f"client{number}", self._scheduler, self._site.oracle, self._alive)
            self._clients.append(client)
            spawn(self._nature, client.run)
        spawn(self._nature, self._watch)
        spawn(self._nature, self._harm)

    def _keeper_of(self, name: str, mode: str) -> Callable[[], None]:
        """Return the operator of one program, who starts it again when it has died."""

        def operate() -> None:
            number = 0
            while True:
                number += 1
                program = Program(self._site, f"{name}-{number}")
                self._programs.append(program)
                if mode == "office":
                    program.queue()
                else:
                    program.keep(takes_in=mode == "direct")
                while not program.process.is_dead:
                    self._scheduler.sleep(0.5)
                self._kills += 1
                self._programs.remove(program)
                self._scheduler.sleep(self._random.expovariate(0.5))

        return operate

    def _watch(self) -> None:
        """Anchor and back up, from time to time."""
        random, heads = self._random, self._site.heads
        while True:
            self._scheduler.sleep(random.expovariate(0.3))
            head = heads.heads.head
            if self._has_chain and head.size and random.random() < 0.7:
                seen = ObservedHead(size=head.size, root=head.root, source="the chain")
                self._site.oracle.chain.append(seen)
            if self._restores and random.random() < 0.5:
                self._backups.append(self._back_up())

    def _harm(self) -> None:
        """Cut the power, and restore a backup if this is such a world."""
        random, odds = self._random, self._site.odds
        restore_at = random.uniform(5, 30) if self._restores else None
        while True:
            self._scheduler.sleep(1.0)
            if random.random() < odds.power:
                self._kill_all()
                self._site.disk.power_cut(random)
            is_time = restore_at is not None and self._scheduler.now > restore_at
            if is_time and self._backups and self._restore(random.choice(self._backups)):
                restore_at = None

    def _back_up(self) -> _Backup:
        site = self._site
        return _Backup(
            evidence=site.log.evidence.copy(), heads=site.heads.heads.copy(), disk=site.disk.copy()
        )

    def _restore(self, backup: _Backup) -> bool:
        """Put some of it back; refuse if nobody at all could know what was signed since."""
        random, site, oracle = self._random, self._site, self._site.oracle
        chosen = set(random.choice(_RESTORES))
        if self._is_one_database and chosen & {"evidence", "heads"}:
            chosen |= {"evidence", "heads"}
        signed = max(oracle.signed, default=0)
        known = [0, *(seen.size for seen in oracle.chain)]
        known.append(backup.heads.head.size if "heads" in chosen else site.heads.heads.head.size)
        if max(known) < signed and "disk" in chosen:
            return False
        self._kill_all()
        if "evidence" in chosen:
            site.log.evidence = backup.evidence.copy()
        if "heads" in chosen:
            site.heads.heads = backup.heads.copy()
        if "disk" in chosen:
            site.disk = backup.disk.copy()
        oracle.restored(site.heads, site.disk)
        for client in self._clients:
            client.forget()
        return True

    def _kill_all(self) -> None:
        for program in self._programs:
            self._scheduler.kill(program.process)

    def _alive(self) -> Sequence[Program]:
        return [each for each in self._programs if not each.process.is_dead]

    def _run_until(self, is_done: Callable[[], bool], until: float) -> None:
        scheduler, oracle = self._scheduler, self._site.oracle
        while not is_done() and scheduler.now < until:
            scheduler.step()
            oracle.follow()
            oracle.watch(self._site.heads.heads.head)

    def _is_halted(self) -> bool:
        return self._site.heads.heads.head.state == "halted"

    def _is_at_rest(self) -> bool:
        site = self._site
        if self._is_halted() or site.oracle.must_refuse:
            return self._is_halted() and site.oracle.may_halt
        evidence, head = site.log.evidence, site.heads.heads.head
        return (
            bool(self._alive())
            and not evidence.queue
            and head.size == len(evidence.entries)
            and evidence.lease.expires_at > LONG_AGO
            and head.epoch == evidence.lease.epoch
            and head.size == shown_size(site.disk)
        )

    def _judge(self) -> Outcome:
        oracle = self._site.oracle
        if self._is_halted():
            if not oracle.may_halt:
                raise Violation("halted without need")
        elif oracle.must_refuse:
            raise Violation("nobody noticed that the log lost what was signed")
        else:
            if not self._is_at_rest():
                raise Violation("it does not come to rest")
            oracle.finish()
        size = len(oracle.reference.leaves)
        return Outcome(
            steps=self._scheduler.steps,
            size=size,
            root=oracle.reference.root(size).hex(),
            checkpoints=len(oracle.signed),
            is_halted=self._is_halted(),
            kills=self._kills,
        )


@contextmanager
def _silence() -> Iterator[None]:
    """Keep what programs say of their troubles out of the way."""
    loggers = [logging.getLogger(name) for name in ("vermilion_ledger", "vermilion_api")]
    before = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for each, level in zip(loggers, before, strict=True):
            each.setLevel(level)
