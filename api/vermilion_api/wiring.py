"""Where every Protocol meets its implementation, and where settings are read.

`open_ledger` reads a home folder; from the `Ledger` each process takes the
part it runs: the API its `Services`, the sequencer and the anchorer their
loops. Nothing below this module knows `Settings`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vermilion_api.anchor_desk import build_anchor_desk
from vermilion_api.chains import LazyBlocks, observe_chains, target_of
from vermilion_api.home import Home, Secrets, load_secrets
from vermilion_api.keeping import GuardedIntake, LogKeeper
from vermilion_api.log_signer import LogSigner
from vermilion_api.office_desks import OfficeDesks, build_office_desks
from vermilion_api.services.anchoring import AnchorDesk
from vermilion_api.services.answers import AnswerBook
from vermilion_api.services.bundles import BundleDesk
from vermilion_api.services.progress import ProgressDesk
from vermilion_api.services.records import RecordDesk
from vermilion_api.services.registering import Registrar
from vermilion_api.services.seen import SeenDesk
from vermilion_api.services.statements import StatementDesk
from vermilion_api.services.submitting import Submitter
from vermilion_api.services.verifying import VerifyDesk
from vermilion_api.services.waiting import Waiter
from vermilion_api.settings import Settings, load_settings
from vermilion_api.trust import render_trust_policy
from vermilion_ledger.admission import LedgerAdmission, LedgerIdentity
from vermilion_ledger.anchor_rows import AnchorTarget
from vermilion_ledger.checkpoint import parse_checkpoint_unverified
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.errors import NotFoundError
from vermilion_ledger.intake import Intake, IntakeLimits
from vermilion_ledger.log import LogReader
from vermilion_ledger.ports import IntakeStore, TileStore
from vermilion_ledger.publisher import Publisher
from vermilion_ledger.rows import RecordRow
from vermilion_ledger.sequencer import Sequencer, SequencerTiming
from vermilion_ledger.store import Database, open_database
from vermilion_ledger.store.sweeping import finish_sweep
from vermilion_ledger.store.wal import WalKeeper
from vermilion_ledger.store.watching import SqlWatch
from vermilion_ledger.tilestore import open_tile_store
from vermilion_verify.timestamps import load_authorities, load_issuers

__all__ = [
    "Ledger",
    "LogView",
    "Services",
    "build_keeper",
    "build_publisher",
    "build_sequencer",
    "build_services",
    "now",
    "open_ledger",
]

_PAUSE_SECONDS = 0.001


def now() -> datetime:
    """Return the present moment: the one clock of every process."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """A home folder, read: what all processes of a ledger share."""

    home: Home
    settings: Settings
    secrets: Secrets
    identity: LedgerIdentity
    database: Database
    tiles: TileStore

    @property
    def is_sequencer_inside(self) -> bool:
        """Whether the API process gives entries their index itself."""
        if self.settings.sequencer == "auto":
            return self.database.engine.dialect.name == "sqlite"
        return self.settings.sequencer == "inside"

    @property
    def targets(self) -> tuple[AnchorTarget, ...]:
        """Where this ledger anchors."""
        return tuple(target_of(chain) for chain in self.settings.chains)

    @property
    def roots_files(self) -> tuple[Path, ...]:
        """The root certificates of the time-stamping authorities, in the order of the settings."""
        return tuple(self.home.path / each.roots for each in self.settings.tsas)

    @property
    def issuers_files(self) -> tuple[Path, ...]:
        """The root certificates of those who certify people's keys."""
        return tuple(self.home.path / each for each in self.settings.certificate_roots)

    def reader(self) -> LogReader:
        """Return a reader of the log."""
        return LogReader(self.database.log, self.database.heads, self.tiles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the API process runs; made in its event loop.

    Attributes:
        keeper: Writes and signs the log, where that is done in this process.
    """

    settings: Settings
    secrets: Secrets
    identity: LedgerIdentity
    home: Home
    reader: LogReader
    intake: Intake
    keeper: LogKeeper | None
    waiter: Waiter
    submitter: Submitter
    answers: AnswerBook
    registrar: Registrar
    statements: StatementDesk
    records: RecordDesk
    bundles: BundleDesk
    progress: ProgressDesk
    anchoring: AnchorDesk
    verifier: VerifyDesk
    office: OfficeDesks


class LogView:
    """Implements `LogView` and `CheckpointTexts` of `vermilion_anchor.ports`."""

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader

    def newest(self) -> tuple[int, bytes] | None:
        """Return size and root of the newest published checkpoint."""
        found = self._reader.newest_checkpoint()
        return None if found is None else (found.size, found.root)

    def root_at(self, size: int) -> bytes:
        """Return the root that the tree had with ``size`` leaves."""
        return self._reader.root_at(size)

    def consistency(self, old_size: int, new_size: int) -> Sequence[bytes]:
        """Return the RFC 9162 proof between two sizes."""
        return self._reader.consistency(old_size, new_size)

    def signed_text(self, size: int) -> bytes | None:
        """Return what the log key signed at a size; None if nothing of that size was published."""
        try:
            note = self._reader.checkpoint(size).note
        except NotFoundError:
            return None
        return parse_checkpoint_unverified(note.encode()).note.text.encode()


def open_ledger(path: Path) -> Ledger:
    """Read a home folder; no connection is made yet.

    Raises:
        NotFoundError: ``settings.missing`` or ``key.file-missing``.
        InputError: Settings or keys are malformed or readable by others.
    """
    home, settings = Home(path=path), load_settings(path)
    secrets = load_secrets(home, settings)
    return Ledger(
        home=home,
        settings=settings,
        secrets=secrets,
        identity=secrets.identity(settings),
        database=open_database(
            home.database_url(settings),
            head_url=settings.head_url,
            public=(
                RecordRow(
                    record_id=make_record_id(secrets.registry),
                    record_key=secrets.registry,
                    kind="keys",
                ),
                RecordRow(
                    record_id=make_record_id(secrets.policies),
                    record_key=secrets.policies,
                    kind="policies",
                ),
            ),
        ),
        tiles=open_tile_store(settings.tiles_url, path),
    )


def build_sequencer(ledger: Ledger) -> Sequencer:
    """Return what gives entries their index; it holds no lease yet."""
    return Sequencer(
        log=ledger.database.log,
        store=ledger.database.sequencing,
        admission=LedgerAdmission(ledger.identity),
        clock=now,
        timing=_timing(ledger),
    )


def build_publisher(ledger: Ledger) -> Publisher:
    """Return what signs the log; it has claimed no head yet."""
    database, secrets = ledger.database, ledger.secrets
    return Publisher(
        log=database.log,
        heads=database.heads,
        tiles=ledger.tiles,
        signer=LogSigner(
            origin=ledger.settings.origin,
            seed=secrets.log,
            ml_dsa_seed=secrets.log_ml_dsa,
            clock=now,
        ),
        clock=now,
        pause=_give_way if ledger.is_sequencer_inside else lambda: None,
    )


def build_keeper(ledger: Ledger) -> LogKeeper:
    """Return what writes and signs the log, or stands by while another does."""
    database = ledger.database
    return LogKeeper(
        sequencer=build_sequencer(ledger),
        publisher=build_publisher(ledger),
        wal=WalKeeper(database.engine),
        timing=_timing(ledger),
        observe=lambda: observe_chains(ledger.settings.online_chains),
        prepare=lambda: finish_sweep(database.engine),
    )


def _give_way() -> None:
    """Let the threads that answer callers go first: they wait for the same interpreter."""
    time.sleep(_PAUSE_SECONDS)


def _timing(ledger: Ledger) -> SequencerTiming:
    settings = ledger.settings
    return SequencerTiming(
        lease_seconds=settings.sequencer_lease_seconds,
        publish_interval_seconds=settings.publish_interval_seconds,
        # Inside the API only what could not be decided at once is ever queued.
        poll_seconds=0.2 if ledger.is_sequencer_inside else 0.01,
    )


def build_services(ledger: Ledger) -> Services:
    """Return the API's services; to be called in its event loop."""
    settings, secrets, identity = ledger.settings, ledger.secrets, ledger.identity
    database, reader = ledger.database, ledger.reader()
    keeper = build_keeper(ledger) if ledger.is_sequencer_inside else None
    intake = _build_intake(ledger, keeper)
    progress, anchoring = _build_looks(ledger, reader, keeper)
    waiter = Waiter(progress)
    submitter = Submitter(intake=intake, waiter=waiter, reader=reader)
    registrar = Registrar(origin=settings.origin, intake_seed=secrets.intake, clock=now)
    statements = _build_statements(ledger, reader)
    records = RecordDesk(identity=identity, reader=reader, waits=anchoring, clock=now)
    bundles = BundleDesk(
        identity=identity,
        reader=reader,
        anchors=database.anchors,
        lookup=SqlWatch(database.engine),
        blocks=database.blocks,
        timestamps=database.timestamps,
        targets=ledger.targets,
        intake_seed=secrets.intake,
    )
    return Services(
        settings=settings,
        secrets=secrets,
        identity=identity,
        home=ledger.home,
        reader=reader,
        intake=intake,
        keeper=keeper,
        waiter=waiter,
        submitter=submitter,
        answers=AnswerBook(database.responses, now),
        registrar=registrar,
        statements=statements,
        records=records,
        bundles=bundles,
        progress=progress,
        anchoring=anchoring,
        verifier=VerifyDesk(
            policy_text=render_trust_policy(settings, secrets, with_rpc=True),
            bundles=bundles,
            records=records,
            progress=progress,
            clock=now,
            authorities=load_authorities(ledger.roots_files),
            issuers=load_issuers(ledger.issuers_files),
        ),
        office=build_office_desks(
            identity=identity,
            book=database.numbers,
            statements=statements,
            registrar=registrar,
            reader=reader,
            intake=intake,
            submitter=submitter,
            clock=now,
            needs_step_up=bool(settings.step_up_header),
        ),
    )


def _build_statements(ledger: Ledger, reader: LogReader) -> StatementDesk:
    settings, database = ledger.settings, ledger.database
    return StatementDesk(
        identity=ledger.identity,
        admission=LedgerAdmission(ledger.identity),
        reader=reader,
        seen=SeenDesk(
            targets=ledger.targets,
            chains={chain.id: LazyBlocks(chain) for chain in settings.online_chains},
            blocks=database.blocks,
            anchors=database.anchors,
            clock=now,
            offered_days=settings.offered_block_days,
        ),
        intake_seed=ledger.secrets.intake,
        clock=now,
    )


def _build_looks(
    ledger: Ledger, reader: LogReader, keeper: LogKeeper | None
) -> tuple[ProgressDesk, AnchorDesk]:
    progress = ProgressDesk(
        reader=reader,
        watch=SqlWatch(ledger.database.engine),
        heads=ledger.database.heads,
        clock=now,
        is_leading=lambda: keeper is None or keeper.is_leading,
    )
    return progress, build_anchor_desk(
        ledger.settings, ledger.database, clock=now, is_led=progress.is_led
    )


def _build_intake(ledger: Ledger, keeper: LogKeeper | None) -> Intake:
    settings, database = ledger.settings, ledger.database
    store: IntakeStore = keeper or GuardedIntake(database.intake, database.heads)
    return Intake(
        store,
        limits=IntakeLimits(
            group_count_max=settings.group_count_max,
            queue_count_max=settings.queue_count_max,
            wait_seconds=settings.group_wait_seconds,
        ),
        deliver=asyncio.get_running_loop().call_soon_threadsafe,
    )
