"""A log written by the production parts, with real statements of a small office.

Registrations by the registrar, events of people, key and policy events, a
refusal, something queued, several checkpoints: at least one row in every table
of the log. Needs no server and no chain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from office import (
    INTAKE_KEYID,
    INTAKE_PUBLIC,
    INTAKE_SEED,
    LOG_SEED,
    ORIGIN,
    POLICIES,
    POLICIES_KEY,
    REGISTRY,
    REGISTRY_KEY,
    ROOT,
    ROOTS,
    WANG,
    envelope,
    key_registration,
    policy_event,
    secret,
    statement,
)
from vermilion_api.log_signer import LogSigner
from vermilion_api.requests import Registration
from vermilion_api.services.registering import Registrar
from vermilion_ledger.admission import LedgerAdmission, LedgerIdentity
from vermilion_ledger.envelope import Envelope, split_intake
from vermilion_ledger.fsck.findings import Findings
from vermilion_ledger.fsck.run import Fsck, Outcome, Subject
from vermilion_ledger.fsck.signed import LogKey
from vermilion_ledger.note import ED25519, VerifierKey
from vermilion_ledger.ports import TileStore
from vermilion_ledger.publisher import Publisher
from vermilion_ledger.rows import (
    Accepted,
    Idempotency,
    IntakeBatch,
    ObservedHead,
    RecordKind,
    RecordRow,
    Submission,
)
from vermilion_ledger.rules import Rule
from vermilion_ledger.schemes import ed25519
from vermilion_ledger.sequencer import Sequencer
from vermilion_ledger.store import Database, open_database
from vermilion_ledger.store.auditing import SqlAudit
from vermilion_ledger.tilestore.disk import OsDisk
from vermilion_ledger.tilestore.posix import PosixTileStore

__all__ = [
    "IDENTITY",
    "LOG_KEYS",
    "Clock",
    "WrittenLog",
    "check",
    "fill",
    "open_log",
    "subject_of",
    "submission",
    "texts",
]

IDENTITY = LedgerIdentity(
    origin=ORIGIN,
    roots=ROOTS,
    intake_keyids=frozenset({INTAKE_KEYID}),
    keys_record=REGISTRY,
    policies_record=POLICIES,
)
LOG_KEYS = (
    LogKey(key=VerifierKey(name=ORIGIN, kind=ED25519, public=ed25519.public_key_of(LOG_SEED))),
)
PUBLIC = (
    RecordRow(record_id=REGISTRY, record_key=REGISTRY_KEY, kind="keys"),
    RecordRow(record_id=POLICIES, record_key=POLICIES_KEY, kind="policies"),
)


class Clock:
    """Goes on by a second at each look."""

    def __init__(self, *, hours: int = 0) -> None:
        self.now = datetime(2026, 11, 21, 8, tzinfo=UTC) + timedelta(hours=hours)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@dataclass
class WrittenLog:
    """A log with everything that writes it."""

    folder: Path
    database: Database
    tiles: TileStore
    clock: Callable[[], datetime] = field(default_factory=Clock)
    records: list[Submission] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.registrar = Registrar(origin=ORIGIN, intake_seed=INTAKE_SEED, clock=self.clock)
        self.sequencer = Sequencer(
            log=self.database.log,
            store=self.database.sequencing,
            admission=LedgerAdmission(IDENTITY),
            clock=self.clock,
        )
        self.publisher = Publisher(
            log=self.database.log,
            heads=self.database.heads,
            tiles=self.tiles,
            signer=LogSigner(origin=ORIGIN, seed=LOG_SEED, ml_dsa_seed=None, clock=self.clock),
            clock=self.clock,
        )

    @property
    def audit(self) -> SqlAudit:
        return SqlAudit(self.database.engine, self.database.head_engine)

    def start(self, observed: Sequence[ObservedHead] = ()) -> None:
        """Take the lease, compare, and be ready to sign."""
        self.sequencer.acquire()
        self.publisher.start(self.sequencer.epoch, observed=observed)

    def submit(self, *submissions: Submission, key: str = "") -> Accepted:
        promise = Idempotency(key=key, request_hash=secret(key)) if key else None
        batch = IntakeBatch(submissions=submissions, idempotency=promise)
        result = self.sequencer.save_batches([batch])[0]
        assert isinstance(result, Accepted), result
        return result

    def register(self, count: int, *, key: str = "") -> Accepted:
        """Register documents, each as a record of its own."""
        first = len(self.records)
        made = self.registrar.prepare_all(
            [
                Registration(name=f"合同-{first + at}.pdf", sha256=secret(f"file {first + at}"))
                for at in range(count)
            ]
        )
        self.records += made
        return self.submit(*made, key=key)

    def review(self, record: Submission, number: int) -> Accepted:
        """Add an event that no actor signed to a record."""
        made = statement(
            "review",
            record=record.record_id,
            subject=replace(statement().subject, sha256=record.digest),
            nonce=secret(f"review {record.record_id} {number}")[:16],
        )
        return self.submit(submission(envelope(made), record.record_key))

    def close(self) -> None:
        self.sequencer.release()
        self.database.close()


def submission(made: Envelope, record_key: bytes, kind: RecordKind = "document") -> Submission:
    """What the API makes of a signed envelope."""
    intake, actors = split_intake(made, {INTAKE_KEYID})
    signers = {keyid for each in actors or (intake,) for keyid in each.keyids}
    return Submission(
        record_id=made.statement.record,
        record_key=record_key,
        kind=kind,
        envelope=made.data,
        envelope_hash=made.hash,
        salt=secret(f"salt {made.hash.hex()}"),
        digest=made.statement.subject.sha256,
        nonces=tuple((bytes.fromhex(each), made.statement.nonce) for each in sorted(signers)),
    )


def open_log(folder: Path, *, url: str = "", head_url: str = "") -> WrittenLog:
    """Open a log in a folder, migrated; nobody has the lease yet."""
    database = open_database(
        url or f"sqlite:///{folder}/ledger.db", head_url=head_url, public=PUBLIC
    )
    database.migrate()
    return WrittenLog(folder, database, PosixTileStore(OsDisk(), folder / "log"))


def fill(log: WrittenLog, count: int) -> None:
    """Write some ``count`` entries, a refusal and something queued; several checkpoints."""
    log.start()
    log.submit(submission(envelope(key_registration(ROOT), ROOT), REGISTRY_KEY, "keys"))
    log.submit(submission(envelope(key_registration(WANG), ROOT, WANG), REGISTRY_KEY, "keys"))
    rules = policy_event((Rule(event="approve", count=1),))
    log.submit(submission(envelope(rules, ROOT), POLICIES_KEY, "policies"))
    log.publisher.publish()
    for part in range(4):
        log.register(max(1, (count - 12) // 4), key=f"request {part}")
        log.review(log.records[-1], part)
        log.review(log.records[0], part)
        log.publisher.publish()
    again = statement("seal", record=log.records[0].record_id)
    refused = log.submit(submission(envelope(again), log.records[0].record_key))
    assert refused.states is not None
    assert refused.states[0].state == "refused"
    made = statement("number", record=log.records[0].record_id, nonce=secret("queued")[:16])
    queued = submission(envelope(made), log.records[0].record_key)
    log.database.intake.save_batches([IntakeBatch(submissions=(queued,))])


def subject_of(log: WrittenLog) -> Subject:
    return Subject(
        store=log.audit,
        tiles=log.tiles,
        identity=IDENTITY,
        intake_keys={INTAKE_KEYID: INTAKE_PUBLIC},
        log_keys=LOG_KEYS,
    )


def check(log: WrittenLog, *, observed: Sequence[ObservedHead] = ()) -> Outcome:
    """Run fsck over a log."""
    return Fsck(
        subject_of(log), clock=log.clock, findings=Findings(), sleep=lambda _seconds: None
    ).run(observed=observed)


def texts(outcome: Outcome) -> list[str]:
    """What was found, one line each."""
    return [f"{each.code} {each.place}: {each.message}" for each in outcome.findings.kept]
