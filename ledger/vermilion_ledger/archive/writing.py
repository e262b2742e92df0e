"""Writing an export: from the rows, so that no damaged file of the log gets into it.

The tree is grown anew from the stored envelopes and must lead to the signed
root. Everything is written beside the target and gets its name last: the
folder is there whole or not at all.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from vermilion_ledger.archive.layout import (
    CHUNK,
    HEADER,
    LOG,
    NUMBERS,
    QUEUED,
    REFUSED,
    REGISTRY,
    SUMS,
    TABLES,
    TRUST,
    Header,
    encode_erased,
    encode_row,
    encode_submission,
    entries_file,
    table_file,
)
from vermilion_ledger.cells import AuditStore, AuditView, CheckpointCells, EntryCells
from vermilion_ledger.errors import ConflictError, IntegrityError, UnavailableError
from vermilion_ledger.fsck.judging import derive
from vermilion_ledger.merkle import EMPTY_ROOT, hash_leaf
from vermilion_ledger.store.kinds import decode_kind
from vermilion_ledger.tiles import HASH_SIZE, TILE_WIDTH, TileBuilder, encode_entry_bundle
from vermilion_ledger.tilestore.paths import CHECKPOINT, entries_path, tile_path

__all__ = ["PublicFiles", "export_log"]

_PAGE = 1000  # rows


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicFiles:
    """What goes into every export beside the log.

    Attributes:
        trust: The trust policy.
        registry: The registry file: the two public records.
    """

    trust: bytes
    registry: bytes


def export_log(
    store: AuditStore,
    folder: Path,
    *,
    origin: str,
    public: PublicFiles,
    with_salts: bool,
    on_progress: Callable[[int, int], None] = lambda _done, _count: None,
) -> Header:
    """Write a ledger into a new folder; durable on return.

    Args:
        store: The databases.
        folder: Where to; it must not be there, or be empty.
        origin: Origin of the log.
        public: Trust policy and registry file.
        with_salts: Write the envelopes, with what opens their commitments.
            Without, nothing leaves that says anything about a document.
        on_progress: Called with the entries written and how many there are.

    Raises:
        ConflictError: ``export.exists``: the folder has something in it.
        IntegrityError: ``log.gap``, ``log.root-mismatch``: the rows do not
            lead to what was signed; run fsck.
        UnavailableError: ``export.unwritable``.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConflictError("export.exists", f"{folder} has something in it")
    fresh = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.new")
    try:
        fresh.mkdir(mode=0o700, parents=True)
        try:
            with closing(_Writer(fresh)) as writer:
                header = _write(
                    store, writer, origin=origin, public=public, with_salts=with_salts,
                    on_progress=on_progress,
                )  # fmt: skip
            fresh.replace(folder)
            _sync(folder.parent)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except OSError as exc:
        raise UnavailableError("export.unwritable", f"{folder}: {exc.strerror}") from exc
    return header


def _write(
    store: AuditStore,
    writer: _Writer,
    *,
    origin: str,
    public: PublicFiles,
    with_salts: bool,
    on_progress: Callable[[int, int], None],
) -> Header:
    checkpoint = _newest(store)
    size = checkpoint.size if checkpoint else 0
    writer.write(TRUST, public.trust)
    writer.write(REGISTRY, public.registry)
    entries = _Entries(writer, size=size, with_salts=with_salts)
    while entries.count < size:
        with store.view() as view:
            entries.add(view.load_entries(entries.count, min(entries.count + CHUNK, size)))
        on_progress(entries.count, size)
    root = entries.finish()
    if root != (checkpoint.root if checkpoint else EMPTY_ROOT):
        raise IntegrityError("log.root-mismatch", f"the rows of size {size} lead to {root.hex()}")
    if checkpoint is not None:
        writer.write(LOG + CHECKPOINT, checkpoint.note)
    with store.view() as view:
        while with_salts and (page := view.load_entries(entries.count, entries.count + CHUNK)):
            entries.add(page)
        if with_salts:
            _write_waiting(view, writer)
        for table in TABLES[with_salts]:
            _write_table(store, view, writer, table, size)
        # Read to its end: a cursor that is left half-way would outlive its transaction.
        has_numbers = with_salts and sum(1 for _ in view.scan(NUMBERS)) > 0
        if has_numbers:
            _write_table(store, view, writer, NUMBERS, size)
    return writer.finish(
        origin=origin,
        size=size,
        root=root,
        entries=entries.count if with_salts else size,
        with_salts=with_salts,
        version=2 if has_numbers else 1,
    )


def _newest(store: AuditStore) -> CheckpointCells | None:
    """Return the newest checkpoint, which must be the head."""
    head, newest = store.load_head()
    found = newest[0] if newest else None
    size, root = (found.size, found.root) if found else (0, EMPTY_ROOT)
    if head is None or (head.size, head.root) != (size, root):
        raise IntegrityError("log.behind-head", "the head is not the newest checkpoint")
    return found


class _Entries:
    """Writes entries, and the tree over those that are published."""

    def __init__(self, writer: _Writer, *, size: int, with_salts: bool) -> None:
        self._writer = writer
        self._size = size
        self._with_salts = with_salts
        self._builder = TileBuilder()
        self._open: list[bytes] = []  # entries of the bundle at the right edge
        self._file: _File | None = None
        self.count = 0

    def add(self, rows: Sequence[EntryCells]) -> None:
        """Write rows that follow the ones before."""
        if not rows:
            raise IntegrityError("log.gap", f"entry {self.count} is missing")
        for cells in rows:
            entry = derive(cells)
            if cells.leaf_index != self.count or not entry:
                raise IntegrityError("log.gap", f"entry {self.count} is missing")
            if self.count < self._size:
                self._open.append(entry)
                if len(self._open) == TILE_WIDTH:
                    self._write_bundle()
            if self._with_salts:
                self._write_line(cells)
            self.count += 1

    def finish(self) -> bytes:
        """Write the partial files of the right edge; return the root."""
        if self._open:
            self._write_bundle()
        for key, hashes in self._builder.edge():
            self._writer.write(LOG + tile_path(*key, len(hashes) // HASH_SIZE), hashes)
        return self._builder.root()

    def _write_bundle(self) -> None:
        position = self._builder.size // TILE_WIDTH
        path = entries_path(position, len(self._open))
        self._writer.write(LOG + path, encode_entry_bundle(self._open))
        for key, hashes in self._builder.extend([hash_leaf(entry) for entry in self._open]):
            self._writer.write(LOG + tile_path(*key), hashes)
        self._open = []

    def _write_line(self, cells: EntryCells) -> None:
        chunk, at = divmod(cells.leaf_index, CHUNK)
        if at == 0 or self._file is None:
            self._file = self._writer.open(entries_file(chunk))
        if cells.erased is not None:
            self._file.add(encode_erased(cells.leaf_index, cells.erased))
            return
        self._file.add(
            encode_submission(
                {
                    **_content(cells.record_key, cells.kind, cells.salt),
                    "index": cells.leaf_index,
                    "position": cells.position,
                    "sequence": cells.sequence,
                },
                cells.envelope or b"",
            )
        )


def _content(record_key: bytes | None, kind: int | None, salt: bytes | None) -> dict[str, Any]:
    if record_key is None or salt is None or kind is None:
        raise IntegrityError("log.gap", "a submission is missing")
    return {"recordKey": record_key.hex(), "kind": decode_kind(kind), "salt": salt.hex()}


def _write_waiting(view: AuditView, writer: _Writer) -> None:
    """Write what was refused and what is queued."""
    after, file = 0, writer.open(REFUSED)
    while refused := view.next_refused(after, _PAGE):
        after = refused[-1].position
        for each in refused:
            members = {
                **_content(each.record_key, each.kind, each.salt),
                "position": each.position,
                "code": each.code.decode(errors="replace"),
                "message": each.message.decode(errors="replace"),
            }
            file.add(encode_submission(members, each.envelope or b""))
    after, file = 0, writer.open(QUEUED)
    while queued := view.next_queued(after, _PAGE):
        after = queued[-1].position
        for cells in queued:
            members = {
                **_content(cells.record_key, cells.kind, cells.salt),
                "position": cells.position,
            }
            file.add(encode_submission(members, cells.envelope or b""))


def _write_table(
    store: AuditStore, view: AuditView, writer: _Writer, table: str, size: int
) -> None:
    """Write a table as it stands; of checkpoints, those up to the size."""
    file = writer.open(table_file(table))
    if table != "checkpoints":
        for row in view.scan(table):
            texts = {
                name: value
                for name, value in row.items()
                if name in view.texts(table) and value is not None
            }
            file.add(encode_row(row, texts))
        return
    after: int | None = None
    while page := store.next_checkpoints(after, _PAGE):
        after = page[-1].size
        for cells in page:
            if cells.size <= size:
                file.add(encode_row(cells._asdict(), {"note": cells.note}))


class _File:
    """One file under way: its lines go through the hash as well."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def add(self, data: bytes) -> None:
        """Write at the end."""
        self._file.write(data)
        self._hash.update(data)

    def close(self) -> bytes:
        """Make the file durable; return its hash."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return self._hash.digest()


class _Writer:
    """Writes files and remembers their hashes. One file is open at a time besides the tree's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sums: dict[str, bytes] = {}
        self._current: tuple[str, _File] | None = None
        self._folders: set[Path] = {folder}

    def open(self, path: str) -> _File:
        """Begin a file of lines; the one before is finished."""
        self.close()
        self._current = path, _File(self._create(path))
        return self._current[1]

    def write(self, path: str, data: bytes) -> None:
        """Write a whole file."""
        file = _File(self._create(path))
        file.add(data)
        self._sums[path] = file.close()

    def finish(
        self, *, origin: str, size: int, root: bytes, entries: int, with_salts: bool, version: int
    ) -> Header:
        """Write the sums and the header; everything is durable on return."""
        self.close()
        sums = b"".join(
            f"{self._sums[path].hex()}  {path}\n".encode() for path in sorted(self._sums)
        )
        self.write(SUMS, sums)
        header = Header(
            origin=origin, size=size, root=root, entries=entries, with_salts=with_salts,
            sums=hashlib.sha256(sums).digest(), version=version,
        )  # fmt: skip
        self.write(HEADER, header.encode())
        for folder in self._folders:
            _sync(folder)
        return header

    def close(self) -> None:
        """Finish the file of lines that is open."""
        if self._current is not None:
            path, file = self._current
            self._sums[path] = file.close()
            self._current = None

    def _create(self, path: str) -> IO[bytes]:
        target = self._folder / path
        if target.parent not in self._folders:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._folders.update(each for each in target.parents if self._folder in each.parents)
        return target.open("xb")


def _sync(folder: Path) -> None:
    """Make the names in a folder survive a crash."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
