"""What `vermilion_api.services.anchoring` needs: stores to look into, and plain settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vermilion_ledger.anchor_rows import AnchorJob, AnchorTarget, StoredTimestamp
from vermilion_ledger.anchor_standing import AnchorNote, AnchorTotals, FinishedAnchor
from vermilion_ledger.ports import HeadStore

__all__ = [
    "AnchorPlace",
    "AnchorSources",
    "Authority",
    "History",
    "Journal",
    "Notes",
    "TimestampLag",
    "TimestampList",
]


class Journal(Protocol):
    """The anchorer's journal, to be looked at."""

    def load_open(self, target: AnchorTarget) -> AnchorJob | None:
        """Return the one open job of a target."""
        ...

    def list_all(self, *, limit: int = 100) -> Sequence[AnchorJob]:
        """Return jobs of every target, newest first."""
        ...


class Notes(Protocol):
    """The anchorers' last words."""

    def load(self, target: AnchorTarget) -> AnchorNote | None:
        """Return the last word on a target; None before the first."""
        ...


class History(Protocol):
    """What past anchors took."""

    def load_finished(self, target: AnchorTarget, *, limit: int) -> Sequence[FinishedAnchor]:
        """Return final anchors of a target that stand, newest first."""
        ...

    def load_totals(self, target: AnchorTarget) -> AnchorTotals:
        """Return how far the anchors of a target go, and how many vanished."""
        ...

    def load_paid(self, target: AnchorTarget) -> float:
        """Return what all anchors of a target cost, in wei, to about 15 digits."""
        ...


class TimestampList(Protocol):
    """The time-stamps, to be looked at."""

    def list_newest(self, *, limit: int) -> Sequence[StoredTimestamp]:
        """Return time-stamps, those over the largest checkpoints first."""
        ...

    def sizes_without(self, authority: str, *, among: int) -> Sequence[int]:
        """Return sizes with a final anchor and no time-stamp of an authority, newest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorPlace:
    """Where this ledger anchors, as its settings have it."""

    target: AnchorTarget
    finality: str
    interval_seconds: float
    is_courier: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A time-stamping authority: its address, which may hold a secret, and what may be shown."""

    url: str
    name: str
    roots: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampLag:
    """How far an authority is behind the anchors.

    Attributes:
        authority: Who is.
        missing: Number of anchored checkpoints without its time-stamp, among the newest.
        oldest_at: When the oldest of these was published.
    """

    authority: Authority
    missing: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorSources:
    """What is looked into, one store for each part."""

    journal: Journal
    notes: Notes
    history: History
    timestamps: TimestampList
    heads: HeadStore
