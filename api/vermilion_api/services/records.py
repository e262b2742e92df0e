"""Reading records: their history, their versions, how their rules stand.

What is told here is the ledger's word; the proof is the bundle.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from vermilion_api.services.history import StoredHistory
from vermilion_api.services.waiting import Stage, Standing
from vermilion_ledger.admission import LedgerAdmission, LedgerIdentity
from vermilion_ledger.approvals import evaluate_rules
from vermilion_ledger.encoding import encode_time
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.events import DECISION_EVENTS, VERSION_EVENTS
from vermilion_ledger.findings import Flow, StatedTimes, find_lapses, flow_name_of, load_flows
from vermilion_ledger.keys import KeyRegistry
from vermilion_ledger.limits import TREE_SIZE_MAX
from vermilion_ledger.log import LogReader
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.policies import find_policy
from vermilion_ledger.ports import Clock
from vermilion_ledger.records import RecordHistory
from vermilion_ledger.rows import RecordEntry, RecordKind

__all__ = ["RecordDesk", "Waits"]


class Waits(Protocol):
    """What entries wait for; `vermilion_api.services.anchoring.AnchorDesk` tells it."""

    def pending(self, index: int, standing: Standing) -> dict[str, Any] | None:
        """Return why an entry has no final anchor yet, and until when; None where it has one."""
        ...


class RecordDesk:
    """Answers questions about records. Safe to share between threads."""

    def __init__(
        self, *, identity: LedgerIdentity, reader: LogReader, waits: Waits, clock: Clock
    ) -> None:
        self._clock = clock
        self._flows = load_flows()
        self._waits = waits
        self._identity = identity
        self._admission = LedgerAdmission(identity)
        self._reader = reader
        self._view = StoredHistory(reader)
        self._lock = threading.Lock()  # admission keeps a cache

    def describe_all(
        self, record_ids: Sequence[str], standing: Standing
    ) -> list[dict[str, Any] | EvidenceError]:
        """Return the histories of records with one read, in order of the question.

        In place of a history stands the error that keeps it from being told,
        such as ``record.unknown``.
        """
        rows = self._reader.records_entries(set(record_ids))
        known = _Known(self._load_keys, self._load_policies)
        found: list[dict[str, Any] | EvidenceError] = []
        for record_id in record_ids:
            try:
                found.append(self._describe(record_id, rows.get(record_id, ()), standing, known))
            except EvidenceError as exc:
                found.append(exc)
        return found

    def describe(self, record_id: str, standing: Standing) -> dict[str, Any]:
        """Return the history of a record, with its state and its approvals.

        Raises:
            NotFoundError: ``record.unknown``.
        """
        (found,) = self.describe_all([record_id], standing)
        if isinstance(found, EvidenceError):
            raise found
        return found

    def find(self, digest: bytes, standing: Standing) -> dict[str, Any]:
        """Return the records in which a digest was recorded as a version.

        A ledger that has none says so; that proves nothing about the document.
        """
        found = self._reader.records_entries(self._reader.find_by_digest(digest))
        records = []
        for record_id in sorted(found):
            rows = found[record_id]
            if not rows or self._kind(record_id) != "document":
                continue
            with self._lock:
                life = RecordHistory(entries=tuple(self._admission.place(row) for row in rows))
            first = life.first_recorded(digest)
            if first is None:
                continue
            current = life.current_digest()
            status = life.status_of(digest, current=current, current_status=life.closing_status())
            records.append(
                {
                    "record": record_id,
                    "index": first.index,
                    "sequence": first.sequence,
                    "name": first.statement.subject.name,
                    "status": status.value,
                    "state": standing.stage_of(first.index).word,
                }
            )
        answer: dict[str, Any] = {"digest": f"sha256:{digest.hex()}", "records": records}
        if not records:
            answer["verdict"] = "no_record"
        return answer

    def keys(self) -> list[dict[str, Any]]:
        """Return every registered key, in order of registration."""
        with self._lock:
            registry = self._admission.registry(self._view)
        return [
            {
                "keyid": key.keyid,
                "scheme": key.scheme,
                "owner": key.owner.to_json(),
                "may": sorted(key.may),
                "officer": key.officer,
                "registered": key.registered,
                "revoked": key.revoked,
                "compromisedSince": key.compromised_since,
                "until": encode_time(key.until) if key.until is not None else None,
                "onBehalfOf": key.on_behalf_of,
            }
            for key in sorted(registry.keys.values(), key=lambda key: key.registered)
        ]

    def has_policy(self, policy: str) -> bool:
        """Tell whether a policy is in force for a record that is registered now."""
        events = self._load_policies()
        return find_policy(events, bytes.fromhex(policy), before=TREE_SIZE_MAX) is not None

    def _describe(
        self, record_id: str, rows: Sequence[RecordEntry], standing: Standing, known: _Known
    ) -> dict[str, Any]:
        kind = self._kind(record_id) if rows else self._reader.record(record_id).kind
        with self._lock:
            entries = tuple(self._admission.place(row) for row in rows)
        stage = standing.stage_of(entries[-1].index) if entries else Stage.PENDING
        answer: dict[str, Any] = {
            "record": record_id,
            "kind": kind,
            "state": stage.word,
            "pending": self._pending(entries, standing),
            "entries": [_entry(entry, known, standing) for entry in entries],
        }
        if kind == "document" and entries:
            answer |= _document(entries, known)
            answer["findings"] = _findings(entries, self._clock(), self._flows)
        return answer

    def _pending(
        self, entries: Sequence[LoggedEnvelope], standing: Standing
    ) -> list[dict[str, Any]]:
        """Return what entries without a final anchor wait for; neighbours alike stand together."""
        found: list[dict[str, Any]] = []
        for entry in entries:
            waiting = self._waits.pending(entry.index, standing)
            if waiting is None:
                continue
            place = {"first": entry.sequence, "last": entry.sequence}
            if found and found[-1] == found[-1] | waiting:
                found[-1]["last"] = entry.sequence
            else:
                found.append(place | waiting)
        return found

    def _load_keys(self) -> KeyRegistry:
        with self._lock:
            return self._admission.registry(self._view)

    def _load_policies(self) -> tuple[LoggedEnvelope, ...]:
        with self._lock:
            return self._admission.history(self._identity.policies_record, self._view)

    def _kind(self, record_id: str) -> RecordKind:
        public: dict[str, RecordKind] = {
            self._identity.keys_record: "keys",
            self._identity.policies_record: "policies",
        }
        return public.get(record_id, "document")


class _Known:
    """Keys and policies, looked up when a record first asks: most records ask for neither."""

    def __init__(
        self,
        load_keys: Callable[[], KeyRegistry],
        load_policies: Callable[[], tuple[LoggedEnvelope, ...]],
    ) -> None:
        self._load_keys = load_keys
        self._load_policies = load_policies
        self._keys: KeyRegistry | None = None
        self._policies: tuple[LoggedEnvelope, ...] | None = None

    @property
    def keys(self) -> KeyRegistry:
        if self._keys is None:
            self._keys = self._load_keys()
        return self._keys

    @property
    def policies(self) -> tuple[LoggedEnvelope, ...]:
        if self._policies is None:
            self._policies = self._load_policies()
        return self._policies


def _entry(entry: LoggedEnvelope, known: _Known, standing: Standing) -> dict[str, Any]:
    statement = entry.statement
    subject = statement.subject
    digest = {"sha256": subject.sha256.hex()}
    if subject.sm3 is not None:
        digest["sm3"] = subject.sm3.hex()
    return {
        "sequence": entry.sequence,
        "index": entry.index,
        "event": statement.event,
        "time": statement.time,
        "actor": statement.actor.to_json(),
        "signed": bool(entry.actors),
        "signers": [
            {"keyid": keyid, "scheme": key.scheme if key else None}
            for keyid in sorted(entry.signers)
            for key in [known.keys.keys.get(keyid)]
        ],
        "name": subject.name,
        "digest": digest,
        "detail": dict(statement.detail),
        "envelope": entry.envelope.hash.hex(),
        "state": standing.stage_of(entry.index).word,
    }


def _document(entries: Sequence[LoggedEnvelope], known: _Known) -> dict[str, Any]:
    life = RecordHistory(entries=tuple(entries))
    current = life.current_digest()
    status = life.closing_status()
    named = entries[0].statement.detail.get("policy")
    answer: dict[str, Any] = {
        "digest": current.hex(),
        "status": status.value,
        "versions": [
            {
                "sha256": entry.statement.subject.sha256.hex(),
                "name": entry.statement.subject.name,
                "event": entry.statement.event,
                "status": life.status_of(
                    entry.statement.subject.sha256, current=current, current_status=status
                ).value,
            }
            for entry in entries
            if entry.statement.event in VERSION_EVENTS
        ],
        "approvals": [
            {
                "sequence": entry.sequence,
                "event": entry.statement.event,
                "step": entry.statement.detail.get("step"),
                "decision": entry.statement.detail.get("decision"),
                "sha256": entry.statement.subject.sha256.hex(),
                "owners": _owners(entry, known.keys),
            }
            for entry in entries
            if entry.statement.event in DECISION_EVENTS
        ],
        "policy": named,
        "rules": [],
    }
    if named is not None:
        rules = find_policy(known.policies, bytes.fromhex(named), before=entries[0].index)
        answer["rules"] = [
            {
                "rule": each.rule.to_json(),
                "owners": list(each.owners),
                "missing": each.missing,
                "undecided": list(each.undecided),  # terms are judged from the bundle
            }
            for each in evaluate_rules(rules or (), entries, known.keys, current)
        ]
    return answer


def _findings(
    entries: Sequence[LoggedEnvelope], now: datetime, flows: Mapping[str, Flow]
) -> list[dict[str, Any]]:
    """Return lapses in the life of the document, by the times that statements state."""
    life = RecordHistory(entries=tuple(entries))
    flow = flows.get(flow_name_of(life) or "")
    found = find_lapses(life, StatedTimes(now=now), flow=flow)
    return [finding.to_json() for finding in found]


def _owners(entry: LoggedEnvelope, registry: KeyRegistry) -> list[str]:
    return sorted({registry.keys[each].counts_for for each in entry.signers & registry.keys.keys()})
