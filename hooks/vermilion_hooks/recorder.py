"""Recording an archive: walk, hash, remember, send, remember the answer.

Owns the order of those steps, from which follows what the hook promises: a
document acknowledged once is not recorded again while it stays the same; a
run that dies anywhere is continued by the same command; one bad file does not
keep the others out. Bytes of documents never leave this machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol

from vermilion_hooks.entries import Answer, Chunk, Entry, Known, Refused
from vermilion_hooks.hashing import Hashed, hash_files
from vermilion_hooks.journal import Journal
from vermilion_hooks.outcomes import AlreadyRecorded, Outcome, Recorded
from vermilion_hooks.registration import Terms, encode_chunk, make_item
from vermilion_hooks.walk import Failed, Found, Skipped, walk
from vermilion_ledger.digest import FileIdentity, Progress
from vermilion_ledger.encoding import JsonObject
from vermilion_ledger.errors import ConflictError, InputError, NotFoundError, VerificationError
from vermilion_ledger.grades import check_name

__all__ = ["Ledger", "Options", "Recorder"]

_CHUNK_COUNT_MAX = 1000  # files in one request
_CHUNK_SIZE_MAX = 1024**3  # bytes hashed; what Ctrl-C can make us hash again
_REFRESH_COUNT_MAX = 1000
_REFUSALS = (InputError, ConflictError, NotFoundError, VerificationError)


class Ledger(Protocol):
    """The ledger, as the recorder needs it."""

    def check_alive(self) -> None:
        """Return if requests can be sent.

        Raises:
            UnavailableError: Nobody answers.
        """

    def has_record(self, record: str) -> bool:
        """Tell whether the ledger knows a record.

        Raises:
            UnavailableError: Nobody answers.
        """
        ...

    def record_bulk(self, chunk: Chunk) -> tuple[Answer, ...]:
        """Register a chunk; return once every index is durable, in the chunk's order.

        Sending the same chunk again gives the same records.

        Raises:
            InputError: The ledger has refused the chunk: nothing is recorded.
            ConflictError: The same.
            NotFoundError: The same.
            VerificationError: The same.
            EvidenceError: Any other: whether it is recorded is not known.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the caller may choose.

    Attributes:
        follow: Follow symbolic links.
        sm3: Record SM3 beside SHA-256.
        rehash: Read every file, even where the file system says it is the same.
        workers: Large files hashed at once.
        terms: What every registration says beside name and digest.
    """

    follow: bool = False
    sm3: bool = False
    rehash: bool = False
    workers: int = 2
    terms: Terms = field(default_factory=Terms)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A file hashed and about to be sent, with its place in the request."""

    entry: Entry
    item: JsonObject


class Recorder:
    """One run over some roots; owned by one thread, as the journal is."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        journal: Journal,
        progress: Progress,
        clock_ns: Callable[[], int],
        options: Options,
    ) -> None:
        """Join the parts; nothing is read or sent yet.

        Args:
            ledger: Where registrations go.
            journal: Open, and this run's alone.
            progress: Told the bytes done, from several threads.
            clock_ns: Nanoseconds since 1970.
            options: What the caller chose.
        """
        self._ledger = ledger
        self._journal = journal
        self._progress = progress
        self._options = options
        # The moment before any file was looked at: what was last written well before it
        # cannot have been written again without a new time.
        self._started_ns = clock_ns()
        self._refreshed: list[tuple[Known, FileIdentity]] = []

    def run(self, roots: Sequence[str]) -> Iterator[Outcome]:
        """Record everything under the roots; yield each file's outcome.

        Outcomes of files recorded come in chunks, once acknowledged. The run
        goes on after a file that failed, and ends with an error where the
        ledger or the journal fails; running again continues.

        Args:
            roots: From `vermilion_hooks.walk.find_roots`.

        Raises:
            ConflictError: ``journal.other-ledger``.
            UnavailableError: The ledger or the journal is out of reach.
            EvidenceError: The ledger has refused what every registration says.
        """
        self._check_ledger()
        for chunk in self._journal.open_chunks():
            yield from self._send(chunk, resumed=True)
        files = self._walk(roots)
        options = self._options
        hashed: Generator[Hashed | Skipped | Failed | AlreadyRecorded] = hash_files(
            self._without_known(files),
            workers=options.workers,
            progress=self._progress,
            sm3=options.sm3,
            follow=options.follow,
        )
        with closing(hashed):
            yield from self._send_all(hashed)

    def _check_ledger(self) -> None:
        newest = self._journal.newest()
        if newest is None:
            self._ledger.check_alive()
        elif not self._ledger.has_record(newest.record):
            raise ConflictError(
                "journal.other-ledger",
                f"the ledger does not know {newest.record}, which journal {self._journal.path} "
                "has as acknowledged",
            )

    def _walk(self, roots: Sequence[str]) -> Iterator[Found | Skipped | Failed]:
        own = {str(self._journal.path) + suffix for suffix in ("", "-journal", "-wal", "-shm")}
        for item in walk(roots, follow=self._options.follow):
            if item.path in own:
                yield Skipped(path=item.path, code="walk.own-journal")
            elif isinstance(item, Found) and (refused := _refuse(item.path)) is not None:
                yield refused  # before it is opened: of a state secret there is not even a digest
            else:
                yield item

    def _without_known(
        self, items: Iterable[Found | Skipped | Failed]
    ) -> Iterator[Found | Skipped | Failed | AlreadyRecorded]:
        """Take out the files whose recorded content the file system vouches for."""
        for item in items:
            known = self._journal.find(item.path) if isinstance(item, Found) else None
            if (
                known is not None
                and known.settled
                and not self._options.rehash
                and isinstance(item, Found)
                and known.identity == item.identity
            ):
                self._progress(item.identity.size)
                yield _already(item.path, known)
            else:
                yield item

    def _send_all(
        self, items: Iterable[Hashed | Skipped | Failed | AlreadyRecorded]
    ) -> Iterator[Outcome]:
        waiting: list[_Ready] = []
        size = 0
        for item in items:
            outcome = self._prepare(item) if isinstance(item, Hashed) else item
            if not isinstance(outcome, _Ready):
                yield outcome
                continue
            waiting.append(outcome)
            size += outcome.entry.identity.size
            if len(waiting) >= _CHUNK_COUNT_MAX or size >= _CHUNK_SIZE_MAX:
                yield from self._send(self._keep(waiting))
                waiting, size = [], 0
        if waiting:
            yield from self._send(self._keep(waiting))
        self._keep_refreshed()

    def _prepare(self, hashed: Hashed) -> _Ready | AlreadyRecorded | Failed:
        digest = hashed.digest
        identity = digest.identity
        assert identity is not None  # noqa: S101 - files have one, streams do not
        known = self._journal.find(hashed.path)
        if known is not None and known.sha256 == digest.sha256:
            self._refreshed.append((known, identity))
            if len(self._refreshed) >= _REFRESH_COUNT_MAX:
                self._keep_refreshed()
            return _already(hashed.path, known)
        try:
            item = make_item(hashed.path, digest, self._options.terms)
        except InputError as exc:
            return Failed(path=hashed.path, error=exc)
        entry = Entry(
            path=hashed.path,
            identity=identity,
            sha256=digest.sha256,
            hashed_ns=self._started_ns,
            changed=known is not None,
        )
        return _Ready(entry, item)

    def _keep(self, waiting: Sequence[_Ready]) -> Chunk:
        """Make a chunk that survives this process: only then may it be sent."""
        body = encode_chunk([ready.item for ready in waiting])
        return self._journal.add_chunk(body, [ready.entry for ready in waiting])

    def _keep_refreshed(self) -> None:
        """Note in bulk what was read again; losing the note costs reading once more."""
        self._journal.refresh(self._refreshed, self._started_ns)
        self._refreshed.clear()

    def _send(self, chunk: Chunk, *, resumed: bool = False) -> Iterator[Outcome]:
        try:
            answers = self._ledger.record_bulk(chunk)
        except _REFUSALS:
            # Nothing of it is recorded, and the same bytes would be refused for ever.
            self._journal.drop_chunk(chunk)
            if resumed:
                return  # made with an earlier run's terms; this run meets its files again
            raise
        self._journal.acknowledge(chunk, answers)
        for entry, answer in zip(chunk.entries, answers, strict=True):
            if isinstance(answer, Refused):
                yield Failed(path=entry.path, error=InputError(answer.code, answer.message))
                continue
            yield Recorded(
                path=entry.path,
                sha256=entry.sha256,
                acknowledged=answer,
                changed=entry.changed,
                resumed=resumed,
            )


def _refuse(path: str) -> Failed | None:
    """Refuse a file whose name is marked as a state secret."""
    try:
        check_name(os.path.basename(path))  # noqa: PTH119 - undecodable bytes must stay as they are
    except InputError as exc:
        return Failed(path=path, error=exc)
    return None


def _already(path: str, known: Known) -> AlreadyRecorded:
    return AlreadyRecorded(path=path, sha256=known.sha256, acknowledged=known.acknowledged)
