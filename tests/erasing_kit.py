"""Records that are going to be destroyed, and whether anything of them is left. Not a test."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from log_kit import WrittenLog, submission
from office import INTAKE_KEYID, envelope, statement
from vermilion_api.requests import Registration
from vermilion_ledger.erasure import Condemned
from vermilion_ledger.integrate import load_bundle
from vermilion_ledger.numbers import DocumentNumber, Numbering
from vermilion_ledger.ports import TileStore
from vermilion_ledger.rows import ErasedEntry, IntakeBatch, RecordRow, Submission
from vermilion_ledger.store.erasing import SqlEraser
from vermilion_ledger.tiles import TILE_WIDTH, tile_width_at

__all__ = [
    "condemn",
    "counts",
    "erase",
    "found_in",
    "give_number",
    "made",
    "make_list",
    "make_record",
    "remains",
    "traces_of",
    "traces_of_number",
]

_WINDOW = 16  # bytes of a value that are looked for


@dataclass(frozen=True, kw_only=True)
class Trace:
    """Bytes that belong to one record alone, and what they are."""

    what: str
    data: bytes


def make_record(log: WrittenLog, *, events: int = 2, refused: int = 1, key: str = "") -> Submission:
    """Register a document of a name that nobody else has, with events and with refusals."""
    name = f"paper-{secrets.token_hex(12)}.pdf"
    digest = hashlib.sha256(name.encode()).digest()
    (made,) = log.registrar.prepare_all([Registration(name=name, sha256=digest)])
    log.submit(made, key=key)
    subject = replace(statement().subject, name=name, sha256=digest)
    for word in ["review"] * events + ["seal"] * refused:  # a seal needs a person
        said = statement(
            word, record=made.record_id, subject=subject, nonce=secrets.token_bytes(16)
        )
        _queue(log, submission(envelope(said), made.record_key))
    return made


def give_number(log: WrittenLog, record: Submission, serial: int) -> Numbering:
    """Give a record a document number, as intake does."""
    numbering = Numbering(
        number=DocumentNumber(office="国办发", year=2026, serial=serial),
        salt=secrets.token_bytes(32),
    )
    said = statement(
        "number",
        record=record.record_id,
        subject=replace(statement().subject, sha256=record.digest),
        detail={"commitment": numbering.commitment.hex()},
        nonce=secrets.token_bytes(16),
    )
    _queue(log, replace(submission(envelope(said), record.record_key), numbering=numbering))
    return numbering


def traces_of_number(numbering: Numbering) -> list[Trace]:
    """What ties a number to the log."""
    return [
        Trace(what="salt of a number", data=numbering.salt[:_WINDOW]),
        Trace(what="commitment of a number", data=numbering.commitment[:_WINDOW]),
    ]


def _queue(log: WrittenLog, each: Submission) -> None:
    """Submit as another process does: the digest stands in the queue for a while."""
    log.database.intake.save_batches([IntakeBatch(submissions=(each,))])
    log.sequencer.sequence_batch()


def made(log: WrittenLog, count: int, **options: Any) -> list[Submission]:
    """Make and publish records, with others after them."""
    records = [make_record(log, key=f"own key {at}", **options) for at in range(count)]
    log.register(2)
    log.publisher.publish()
    return records


def remains(log: WrittenLog) -> list[dict[str, Any]]:
    """What is left of destroyed records."""
    with log.audit.view() as view:
        return [dict(row) for row in view.scan("erased")]


def counts(log: WrittenLog) -> dict[str, int]:
    """How many rows each table has."""
    with log.audit.view() as view:
        found = view.counts()
    return {name: getattr(found, name) for name in type(found).__slots__}


def condemn(log: WrittenLog, *records: Submission) -> list[Condemned]:
    """Judge records without asking for a disposal: their entries as the files have them."""
    histories = log.database.log.load_history([each.record_id for each in records])
    size = log.database.heads.load_head().size
    return [
        Condemned(
            record=RecordRow(record_id=each.record_id, record_key=each.record_key, kind="document"),
            entries=tuple(
                ErasedEntry(index=row.index, entry=_entry(log.tiles, row.index, size))
                for row in histories[each.record_id]
            ),
        )
        for each in records
    ]


def _entry(tiles: TileStore, index: int, size: int) -> bytes:
    position, at = divmod(index, TILE_WIDTH)
    return load_bundle(tiles, position, tile_width_at((0, position), size))[at]


def make_list(log: WrittenLog) -> Submission:
    """The submission of a disposal list."""
    registration = Registration(
        name="disposal-list.json", sha256=secrets.token_bytes(32), detail={"disposal": {}}
    )
    return log.registrar.prepare(registration)


def erase(log: WrittenLog, condemned: Sequence[Condemned]) -> Submission:
    """Destroy records as the command does, without clearing the files; return the list."""
    store, listed = log.database.sequencing, make_list(log)
    log.sequencer.release()
    lease = store.acquire_lease("eraser", now=log.clock(), ttl_seconds=60)
    try:
        SqlEraser(log.database.engine, intake_keyids={INTAKE_KEYID}).erase(lease, condemned, listed)
    finally:
        store.release_lease(lease)
    return listed


def traces_of(log: WrittenLog, *records: Submission) -> list[Trace]:
    """Every value of 16 bytes or more that is about these records, in the forms it is kept in."""
    keys = {each.record_key for each in records}
    with log.audit.view() as view:
        rows = list(view.scan("submissions"))
        nonces = list(view.scan("nonces"))
    words = {each.record_key: [each.record_id, each.digest.hex()] for each in records}
    found: list[Trace] = []
    for row in (each for each in rows if each["record_key"] in keys):
        hashed = hashlib.sha256(row["envelope"]).digest()
        found += [Trace(what="salt", data=row["salt"]), Trace(what="hash", data=hashed)]
        own = _windows(row["envelope"], words[row["record_key"]])
        found += [Trace(what=f"envelope at {at}", data=piece) for at, piece in own]
        found += [
            Trace(what="nonce", data=each["nonce"])
            for each in nonces
            if each["nonce"].hex().encode() in _payload(row["envelope"])
        ]
    for each in records:
        found += [
            Trace(what="record key", data=each.record_key),
            Trace(what="record key in hex", data=each.record_key.hex().encode()),
            Trace(what="digest", data=each.digest),
            Trace(what="digest in hex", data=each.digest.hex().encode()),
            Trace(what="record id", data=each.record_id.encode()),
            Trace(what="name", data=_name(each.envelope)),
        ]
    return [replace(each, data=each.data[:_WINDOW]) for each in found]


def found_in(folder: Path, traces: Iterable[Trace]) -> dict[str, set[str]]:
    """Return which traces are in the files of a folder, by what they are."""
    found: dict[str, set[str]] = {}
    wanted = list(traces)
    for path, data in _files(folder):
        for each in wanted:
            if each.data in data:
                found.setdefault(each.what, set()).add(str(path.relative_to(folder)))
    return found


def _files(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_socket():
            yield path, path.read_bytes()


def _windows(data: bytes, words: Sequence[str]) -> list[tuple[int, bytes]]:
    """Return pieces of an envelope that no other one has: of its signature, and of some words."""
    payload, start = _payload(data), len(b'{"payload":"')
    places = [len(data) - 60, len(data) - 40]
    places += [start + payload.index(word.encode()) * 4 // 3 + 6 for word in words]
    return [(at, data[at : at + _WINDOW]) for at in places]


def _payload(data: bytes) -> bytes:
    return base64.b64decode(json.loads(data)["payload"])


def _name(data: bytes) -> bytes:
    return str(json.loads(_payload(data))["subject"][0]["name"]).encode()
