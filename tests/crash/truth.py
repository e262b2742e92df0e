"""What must hold after any crash, judged by code of its own.

Reads the database with its own driver, derives every entry and every root as
FORMATS section 5 and RFC 9162 section 2.1.1 spell them, and shares no code with
the log but the proofs' verifier. What was told before a crash is compared with
what is there after the recovery.
"""

from __future__ import annotations

import hashlib
import hmac
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from crash.cycle import Place, cycle_steps, make_note
from crash.report import Report
from vermilion_ledger.log import LogReader
from vermilion_ledger.merkle import verify_consistency
from vermilion_ledger.store import open_database
from vermilion_ledger.tilestore import open_tile_store

__all__ = [
    "Problem",
    "Row",
    "find_losses",
    "find_problems",
    "judge_rows",
    "judge_told",
    "load_rows",
    "root_of",
]

_WIDTH = 256
_ENTRIES = (
    "SELECT e.leaf_index, e.position, e.sequence, s.record_key, s.envelope, s.salt"
    " FROM entries e JOIN submissions s ON s.position = e.position ORDER BY e.leaf_index"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that must never be.

    Attributes:
        kind: ``lost``, ``double``, ``root`` or ``other``.
        text: What was found.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An entry as the database has it."""

    index: int
    position: int
    sequence: int
    record_key: bytes
    envelope: bytes
    salt: bytes

    def entry(self) -> bytes:
        """Return the 65 bytes of FORMATS section 5."""
        envelope_hash = hashlib.sha256(self.envelope).digest()
        opened = b"vermilion/commitment/v1\x00" + self.salt + envelope_hash
        message = b"vermilion/tag/v1\x00" + self.sequence.to_bytes(8, "big")
        tag = hmac.digest(self.record_key, message, "sha256")
        return b"\x01" + hashlib.sha256(opened).digest() + tag


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return MTH(D[n]) of leaf hashes, word by word as RFC 9162 section 2.1.1 has it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\x01" + root_of(leaves[:split]) + root_of(leaves[split:])).digest()


def find_problems(place: Place, report: Report) -> Iterator[Problem]:
    """Judge a log that has recovered and taken in everything the cycle asks for."""
    rows = load_rows(place.database)
    yield from judge_rows(rows)
    yield from judge_told(rows, list(report.told("accepted")), list(report.told("placed")))
    leaves = [hashlib.sha256(b"\x00" + row.entry()).digest() for row in rows]
    yield from _judge_signed(place, report, rows, leaves)
    yield from _judge_files(place, rows, leaves)
    if left := _query(place.database, "SELECT position FROM queue"):
        yield Problem(kind="other", text=f"{len(left)} submissions are still queued")


def find_losses(place: Place, report: Report) -> Iterator[Problem]:
    """Judge what a crash left behind, before anybody asks for anything again.

    A caller that asks again might put back, in the same place, what was lost.
    """
    url = _copied(place)
    accepted, placed = list(report.told("accepted")), list(report.told("placed"))
    if accepted:
        stored = dict(_query(url, "SELECT position, envelope FROM submissions"))
        steps = {step.name: step for group in cycle_steps() for step in group}
        for fact in accepted:
            wanted = [each.envelope for each in steps[fact["step"]].submissions]
            if [bytes(stored.get(each, b"")) for each in fact["positions"]] != wanted:
                yield Problem(kind="lost", text=f"{fact['step']} was accepted, and is not there")
    if placed:
        yield from judge_told(load_rows(url), [], placed)
    signed = max((fact["size"] for fact in report.told("signed")), default=0)
    if signed and signed > (count := _query(url, "SELECT count(*) FROM entries")[0][0]):
        yield Problem(kind="lost", text=f"{signed} entries were signed, {count} are there")


def judge_rows(rows: Sequence[Row]) -> Iterator[Problem]:
    """Each index once and none left out; each envelope once; sequences without gaps."""
    indices = [row.index for row in rows]
    if indices != list(range(len(rows))):
        yield Problem(kind="double", text=f"indices are not 0 to {len(rows) - 1}: {indices[:20]}")
    for what, values in (
        ("position", Counter(row.position for row in rows)),
        ("envelope", Counter(row.envelope[:40] for row in rows)),
    ):
        for value, number in values.items():
            if number > 1:
                yield Problem(kind="double", text=f"{what} {value!r} has {number} indices")
    wanted = {each.envelope for group in cycle_steps() for s in group for each in s.submissions}
    found = {row.envelope for row in rows}
    if missing := wanted - found:
        yield Problem(kind="lost", text=f"{len(missing)} envelopes have no index")
    if found - wanted:
        yield Problem(kind="other", text=f"{len(found - wanted)} entries are nobody's")
    seen: Counter[bytes] = Counter()
    for row in rows:
        if row.sequence != seen[row.record_key]:
            yield Problem(kind="other", text=f"entry {row.index} has sequence {row.sequence}")
        seen[row.record_key] += 1


def judge_told(
    rows: Sequence[Row], accepted: Sequence[dict[str, Any]], placed: Sequence[dict[str, Any]]
) -> Iterator[Problem]:
    """What any caller was ever told still holds, and every caller was told the same."""
    by_index = {row.index: row for row in rows}
    by_position = {row.position: row for row in rows}
    steps = {step.name: step for group in cycle_steps() for step in group}
    first: dict[str, list[int]] = {}
    for fact in accepted:
        name = fact["step"]
        if first.setdefault(name, fact["positions"]) != fact["positions"]:
            yield Problem(kind="double", text=f"{name} was told two positions")
        for each, position in zip(steps[name].submissions, fact["positions"], strict=True):
            row = by_position.get(position)
            if row is None or row.envelope != each.envelope:
                yield Problem(kind="lost", text=f"{name} at position {position} has no entry")
                break
    for fact in placed:
        step = steps[fact["step"]]
        for each, (index, sequence) in zip(step.submissions, fact["places"], strict=True):
            row = by_index.get(index)
            if row is None or (row.envelope, row.sequence) != (each.envelope, sequence):
                yield Problem(kind="lost", text=f"{step.name} is not at index {index} as told")
                break


def _judge_signed(
    place: Place, report: Report, rows: Sequence[Row], leaves: Sequence[bytes]
) -> Iterator[Problem]:
    """Every root ever signed is that of a replay, and the newest log extends it."""
    roots = {0: root_of(())}
    head_url = place.head or place.database
    (size, head_root, state), *_ = _query(head_url, "SELECT size, root, state FROM head")
    stored = _query(head_url, "SELECT size, root, note FROM checkpoints ORDER BY size")
    if (size, state) != (len(rows), "open"):
        yield Problem(kind="other", text=f"the head is {state} at {size} of {len(rows)} entries")
    signed = {(fact["size"], bytes.fromhex(fact["root"])) for fact in report.told("signed")}
    held = [(row[0], bytes(row[1])) for row in stored] + [(size, bytes(head_root))]
    for stated, root in [*signed, *held]:
        if stated > len(leaves):
            yield Problem(kind="lost", text=f"size {stated} was signed, {len(leaves)} are there")
        elif roots.setdefault(stated, root_of(leaves[:stated])) != root:
            yield Problem(kind="root", text=f"the root at {stated} is not that of a replay")
    if not set(held) <= signed:
        yield Problem(kind="other", text="a checkpoint is kept that nobody signed")
    if [row[2] for row in stored] != [make_note(row[0], bytes(row[1])) for row in stored]:
        yield Problem(kind="other", text="a note is not the one that was signed")
    database = open_database(place.database, head_url=place.head)
    try:
        tiles = open_tile_store(place.tiles, place.home)
        reader = LogReader(database.log, database.heads, tiles)
        for stated, root in signed:
            if 0 < stated <= size:
                path = reader.consistency(stated, size)
                verify_consistency(stated, root, size, bytes(head_root), path)
        note = tiles.load(["checkpoint"])["checkpoint"].decode()
        if note != stored[-1][2]:
            yield Problem(kind="other", text="the file checkpoint is not the newest")
    finally:
        database.close()


def _judge_files(place: Place, rows: Sequence[Row], leaves: Sequence[bytes]) -> Iterator[Problem]:
    """Every public file has the bytes that a replay gives it, and all that are needed are there."""
    levels = [list(leaves)]
    while len(levels[-1]) >= _WIDTH:
        below = levels[-1]
        ends = range(_WIDTH, len(below) + 1, _WIDTH)
        levels.append([root_of(below[end - _WIDTH : end]) for end in ends])
    tiles = open_tile_store(place.tiles, place.home)
    needed = set()
    for name, items in [*enumerate(levels), ("entries", None)]:
        count = len(rows if items is None else items)
        full, rest = divmod(count, _WIDTH)
        needed |= {f"tile/{name}/{position:03}" for position in range(full)}
        needed |= {f"tile/{name}/{full:03}.p/{rest}"} if rest else set()
    found = tiles.load(tiles.list_paths("tile/"))
    for path, data in found.items():
        _, name, place_, *partial = path.replace(".p/", "/").split("/")
        start, width = int(place_) * _WIDTH, int(partial[0]) if partial else _WIDTH
        if name == "entries":
            items = [b"\x00\x41" + row.entry() for row in rows[start : start + width]]
        else:
            items = levels[int(name)][start : start + width]
        if b"".join(items) != data or len(items) != width:
            yield Problem(kind="root", text=f"{path} is not what a replay gives")
    if missing := needed - found.keys():
        yield Problem(kind="lost", text=f"missing: {sorted(missing)}")
    if not place.tiles and any((place.home / "log" / ".tmp").iterdir()):
        yield Problem(kind="other", text="temporary files are left")


def load_rows(url: str) -> list[Row]:
    """Return every entry with what opens it, by index."""
    return [
        Row(
            index=index,
            position=position,
            sequence=sequence,
            record_key=bytes(record_key),
            envelope=bytes(envelope),
            salt=bytes(salt),
        )
        for index, position, sequence, record_key, envelope, salt in _query(url, _ENTRIES)
    ]


def _copied(place: Place) -> str:
    """Return the address of a copy: who only looks must not do a part of the recovery."""
    if not place.database.startswith("sqlite:///"):
        return place.database
    folder = place.home / "seen"
    folder.mkdir()
    original = Path(place.database.removeprefix("sqlite:///"))
    for file in original.parent.glob(f"{original.name}*"):
        shutil.copy(file, folder)
    return f"sqlite:///{folder / original.name}"


def _query(url: str, query: str) -> list[Any]:
    if url.startswith("sqlite:///"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()
    with psycopg.connect(url) as other:
        return other.execute(query).fetchall()
