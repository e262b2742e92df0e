"""What became of each file of a run."""

from __future__ import annotations

from dataclasses import dataclass

from vermilion_hooks.entries import Acknowledged
from vermilion_hooks.walk import Failed, Skipped

__all__ = ["AlreadyRecorded", "Outcome", "Recorded", "Summary"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A file that this run has had recorded.

    Attributes:
        path: Absolute.
        sha256: 32 bytes.
        acknowledged: The record and its leaf index.
        changed: An earlier content of this path has a record of its own.
        resumed: Sent by an earlier run that had no answer.
    """

    path: str
    sha256: bytes
    acknowledged: Acknowledged
    changed: bool
    resumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadyRecorded:
    """A file whose present content an earlier run has had recorded."""

    path: str
    sha256: bytes
    acknowledged: Acknowledged


Outcome = Recorded | AlreadyRecorded | Skipped | Failed


@dataclass(slots=True, kw_only=True)
class Summary:
    """How many files went which way; filled while the run goes on."""

    recorded: int = 0
    changed: int = 0
    known: int = 0
    skipped: int = 0
    failed: int = 0

    @property
    def exit_code(self) -> int:
        """FORMATS section 12: 7 where some of many failed."""
        return 7 if self.failed else 0

    def count(self, outcome: Outcome) -> None:
        """Add one outcome; a changed file counts as recorded too."""
        match outcome:
            case Recorded():
                self.recorded += 1
                self.changed += outcome.changed
            case AlreadyRecorded():
                self.known += 1
            case Skipped():
                self.skipped += 1
            case Failed():
                self.failed += 1
