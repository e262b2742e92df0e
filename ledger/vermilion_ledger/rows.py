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
from vermilion_ledger.limits import ENTRY_SIZE, ENVELOPE_SIZE_MAX, NAME_SIZE_MAX
from vermilion_ledger.numbers import Numbering

__all__ = [
    "Accepted",
    "CheckpointRow",
    "ErasedEntry",
    "Head",
    "Idempotency",
    "IntakeBatch",
    "Lease",
    "ObservedHead",
    "Pending",
    "Placement",
    "RecordEntry",
    "RecordKind",
    "RecordRow",
    "Refusal",
    "Sequenced",
    "StoredEntry",
    "Submission",
    "SubmissionState",
    "TileKey",
]

TileKey = tuple[int, int]
"""Level and position of a tile, numbered as in C2SP tlog-tiles."""

RecordKind = Literal["document", "keys", "policies"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One accepted envelope on its way into the log.

    Attributes:
        record_id: The record it belongs to.
        record_key: 32 random bytes; the record id is made from it.
        kind: ``document``, or the one key or policy record.
        envelope: Canonical envelope bytes, stored as they are.
        envelope_hash: ``H(envelope bytes)``; one entry per hash.
        salt: 32 random bytes (FORMATS section 5).
        digest: SHA-256 of the subject.
        nonces: Pairs of key id (32 bytes) and nonce (16 bytes) that this
            envelope uses up; none where this ledger's registrar drew the nonce.
        is_plain: True for what this ledger's registrar wrote: the first entry
            of a record made for it, which no actor signed and no policy
            judges. It cannot be in the log already.
        numbering: The document number that is given with it, in the same
            transaction; only with a ``number`` event that commits to it.
    """

    record_id: str
    record_key: bytes
    kind: RecordKind = "document"
    envelope: bytes
    envelope_hash: bytes
    salt: bytes
    digest: bytes
    nonces: tuple[tuple[bytes, bytes], ...] = ()
    is_plain: bool = False
    numbering: Numbering | None = None

    def __post_init__(self) -> None:
        _check_size(self.record_key, 32, "record key")
        _check_size(self.envelope_hash, 32, "envelope hash")
        _check_size(self.salt, 32, "salt")
        _check_size(self.digest, 32, "digest")
        for keyid, nonce in self.nonces:
            _check_size(keyid, 32, "key id")
            _check_size(nonce, 16, "nonce")
        _check_bound(len(self.envelope), ENVELOPE_SIZE_MAX, "envelope bytes")


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
        positions: One per submission, in order: where it stands in the order
            of arrival; the original one where the same envelope had been
            accepted before.
        replayed: True if an idempotency key answered and nothing was written.
        states: What became of each, where intake and index are one
            transaction; None where a sequencer of its own will tell.
    """

    positions: tuple[int, ...]
    replayed: bool = False
    states: tuple[SubmissionState, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A submission waiting for its index, with what the sequencer needs."""

    position: int
    record_id: str
    record_key: bytes
    kind: RecordKind
    envelope: bytes
    salt: bytes
    digest: bytes
    is_plain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The place that a submission got: made by the sequencer, and by nobody else."""

    position: int
    record_id: str
    digest: bytes
    index: int
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """One entry as the evidence store has it: its place, and what it commits to.

    Attributes:
        index: Leaf index in the log.
        position: Position of its submission.
        sequence: Position in its record.
    """

    index: int
    position: int
    sequence: int
    record_key: bytes
    kind: RecordKind
    envelope: bytes
    salt: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedEntry:
    """What is left of an entry whose record was destroyed: what everybody has.

    Attributes:
        index: Leaf index in the log.
        entry: The 65 bytes that the log commits to (FORMATS section 5).
    """

    index: int
    entry: bytes

    def __post_init__(self) -> None:
        _check_size(self.entry, ENTRY_SIZE, "entry")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEntry:
    """One entry of a record's history, with what opens its commitment."""

    record_id: str
    index: int
    sequence: int
    position: int
    salt: bytes
    envelope: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRow:
    """A record: its id, its key and what it is."""

    record_id: str
    record_key: bytes
    kind: RecordKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A submission that the sequencer refused, for good."""

    position: int
    record_id: str
    code: str
    message: str


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
        position: The submission asked about.
        record_id: Its record.
        state: ``pending``, ``sequenced`` or ``refused``.
        index: Leaf index once sequenced.
        sequence: Position in the record once sequenced.
        code: Stable error code once refused.
        message: One sentence for people once refused.
    """

    position: int
    record_id: str
    state: Literal["pending", "sequenced", "refused"]
    index: int | None = None
    sequence: int | None = None
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequenced:
    """All that one batch of the sequencer changes, in one transaction."""

    first_index: int
    placements: tuple[Placement, ...]
    refusals: tuple[Refusal, ...]

    @property
    def positions(self) -> tuple[int, ...]:
        """Submissions that leave the queue with this batch."""
        return (
            *(each.position for each in self.placements),
            *(each.position for each in self.refusals),
        )

    def states(self) -> tuple[SubmissionState, ...]:
        """Return what became of each submission, once this is durable."""
        placed = (
            SubmissionState(
                position=each.position,
                record_id=each.record_id,
                state="sequenced",
                index=each.index,
                sequence=each.sequence,
            )
            for each in self.placements
        )
        refused = (
            SubmissionState(
                position=each.position,
                record_id=each.record_id,
                state="refused",
                code=each.code,
                message=each.message,
            )
            for each in self.refusals
        )
        return (*placed, *refused)


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
