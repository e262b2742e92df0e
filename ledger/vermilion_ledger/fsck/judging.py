"""Who is wrong where row, entry bundle and tile disagree.

Three copies say what an entry is: the stored envelope with its salt and key,
the 65 bytes in the bundle, and the leaf hash in the tile. Two that agree
outvote the third; with the third known to be damaged, one flipped bit of it
is looked for, so that the byte can be named.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from vermilion_ledger.cells import EntryCells
from vermilion_ledger.commitment import commit, encode_entry, make_tag
from vermilion_ledger.errors import InputError
from vermilion_ledger.fsck.findings import (
    Finding,
    Findings,
    find_flip,
    first_difference,
    flipped_numbers,
)
from vermilion_ledger.limits import ENTRY_SIZE, TREE_SIZE_MAX
from vermilion_ledger.merkle import hash_leaf

__all__ = ["Judge", "Judgement", "Span", "derive"]

_NOTHING = bytes(32)  # stands for a leaf that nobody knows any more


def derive(cells: EntryCells) -> bytes:
    """Return the entry that a row leads to; nothing if the row cannot have one."""
    if cells.erased is not None:
        return cells.erased if len(cells.erased) == ENTRY_SIZE else b""
    key, envelope, salt = cells.record_key, cells.envelope, cells.salt
    if key is None or envelope is None or salt is None:
        return b""
    try:
        commitment = commit(salt, hashlib.sha256(envelope).digest())
        return encode_entry(commitment, make_tag(key, cells.sequence))
    except InputError:
        return b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Where a piece of a file is: its path, its offset, its bytes; empty if it is missing."""

    path: str
    start: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is believed of an entry.

    Attributes:
        leaf: The leaf hash.
        cells: The row as it was before the damage; None if nobody knows.
    """

    leaf: bytes
    cells: EntryCells | None


class Judge:
    """Judges single entries. Owned by one run."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    def judge(self, index: int, cells: EntryCells | None, logged: Span, leaf: Span) -> Judgement:
        """Tell which of the three is damaged, and what to believe.

        Args:
            index: Leaf index.
            cells: The row, if it is there.
            logged: The 65 bytes in the bundle.
            leaf: The hash in the tile.
        """
        own = b"" if cells is None else derive(cells)
        own_leaf = hash_leaf(own) if own else b""
        logged_leaf = hash_leaf(logged.data) if logged.data else b""
        if own and own == logged.data:
            if own_leaf != leaf.data:
                self._report_file(index, leaf, own_leaf)
            return Judgement(leaf=own_leaf, cells=cells)
        if own and own_leaf == leaf.data:
            self._report_file(index, logged, own)
            return Judgement(leaf=own_leaf, cells=cells)
        if cells is None or _is_lost(cells):
            self._report_missing(index, cells)
            return Judgement(leaf=logged_leaf or leaf.data or _NOTHING, cells=None)
        if logged_leaf and logged_leaf == leaf.data:
            return Judgement(leaf=logged_leaf, cells=self._report_row(index, cells, logged.data))
        return self._judge_alone(index, cells, logged, leaf)

    def _judge_alone(self, index: int, cells: EntryCells, logged: Span, leaf: Span) -> Judgement:
        """Judge where no two agree: of what is left, one may be a single bit away."""
        own = derive(cells)
        own_leaf = hash_leaf(own) if own else b""
        if own and not logged.data and not leaf.data:
            return Judgement(leaf=own_leaf, cells=cells)  # that files are missing is told already
        self._findings.add(
            Finding(
                code="fsck.entry-disputed",
                message="row, bundle and tile each say something else, or are missing",
                table="entries",
                row=f"leaf_index={index}",
                index=index,
            )
        )
        if logged.data and own:
            self._report_file(index, logged, own)
        if leaf.data and own:
            self._report_file(index, leaf, own_leaf)
        return Judgement(leaf=own_leaf or leaf.data or _NOTHING, cells=cells if own else None)

    def _report_file(self, index: int, span: Span, expected: bytes) -> None:
        if not span.data:
            return  # that the file is missing, or too short, is told once for all of it
        at = first_difference(span.data, expected)
        self._findings.add(
            Finding(
                code="fsck.file-differs",
                message=f"stored {span.data.hex()}, expected {expected.hex()}",
                path=span.path,
                index=index,
                byte=span.start + at,
            )
        )

    def _report_missing(self, index: int, cells: EntryCells | None) -> None:
        self._findings.add(
            Finding(
                code="fsck.row-missing",
                message="the row of a published entry is not there"
                if cells is None
                else f"it leads to submission {cells.position}, which is not there",
                table="entries",
                row=f"leaf_index={index}",
                column="" if cells is None else "position",
                index=index,
            )
        )

    def _report_row(self, index: int, cells: EntryCells, logged: bytes) -> EntryCells | None:
        """Name the damaged column; return the row as it was, if that can be found out."""
        found = self._repair(cells, logged)
        if found is None:
            self._report_column(index, cells, _blame(cells, logged))
            return None
        column, at, before = found
        self._report_column(index, cells, column, at=at, before=before)
        return before

    def _repair(
        self, cells: EntryCells, logged: bytes
    ) -> tuple[str, int | None, EntryCells] | None:
        """Look for one flipped bit that explains the difference."""
        if self._findings.is_full:
            return None
        if cells.erased is not None:
            at = first_difference(cells.erased, logged)
            return "entry", at, cells._replace(erased=logged)
        commitment, tag = logged[1:33], logged[33:]
        own = derive(cells)
        if not own:
            return _repair_sequence(cells, tag)
        if own[1:33] == commitment:
            return _repair_tag(cells, tag)
        if own[33:] == tag:
            return _repair_commitment(cells, commitment)
        return None

    def _report_column(
        self,
        index: int,
        cells: EntryCells,
        column: str,
        *,
        at: int | None = None,
        before: EntryCells | None = None,
    ) -> None:
        in_entries = column in {"position", "sequence"} or cells.erased is not None
        message = "the published entry was made from another value"
        if before is not None and column == "sequence":
            message = f"stored {cells.sequence}, published {before.sequence}"
        self._findings.add(
            Finding(
                code="fsck.row-differs",
                message=message,
                table=_table_of(cells, in_entries=in_entries),
                row=f"leaf_index={index}" if in_entries else f"position={cells.position}",
                column=column,
                index=index,
                byte=at,
            )
        )


def _is_lost(cells: EntryCells) -> bool:
    """Tell whether the submission of a row is missing, and nobody erased it."""
    return cells.erased is None and None in (cells.record_key, cells.envelope, cells.salt)


def _table_of(cells: EntryCells, *, in_entries: bool) -> str:
    if cells.erased is not None:
        return "erased"
    return "entries" if in_entries else "submissions"


def _blame(cells: EntryCells, logged: bytes) -> str:
    """Name the column as far as it can be told without the byte."""
    if cells.erased is not None:
        return "entry"
    own = derive(cells)
    if not own:
        return "record_key, salt or sequence"
    if own[1:33] == logged[1:33]:
        return "record_key or sequence"
    if own[33:] == logged[33:]:
        return "envelope or salt"
    return "position"


def _repair_tag(cells: EntryCells, tag: bytes) -> tuple[str, int | None, EntryCells] | None:
    key = cells.record_key or b""
    found = find_flip(key, lambda before: make_tag(before, cells.sequence) == tag)
    if found is not None:
        return "record_key", found[0], cells._replace(record_key=found[1])
    return _repair_sequence(cells, tag)


def _repair_sequence(cells: EntryCells, tag: bytes) -> tuple[str, int | None, EntryCells] | None:
    key = cells.record_key or b""
    for sequence in flipped_numbers(cells.sequence):
        if 0 <= sequence <= TREE_SIZE_MAX and len(key) == 32 and make_tag(key, sequence) == tag:
            return "sequence", None, cells._replace(sequence=sequence)
    return None


def _repair_commitment(
    cells: EntryCells, commitment: bytes
) -> tuple[str, int | None, EntryCells] | None:
    envelope, salt = cells.envelope or b"", cells.salt or b""
    envelope_hash = hashlib.sha256(envelope).digest()
    found = find_flip(salt, lambda before: commit(before, envelope_hash) == commitment)
    if found is not None:
        return "salt", found[0], cells._replace(salt=found[1])
    fits = _fits_envelope(salt, commitment)
    found = find_flip(envelope, fits)
    if found is not None:
        return "envelope", found[0], cells._replace(envelope=found[1])
    return None


def _fits_envelope(salt: bytes, commitment: bytes) -> Callable[[bytes], bool]:
    return lambda before: commit(salt, hashlib.sha256(before).digest()) == commitment
