"""How anchoring stands, for people: the anchorer's last word, and what past anchors took.

Remarks, never evidence: gas and prices are a node's word, and the word of an
anchorer that stopped is old. Written through the anchorer's ``NoteStore`` port
and kept under `vermilion_ledger.store`; nothing in a bundle comes from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from vermilion_ledger.anchor_rows import AnchorTarget, JobState
from vermilion_ledger.encoding import parse_json, parse_time
from vermilion_ledger.errors import InputError
from vermilion_ledger.limits import BUNDLE_SIZE_MAX

__all__ = ["AnchorNote", "AnchorTotals", "FinishedAnchor", "observed_at", "wait_code"]

_IDLE = "wait.idle"
_WAITS: Mapping[JobState, str] = {
    JobState.PLANNED: "wait.planned",
    JobState.SIGNED: "wait.signed",
    JobState.SENT: "wait.sent",
    JobState.STUCK: "wait.stuck",
    JobState.DROPPED: "wait.dropped",
    JobState.MINED: "wait.mined",
    JobState.REORGED: "wait.reorged",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorNote:
    """The last word of an anchorer on its target; a later one replaces it.

    Attributes:
        target: What it works for.
        code: What it waits for: a code of `wait_code`, or that of the error in its way.
        note: The error's message, or what the last step said.
        alarm: Code of what a person should see to although anchoring goes on, or empty.
        since: UTC moment from which on the code has been the same.
        told_at: UTC moment at which the anchorer said so last.
    """

    target: AnchorTarget
    code: str
    note: str
    alarm: str
    since: datetime
    told_at: datetime

    @property
    def is_trouble(self) -> bool:
        """Whether an error stands in the way."""
        return self.code != _IDLE and self.code not in _WAITS.values()


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedAnchor:
    """A job that became final, with what it took.

    Attributes:
        number: Of the job.
        size: Tree size anchored.
        documents: Number of entries that it covers and the anchor before it does not.
        block_time: Time of the block, by the chain's clock.
        planned_at: UTC moment of planning.
        final_at: UTC moment at which it was found final; None where the receipt does not say.
        gas_used: Gas of the transaction; None where no node said.
        gas_price: What was paid, in wei per gas; None where no node said.
    """

    number: int
    size: int
    documents: int
    block_time: datetime
    planned_at: datetime
    final_at: datetime | None
    gas_used: int | None
    gas_price: int | None

    @property
    def paid(self) -> int | None:
        """What the anchor cost, in wei."""
        if self.gas_used is None or self.gas_price is None:
            return None
        return self.gas_used * self.gas_price

    @property
    def paid_per_document(self) -> int | None:
        """What each of its documents cost, in wei, rounded."""
        if self.paid is None or self.documents < 1:
            return None  # the same tree was anchored twice
        return (self.paid + self.documents // 2) // self.documents


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorTotals:
    """How far the anchors of a target go.

    Attributes:
        final_size: Largest tree size with a final anchor that stands.
        vanished: Number of final anchors whose block is on its chain no more.
    """

    final_size: int
    vanished: int


def wait_code(state: JobState | None) -> str:
    """Return the code of what an anchorer waits for while a job is in a state.

    >>> wait_code(JobState.MINED), wait_code(JobState.FINAL), wait_code(None)
    ('wait.mined', 'wait.idle', 'wait.idle')
    """
    return _IDLE if state is None else _WAITS.get(state, _IDLE)


def observed_at(receipt: bytes) -> datetime | None:
    """Return when an anchor was found final, by the remarks in its receipt (FORMATS section 8)."""
    try:
        remarks = parse_json(receipt, size_max=BUNDLE_SIZE_MAX, what="receipt")["hints"]
        return parse_time(remarks["observedAt"], what="observedAt")
    except (KeyError, TypeError, InputError):
        return None  # remarks are optional, and nothing depends on this one
