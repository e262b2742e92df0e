"""The life of one record: its versions, its current digest and its status.

Pure logic over the entries of a record that are at hand, whether all of
them or a part (FORMATS sections 3, 10 and 12). The ledger uses it to admit
a statement and to close a bundle; the verifier to recompute both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from vermilion_ledger.errors import VerificationError
from vermilion_ledger.events import VERSION_EVENTS
from vermilion_ledger.logged import LoggedEnvelope

__all__ = ["RecordHistory", "Status"]

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
        words = {
            entry.statement.event
            for entry in self.entries
            if entry.statement.subject.sha256 == digest
        }
        if "revoke" in words:
            return Status.REVOKED
        return Status.SUPERSEDED if "supersede" in words else Status.CURRENT

    def closing_status(self) -> Status:
        """Return the status of the current version (FORMATS section 10)."""
        return self.named_status(self.current_digest())

    def converted_from(self, digest: bytes) -> tuple[bytes, ...]:
        """Return the digests that a version was converted from, if only converted."""
        sources = []
        for entry in self.entries:
            statement = entry.statement
            if statement.event in VERSION_EVENTS and statement.subject.sha256 == digest:
                if statement.event != "convert":
                    return ()
                sources.append(bytes.fromhex(statement.detail["from"]))
        return tuple(sources)

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
        return self._status_of(digest, current, current_status, seen=frozenset())

    def _status_of(
        self, digest: bytes, current: bytes, current_status: Status, *, seen: frozenset[bytes]
    ) -> Status:
        if digest == current:
            return current_status
        named = self.named_status(digest)
        sources = self.converted_from(digest)
        if not sources:
            return max(named, Status.SUPERSEDED, key=_SEVERITY.__getitem__)
        inherited = [
            self._status_of(source, current, current_status, seen=seen | {digest})
            for source in sources
            if source not in seen and source != digest
        ]
        return max([named, *inherited], key=_SEVERITY.__getitem__)


def make_history(entries: Sequence[LoggedEnvelope]) -> RecordHistory:
    """Return the history of entries given in any order."""
    return RecordHistory(entries=tuple(sorted(entries, key=lambda entry: entry.sequence)))
