"""Records whose life a test writes down as words, and what is found in them.

A `Life` is a record under the hand of a test: every event is a real envelope at
its place, and time passes by an hour with each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import office
from office import WANG, Person
from vermilion_ledger.encoding import encode_time
from vermilion_ledger.envelope import make_envelope
from vermilion_ledger.findings import Finding, StatedTimes, find_lapses, flow_name_of, load_flow
from vermilion_ledger.findings.times import Bounds
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.records import RecordHistory
from vermilion_ledger.statement import Subject

__all__ = ["BEGIN", "SIGNED", "FixedTimes", "Life", "at", "codes", "incoming", "outgoing", "sha"]

BEGIN = datetime(2026, 11, 2, 9, tzinfo=UTC)
SIGNED = {"step": "sign-off", "decision": "approved"}


def sha(content: str) -> bytes:
    return hashlib.sha256(content.encode()).digest()


def at(hour: int) -> str:
    """The time of the entry with that sequence, as a statement has it."""
    return encode_time(BEGIN + timedelta(hours=hour))


@dataclass
class Life:
    """A record that grows."""

    entries: list[LoggedEnvelope] = field(default_factory=list)

    def add(
        self,
        event: str,
        detail: Mapping[str, Any] | None = None,
        *,
        content: str = "draft",
        by: Person = WANG,
        **members: Any,
    ) -> LoggedEnvelope:
        """Let something happen to a version; members go into the detail."""
        place = len(self.entries)
        made = office.statement(
            event,
            detail={**(detail or {}), **members},
            subject=Subject(name="通知.ofd", sha256=sha(content)),
            actor=by.actor,
            time=at(place),
            nonce=office.secret(f"life {place} {event}")[:16],
        )
        # Nobody signed it: findings leave signatures to others, and thousands are made.
        logged = LoggedEnvelope(
            index=place + 4,
            sequence=place,
            envelope=make_envelope(made.encode(), ()),
            intake=None,
            actors=(),
        )
        self.entries.append(logged)
        return logged

    def of(self, sequence: int) -> dict[str, Any]:
        """The name by which an answer calls an entry."""
        return {"sequence": sequence, "envelope": self.entries[sequence].envelope.hash.hex()}

    @property
    def history(self) -> RecordHistory:
        return RecordHistory(entries=tuple(self.entries))

    def find(self, *, hour: int = 1000, without: int = -1) -> tuple[Finding, ...]:
        """What the ledger finds at an hour, perhaps with an entry left out."""
        kept = [entry for entry in self.entries if entry.sequence != without]
        name = flow_name_of(self.history)
        return find_lapses(
            RecordHistory(entries=tuple(kept)),
            StatedTimes(now=BEGIN + timedelta(hours=hour)),
            flow=None if name is None else load_flow(name),
            complete=without < 0,
        )


@dataclass(frozen=True, kw_only=True)
class FixedTimes:
    """Times that a test chose: bounds in hours by sequence."""

    hours: Mapping[int, tuple[int | None, int | None]]
    now_hour: int = 1000
    horizon_hour: int | None = None

    @property
    def now(self) -> datetime:
        return BEGIN + timedelta(hours=self.now_hour)

    @property
    def horizon(self) -> datetime | None:
        return _moment(self.horizon_hour)

    def bounds(self, entry: LoggedEnvelope) -> Bounds:
        lower, upper = self.hours.get(entry.sequence, (None, None))
        return Bounds(not_before=_moment(lower), not_after=_moment(upper))


def _moment(hour: int | None) -> datetime | None:
    return None if hour is None else BEGIN + timedelta(hours=hour)


def outgoing(*, without: str = "") -> Life:
    """A lawful 发文, perhaps with one step left out."""
    life = Life()
    life.add("register", flow="outgoing")
    steps: list[tuple[str, str, dict[str, Any]]] = [
        ("review", "review", {}),
        ("sign-off", "approve", SIGNED),
        ("recheck", "review", {"step": "recheck"}),
        ("number", "number", {}),
        ("seal", "seal", {"seal": "公章"}),
        ("issue", "issue", {"copies": 2}),
    ]
    for name, event, detail in steps:
        if name != without:
            life.add(event, detail)
    if without != "dispatch":
        copies = [sha("财政局").hex(), sha("档案馆").hex()]
        dispatched = life.add("dispatch", to=copies, due=at(40)).sequence
        for copy in copies:
            life.add("receive", of=life.of(dispatched), copy=copy)
    if without != "archive":
        life.add("archive", keep="永久")
    life.add("transfer", holder="市档案馆")
    return life


def incoming(*, without: str = "") -> Life:
    """A lawful 收文, perhaps with one step left out."""
    life = Life()
    life.add("register", flow="incoming")
    for name, detail in (("receive", {"sender": "市财政局"}), ("review", {})):
        if name != without:
            life.add(name, detail)
    task = 0
    if without != "handle":
        task = life.add("handle", owner="综合科", due=at(20)).sequence
    dispatched = life.add("dispatch", mode="circulate", to=[sha("李处长").hex()]).sequence
    life.add("receive", of=life.of(dispatched))
    if without != "answer":
        life.add("handle", of=life.of(task), outcome="replied")
    if without != "archive":
        life.add("archive", place="2026-W-4")
    return life


def codes(found: tuple[Finding, ...]) -> list[str]:
    """Codes without their area."""
    return [finding.code.removeprefix("finding.") for finding in found]
