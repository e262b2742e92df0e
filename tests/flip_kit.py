"""Every bit of a log's rows and files the other way, in turn, and who notices.

A whole run of fsck for each of nine million bits would take weeks. What a run
does with one value does not depend on the others, so each bit is given to the
very function that compares that value: `derive` and `Judge` for what the tree
commits to, `RowsBeside` for the rows beside it, `SignedCheck` for what was
signed. `flip_for_real` changes a database file and runs everything.
"""

from __future__ import annotations

import hashlib
import random
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from damage_kit import Cell, Damage, flip_bit, flipped_file
from log_kit import IDENTITY, LOG_KEYS, WrittenLog, check
from office import ORIGIN
from vermilion_ledger.cells import CheckpointCells, EntryCells, HeadCells
from vermilion_ledger.fsck.beside import RowsBeside, Tally
from vermilion_ledger.fsck.findings import Finding, Findings
from vermilion_ledger.fsck.judging import Judge, Span, derive
from vermilion_ledger.fsck.signed import SignedCheck
from vermilion_ledger.implied import imply
from vermilion_ledger.merkle import hash_leaf
from vermilion_ledger.store.prefixes import digest_prefix, record_prefix
from vermilion_ledger.tiles import TILE_WIDTH
from vermilion_ledger.tilestore.paths import entries_path, parse_path, tile_path

__all__ = ["UNPROVEN", "Flips", "flip_entries", "flip_files", "flip_for_real", "flip_signed"]

UNPROVEN = {
    # What nothing proves; docs/how-to/check-and-repair.md says what follows from that.
    ("checkpoints", "published_at"),
    ("head", "epoch"),
    ("idempotency", "key"),
    ("idempotency", "positions"),
    ("idempotency", "request_hash"),
    ("lease", "epoch"),
    ("lease", "expires_at"),
    ("lease", "holder"),
    ("refusals", "message"),
}
_Cells = TypeVar("_Cells", EntryCells, CheckpointCells, HeadCells)
_STEP = 67  # bytes of an entry in a bundle, with its length


@dataclass(slots=True)
class Flips:
    """How many bits were flipped in each column or kind of file, and how it went."""

    tried: Counter[tuple[str, str]] = field(default_factory=Counter)
    missed: Counter[tuple[str, str]] = field(default_factory=Counter)
    unnamed: Counter[tuple[str, str]] = field(default_factory=Counter)

    def note(self, what: tuple[str, str], *, found: bool, named: bool = True) -> None:
        self.tried[what] += 1
        self.missed[what] += not found
        self.unnamed[what] += found and not named

    @property
    def surprises(self) -> dict[tuple[str, str], int]:
        """What was missed although something proves it."""
        return {
            what: count for what, count in self.missed.items() if count and what not in UNPROVEN
        }

    def lines(self) -> Iterator[str]:
        for what, count in sorted(self.tried.items()):
            note = ", nothing proves it" if what in UNPROVEN else ""
            yield (
                f"{what[0]:>16} {what[1]:<14} {count:>9,} flipped, {self.missed[what]:>7,} missed,"
                f" {self.unnamed[what]:>7,} found elsewhere{note}"
            )


@dataclass
class MemoryView:
    """The rows beside one entry; the part of `AuditView` that `RowsBeside` asks."""

    places: set[tuple[int, int, int]]
    digests: set[tuple[int, int]]
    known: dict[bytes, int]
    nonces: set[tuple[bytes, bytes]]

    def has_places(self, rows: Collection[tuple[int, int, int]]) -> bool:
        return self.places.issuperset(rows)

    def has_digests(self, rows: Collection[tuple[int, int]]) -> bool:
        return self.digests.issuperset(rows)

    def find_places(self, keys: Sequence[tuple[int, int]]) -> set[tuple[int, int, int]]:
        wanted = set(keys)
        return {row for row in self.places if row[:2] in wanted}

    def find_digests(self, keys: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
        return self.digests & set(keys)

    def find_known(self, hashes: Sequence[bytes]) -> Mapping[bytes, int]:
        wanted = set(hashes)
        return {key: value for key, value in self.known.items() if key in wanted}

    def find_nonces(self, nonces: Sequence[bytes]) -> set[tuple[bytes, bytes]]:
        wanted = set(nonces)
        return {row for row in self.nonces if row[1] in wanted}


def flip_entries(log: WrittenLog, flips: Flips, bits: Callable[[int], Sequence[int]]) -> None:
    """Flip bits of all rows about published entries.

    Args:
        log: A filled log.
        flips: Where the outcome goes.
        bits: Which bits of so many to flip.
    """
    size = log.database.heads.load_head().size
    with log.audit.view() as view:
        rows = view.load_entries(0, size)
    for cells in rows:
        _flip_content(cells, flips, bits)
        _flip_beside(cells, flips, bits)


def _flip_content(cells: EntryCells, flips: Flips, bits: Callable[[int], Sequence[int]]) -> None:
    logged = derive(cells)
    for column in ("record_key", "envelope", "salt", "sequence"):
        for number, bit in enumerate(bits(_width(cells, column))):
            changed = _changed(cells, column, bit)
            found = derive(changed) != logged
            named = True
            if found and number == 0 and cells.leaf_index % 16 == 0:  # the search takes long
                findings = _judge(changed, logged)
                named = _names(findings, column, None if column == "sequence" else bit // 8)
            table = "entries" if column == "sequence" else "submissions"
            flips.note((table, column), found=found, named=named)


def _changed(cells: _Cells, column: str, bit: int) -> _Cells:
    """Return a row with one bit of a column the other way."""
    values: dict[str, Any] = {column: flip_bit(getattr(cells, column), bit)}
    return cells._replace(**values)


def _width(cells: EntryCells | CheckpointCells | HeadCells, column: str) -> int:
    value = getattr(cells, column)
    return 64 if isinstance(value, int) else 8 * len(value)


def _judge(cells: EntryCells, logged: bytes) -> list[Finding]:
    findings = Findings()
    Judge(findings).judge(
        cells.leaf_index,
        cells,
        Span(path="bundle", start=0, data=logged),
        Span(path="tile", start=0, data=hash_leaf(logged)),
    )
    return findings.kept


def _names(findings: Sequence[Finding], column: str, byte: int | None) -> bool:
    return any(each.column == column and each.byte == byte for each in findings)


def _flip_beside(cells: EntryCells, flips: Flips, bits: Callable[[int], Sequence[int]]) -> None:
    implied = imply(cells.envelope or b"", IDENTITY.intake_keyids)
    index, sequence = cells.leaf_index, cells.sequence
    record, digest = record_prefix(implied.record_id, index), digest_prefix(implied.digest, index)
    # Its predecessor in the record is another entry's row, and stays.
    before = {(record, sequence - 1, -1)} if sequence else set()
    envelope_hash = hashlib.sha256(cells.envelope or b"").digest()

    def view(**changes: Any) -> MemoryView:
        return MemoryView(
            places={changes.get("place", (record, sequence, index))} | before,
            digests={changes.get("digest", (digest, index))},
            known=changes.get("known", {envelope_hash: cells.position}),
            nonces=changes.get("nonces", set(implied.nonces)),
        )

    def check_one(what: tuple[str, str], seen: MemoryView, changed: EntryCells = cells) -> None:
        findings = Findings()
        beside = RowsBeside(IDENTITY, findings, Tally())
        beside.expect_entry(changed)
        beside.compare(seen)  # type: ignore[arg-type]
        named = any((each.table, each.column) == what for each in findings.kept)
        flips.note(what, found=bool(findings.kept), named=named)

    place = (record, sequence, index)
    for at, column in enumerate(("record", "sequence", "leaf_index")):
        for bit in bits(64):
            other = (*place[:at], flip_bit(place[at], bit), *place[at + 1 :])
            check_one(("places", column), view(place=other))
    for at, column in enumerate(("digest", "leaf_index")):
        for bit in bits(64):
            key = (digest, index)
            check_one(
                ("digests", column),
                view(digest=(*key[:at], flip_bit(key[at], bit), *key[at + 1 :])),
            )
    for bit in bits(64):
        changed = _changed(cells, "kind", bit)
        check_one(("submissions", "kind"), view(), changed)
    if implied.is_plain:
        return
    for bit in bits(256):
        check_one(
            ("known_envelopes", "envelope_hash"),
            view(known={flip_bit(envelope_hash, bit): cells.position}),
        )
    for bit in bits(64):
        check_one(
            ("known_envelopes", "position"),
            view(known={envelope_hash: flip_bit(cells.position, bit)}),
        )
    for pair in implied.nonces:
        others = set(implied.nonces) - {pair}
        for at, column in enumerate(("keyid", "nonce")):
            for bit in bits(8 * len(pair[at])):
                key_pair = (*pair[:at], flip_bit(pair[at], bit), *pair[at + 1 :])
                check_one(("nonces", column), view(nonces=others | {key_pair}))


def flip_signed(log: WrittenLog, flips: Flips, bits: Callable[[int], Sequence[int]]) -> None:
    """Flip bits of the checkpoints and of the head."""
    head, newest = log.audit.load_head()
    assert head is not None
    checkpoints = log.audit.next_checkpoints(None, 1000)
    previous: CheckpointCells | None = None
    for cells in checkpoints:
        for column in cells._fields:
            width = _width(cells, column)
            for bit in bits(width):
                changed = _changed(cells, column, bit)
                findings = Findings(limit=0)  # without a search for the byte
                signed = _signed(log, findings, previous)
                signed.check_checkpoint(changed, cells.root)
                found = findings.damage_count > 0
                if column == "epoch" and not found and cells == newest[0]:
                    signed.check_head(head, changed, root=head.root)
                    found = findings.damage_count > 0
                elif column == "epoch" and not found:  # told at the one after it
                    signed.check_checkpoint(
                        checkpoints[checkpoints.index(cells) + 1], checkpoints[-1].root
                    )
                    found = changed.epoch > cells.epoch
                flips.note(("checkpoints", column), found=found)
        previous = cells
    for column in head._fields:
        width = _width(head, column)
        for bit in bits(width):
            changed_head = _changed(head, column, bit)
            findings = Findings(limit=0)
            _signed(log, findings, None).check_head(changed_head, newest[0], root=head.root)
            flips.note(("head", column), found=findings.damage_count > 0)


def _signed(log: WrittenLog, findings: Findings, previous: CheckpointCells | None) -> SignedCheck:
    signed = SignedCheck(origin=ORIGIN, keys=LOG_KEYS, clock=log.clock, findings=findings)
    if previous is not None:
        signed.check_checkpoint(previous, previous.root)
    return signed


def flip_files(log: WrittenLog, flips: Flips, bits: Callable[[int], Sequence[int]]) -> None:
    """Flip bits of every tile, bundle and checkpoint file of the published size."""
    size = log.database.heads.load_head().size
    with log.audit.view() as view:
        rows = view.load_entries(0, size)
    for path in sorted((log.folder / "log/tile").rglob("*")):
        if not path.is_file():
            continue
        name = str(path.relative_to(log.folder / "log"))
        tile = parse_path(name)
        if tile.level not in {None, 0}:
            _flip_whole(log, name, path, flips, bits)
            continue
        if name not in {
            entries_path(tile.position, tile.width),
            tile_path(0, tile.position, tile.width),
        }:
            continue
        step = _STEP if tile.level is None else 32
        for at in range(tile.width):
            index = tile.position * TILE_WIDTH + at
            if index < size:
                _flip_piece(rows[index], "bundle" if step == _STEP else "tile", at, flips, bits)
    _flip_whole(log, "checkpoint", log.folder / "log/checkpoint", flips, bits)


def _flip_piece(
    cells: EntryCells, kind: str, at: int, flips: Flips, bits: Callable[[int], Sequence[int]]
) -> None:
    logged = derive(cells)
    leaf = hash_leaf(logged)
    data = logged if kind == "bundle" else leaf
    start = at * _STEP + 2 if kind == "bundle" else at * 32
    for bit in bits(8 * len(data)):
        changed = flip_bit(data, bit)
        assert isinstance(changed, bytes)
        findings = Findings()
        Judge(findings).judge(
            cells.leaf_index,
            cells,
            Span(path="bundle", start=start, data=changed if kind == "bundle" else logged),
            Span(path="tile", start=start, data=changed if kind == "tile" else leaf),
        )
        named = any(
            (each.path, each.byte, each.index) == (kind, start + bit // 8, cells.leaf_index)
            for each in findings.kept
        )
        flips.note(("files", kind), found=bool(findings.kept), named=named)


def _flip_whole(
    log: WrittenLog, name: str, path: Path, flips: Flips, bits: Callable[[int], Sequence[int]]
) -> None:
    """Flip bits of a file that is small enough for whole runs."""
    for bit in bits(8 * path.stat().st_size):
        with flipped_file(path, bit):
            kept = check(log).findings.kept
        named = any((each.path, each.byte) == (name, bit // 8) for each in kept)
        flips.note(("files", name.rpartition("/")[0] or name), found=bool(kept), named=named)


def flip_for_real(log: WrittenLog, flips: Flips, count: int, *, seed: int) -> None:
    """Flip ``count`` random bits of each column in the database file, and run everything."""
    chosen = random.Random(seed)
    log.database.close()
    damage = Damage(log.folder / "ledger.db")
    waiting = {
        dict(cell.key)["position"]
        for table in ("queue", "refusals")
        for cell in damage.cells(table)
    }
    for table in TABLES:
        columns: defaultdict[str, list[Cell]] = defaultdict(list)
        for cell in damage.cells(table):
            of_salt = (table, cell.column) == ("submissions", "salt")
            if cell.bit_count and not (of_salt and dict(cell.key)["position"] in waiting):
                columns[cell.column].append(cell)
        for column, cells in columns.items():
            for _ in range(count):
                cell = chosen.choice(cells)
                # A key that another row has cannot be stored: no such damage exists.
                with (
                    suppress(sqlite3.IntegrityError),
                    damage.flipped(cell, chosen.randrange(cell.bit_count)),
                ):
                    kept = [each for each in check(log).findings.kept if each.is_damage]
                    log.database.close()
                    named = any((each.table, each.column) == (table, column) for each in kept)
                    flips.note((table, column), found=bool(kept), named=named)
    damage.close()


TABLES = (
    "submissions",
    "known_envelopes",
    "nonces",
    "queue",
    "entries",
    "places",
    "digests",
    "refusals",
    "checkpoints",
    "head",
    "lease",
    "idempotency",
)
