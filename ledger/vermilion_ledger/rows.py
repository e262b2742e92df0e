"""The rows that cross the border between the log and its stores.

Frozen, with bytes as bytes and times as UTC datetimes; no SQL type passes.
A `Submission` that exists is storable: sizes and texts are checked when it is
made, so that one bad row cannot spoil a transaction shared with others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from vermilion_ledger.errors import InputError, LimitError
from vermilion_ledger.limits import ENVELOPE_SIZE_MAX, NAME_SIZE_MAX

__all__ = [
    "Accepted",
    "CheckpointRow",
    "EntryRow",
    "Head",
    "Idempotency",
    "IntakeBatch",
    "Integration",
    "Lease",
    "NewRecord",
    "ObservedHead",
    "Opening",
    "Pending",
    "RecordEntry",
    "RecordKind",
    "RecordRow",
    "Refusal",
    "Submission",
    "SubmissionState",
    "TileKey",
    "TileRow",
]

TileKey = tuple[int, int]
"""Level and position of a tile, numbered as in C2SP tlog-tiles."""

RecordKind = Literal["document", "keys", "policies"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecord:
    """A record that its first submission brings along.

    Attributes:
        record_id: ``rec_`` and 32 characters (FORMATS section 3).
        record_key: 32 random bytes (FORMATS section 5).
        kind: ``document``, or the one key or policy record.
    """

    record_id: str
    record_key: bytes
    kind: RecordKind = "document"

    def __post_init__(self) -> None:
        _check_size(self.record_key, 32, "record key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One accepted envelope on its way into the log.

    Attributes:
        submission_id: 16 random bytes; what the caller asks about later.
        record_id: The record it belongs to.
        envelope: Canonical envelope bytes, stored as they are.
        envelope_hash: ``H(envelope bytes)``; one submission per hash.
        salt: 32 random bytes (FORMATS section 5).
        event: Event word of the statement.
        predicate: ``predicateType`` of the statement.
        digest: SHA-256 of the subject.
        name: Name of the subject.
        nonces: Pairs of key id (32 bytes) and nonce (16 bytes) that this
            envelope uses up.
        new_record: The record to create in the same transaction, if any.
    """

    submission_id: bytes
    record_id: str
    envelope: bytes
    envelope_hash: bytes
    salt: bytes
    event: str
    predicate: str
    digest: bytes
    name: str
    nonces: tuple[tuple[bytes, bytes], ...] = ()
    new_record: NewRecord | None = None

    def __post_init__(self) -> None:
        _check_size(self.submission_id, 16, "submission id")
        _check_size(self.envelope_hash, 32, "envelope hash")
        _check_size(self.salt, 32, "salt")
        _check_size(self.digest, 32, "digest")
        for keyid, nonce in self.nonces:
            _check_size(keyid, 32, "key id")
            _check_size(nonce, 16, "nonce")
        _check_bound(len(self.envelope), ENVELOPE_SIZE_MAX, "envelope bytes")
        for text in (self.record_id, self.event, self.predicate, self.name):
            _check_storable(text)
        if self.new_record is not None and self.new_record.record_id != self.record_id:
            raise InputError("submission.malformed", "the new record is not the submission's")


@dataclass(frozen=True, slots=True, kw_only=True)
class Idempotency:
    """A caller's promise that equal keys mean equal requests."""

    key: str
    request_hash: bytes

    def __post_init__(self) -> None:
        _check_size(self.request_hash, 32, "request hash")
        _check_storable(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeBatch:
    """What one caller submits: accepted whole or not at all."""

    submissions: tuple[Submission, ...]
    idempotency: Idempotency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The durable answer to a batch.

    Attributes:
        submission_ids: One per submission, in order; the original id where the
            same envelope had been accepted before.
        replayed: True if an idempotency key answered and nothing was written.
    """

    submission_ids: tuple[bytes, ...]
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A submission waiting for its index, with what the sequencer needs."""

    position: int
    submission_id: bytes
    record_id: str
    record_key: bytes
    kind: RecordKind
    envelope: bytes
    envelope_hash: bytes
    salt: bytes
    event: str
    predicate: str
    digest: bytes
    name: str
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """One leaf of the log. Written only by the sequencer."""

    index: int
    submission_id: bytes
    record_id: str
    sequence: int
    commitment: bytes
    tag: bytes
    leaf_hash: bytes
    sequenced_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What an entry commits to, as it is stored."""

    record_id: str
    record_key: bytes
    envelope: bytes
    envelope_hash: bytes
    salt: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEntry:
    """One entry of a record's history, with what opens its commitment."""

    record_id: str
    index: int
    sequence: int
    submission_id: bytes
    salt: bytes
    envelope: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRow:
    """A record: its id, its key and what it is."""

    record_id: str
    record_key: bytes
    kind: RecordKind
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A queued submission that the sequencer refused, for good."""

    submission_id: bytes
    code: str
    message: str
    refused_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TileRow:
    """A full tile: 256 child hashes and the root over them. Never changes."""

    level: int
    position: int
    hashes: bytes
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointRow:
    """A published checkpoint: the signed note, verbatim."""

    size: int
    root: bytes
    note: str
    epoch: int
    published_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What was signed last. Moved only by compare-and-swap.

    Attributes:
        size: Entries under the last signed checkpoint; 0 before the first.
        root: Its root.
        epoch: Fencing epoch of the sequencer that owns the head.
        state: ``halted`` once a sequencer found the log contradicting itself.
    """

    size: int
    root: bytes
    epoch: int
    state: Literal["open", "halted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedHead:
    """A head of this log that somebody else holds: a chain, a witness, a backup.

    Attributes:
        size: Entries under it.
        root: Its root.
        source: Who says so, for people.
    """

    size: int
    root: bytes
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to sequence: only the highest epoch may write."""

    holder: str
    epoch: int
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionState:
    """Where a submission stands.

    Attributes:
        submission_id: The submission asked about.
        record_id: Its record.
        state: ``pending``, ``sequenced`` or ``refused``.
        index: Leaf index once sequenced.
        sequence: Position in the record once sequenced.
        code: Stable error code once refused.
        message: One sentence for people once refused.
    """

    submission_id: bytes
    record_id: str
    state: Literal["pending", "sequenced", "refused"]
    index: int | None = None
    sequence: int | None = None
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """All that one batch of the sequencer changes, in one transaction."""

    first_index: int
    entries: tuple[EntryRow, ...]
    tiles: tuple[TileRow, ...]
    refusals: tuple[Refusal, ...]
    positions: tuple[int, ...]  # queue rows that leave with this batch


def _check_size(value: bytes, size: int, what: str) -> None:
    if len(value) != size:
        raise InputError("submission.malformed", f"{what} has {len(value)} bytes, not {size}")


def _check_bound(found: int, limit: int, what: str) -> None:
    if found > limit:
        raise LimitError("submission.malformed", what, found=found, limit=limit)


def _check_storable(text: str) -> None:
    """Refuse what a database would refuse, before it spoils a shared transaction."""
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError as exc:
        raise InputError("submission.malformed", "a text has a lone surrogate") from exc
    _check_bound(size, NAME_SIZE_MAX, "text bytes")
    if "\x00" in text:
        raise InputError("submission.malformed", "a text has a zero byte")
