"""Who knows the truth: what was acknowledged, what was signed, and what follows from it.

Looks into databases and disk directly, past every fault, and raises
`Violation` the moment that a promise is broken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from simulation.database import LogDatabase
from simulation.disk import Disk
from simulation.heads import HeadDatabase
from simulation.reference import Reference, read_note
from simulation.scheduler import Violation
from vermilion_ledger.errors import EvidenceError, IntegrityError, UnavailableError
from vermilion_ledger.rows import Accepted, CheckpointRow, Head, ObservedHead, Submission

__all__ = ["LOG_FOLDER", "Oracle", "Request", "shown_size"]

LOG_FOLDER = "/srv/log"


@dataclass(slots=True, kw_only=True, eq=False)
class Request:
    """What one client wants in the log, however often it has to ask.

    Attributes:
        name: Of the request; its idempotency key, if it has one.
        has_key: Whether it is sent with a key.
        wanted: What it submits; each time with other salts.
        sent: Everything that was submitted for it.
        positions: The first answer.
    """

    name: str
    has_key: bool
    wanted: tuple[Submission, ...]
    sent: list[tuple[Submission, ...]] = field(default_factory=list)
    positions: tuple[int, ...] | None = None

    @property
    def is_plain(self) -> bool:
        """Whether the registrar wrote any of it."""
        return any(each.is_plain for each in self.wanted)


class Oracle:
    """Follows one world."""

    def __init__(self, log: LogDatabase, reference: Reference) -> None:
        self.reference = reference
        self.requests: list[Request] = []
        self.signed: dict[int, bytes] = {}
        self.chain: list[ObservedHead] = []
        self.may_halt = False
        self.must_refuse = False
        self._log = log
        self._head_seen = (0, 0)
        self._seen = len(reference.leaves)
        self._first = self._seen
        self._counts: dict[str, int] = {}
        self._indices: dict[bytes, int] = {}
        self._placed: set[int] = set()
        self._acknowledged: dict[int, bytes] = {}  # envelopes by position
        self._originals: dict[bytes, int] = {}  # positions by envelope

    def watch(self, head: Head) -> None:
        """Check that the head goes forward, in size and in epoch."""
        seen = (head.epoch, head.size)
        if seen < self._head_seen or head.size < self._head_seen[1]:
            raise Violation(f"the head went back from {self._head_seen} to {seen}")
        self._head_seen = seen

    def follow(self) -> None:
        """Check the entries that are new since the last look."""
        entries = self._log.evidence.entries
        if len(entries) == self._seen:
            return
        if len(entries) < self._seen:
            raise Violation(f"{self._seen - len(entries)} entries are gone")
        new = entries[self._seen :]
        for index, entry in enumerate(new, self._seen):
            row = self._log.evidence.submissions[entry.position]
            sequence = self._counts.get(row.record_id)
            if sequence is None:  # the first that this run adds to a record of the beginning
                known = self._log.evidence.records[row.record_id]
                sequence = sum(at < self._first for at in known)
            if (entry.index, entry.sequence) != (index, sequence):
                raise Violation(
                    f"entry {index} has index {entry.index} and sequence {entry.sequence}, "
                    f"not {sequence}"
                )
            if entry.position in self._placed or row.envelope_hash in self._indices:
                raise Violation(f"entry {index} is in the log already")
            if row.envelope.startswith(b"refuse"):
                raise Violation(f"entry {index} was refused")
            self._counts[row.record_id] = sequence + 1
            self._placed.add(entry.position)
            self._indices[row.envelope_hash] = index
        self._seen = len(entries)
        self.reference.grow(new)

    def published(self, checkpoint: CheckpointRow, disk: Disk) -> None:
        """Check a checkpoint in the moment in which the head moves to it."""
        self.follow()
        size, root = checkpoint.size, checkpoint.root
        if self.must_refuse:
            raise Violation(f"size {size} is signed over a log that lost what was signed")
        if size > self._seen or self.reference.root(size) != root:
            raise Violation(f"the root signed for size {size} is not that of a replay")
        if read_note(checkpoint.note.encode()) != (size, root):
            raise Violation(f"the note of size {size} says something else")
        for known, other in self.signed.items():
            if known > size or self.reference.root(known) != other:
                raise Violation(f"size {size} does not extend size {known}: a fork")
        old_size = max(self.signed, default=0)
        for path, data in self.reference.files(old_size, size):
            if disk.surviving(f"{LOG_FOLDER}/{path}") != data:
                raise Violation(f"{path} was not durable when size {size} was signed")
        self.signed[size] = root

    def accepted(self, request: Request, sent: Sequence[Submission], accepted: Accepted) -> None:
        """Check an acknowledgement in the moment in which it is given."""
        evidence = self._log.evidence
        positions = accepted.positions
        if len(positions) != len(sent):
            raise Violation(f"{request.name}: {len(positions)} answers to {len(sent)} submissions")
        for at, position in enumerate(positions):
            row = evidence.submissions.get(position)
            if row is None:
                raise Violation(f"{request.name}: position {position} is not stored")
            if row.envelope != request.wanted[at].envelope:
                raise Violation(f"{request.name}: position {position} is another envelope")
            self._acknowledged[position] = row.envelope
            if (
                not sent[at].is_plain
                and self._originals.setdefault(row.envelope, position) != position
            ):
                raise Violation(f"{request.name}: the same envelope has two positions")
            if accepted.states is not None and evidence.state(position) != accepted.states[at]:
                state = accepted.states[at]
                if state.state != "pending":  # it may have been settled since
                    raise Violation(f"{request.name}: position {position} is not {state}")
        if request.positions is None:
            request.positions = positions
        elif request.positions != positions and (request.has_key or not request.is_plain):
            raise Violation(f"{request.name}: first {request.positions}, now {positions}")

    def failed(self, request: Request, sent: Sequence[Submission], error: EvidenceError) -> None:
        """Check that a batch that was refused is not there."""
        if isinstance(error, IntegrityError) and not self.may_halt:
            raise Violation(f"{request.name}: {error.code}: {error}")
        if isinstance(error, UnavailableError | IntegrityError):
            return
        salts = {each.salt for each in sent}
        if any(row.salt in salts for row in self._log.evidence.submissions.maps[0].values()):
            raise Violation(f"{request.name}: {error.code}, but it is stored")

    def halted(self, error: EvidenceError) -> None:
        """Take note that a process signs nothing any more."""
        if not self.may_halt:
            raise Violation(f"halted without need: {error.code}: {error}")

    def restored(self, heads: HeadDatabase, disk: Disk) -> None:
        """Take note of a restore: what must be noticed, what is lost for good."""
        evidence = self._log.evidence
        known = [heads.heads.head.size, *(seen.size for seen in self.chain), shown_size(disk)]
        self.may_halt = True
        self._head_seen = (0, 0)
        size = heads.heads.head.size
        gone = size and any(
            _file(disk, path) != data and _file(disk, path.split(".")[0]) is None
            for path, data in self.reference.files(max(0, size - 1), size)
        )
        self.must_refuse = len(evidence.entries) < max(known) or bool(gone)
        self._seen = len(evidence.entries)
        self.reference = Reference(self.reference, self._seen)
        rows = {
            evidence.submissions[e.position].envelope_hash for e in evidence.entries[self._first :]
        }
        self._indices = {key: at for key, at in self._indices.items() if key in rows}
        self._placed = {evidence.entries[at].position for at in range(self._first, self._seen)}
        self._counts, self._first = {}, self._seen
        # What came after the backup is lost for good, and the operator knows it.
        kept = evidence.submissions
        self._acknowledged = {at: each for at, each in self._acknowledged.items() if at in kept}
        self._originals = {each: at for each, at in self._originals.items() if at in kept}
        for request in self.requests:
            if request.positions and not all(each in kept for each in request.positions):
                request.positions = None

    def position_of(self, index: int) -> int:
        """Return the position of the submission that became an entry."""
        return self._log.evidence.entries[index].position

    def finish(self) -> None:
        """Check, when everything has come to rest, that nothing acknowledged is lost."""
        evidence = self._log.evidence
        self.follow()
        for position, envelope in self._acknowledged.items():
            row = evidence.submissions.get(position)
            if row is None or row.envelope != envelope:
                raise Violation(f"position {position} was acknowledged and is lost")
            if evidence.state(position).state == "pending":
                raise Violation(f"position {position} was acknowledged and never got an index")
        head = max(self.signed, default=0)
        if head < self._seen:
            raise Violation(f"{self._seen} entries, but signed are {head}")


def shown_size(disk: Disk) -> int:
    """Return the size of the checkpoint that the public folder shows; 0 if none."""
    note = _file(disk, "checkpoint")
    return read_note(note)[0] if note else 0


def _file(disk: Disk, path: str) -> bytes | None:
    try:
        return disk.read(f"{LOG_FOLDER}/{path}")
    except OSError:
        return None
