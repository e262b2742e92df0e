"""Reading an export: every file against its hash, then every row into empty stores.

What the rows imply (places, digests, known envelopes, nonces) is derived from
the envelopes, never read. That the result is the log that was signed is for
`vermilion_ledger.fsck` to say, which whoever restores runs over it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from vermilion_ledger.archive.layout import (
    HEADER,
    LOG,
    NUMBERS,
    QUEUED,
    REFUSED,
    SUMS,
    TABLES,
    Header,
    entries_file,
    is_erased,
    parse_erased,
    parse_header,
    parse_line,
    parse_row,
    parse_sums,
    table_file,
)
from vermilion_ledger.encoding import check_text, parse_count, parse_hex
from vermilion_ledger.errors import InputError, IntegrityError, NotFoundError
from vermilion_ledger.implied import imply
from vermilion_ledger.limits import STATEMENT_SIZE_MAX
from vermilion_ledger.ports import TileStore
from vermilion_ledger.restored import RestoredSubmission, Restorer
from vermilion_ledger.rows import ErasedEntry
from vermilion_ledger.tilestore.paths import CHECKPOINT

__all__ = ["check_export", "load_export"]

_HEADER_SIZE_MAX = 4096  # bytes
_LINE_SIZE_MAX = 64 * 1024 * 1024  # bytes
_PAGE = 2048  # rows in a transaction
_FILES = 256  # of the log, written at once


def check_export(folder: Path) -> tuple[Header, Mapping[str, bytes]]:
    """Compare every file of an export with its hash; return its header and the hashes.

    Raises:
        NotFoundError: ``export.missing``: there is no export in the folder.
        InputError: ``export.later-version``, ``export.malformed``.
        IntegrityError: ``export.differs``: a file is missing, is too many, or
            has another hash.
    """
    header = parse_header(_read_small(folder / HEADER))
    sums = parse_sums(_read(folder / SUMS), header)
    found = {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
    } - {HEADER, SUMS}
    if (table_file(NUMBERS) in sums) != (header.version > 1):
        raise InputError(
            "export.malformed", "document numbers belong to version 2, and to no other"
        )
    if others := found ^ sums.keys():
        raise IntegrityError("export.differs", f"{min(others)} is missing or too many")
    for path, expected in sums.items():
        if (folder / path).is_symlink():
            raise IntegrityError("export.differs", f"{path} is a link")
        with (folder / path).open("rb") as file:
            if hashlib.file_digest(file, "sha256").digest() != expected:
                raise IntegrityError("export.differs", f"{path} is not the file that was written")
    return header, sums


def load_export(
    folder: Path,
    header: Header,
    paths: Collection[str],
    *,
    intake_keyids: Collection[str],
    restorer: Restorer,
    tiles: TileStore,
    on_progress: Callable[[int, int], None] = lambda _done, _count: None,
) -> None:
    """Fill empty stores from an export that was checked.

    Args:
        folder: Where it is.
        header: What it says of itself.
        paths: Its files.
        intake_keyids: Key ids of all intake keys of the ledger.
        restorer: Fills the databases.
        tiles: Takes the files of the log.
        on_progress: Called with the entries read and how many there are.

    Raises:
        InputError: ``export.without-salts``, or a line is malformed.
        IntegrityError: ``export.differs``: entries are missing.
    """
    if not header.with_salts:
        raise InputError("export.without-salts", "an export without salts holds no envelopes")
    count = chunk = 0
    while entries_file(chunk) in paths:
        for page in _pages(_lines(folder / entries_file(chunk))):
            rows = [_parse_entry(line, intake_keyids) for line in page]
            if [each.index for each in rows] != list(range(count, count + len(rows))):
                raise IntegrityError("export.differs", f"entry {count} is not where it should be")
            restorer.save_submissions([row for row in rows if isinstance(row, RestoredSubmission)])
            restorer.save_erased([row for row in rows if isinstance(row, ErasedEntry)])
            count += len(page)
            on_progress(count, header.entries)
        chunk += 1
    if count != header.entries:
        raise IntegrityError("export.differs", f"{count} entries, stated are {header.entries}")
    for name in (REFUSED, QUEUED):
        for page in _pages(_lines(folder / name)):
            restorer.save_submissions([_parse_waiting(line, name, intake_keyids) for line in page])
    for table in (*TABLES[True], *([NUMBERS] if header.version > 1 else [])):
        for page in _pages(_lines(folder / table_file(table))):
            restorer.save_rows(table, [parse_row(line) for line in page])
    _load_tiles(folder, paths, tiles)
    restorer.finish(header.size, header.root)


def _load_tiles(folder: Path, paths: Collection[str], tiles: TileStore) -> None:
    files = sorted(path for path in paths if path.startswith(LOG) and path != LOG + CHECKPOINT)
    for start in range(0, len(files), _FILES):
        part = files[start : start + _FILES]
        tiles.put_new({path.removeprefix(LOG): _read(folder / path) for path in part})
    if LOG + CHECKPOINT in paths:
        tiles.replace(CHECKPOINT, _read(folder / LOG / CHECKPOINT))


def _parse_entry(line: bytes, intake_keyids: Collection[str]) -> RestoredSubmission | ErasedEntry:
    if is_erased(line):
        index, entry = parse_erased(line)
        return ErasedEntry(index=index, entry=entry)
    members, envelope = parse_line(
        line, ("index", "kind", "position", "recordKey", "salt", "sequence")
    )
    return RestoredSubmission(
        **_parse_content(members, envelope, intake_keyids),
        index=parse_count(members["index"], what="index"),
        sequence=parse_count(members["sequence"], what="sequence"),
    )


def _parse_waiting(line: bytes, name: str, intake_keyids: Collection[str]) -> RestoredSubmission:
    required = ("kind", "position", "recordKey", "salt")
    if name == QUEUED:
        members, envelope = parse_line(line, required)
        return RestoredSubmission(**_parse_content(members, envelope, intake_keyids))
    members, envelope = parse_line(line, (*required, "code", "message"))
    return RestoredSubmission(
        **_parse_content(members, envelope, intake_keyids),
        code=check_text(members["code"], size_max=STATEMENT_SIZE_MAX, what="code"),
        message=str(members["message"]),
    )


def _parse_content(
    members: Mapping[str, Any], envelope: bytes, intake_keyids: Collection[str]
) -> dict[str, Any]:
    if members["kind"] not in {"document", "keys", "policies"}:
        raise InputError("export.malformed", f"there is no kind {str(members['kind'])[:20]!a}")
    return {
        "position": parse_count(members["position"], what="position"),
        "record_key": parse_hex(members["recordKey"], size=32, what="recordKey"),
        "kind": members["kind"],
        "envelope": envelope,
        "salt": parse_hex(members["salt"], size=32, what="salt"),
        "implied": imply(envelope, intake_keyids),
    }


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while line := file.readline(_LINE_SIZE_MAX):
            if not line.endswith(b"\n"):
                raise InputError("export.malformed", f"{path.name} has a line without an end")
            yield line


def _pages(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    while page := list(islice(lines, _PAGE)):
        yield page


def _read_small(path: Path) -> bytes:
    data = _read(path, _HEADER_SIZE_MAX + 1)
    if len(data) > _HEADER_SIZE_MAX:
        raise InputError("export.malformed", f"{path.name} is too large")
    return data


def _read(path: Path, size: int = -1) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError as exc:
        raise NotFoundError("export.missing", f"{path}: {exc.strerror}") from exc
