"""Lapses about versions: changed after sign-off, converted unchecked, used though revoked.

《党政机关公文处理工作条例》, article 25: a text that was changed in substance
after its sign-off goes back to whoever signed it off.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from vermilion_ledger.findings.finding import Finding, Severity, make_finding
from vermilion_ledger.findings.reading import read_text
from vermilion_ledger.logged import LoggedEnvelope

__all__ = ["SIGN_OFF_STEPS", "find_version_lapses"]

SIGN_OFF_STEPS = frozenset({"sign-off", "签发"})
_USES = frozenset({"seal", "issue", "dispatch", "archive"})
_CHANGES = frozenset({"version", "correct"})
_LINEAGE_COUNT_MAX = 64  # digests
_CHECKS = frozenset({"review", "approve", "countersign"})


def find_version_lapses(entries: Sequence[LoggedEnvelope], *, complete: bool) -> Iterator[Finding]:
    """Yield lapses in what was done with which version.

    Args:
        entries: Of one record, in order.
        complete: Whether no entry was left out.
    """
    walk = _Walk(complete=complete)
    for entry in entries:
        yield from walk.take(entry)
    yield from walk.end()


class _Walk:
    """What is known of the versions while the entries of a record pass by."""

    def __init__(self, *, complete: bool) -> None:
        self._complete = complete
        self._current = b""
        self._newest: tuple[bytes, int] | None = None  # last sign-off: digest, sequence
        self._other: tuple[bytes, int] | None = None  # the last one of another digest
        self._signed: dict[bytes, set[str]] = {}  # digest: who stands by their sign-off
        self._changed: dict[bytes, tuple[int, int]] = {}  # digest: changed at, signed off at
        self._sources: dict[bytes, list[bytes]] = {}  # converted digest: made from
        self._lineages: dict[bytes, set[bytes]] = {}  # as of the last new source
        self._unchecked: dict[bytes, int] = {}  # converted digest: converted at
        self._revoked: dict[bytes, int] = {}
        self._failed: dict[bytes, int] = {}

    def take(self, entry: LoggedEnvelope) -> Iterator[Finding]:
        """Take the next entry of the record."""
        statement, sequence = entry.statement, entry.sequence
        event, digest, detail = statement.event, statement.subject.sha256, statement.detail
        if event == "approve" and read_text(detail, "step") in SIGN_OFF_STEPS:
            self._take_sign_off(entry)
        if event in _CHECKS and detail.get("decision") in (None, "approved"):
            self._unchecked.pop(digest, None)
        if event == "register" or event in _CHANGES:
            self._take_version(event, digest, sequence)
        elif event == "convert":
            self._take_source(digest, bytes.fromhex(detail["from"]))
            self._unchecked.setdefault(digest, sequence)
        elif event == "revoke":
            self._revoked.setdefault(digest, sequence)
        elif event == "fixity":
            self._take_fixity(read_text(detail, "outcome"), digest, sequence)
        elif event in _USES:
            yield from self._use(event, digest, sequence)

    def end(self) -> Iterator[Finding]:
        """Yield what the whole record shows."""
        if self._current in self._changed and not self._signed.get(self._current):
            changed, signed_off = self._changed[self._current]
            yield self._tell_changed(changed, {"signedOff": signed_off})
        for sequence in self._failed.values():
            yield make_finding(
                "finding.fixity-failed",
                Severity.CRITICAL,
                sequence,
                certain=self._complete,
                detail={},
            )

    def _take_sign_off(self, entry: LoggedEnvelope) -> None:
        statement = entry.statement
        owners = self._signed.setdefault(statement.subject.sha256, set())
        if statement.detail.get("decision") == "approved":
            owners.add(statement.actor.id)
            self._remember_sign_off(statement.subject.sha256, entry.sequence)
        else:
            owners.discard(statement.actor.id)

    def _remember_sign_off(self, digest: bytes, sequence: int) -> None:
        if self._newest is not None and self._newest[0] != digest:
            self._other = self._newest
        self._newest = digest, sequence

    def _take_version(self, event: str, digest: bytes, sequence: int) -> None:
        self._current = digest
        is_newest = self._newest is not None and self._newest[0] == digest
        before = self._other if is_newest else self._newest
        if event in _CHANGES and before is not None and not self._signed.get(digest):
            self._changed.setdefault(digest, (sequence, before[1]))

    def _take_source(self, digest: bytes, source: bytes) -> None:
        """Take a conversion; the same one again says nothing new."""
        sources = self._sources.setdefault(digest, [])
        if len(sources) < _LINEAGE_COUNT_MAX and source not in sources:
            sources.append(source)
            self._lineages.clear()

    def _take_fixity(self, outcome: str | None, digest: bytes, sequence: int) -> None:
        if outcome == "fail":
            self._failed[digest] = sequence
        elif outcome == "pass":
            self._failed.pop(digest, None)
            self._unchecked.pop(digest, None)

    def _use(self, event: str, digest: bytes, sequence: int) -> Iterator[Finding]:
        lineage = self._lineage(digest)
        if (converted := self._unchecked.pop(digest, None)) is not None:
            yield make_finding(
                "finding.converted-not-checked",
                Severity.WARNING,
                converted,
                certain=self._complete,
                detail={"used": sequence},
            )
        if not any(self._signed.get(version) for version in lineage):
            for version in sorted(lineage & self._changed.keys()):
                changed, signed_off = self._changed.pop(version)
                detail = {"signedOff": signed_off, "used": sequence}
                yield self._tell_changed(changed, detail)
        for version in sorted(lineage & self._revoked.keys()) if event != "archive" else ():
            yield make_finding(
                "finding.used-after-revocation",
                Severity.CRITICAL,
                sequence,
                certain=True,
                detail={"revoked": self._revoked.pop(version)},
            )

    def _tell_changed(self, sequence: int, detail: Mapping[str, int]) -> Finding:
        return make_finding(
            "finding.changed-after-sign-off",
            Severity.CRITICAL,
            sequence,
            certain=self._complete,
            detail=detail,
        )

    def _lineage(self, digest: bytes) -> set[bytes]:
        """Return a digest with what it was converted from, the nearest first.

        Bounded, as whoever writes a record decides how often it is converted.
        """
        if (known := self._lineages.get(digest)) is not None:
            return known
        reached = {digest: None}  # in order
        waiting = deque(reached)
        while waiting and len(reached) < _LINEAGE_COUNT_MAX:
            for source in self._sources.get(waiting.popleft(), ())[:_LINEAGE_COUNT_MAX]:
                if source not in reached and len(reached) < _LINEAGE_COUNT_MAX:
                    reached[source] = None
                    waiting.append(source)
        self._lineages[digest] = set(reached)
        return self._lineages[digest]
