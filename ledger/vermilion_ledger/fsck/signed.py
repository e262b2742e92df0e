"""What was signed, against the roots of the tree grown anew.

Each checkpoint: its note, the signatures of the log's keys, its size and root,
and that epochs never fall (FORMATS section 6). The head; the heads that chains
and witnesses hold; and the file ``checkpoint`` that outsiders read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vermilion_ledger.cells import CheckpointCells, HeadCells
from vermilion_ledger.checkpoint import Checkpoint, parse_checkpoint_unverified, verify_signatures
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.fsck.findings import Finding, Findings, find_flip, first_difference
from vermilion_ledger.note import VerifierKey
from vermilion_ledger.ports import Clock
from vermilion_ledger.rows import ObservedHead

__all__ = ["LogKey", "SignedCheck"]

_DAY = timedelta(days=1)  # as far as a clock may have been set back
_NOTE_SIZE_SEARCHED = 1024  # bytes; a flipped bit in a longer note is not searched for
_STATES = (b"open", b"halted")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKey:
    """A key of the log, in force for checkpoints with ``start ≤ size-1 < end``."""

    key: VerifierKey
    start: int = 0
    end: int | None = None

    def is_in_force(self, index: int) -> bool:
        """Tell whether ``start ≤ index < end``."""
        return self.start <= index and (self.end is None or index < self.end)


class SignedCheck:
    """Compares signed and observed heads with computed roots. Owned by one run.

    Checkpoints are given in order of size.
    """

    def __init__(
        self, *, origin: str, keys: Sequence[LogKey], clock: Clock, findings: Findings
    ) -> None:
        self._origin = origin
        self._keys = tuple(keys)
        self._now = clock()
        self._findings = findings
        self._last: CheckpointCells | None = None

    def check_checkpoint(self, cells: CheckpointCells, root: bytes) -> None:
        """Compare a checkpoint with the root that the tree has at its size."""
        if self._report_size(cells):
            return
        if fault := self._fault_of_note(cells.note, cells.size, root):
            self._report_note(cells, root, fault)
        if cells.root != root:
            at = first_difference(cells.root, root)
            message = f"stored {cells.root.hex()}, expected {root.hex()}"
            self._report("checkpoints", cells.size, "root", message, at)
        self._check_course(cells)
        self._last = cells

    def check_observed(self, observed: ObservedHead, root: bytes) -> None:
        """Compare a head that somebody else holds."""
        if observed.root != root:
            self._findings.add(
                Finding(
                    code="fsck.root-differs",
                    message=f"{observed.source} has {observed.root.hex()}, the log {root.hex()}",
                    row=f"size={observed.size}",
                )
            )

    def check_head(self, head: HeadCells, newest: CheckpointCells | None, *, root: bytes) -> None:
        """Compare the head with the newest checkpoint, and with the root at its size."""
        size, epoch = (newest.size, newest.epoch) if newest else (0, 0)
        if head.size != size:
            self._report_head("size", f"stored {head.size}, the newest checkpoint has {size}")
        if head.root != root:
            message = f"stored {head.root.hex()}, expected {root.hex()}"
            self._report_head("root", message, first_difference(head.root, root))
        if head.epoch < epoch:
            self._report_head("epoch", f"stored {head.epoch}, the newest checkpoint has {epoch}")
        if head.state not in _STATES:
            self._report_head("state", f"stored {head.state!r}")
        elif head.state == b"halted":
            self._findings.add(
                Finding(
                    code="fsck.halted",
                    message="a sequencer found the log contradicting itself; nothing is signed",
                    table="head",
                    is_damage=False,
                )
            )

    def is_sound(self, cells: CheckpointCells) -> bool:
        """Tell whether a note is a checkpoint of the row's size, by the keys in force."""
        return self._stated_size(cells.note) == cells.size

    def report_unsound(self, cells: CheckpointCells) -> None:
        """Report a checkpoint whose size no tree here has: so it cannot be compared."""
        if not self._report_size(cells):
            message = "it is no checkpoint of that size by the log's keys"
            self._report("checkpoints", cells.size, "note", message)

    def _stated_size(self, note: bytes) -> int | None:
        """Return the size that a note states; None if it is none by the log's keys."""
        try:
            stated = parse_checkpoint_unverified(note).checkpoint
        except EvidenceError:
            return None
        return None if self._fault_of_note(note, stated.size, stated.root) else stated.size

    def _report_size(self, cells: CheckpointCells) -> bool:
        """Report the size of a row if its note holds for another one."""
        stated = self._stated_size(cells.note)
        if stated is None or stated == cells.size:
            return False
        message = f"stored {cells.size}, its note is signed for {stated}"
        self._report("checkpoints", cells.size, "size", message)
        return True

    def _fault_of_note(self, note: bytes, size: int, root: bytes) -> str:
        """Return what is wrong with a note; nothing if it holds."""
        try:
            signed = parse_checkpoint_unverified(note)
            found = signed.checkpoint
            if (found.origin, found.size, found.root) != (self._origin, size, root):
                return f"it says {found.origin}, size {found.size}, root {found.root.hex()}"
            signers = verify_signatures(signed, [each.key for each in self._keys])
        except EvidenceError as exc:
            return f"{exc.code}: {exc.message}"
        in_force = {each.key for each in self._keys if each.is_in_force(size - 1)}
        if not in_force:
            return f"no key of the log is in force at {size - 1}"
        if missing := {key.kind for key in in_force} - {key.kind for key in in_force & signers}:
            return f"no key of kind 0x{min(missing):02x} in force has signed it"
        return ""

    def _report_note(self, cells: CheckpointCells, root: bytes, fault: str) -> None:
        """Name the byte: in the text by what it should be, in a signature by trying."""
        at: int | None = None
        try:
            text = Checkpoint(origin=self._origin, size=cells.size, root=root).text.encode()
        except EvidenceError:
            text = b""
        differs = first_difference(cells.note, text)
        if differs < len(text):
            at = differs
        elif len(cells.note) <= _NOTE_SIZE_SEARCHED and not self._findings.is_full:
            found = find_flip(
                cells.note, lambda note: not self._fault_of_note(note, cells.size, root)
            )
            at = None if found is None else found[0]
        self._report("checkpoints", cells.size, "note", fault, at)

    def _check_course(self, cells: CheckpointCells) -> None:
        """Check what nothing proves, but what must be plausible: epoch and time."""
        last = self._last
        if cells.epoch < (last.epoch if last else 1):
            message = f"stored {cells.epoch}, below the one before"
            self._report("checkpoints", cells.size, "epoch", message)
        latest = _microseconds(self._now + _DAY)
        earliest = last.published_at - _microseconds_of(_DAY) if last else 0
        if not earliest <= cells.published_at <= latest:
            message = f"stored {cells.published_at}, out of order or in the future"
            self._report("checkpoints", cells.size, "published_at", message)

    def _report(
        self, table: str, size: int, column: str, message: str, at: int | None = None
    ) -> None:
        self._findings.add(
            Finding(
                code="fsck.checkpoint",
                message=message,
                table=table,
                row=f"size={size}",
                column=column,
                byte=at,
            )
        )

    def _report_head(self, column: str, message: str, at: int | None = None) -> None:
        self._findings.add(
            Finding(
                code="fsck.head",
                message=message,
                table="head",
                row="id=1",
                column=column,
                byte=at,
            )
        )


def _microseconds(moment: datetime) -> int:
    return _microseconds_of(moment - datetime(1970, 1, 1, tzinfo=UTC))


def _microseconds_of(span: timedelta) -> int:
    return span // timedelta(microseconds=1)
