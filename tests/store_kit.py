"""What the tests of the store share: submissions, a clock, an admission, a signer."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.merkle import EMPTY_ROOT, hash_children
from vermilion_ledger.ports import HistoryView
from vermilion_ledger.rows import IntakeBatch, NewRecord, Pending, Submission
from vermilion_ledger.sequencer import Sequencer, SequencerTiming
from vermilion_ledger.store import Database

__all__ = [
    "Admit",
    "ManualClock",
    "NoteSigner",
    "accept",
    "make_sequencer",
    "make_submission",
    "record_key",
    "reference_root",
    "system_clock",
]

_numbers = count()
_lock = threading.Lock()


def digest(text: str) -> bytes:
    """Return 32 bytes that nothing else has."""
    return hashlib.sha256(text.encode()).digest()


def record_key(record: str) -> bytes:
    """Return the key of a record named in a test."""
    return digest(f"record {record}")


def make_submission(
    record: str = "a",
    *,
    new: bool = False,
    text: str | None = None,
    nonce: str | None = None,
    about: str = "document",
    size: int = 0,
) -> Submission:
    """Return a submission to a record, unlike every other unless ``text`` is given."""
    with _lock:
        number = next(_numbers)
    envelope = (text or f"envelope {number}").encode().ljust(size, b".")
    record_id = make_record_id(record_key(record))
    return Submission(
        submission_id=digest(f"submission {number}")[:16],
        record_id=record_id,
        envelope=envelope,
        envelope_hash=hashlib.sha256(envelope).digest(),
        salt=digest(f"salt {number}"),
        event="register" if new else "review",
        predicate="urn:vermilion:record-event:v1",
        digest=digest(about),
        name="合同.pdf",
        nonces=((digest("key"), digest(nonce or f"nonce {number}")[:16]),),
        new_record=NewRecord(record_id=record_id, record_key=record_key(record)) if new else None,
    )


class ManualClock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def system_clock() -> datetime:
    return datetime.now(UTC)


class Admit:
    """Admits everything, after a rule given by the test has had its say."""

    def __init__(self, rule: Callable[[Pending, HistoryView], None] | None = None) -> None:
        self.seen: list[tuple[int, int]] = []
        self.rule = rule

    def admit(self, pending: Pending, *, index: int, sequence: int, view: HistoryView) -> None:
        self.seen.append((index, sequence))
        if self.rule is not None:
            self.rule(pending, view)


class NoteSigner:
    """Signs nothing, legibly."""

    def __init__(self) -> None:
        self.signed: list[tuple[int, bytes]] = []

    def sign_checkpoint(self, size: int, root: bytes) -> str:
        self.signed.append((size, root))
        return f"test\n{size}\n{root.hex()}\n"


def accept(database: Database, *submissions: Submission) -> tuple[bytes, ...]:
    """Save submissions without an intake in front; return their ids."""
    results = database.intake.save_batches(
        [IntakeBatch(submissions=submissions)], received_at=system_clock()
    )
    if isinstance(results[0], Exception):
        raise results[0]
    return results[0].submission_ids


def make_sequencer(
    database: Database,
    *,
    admission: Admit | None = None,
    signer: NoteSigner | None = None,
    clock: Callable[[], datetime] = system_clock,
    timing: SequencerTiming | None = None,
    name: str = "test",
    started: bool = True,
) -> Sequencer:
    sequencer = Sequencer(
        log=database.log,
        store=database.sequencing,
        admission=admission or Admit(),
        signer=signer or NoteSigner(),
        clock=clock,
        timing=timing,
        name=name,
    )
    if started:
        sequencer.acquire()
        sequencer.start()
    return sequencer


def reference_root(leaves: Sequence[bytes]) -> bytes:
    """Return MTH(D[n]) word by word as RFC 9162 section 2.1.1 has it."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hash_children(reference_root(leaves[:split]), reference_root(leaves[split:]))
