"""One simulated world of anchoring from one seed: accidents everywhere, then a calm end.

The production anchorer and the real journal on SQLite, over a chain in memory.
Everything that happens comes from ``Random(seed)``.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from anchor_simulation.faults import Odds
from anchor_simulation.nature import Nature, Weather
from anchor_simulation.oracle import Oracle
from anchor_simulation.site import GrowingLog, Office, Site
from chain import KEY, OTHER_KEY
from chain_double.chain import ChainDouble
from chain_double.client import DoubleClient
from chain_double.contract import encode_set_publisher
from simulation.scheduler import Process, Scheduler, Violation
from vermilion_anchor.artifact import load_artifact
from vermilion_anchor.deploy import deploy, register_log, send_call
from vermilion_anchor.evm import AccountSigner
from vermilion_anchor.fees import FeePolicy
from vermilion_anchor.settings import AnchorSettings
from vermilion_anchor.spending import SpendPolicy
from vermilion_ledger.anchor_rows import AnchorTarget
from vermilion_ledger.evm.finality import parse_finality
from vermilion_ledger.store import Database, open_database

__all__ = ["Outcome", "simulate"]

_GWEI = 10**9
_BUSY_SECONDS, _CALM_SECONDS, _STILL_SECONDS = 200.0, 4000.0, 30.0
_WEALTH = 10**22
_BEGIN = 1_767_225_600  # of the scheduler's clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a world came to; equal for equal seeds.

    Attributes:
        steps: How often the scheduler chose.
        height: Of the chain.
        block: Hash of its newest block.
        anchors: Events on the canonical chain.
        attempts: Transactions signed and sent.
        wasted: Of our mined ones, without effect.
        reorgs: Reorganisations.
        kills: Processes that died.
        alarms: Told to a person.
    """

    steps: int
    height: int
    block: str
    anchors: int
    attempts: int
    wasted: int
    reorgs: int
    kills: int
    alarms: int


def simulate(seed: int) -> Outcome:
    """Run one world to its end.

    Raises:
        Violation: A promise was broken; the same seed breaks it again.
    """
    with _journal_file() as path:
        database = open_database(f"sqlite:///{path}")
        world = _World(Random(seed), database)
        try:
            return world.run()
        finally:
            world.close()
            database.close()


class _World:
    def __init__(self, random: Random, database: Database) -> None:
        self._random = random
        self._scheduler = Scheduler(random)
        self._kills = 0
        self._nature_process = Process("nature")
        finality = random.choice(
            ("confirmations:1", "confirmations:4", "confirmations:8", "finalized", "immediate")
        )
        lag = 6
        rule = parse_finality(finality)
        settled = lag if rule.confirmations is None else rule.confirmations
        is_deep = random.random() < 0.15
        oracle = Oracle(database.engine)
        oracle.is_deep = is_deep
        chain = ChainDouble(
            time=_BEGIN - 1000,
            balances=dict.fromkeys((_own(0), _own(1), _rival(), _stranger()), _WEALTH),
            finalized_lag=lag,
        )
        self._site = Site(
            scheduler=self._scheduler,
            odds=Odds.draw(random),
            chain=chain,
            journal=database.anchors,
            oracle=oracle,
        )
        self._weather = Weather.draw(random, depth_max=2 * settled + 4 if is_deep else settled)
        self._build(finality)
        oracle.first_block = chain.height
        oracle.may_waste = self._site.odds.lag > 0
        self._nature = Nature(self._site, self._weather)

    def run(self) -> Outcome:
        scheduler, site, random = self._scheduler, self._site, self._random
        spawn = scheduler.spawn
        spawn(self._nature_process, self._nature.mine)
        spawn(self._nature_process, self._nature.harm)
        for at, office in enumerate(site.offices):
            spawn(self._nature_process, self._growing(office))
            for copy in range(random.choice((1, 1, 2))):
                spawn(self._nature_process, self._keeping(office, f"anchorer{at}.{copy}"))
        scheduler.run(lambda: False, until=_BUSY_SECONDS)
        site.odds.calm()
        self._weather.clear_up()
        for process in site.processes:
            process.stopped_until = 0.0
        if any(o.settings.spending.day_max for o in site.offices) and not site.oracle.is_deep:
            scheduler.now += 90_000  # caps of a day are free again
        self._settle()
        for office in site.offices:
            office.log.publish(1)  # whatever nonces were left, the next one fits
        self._settle()
        return self._judge()

    def close(self) -> None:
        """End every task."""
        self._scheduler.close()

    def _settle(self) -> None:
        """Run until nothing is left to do, and a while longer."""
        scheduler, site = self._scheduler, self._site
        until, still_since = scheduler.now + _CALM_SECONDS, None
        while still_since is None or scheduler.now - still_since < _STILL_SECONDS:
            scheduler.run(lambda: False, until=scheduler.now + 15)
            is_at_rest = site.oracle.is_at_rest(site)
            still_since = (still_since or scheduler.now) if is_at_rest else None
            if scheduler.now > until:
                jobs = [
                    f"{job.size} {job.state} {[a.nonce for a in job.attempts]}"
                    for job in site.journal.list_all(limit=4)
                ]
                raise Violation(f"never at rest: {jobs}, nonces {_nonces(site)}")

    def _judge(self) -> Outcome:
        site = self._site
        anchors = site.oracle.finish(site)
        return Outcome(
            steps=self._scheduler.steps,
            height=site.chain.height,
            block=site.chain.latest.hash.hex(),
            anchors=anchors,
            attempts=len(site.oracle.raws),
            wasted=site.oracle.wasted,
            reorgs=self._nature.reorgs,
            kills=self._kills,
            alarms=len(site.oracle.alarms),
        )

    def _growing(self, office: Office) -> Callable[[], None]:
        def grow() -> None:
            while self._scheduler.now < _BUSY_SECONDS - 10:
                self._scheduler.sleep(self._random.expovariate(1 / 25))
                office.log.publish(self._random.randint(1, 9))

        return grow

    def _keeping(self, office: Office, name: str) -> Callable[[], None]:
        """Return the operator of an anchorer, who starts it again when it has died."""

        def keep() -> None:
            number = 0
            while True:
                number += 1
                process = self._site.start(office, f"{name}-{number}")
                while not process.is_dead:
                    self._scheduler.sleep(5)
                self._kills += 1
                self._site.processes.remove(process)
                self._scheduler.sleep(self._random.expovariate(0.2))

        return keep

    def _build(self, finality: str) -> None:
        """Deploy, register a log or two, and allow the other publisher."""
        random, chain = self._random, self._site.chain
        client, artifact = DoubleClient(chain), load_artifact()
        first, fees = AccountSigner(KEY), FeePolicy()

        def sleep(_: float) -> None:
            chain.mine()

        deployed = deploy(client, first, artifact, origin="one", fees=fees, sleep=sleep)
        logs = [(first, deployed.log)]
        if random.random() < 0.35:
            signer = random.choice((first, _second()))
            log = register_log(
                client,
                signer,
                contract=deployed.contract,
                origin="two",
                publisher=signer.address,
                fees=fees,
                sleep=sleep,
            )
            logs.append((signer, log))
        chain.mine(3)  # seen by nodes that are behind, too
        for signer, log in logs:
            data = encode_set_publisher(log, _rival(), is_allowed=True)
            send_call(client, signer, to=deployed.contract, data=data, fees=fees, sleep=sleep)
            self._site.offices.append(
                Office(
                    settings=AnchorSettings(
                        target=AnchorTarget(chain_id=31337, contract=deployed.contract, log=log),
                        code_hash=artifact.code_hash,
                        finality=parse_finality(finality),
                        fees=FeePolicy(
                            max_fee_cap=random.choice((20, 200, 2000)) * _GWEI,
                            replace_after_blocks=random.choice((1, 3)),
                        ),
                        spending=_spending(random),
                        interval_seconds=random.choice((0.0, 0.0, 40.0)),
                        poll_seconds=random.choice((4.0, 8.0)),
                        retry_seconds_max=16.0,
                    ),
                    log=_begun(log),
                    signer=signer,
                )
            )


def _spending(random: Random) -> SpendPolicy:
    return SpendPolicy(
        anchor_max=random.choice((0, 0, 200_000 * 20 * _GWEI)),
        day_max=random.choice((0, 0, 0, 500_000 * 4 * _GWEI)),
    )


def _begun(salt: bytes) -> GrowingLog:
    log = GrowingLog(salt)
    log.publish(1)
    return log


def _nonces(site: Site) -> list[int]:
    return [site.chain.latest.state.nonces.get(office.signer.address, 0) for office in site.offices]


def _second() -> AccountSigner:
    return AccountSigner(b"\x44" * 32)


@cache
def _own(at: int) -> bytes:
    return (AccountSigner(KEY), _second())[at].address


@cache
def _rival() -> bytes:
    return AccountSigner(OTHER_KEY).address


@cache
def _stranger() -> bytes:
    return AccountSigner(b"\x51" * 32).address


@cache
def _template() -> tuple[tempfile.TemporaryDirectory[str], Path]:
    """An empty journal, migrated once; in memory where the system has such a folder."""
    shared = Path("/dev/shm")
    folder = tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None)
    path = Path(folder.name) / "empty.db"
    database = open_database(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return folder, path


@contextmanager
def _journal_file() -> Iterator[Path]:
    folder, template = _template()
    with tempfile.TemporaryDirectory(dir=folder.name) as name:
        path = Path(name) / "journal.db"
        shutil.copyfile(template, path)
        yield path
