"""What anchorers share in a simulated world: chain, journal, logs, keys, rules.

`Site.start` runs the production loop of one anchorer in a process of its own,
with every port behind a `Gate`; the calls that matter are shown to the oracle.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from anchor_simulation.faults import Gate, Odds
from anchor_simulation.oracle import Oracle
from chain import MemoryLog
from chain_double.chain import ChainDouble
from chain_double.client import DoubleClient
from simulation.scheduler import Event, Process, Scheduler
from vermilion_anchor.evm import AccountSigner
from vermilion_anchor.ports import TransactionFields
from vermilion_anchor.service import Anchorer
from vermilion_anchor.settings import AnchorSettings, Progress
from vermilion_ledger.errors import EvidenceError

__all__ = ["GrowingLog", "Office", "Site"]


class GrowingLog(MemoryLog):
    """A published log: entries count when `publish` says so."""

    def __init__(self, salt: bytes) -> None:
        super().__init__(salt=salt)
        self.sizes: list[int] = []

    def publish(self, count: int) -> None:
        self.grow(count)
        self.sizes.append(self._frontier.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """One log that is anchored, with the rules of its anchorers."""

    settings: AnchorSettings
    log: GrowingLog
    signer: AccountSigner


@dataclass(slots=True, kw_only=True)
class Site:
    """Everything that outlives a process."""

    scheduler: Scheduler
    odds: Odds
    chain: ChainDouble
    journal: Any
    oracle: Oracle
    offices: list[Office] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)

    def start(self, office: Office, name: str) -> Process:
        """Run an anchorer until it is killed or gives up."""
        scheduler, random = self.scheduler, self.scheduler.random
        process = Process(name, skew=random.choice((0.0, 0.0, -2.0, 2.0)))
        gate = Gate(scheduler, process, self.odds)
        node = _Node(self, random.choice((1, 2)))
        anchorer = Anchorer(
            office.settings,
            chain=gate.wrap(node, "chain"),
            journal=gate.wrap(self.journal, "store"),
            log=gate.wrap(office.log, "store"),
            signer=gate.wrap(_Signer(office, self.oracle), "signer"),
            clock=lambda: scheduler.moment(process),
        )

        def run() -> None:
            try:
                anchorer.run(Event(scheduler), notify=notify)
            except EvidenceError as error:
                self.oracle.halted(office, error)
            process.is_dead = True

        def notify(progress: Progress) -> None:
            if progress.alarm is not None:
                self.oracle.alarms.append(progress.alarm.code)

        self.processes.append(process)
        scheduler.spawn(process, run)
        return process


class _Node(DoubleClient):
    """The double as one process sees it: at times a node that is a few blocks behind."""

    def __init__(self, site: Site, lag_max: int) -> None:
        super().__init__(site.chain)
        self._site, self._lag_max = site, lag_max

    def _latest(self) -> Any:
        site = self._site
        self.lag = self._lag_max * (site.scheduler.random.random() < site.odds.lag)
        return super()._latest()

    def send(self, raw: bytes) -> str:
        self._site.oracle.sent(raw)
        return super().send(raw)


class _Signer:
    """A key in memory that shows the oracle what it signs."""

    def __init__(self, office: Office, oracle: Oracle) -> None:
        self._office, self._oracle = office, oracle
        self.address = office.signer.address

    def sign(self, fields: TransactionFields) -> bytes:
        self._oracle.signed(self._office, fields)
        return self._office.signer.sign(fields)
