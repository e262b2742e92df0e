"""Logs of some size to begin with, so that few steps reach full tiles and upper levels.

Built once in each process, from the reference, and copied for each world:
what is large and never changes is shared.
"""

from __future__ import annotations

import gc
import hashlib
from collections import ChainMap
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from simulation.disk import Disk
from simulation.evidence import Evidence
from simulation.heads import Heads
from simulation.oracle import LOG_FOLDER
from simulation.reference import Reference, note_of
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.rows import CheckpointRow, Head, StoredEntry, Submission

__all__ = ["SIZES", "Beginning", "begin"]

SIZES = (0, 0, 0, 0, 0, 0, 240, 250, 256, 500, 65_530)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """A log that was published up to its end."""

    evidence: Evidence
    heads: Heads
    disk: Disk
    reference: Reference


def begin(size: int) -> Beginning:
    """Return a log of some size, for one world to go on with."""
    made = _make(size)
    return Beginning(
        evidence=made.evidence.copy(),
        heads=made.heads.copy(),
        disk=made.disk.copy(),
        reference=Reference(made.reference, size),
    )


@cache
def _make(size: int) -> Beginning:
    reference, disk = Reference(), Disk()
    rows = [_row(at) for at in range(size)]
    entries = [
        StoredEntry(
            index=at,
            position=at + 1,
            sequence=0,
            record_key=row.record_key,
            kind=row.kind,
            envelope=row.envelope,
            salt=row.salt,
        )
        for at, row in enumerate(rows)
    ]
    reference.grow(entries)
    heads = Heads()
    disk.make_folder("/srv")
    disk.sync_folder("")
    if size:
        root = reference.root(size)
        _write(disk, reference, size)
        heads.head = Head(size=size, root=root, epoch=0, state="open")
        heads.checkpoints[size] = CheckpointRow(
            size=size,
            root=root,
            note=note_of(size, root),
            epoch=0,
            published_at=datetime(2025, 1, 1, tzinfo=UTC),
        )
    evidence = Evidence(
        submissions=ChainMap({}, {at + 1: row for at, row in enumerate(rows)}),
        entries=entries,
        index_of=ChainMap({}, {at + 1: at for at in range(size)}),
        prints=ChainMap({}, {row.envelope_hash: at + 1 for at, row in enumerate(rows)}),
        records=ChainMap({}, {row.record_id: (at,) for at, row in enumerate(rows)}),
    )
    gc.freeze()  # a large log is not searched for garbage again and again
    return Beginning(evidence=evidence, heads=heads, disk=disk, reference=reference)


def _row(at: int) -> Submission:
    envelope = b"beginning %d" % at
    key = hashlib.sha256(b"key %d" % at).digest()
    return Submission(
        record_id=make_record_id(key),
        record_key=key,
        envelope=envelope,
        envelope_hash=hashlib.sha256(envelope).digest(),
        salt=hashlib.sha256(b"salt %d" % at).digest(),
        digest=bytes(32),
        is_plain=True,
    )


def _write(disk: Disk, reference: Reference, size: int) -> None:
    root = reference.root(size)
    files = dict(reference.files(0, size)) | {"checkpoint": note_of(size, root).encode()}
    made = {"", "/srv"}
    for path, data in files.items():
        parts = f"{LOG_FOLDER}/{path}".split("/")
        for end in range(2, len(parts)):
            folder = "/".join(parts[:end])
            if folder not in made:
                disk.make_folder(folder)
                made.add(folder)
        file = disk.create(f"{LOG_FOLDER}/{path}", data)
        disk.sync_files([file])
        disk.close(file)
