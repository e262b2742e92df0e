"""What the tests of the store share: submissions, a clock, an admission, a signer, a writer."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from vermilion_ledger.checkpoint import Checkpoint, sign_checkpoint
from vermilion_ledger.commitment import commit, encode_entry, make_record_id, make_tag
from vermilion_ledger.encoding import encode_base64, encode_json
from vermilion_ledger.merkle import EMPTY_ROOT, hash_children, hash_leaf
from vermilion_ledger.ports import HistoryView, IntakeStore, LogStore, TileStore
from vermilion_ledger.publisher import Publisher
from vermilion_ledger.rows import (
    Accepted,
    CheckpointRow,
    IntakeBatch,
    ObservedHead,
    Pending,
    RecordKind,
    StoredEntry,
    Submission,
    SubmissionState,
)
from vermilion_ledger.running import LogRunner
from vermilion_ledger.sequencer import Sequencer, SequencerTiming
from vermilion_ledger.store import Database
from vermilion_ledger.tilestore.disk import OsDisk
from vermilion_ledger.tilestore.posix import PosixTileStore

__all__ = [
    "ORIGIN",
    "Admit",
    "ManualClock",
    "NoteSigner",
    "Writer",
    "accept",
    "envelope_about",
    "make_sequencer",
    "make_submission",
    "make_tiles",
    "make_writer",
    "place",
    "published",
    "record_key",
    "reference_root",
    "replayed",
    "replayed_leaves",
    "states_of",
    "stored_between",
    "system_clock",
    "told",
]

ORIGIN = "test.example/log"

_numbers = count()
_lock = threading.Lock()


def digest(text: str) -> bytes:
    """Return 32 bytes that nothing else has."""
    return hashlib.sha256(text.encode()).digest()


def record_key(record: str) -> bytes:
    """Return the key of a record named in a test."""
    return digest(f"record {record}")


def envelope_about(text: str, about: bytes, size: int = 0) -> bytes:
    """Return an envelope whose statement is about a digest; nobody signed it."""
    statement = {"note": text.ljust(size, "."), "subject": [{"digest": {"sha256": about.hex()}}]}
    return encode_json({"payload": encode_base64(encode_json(statement)), "signatures": []})


def make_submission(
    record: str = "a",
    *,
    plain: bool = False,
    text: str | None = None,
    nonce: str | None = None,
    about: str = "document",
    size: int = 0,
    kind: RecordKind = "document",
) -> Submission:
    """Return a submission to a record, unlike every other unless ``text`` is given.

    Args:
        record: Names the record; equal names give equal keys.
        plain: As the registrar writes the first entry of a record.
        text: Equal texts about the same document give equal envelopes.
        nonce: Equal texts give equal nonces of one key.
        about: Names the document.
        size: The least number of bytes of the envelope.
        kind: Kind of the record.
    """
    with _lock:
        number = next(_numbers)
    envelope = envelope_about(text or f"envelope {number}", digest(about), size)
    key = record_key(record)
    return Submission(
        record_id=make_record_id(key),
        record_key=key,
        kind=kind,
        envelope=envelope,
        envelope_hash=hashlib.sha256(envelope).digest(),
        salt=digest(f"salt {number}"),
        digest=digest(about),
        nonces=() if plain else ((digest("key"), digest(nonce or f"nonce {number}")[:16]),),
        is_plain=plain,
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
    """Signs with a key that everybody knows, and notes what it signed."""

    def __init__(self) -> None:
        self.signed: list[tuple[int, bytes]] = []

    def sign_checkpoint(self, size: int, root: bytes) -> str:
        self.signed.append((size, root))
        return sign_checkpoint(Checkpoint(origin=ORIGIN, size=size, root=root), digest("log key"))


def accept(database: Database, *submissions: Submission) -> tuple[int, ...]:
    """Leave submissions to a sequencer, without an intake in front; return their positions."""
    return _save(database.intake, submissions).positions


def place(sequencer: Sequencer, *submissions: Submission) -> tuple[SubmissionState, ...]:
    """Take submissions in and place them in one transaction; return what became of them."""
    states = _save(sequencer, submissions).states
    assert states is not None
    return states


def _save(store: IntakeStore, submissions: tuple[Submission, ...]) -> Accepted:
    (result,) = store.save_batches([IntakeBatch(submissions=submissions)])
    if isinstance(result, Exception):
        raise result
    return result


def told(states: Sequence[SubmissionState]) -> list[tuple[str, int | None, int | None]]:
    """Return states with index and sequence, without what differs from test to test."""
    return [(each.state, each.index, each.sequence) for each in states]


def states_of(
    database: Database, positions: Sequence[int]
) -> list[tuple[str, int | None, int | None]]:
    """Return where submissions stand, in the order asked."""
    found = database.log.load_states(positions)
    return told([found[each] for each in positions])


def make_tiles(folder: Path) -> PosixTileStore:
    """Return a tile store in a folder, as a ledger has it."""
    return PosixTileStore(OsDisk(), folder / "log")


def make_sequencer(
    database: Database,
    *,
    admission: Admit | None = None,
    clock: Callable[[], datetime] = system_clock,
    timing: SequencerTiming | None = None,
    name: str = "test",
    started: bool = True,
) -> Sequencer:
    """Return a sequencer that holds the lease, if it is started."""
    sequencer = Sequencer(
        log=database.log,
        store=database.sequencing,
        admission=admission or Admit(),
        clock=clock,
        timing=timing,
        name=name,
    )
    if started:
        sequencer.acquire()
    return sequencer


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """A sequencer and its publisher, as one process has them."""

    sequencer: Sequencer
    publisher: Publisher
    timing: SequencerTiming

    def start(self, observed: Iterable[ObservedHead] = ()) -> None:
        """Take the lease, then the head."""
        self.sequencer.acquire()
        self.publisher.start(self.sequencer.epoch, observed=observed)

    def grow(self) -> CheckpointRow | None:
        """Place what waits, and publish; return the checkpoint if there is a new one."""
        while self.sequencer.sequence_batch():
            pass
        return self.publisher.publish()

    def place(self, count: int) -> None:
        """Give entries of one record their index, and publish nothing."""
        place(self.sequencer, *(make_submission() for _ in range(count)))

    def run(self, stop: threading.Event) -> None:
        """Be the loop of a sequencer's process."""
        LogRunner(self.sequencer, self.publisher, self.timing).run(stop)


def make_writer(
    database: Database,
    tiles: TileStore,
    *,
    admission: Admit | None = None,
    signer: NoteSigner | None = None,
    clock: Callable[[], datetime] = system_clock,
    timing: SequencerTiming | None = None,
    name: str = "test",
    started: bool = True,
) -> Writer:
    """Return who writes the log; it leads, if it is started."""
    writer = Writer(
        sequencer=make_sequencer(
            database, admission=admission, clock=clock, timing=timing, name=name, started=False
        ),
        publisher=Publisher(
            log=database.log,
            heads=database.heads,
            tiles=tiles,
            signer=signer or NoteSigner(),
            clock=clock,
        ),
        timing=timing or SequencerTiming(),
    )
    if started:
        writer.start()
    return writer


def published(writer: Writer) -> tuple[int, bytes]:
    """Publish what has an index; return size and root of the new checkpoint."""
    checkpoint = writer.publisher.publish()
    assert checkpoint is not None
    return checkpoint.size, checkpoint.root


def replayed(database: Database) -> tuple[int, bytes]:
    """Return size and root of the log that follows from what is stored."""
    leaves = replayed_leaves(database)
    return len(leaves), reference_root(leaves)


def stored_between(log: LogStore, start: int, end: int) -> list[StoredEntry]:
    """Return entries as they are stored; none of them was erased."""
    found = log.load_stored(start, end)
    stored = [each for each in found if isinstance(each, StoredEntry)]
    assert len(stored) == len(found)
    return stored


def replayed_leaves(database: Database) -> list[bytes]:
    """Return the leaf hashes that follow from what is stored, one entry after the other."""
    size = database.log.count_entries()
    leaves: list[bytes] = []
    for each in stored_between(database.log, 0, size):
        assert each.index == len(leaves)
        commitment = commit(each.salt, hashlib.sha256(each.envelope).digest())
        leaves.append(hash_leaf(encode_entry(commitment, make_tag(each.record_key, each.sequence))))
    assert len(leaves) == size
    return leaves


def reference_root(leaves: Sequence[bytes]) -> bytes:
    """Return MTH(D[n]) word by word as RFC 9162 section 2.1.1 has it."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hash_children(reference_root(leaves[:split]), reference_root(leaves[split:]))
