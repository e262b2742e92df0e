"""The life of one record: its versions, its current digest and its status.

Pure logic over the entries of a record that are at hand, whether all of
them or a part (FORMATS sections 3, 10 and 12). The ledger uses it to admit
a statement and to close a bundle; the verifier to recompute both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from vermilion_ledger.errors import VerificationError
from vermilion_ledger.events import VERSION_EVENTS
from vermilion_ledger.logged import LoggedEnvelope

__all__ = [
    "RecordHistory",
    "Status",
    "make_history",
]

_CURRENT_EVENTS = VERSION_EVENTS - {"convert"}


class Status(StrEnum):
    """How a document version stands; later members are more severe."""

    CURRENT = "current"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"


_SEVERITY = {status: rank for rank, status in enumerate(Status)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordHistory:
    """The entries of a record that are at hand, in log order.

    Attributes:
        entries: Sorted by sequence, which rises with the index.
    """

    entries: tuple[LoggedEnvelope, ...]

    def versions(self) -> frozenset[bytes]:
        """Return every digest that an entry at hand recorded."""
        return frozenset(
            entry.statement.subject.sha256
            for entry in self.entries
            if entry.statement.event in VERSION_EVENTS
        )

    def first_recorded(self, digest: bytes) -> LoggedEnvelope | None:
        """Return the first entry that recorded a digest, or None."""
        for entry in self.entries:
            statement = entry.statement
            if statement.event in VERSION_EVENTS and statement.subject.sha256 == digest:
                return entry
        return None

    def current_digest(self) -> bytes:
        """Return the digest of the last ``register``, ``version`` or ``correct``.

        Raises:
            VerificationError: No entry at hand recorded one.
        """
        for entry in reversed(self.entries):
            if entry.statement.event in _CURRENT_EVENTS:
                return entry.statement.subject.sha256
        raise VerificationError("record.no-version", "no entry recorded a document version")

    def named_status(self, digest: bytes) -> Status:
        """Return what ``revoke`` and ``supersede`` events say of a digest."""
        return _named_status(e for e in self.entries if e.statement.subject.sha256 == digest)

    def closing_status(self) -> Status:
        """Return the status of the current version (FORMATS section 10)."""
        return self.named_status(self.current_digest())

    def status_of(self, digest: bytes, *, current: bytes, current_status: Status) -> Status:
        """Return the status of a recorded version (FORMATS sections 3 and 12).

        A version other than the current one is superseded, unless revoked. A
        digest that was only converted stands as its own events say and never
        better than what it was converted from.

        Args:
            digest: A recorded digest.
            current: Digest of the current version, from the closing.
            current_status: Status of the current version, from the closing.
        """
        about: dict[bytes, list[LoggedEnvelope]] = {}
        for entry in self.entries:
            about.setdefault(entry.statement.subject.sha256, []).append(entry)
        reached, waiting = {digest}, [digest]
        statuses: list[Status] = []
        grounded = False
        while waiting:  # a walk, not a recursion: whoever writes a record decides its depth
            version = waiting.pop()
            if version == current:
                statuses.append(current_status)
                grounded = True
                continue
            entries = about.get(version, [])
            statuses.append(_named_status(entries))
            sources = _converted_from(entries)
            if not sources:
                statuses.append(Status.SUPERSEDED)
                grounded = True
            waiting.extend(sources - reached)
            reached |= sources
        if not grounded:  # conversions in a ring, whose first version was left out
            statuses.append(Status.SUPERSEDED)
        return max(statuses, key=_SEVERITY.__getitem__)


def make_history(entries: Sequence[LoggedEnvelope]) -> RecordHistory:
    """Return the history of entries given in any order."""
    return RecordHistory(entries=tuple(sorted(entries, key=lambda entry: entry.sequence)))


def _named_status(entries: Iterable[LoggedEnvelope]) -> Status:
    """Return what the events about one digest say of it."""
    words = {entry.statement.event for entry in entries}
    if "revoke" in words:
        return Status.REVOKED
    return Status.SUPERSEDED if "supersede" in words else Status.CURRENT


def _converted_from(entries: Iterable[LoggedEnvelope]) -> frozenset[bytes]:
    """Return the digests that one digest was converted from, if only converted."""
    recording = [entry.statement for entry in entries if entry.statement.event in VERSION_EVENTS]
    if any(statement.event != "convert" for statement in recording):
        return frozenset()
    return frozenset(bytes.fromhex(statement.detail["from"]) for statement in recording)
