"""The names and the lines of an export (docs/formats/export.md).

Each line of a ``.jsonl`` file is canonical JSON (RFC 8785) and a line feed, so
that the same ledger gives the same bytes. An envelope stands in its line as
the object that it is; its canonical form is what was signed and hashed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vermilion_ledger.encoding import (
    check_members,
    check_text,
    encode_json,
    encode_parsed,
    parse_count,
    parse_hex,
    parse_json,
)
from vermilion_ledger.errors import InputError, IntegrityError
from vermilion_ledger.limits import ENTRY_SIZE, ENVELOPE_SIZE_MAX, ORIGIN_SIZE_MAX

__all__ = [
    "CHUNK",
    "HEADER",
    "LOG",
    "NUMBERS",
    "QUEUED",
    "REFUSED",
    "REGISTRY",
    "SUMS",
    "TABLES",
    "TRUST",
    "Header",
    "encode_erased",
    "encode_row",
    "encode_submission",
    "entries_file",
    "is_erased",
    "parse_erased",
    "parse_header",
    "parse_line",
    "parse_row",
    "parse_sums",
    "table_file",
]

CHUNK = 16_384  # entries in a file
HEADER = "export.json"
SUMS = "SHA256SUMS"
LOG = "log/"
TRUST = "trust.toml"
REGISTRY = "registry.json"
REFUSED = "refused.jsonl"
QUEUED = "queued.jsonl"
_PUBLIC_TABLES = ("checkpoints", "anchor_receipts", "timestamps")
_ALL_TABLES = (
    *_PUBLIC_TABLES,
    "anchors",
    "anchor_attempts",
    "blocks",
    "idempotency",
    "responses",
)
TABLES: Mapping[bool, tuple[str, ...]] = {True: _ALL_TABLES, False: _PUBLIC_TABLES}
"""The tables that are written as they stand, with salts and without."""
NUMBERS = "document_numbers"
"""The table that only an export of version 2 has: one of an office that numbers documents."""

_MEDIA_TYPE = "application/vnd.vermilion.export.v{}+json"
_VERSIONS = {"1": 1, "2": 2}
_LATER = re.compile(r"application/vnd\.vermilion\.export\.v([1-9]\d*)\+json\Z")
_HEADER_SIZE_MAX = 4096  # bytes
_ERASED_SIZE_MAX = 256  # bytes
_LINE_SIZE_MAX = 32 * 1024 * 1024  # bytes; an answer to a bulk request has some megabytes
_SUM = re.compile(rb"([0-9a-f]{64})  ([A-Za-z0-9_./-]{1,200})\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What an export says of itself.

    Attributes:
        origin: Origin of the log.
        size: Entries under its newest checkpoint; 0 before the first.
        root: Root at that size.
        entries: Entries that have an index, published or not.
        with_salts: Whether the envelopes are in it, with salts and record keys.
        sums: SHA-256 of ``SHA256SUMS``.
        version: Of the format; 2 where document numbers are in it.
    """

    origin: str
    size: int
    root: bytes
    entries: int
    with_salts: bool
    sums: bytes
    version: int = 1

    def encode(self) -> bytes:
        """Return the bytes of ``export.json``."""
        return encode_json(
            {
                "mediaType": _MEDIA_TYPE.format(self.version),
                "origin": self.origin,
                "size": self.size,
                "root": self.root.hex(),
                "entries": self.entries,
                "salts": self.with_salts,
                "sums": self.sums.hex(),
            }
        )


def parse_header(data: bytes) -> Header:
    """Read ``export.json``.

    Raises:
        InputError: ``export.later-version``, or it is malformed.
    """
    value = parse_json(data, size_max=_HEADER_SIZE_MAX, what="export.json")
    later = _LATER.match(str(value.get("mediaType"))) if isinstance(value, dict) else None
    if later is not None and later[1] not in _VERSIONS:
        raise InputError("export.later-version", f"an export of format version {later[1]}")
    members = check_members(
        value,
        required=("mediaType", "origin", "size", "root", "entries", "salts", "sums"),
        what="export.json",
    )
    if later is None or not isinstance(members["salts"], bool):
        raise InputError("export.malformed", "export.json is not that of an export")
    return Header(
        origin=check_text(members["origin"], size_max=ORIGIN_SIZE_MAX, what="origin"),
        size=parse_count(members["size"], what="size"),
        root=parse_hex(members["root"], size=32, what="root"),
        entries=parse_count(members["entries"], what="entries"),
        with_salts=members["salts"],
        sums=parse_hex(members["sums"], size=32, what="sums"),
        version=_VERSIONS[later[1]],
    )


def entries_file(chunk: int) -> str:
    """Return the file of the entries ``[chunk * CHUNK, (chunk + 1) * CHUNK)``."""
    return f"entries/{chunk:09}.jsonl"


def table_file(table: str) -> str:
    """Return the file of a table."""
    return f"tables/{table}.jsonl"


def encode_submission(members: Mapping[str, Any], envelope: bytes) -> bytes:
    """Return the line of a submission: its envelope's bytes stand in it as they are."""
    rest = encode_json({**members, "envelope": None})
    start, end = rest.split(b'"envelope":null')
    return start + b'"envelope":' + envelope + end + b"\n"


def encode_erased(index: int, entry: bytes) -> bytes:
    """Return the line of an entry whose record was destroyed."""
    return encode_json({"entry": entry.hex(), "index": index}) + b"\n"


def encode_row(row: Mapping[str, Any], texts: Mapping[str, bytes]) -> bytes:
    """Return the line of a table's row: numbers as decimals, bytes as hex.

    Args:
        row: Its columns.
        texts: Those of them that are texts, in UTF-8.

    Raises:
        IntegrityError: ``export.unreadable``: a text is damaged.
    """
    shown: dict[str, str | None] = {}
    for name, value in row.items():
        if name in texts:
            try:
                shown[name] = texts[name].decode()
            except UnicodeDecodeError as exc:
                raise IntegrityError("export.unreadable", f"{name} is not UTF-8") from exc
        elif value is None:
            shown[name] = None
        else:
            shown[name] = value.hex() if isinstance(value, bytes) else str(value)
    return encode_json(shown) + b"\n"


def parse_line(line: bytes, required: tuple[str, ...]) -> tuple[Mapping[str, Any], bytes]:
    """Read the line of a submission; return its members and the bytes of its envelope.

    Raises:
        InputError: It is not canonical, or lacks a member.
    """
    value = parse_json(line, size_max=2 * ENVELOPE_SIZE_MAX, what="line")
    if encode_parsed(value) + b"\n" != line:
        raise InputError("json.not-canonical", "a line of the export is not canonical JSON")
    members = check_members(value, required=(*required, "envelope"), what="line")
    return members, encode_parsed(members["envelope"])


def is_erased(line: bytes) -> bool:
    """Tell whether a line is that of an entry whose record was destroyed."""
    return line.startswith(b'{"entry":')


def parse_erased(line: bytes) -> tuple[int, bytes]:
    """Read the line of an entry whose record was destroyed; return index and entry.

    Raises:
        InputError: It is not canonical, or has other members.
    """
    value = parse_json(line, size_max=_ERASED_SIZE_MAX, what="line")
    if encode_parsed(value) + b"\n" != line:
        raise InputError("json.not-canonical", "a line of the export is not canonical JSON")
    members = check_members(value, required=("entry", "index"), what="line")
    return (
        parse_count(members["index"], what="index"),
        parse_hex(members["entry"], size=ENTRY_SIZE, what="entry"),
    )


def parse_row(line: bytes) -> Mapping[str, str | None]:
    """Read the line of a table's row.

    Raises:
        InputError: It is not canonical, or a member is no text.
    """
    value = parse_json(line, size_max=_LINE_SIZE_MAX, what="line")
    if encode_parsed(value) + b"\n" != line or not isinstance(value, dict):
        raise InputError("json.not-canonical", "a line of the export is not canonical JSON")
    if not all(text is None or isinstance(text, str) for text in value.values()):
        raise InputError("export.malformed", "a column is no text")
    return value


def parse_sums(data: bytes, header: Header) -> Mapping[str, bytes]:
    """Read ``SHA256SUMS``: the hash of every other file, by its path, sorted.

    Raises:
        InputError: ``export.malformed``.
        IntegrityError: ``export.differs``: it is not the one that the header names.
    """
    if hashlib.sha256(data).digest() != header.sums:
        raise IntegrityError("export.differs", f"{SUMS} is not the file that {HEADER} names")
    sums = {found[2].decode(): bytes.fromhex(found[1].decode()) for found in _SUM.finditer(data)}
    paths = list(sums)
    again = b"".join(b"%b  %b\n" % (sums[p].hex().encode(), p.encode()) for p in paths)
    if again != data or paths != sorted(paths) or not all(map(_is_inside, paths)):
        raise InputError("export.malformed", f"{SUMS} is not a sorted list of hashes and paths")
    return sums


def _is_inside(path: str) -> bool:
    """Tell whether a path stays in the folder and is written one way only."""
    return all(part and not part.startswith(".") for part in path.split("/"))
