"""The resume journal: what was sent, and what the ledger has acknowledged.

Owns one SQLite file beside the archive run, written by one run at a time and
flushed to disk (`synchronous=EXTRA`) before each answer is believed. The rule
that keeps a document from being recorded twice: a chunk's exact bytes and its
idempotency key are durable *before* they are sent, and are sent again
unchanged until the ledger has answered.

Trust: losing the journal loses no evidence, but the next run records its
files again. It holds paths and digests, so only its owner may read it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from vermilion_hooks.entries import Acknowledged, Answer, Chunk, Entry, Known
from vermilion_ledger.digest import FileIdentity, show_path
from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    InputError,
    IntegrityError,
    UnavailableError,
)

__all__ = ["Journal", "default_journal"]

_APPLICATION_ID = 0x56726D6C  # "Vrml"; SQLite keeps it in the header
_VERSION = 1
# A file may be written again within the same tick of its clock (2 s on FAT)
# without a trace: what was hashed so soon after its last write is hashed again.
_SETTLING_NS = 2_000_000_000
_SCHEMA = """
CREATE TABLE run (id BLOB NOT NULL, url TEXT NOT NULL);
CREATE TABLE chunks (number INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL);
CREATE TABLE sent (
    chunk INTEGER NOT NULL REFERENCES chunks(number), position INTEGER NOT NULL,
    path BLOB NOT NULL, device TEXT NOT NULL, inode TEXT NOT NULL, size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL, sha256 BLOB NOT NULL, hashed_ns INTEGER NOT NULL,
    changed INTEGER NOT NULL, PRIMARY KEY (chunk, position)) WITHOUT ROWID;
CREATE TABLE recorded (
    number INTEGER PRIMARY KEY, path BLOB NOT NULL, device TEXT NOT NULL, inode TEXT NOT NULL,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, sha256 BLOB NOT NULL,
    hashed_ns INTEGER NOT NULL, record TEXT NOT NULL UNIQUE, leaf_index INTEGER NOT NULL);
CREATE INDEX recorded_path ON recorded(path, number);
"""


class Journal:
    """The journal of one archive against one ledger; close it, or use ``with``.

    Every method that writes returns only after the disk has it.
    """

    def __init__(self, path: Path, *, url: str) -> None:
        """Open the journal, or start one.

        Args:
            path: The file; its folder must exist.
            url: Address of the ledger that it belongs to.

        Raises:
            ConflictError: ``journal.in-use``, ``journal.other-url``.
            InputError: ``journal.foreign``: the file is something else.
            IntegrityError: ``journal.damaged``.
            UnavailableError: ``journal.disk-full``, ``journal.unwritable``.
        """
        self.path = path.parent.resolve() / path.name
        with _translated(path):
            _create_private(self.path)
            self._db = sqlite3.connect(self.path, timeout=0, isolation_level=None)
        try:
            with _translated(path):
                self._id = self._open(url)
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let another run have the journal."""
        self._db.close()

    def find(self, path: str) -> Known | None:
        """Return the last acknowledged content of a path."""
        with _translated(self.path):
            row = self._db.execute(
                "SELECT number, device, inode, size, mtime_ns, sha256, hashed_ns, record,"
                " leaf_index FROM recorded WHERE path = ? ORDER BY number DESC LIMIT 1",
                (os.fsencode(path),),
            ).fetchone()
        if row is None:
            return None
        identity = _read_identity(row[1:5])
        return Known(
            number=row[0],
            identity=identity,
            sha256=row[5],
            settled=identity.mtime_ns + _SETTLING_NS < row[6],
            acknowledged=Acknowledged(record=row[7], index=row[8]),
        )

    def newest(self) -> Acknowledged | None:
        """Return the last thing that the ledger acknowledged."""
        with _translated(self.path):
            row = self._db.execute(
                "SELECT record, leaf_index FROM recorded ORDER BY number DESC LIMIT 1"
            ).fetchone()
        return None if row is None else Acknowledged(record=row[0], index=row[1])

    def refresh(self, read: Sequence[tuple[Known, FileIdentity]], hashed_ns: int) -> None:
        """Note that paths were read again and still have their recorded content."""
        with self._transaction():
            self._db.executemany(
                "UPDATE recorded SET device = ?, inode = ?, size = ?, mtime_ns = ?, hashed_ns = ?"
                " WHERE number = ?",
                [(*_write_identity(seen), hashed_ns, known.number) for known, seen in read],
            )

    def add_chunk(self, body: bytes, entries: Sequence[Entry]) -> Chunk:
        """Store a chunk so that it can be sent, and sent again after a crash."""
        with self._transaction():
            number = self._db.execute("INSERT INTO chunks (body) VALUES (?)", (body,)).lastrowid
            if number is None:
                raise IntegrityError("journal.damaged", f"{self.path} numbered no chunk")
            self._db.executemany(
                "INSERT INTO sent VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        number,
                        position,
                        os.fsencode(entry.path),
                        *_write_identity(entry.identity),
                        entry.sha256,
                        entry.hashed_ns,
                        entry.changed,
                    )
                    for position, entry in enumerate(entries)
                ],
            )
        return Chunk(number=number, key=self._key(number), body=body, entries=tuple(entries))

    def open_chunks(self) -> tuple[Chunk, ...]:
        """Return the chunks that have no answer yet, oldest first."""
        with _translated(self.path):
            chunks = self._db.execute("SELECT number, body FROM chunks ORDER BY number").fetchall()
            return tuple(
                Chunk(number=number, key=self._key(number), body=body, entries=self._sent(number))
                for number, body in chunks
            )

    def acknowledge(self, chunk: Chunk, answers: Sequence[Answer]) -> None:
        """Keep the ledger's answer to a chunk, and close the chunk.

        What was refused leaves no trace: the next run meets those files again.

        Raises:
            ConflictError: ``journal.other-ledger``: a record of the answer has
                been given to another file before.
        """
        rows = [
            (
                os.fsencode(entry.path),
                *_write_identity(entry.identity),
                entry.sha256,
                entry.hashed_ns,
                answer.record,
                answer.index,
            )
            for entry, answer in zip(chunk.entries, answers, strict=True)
            if isinstance(answer, Acknowledged)
        ]
        with self._transaction():
            self._db.executemany(
                "INSERT INTO recorded (path, device, inode, size, mtime_ns, sha256, hashed_ns,"
                " record, leaf_index) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            self._close(chunk)

    def drop_chunk(self, chunk: Chunk) -> None:
        """Close a chunk that the ledger has refused as a whole."""
        with self._transaction():
            self._close(chunk)

    def _close(self, chunk: Chunk) -> None:
        self._db.execute("DELETE FROM sent WHERE chunk = ?", (chunk.number,))
        self._db.execute("DELETE FROM chunks WHERE number = ?", (chunk.number,))

    def _key(self, number: int) -> str:
        """Return a chunk's idempotency key: the same in every run over this journal."""
        seed = b"vermilion/record-chunk/v1\x00" + self._id + number.to_bytes(8, "big")
        return hashlib.sha256(seed).hexdigest()

    def _sent(self, number: int) -> tuple[Entry, ...]:
        rows = self._db.execute(
            "SELECT path, device, inode, size, mtime_ns, sha256, hashed_ns, changed FROM sent"
            " WHERE chunk = ? ORDER BY position",
            (number,),
        )
        return tuple(
            Entry(
                path=os.fsdecode(row[0]),
                identity=_read_identity(row[1:5]),
                sha256=row[5],
                hashed_ns=row[6],
                changed=bool(row[7]),
            )
            for row in rows
        )

    def _open(self, url: str) -> bytes:
        """Take the file for this run and return the journal's own id."""
        # Held until the connection closes, also by a crash: no second run gets in.
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA synchronous = EXTRA")
        self._db.execute("BEGIN EXCLUSIVE")
        application, version = (
            self._db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version")
        )
        tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if not tables and not application:
            self._start(url)
        elif (application, version) != (_APPLICATION_ID, _VERSION):
            raise InputError("journal.foreign", f"{show_path(self.path)} is not a resume journal")
        self._db.execute("COMMIT")
        run: tuple[bytes, str] = self._db.execute("SELECT id, url FROM run").fetchone()
        if run[1] != url:
            raise ConflictError(
                "journal.other-url", f"{show_path(self.path)} belongs to {run[1]}, not to {url}"
            )
        return run[0]

    def _start(self, url: str) -> None:
        for statement in _SCHEMA.split(";"):
            self._db.execute(statement)
        self._db.execute("INSERT INTO run VALUES (?, ?)", (secrets.token_bytes(16), url))
        self._db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        self._db.execute(f"PRAGMA user_version = {_VERSION}")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Commit everything in the block together, or nothing of it."""
        with _translated(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


def default_journal(url: str, roots: Sequence[str], *, state_folder: Path) -> Path:
    """Return where the journal of these roots against this ledger lies."""
    name = hashlib.sha256(url.encode("utf-8", "surrogateescape"))
    for root in roots:
        name.update(b"\x00" + os.fsencode(root))
    return state_folder / f"record-{name.hexdigest()[:32]}.journal"


def _create_private(path: Path) -> None:
    """Create the file for its owner's eyes only, before SQLite would for everyone's."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600))
    except OSError as exc:
        raise UnavailableError(
            "journal.unwritable", f"journal {show_path(path)}: {exc.strerror}"
        ) from exc


def _write_identity(identity: FileIdentity) -> tuple[str, str, int, int]:
    # Device and inode may use all 64 bits, which SQLite's integers do not have.
    return (str(identity.device), str(identity.inode), identity.size, identity.mtime_ns)


def _read_identity(row: Sequence[str | int]) -> FileIdentity:
    device, inode, size, mtime_ns = map(int, row)
    return FileIdentity(device=device, inode=inode, size=size, mtime_ns=mtime_ns)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Let no error of SQLite's out."""
    try:
        yield
    except sqlite3.Error as exc:
        raise _explain(exc, path) from exc


def _explain(exc: sqlite3.Error, path: Path) -> EvidenceError:
    name, cause = show_path(path), str(exc)
    match getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF:
        case sqlite3.SQLITE_FULL:
            return UnavailableError("journal.disk-full", f"no room for journal {name}: {cause}")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return ConflictError("journal.in-use", f"another run holds journal {name}")
        case sqlite3.SQLITE_NOTADB:
            return InputError("journal.foreign", f"{name} is not a resume journal")
        case sqlite3.SQLITE_CONSTRAINT:
            return ConflictError(
                "journal.other-ledger", f"journal {name} already has a record of this answer"
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_ERROR:
            return IntegrityError("journal.damaged", f"journal {name} is damaged: {cause}")
        case _:
            return UnavailableError("journal.unwritable", f"journal {name}: {cause}")
