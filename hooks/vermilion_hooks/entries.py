"""What passes between the recorder, the journal and the ledger's client."""

from __future__ import annotations

from dataclasses import dataclass

from vermilion_ledger.digest import FileIdentity

__all__ = ["Acknowledged", "Answer", "Chunk", "Entry", "Known", "Refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file about to be sent.

    Attributes:
        path: Absolute.
        identity: As it stood while it was hashed.
        sha256: 32 bytes.
        hashed_ns: A moment before it was hashed, nanoseconds since 1970.
        changed: An earlier content of this path has been recorded already.
    """

    path: str
    identity: FileIdentity
    sha256: bytes
    hashed_ns: int
    changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """What the ledger answered for one document: its record, and its leaf index."""

    record: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """What the ledger answered for one document of a chunk that it took otherwise."""

    code: str
    message: str


Answer = Acknowledged | Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The last acknowledged content of a path.

    Attributes:
        number: Row in the journal.
        settled: The identity alone proves that the content is the same.
    """

    number: int
    identity: FileIdentity
    sha256: bytes
    settled: bool
    acknowledged: Acknowledged


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Registrations sent in one request; its bytes and its key never change."""

    number: int
    key: str
    body: bytes
    entries: tuple[Entry, ...]
