"""Statements: who says what about which document version (FORMATS section 3).

An in-toto Statement v1 in canonical JSON. This module reads and writes the
shape; what a statement means beside others of its record is the task of
`vermilion_ledger.records`, `vermilion_ledger.keys` and
`vermilion_ledger.rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vermilion_ledger.actor import Actor, parse_actor
from vermilion_ledger.commitment import parse_record_id
from vermilion_ledger.details import check_detail
from vermilion_ledger.encoding import (
    Json,
    check_members,
    check_text,
    encode_json,
    encode_parsed,
    parse_count,
    parse_hex,
    parse_json,
    parse_time,
    parse_wire_hex,
)
from vermilion_ledger.errors import InputError
from vermilion_ledger.events import (
    KEY_EVENTS,
    POLICY_EVENTS,
    PREDICATE_TYPES,
    RECORD_EVENTS,
    Predicate,
)
from vermilion_ledger.limits import (
    NAME_SIZE_MAX,
    ORIGIN_SIZE_MAX,
    STATEMENT_SIZE_MAX,
)

__all__ = [
    "STATEMENT_TYPE",
    "Prior",
    "Seen",
    "Statement",
    "Subject",
    "parse_statement",
]

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The document version, or the key or rules, that an event is about.

    Attributes:
        name: File name as the office knows it, at most 1,024 bytes.
        sha256: SHA-256 of the raw bytes.
        sm3: SM3 of the same bytes, where the office profile asks for it.
    """

    name: str
    sha256: bytes
    sm3: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A block that the statement quotes: it cannot be older than that."""

    chain_id: int
    number: int
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """The last entry of the record that the signer saw."""

    sequence: int
    envelope: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement, well formed by its own; see `parse_statement`.

    Attributes:
        predicate: Which family of events this belongs to.
        time: As claimed, ``YYYY-MM-DDTHH:MM:SSZ``; it proves nothing.
        detail: Members of the event, checked by `vermilion_ledger.details`.
    """

    predicate: Predicate
    subject: Subject
    ledger: str
    record: str
    event: str
    actor: Actor
    time: str
    nonce: bytes
    seen: Seen | None = None
    prior: Prior | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return the canonical bytes, checked by reading them back.

        Raises:
            InputError: The statement breaks a rule of its own shape.
        """
        data = encode_json(self._to_json())
        parse_statement(data)
        return data

    def _to_json(self) -> dict[str, Json]:
        digest = {"sha256": self.subject.sha256.hex()}
        if self.subject.sm3 is not None:
            digest["sm3"] = self.subject.sm3.hex()
        body: dict[str, Json] = {
            "ledger": self.ledger,
            "record": self.record,
            "event": self.event,
            "actor": self.actor.to_json(),
            "time": self.time,
            "nonce": self.nonce.hex(),
            "detail": dict(self.detail),
        }
        if self.seen is not None:
            body["seen"] = {
                "chainId": self.seen.chain_id,
                "number": self.seen.number,
                "hash": "0x" + self.seen.hash.hex(),
            }
        if self.prior is not None:
            body["prior"] = {
                "sequence": self.prior.sequence,
                "envelope": self.prior.envelope.hex(),
            }
        return {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": self.subject.name, "digest": digest}],
            "predicateType": self.predicate.value,
            "predicate": body,
        }


def parse_statement(data: bytes) -> Statement:
    """Read a statement strictly.

    Raises:
        LimitError: More than 32 KiB, or a text beyond its bound.
        InputError: Not canonical I-JSON, an unknown or missing member, an
            event that its family does not have, a malformed member or detail.
    """
    value = parse_json(data, size_max=STATEMENT_SIZE_MAX, what="statement")
    if encode_parsed(value) != data:
        raise InputError("json.not-canonical", "the statement is not canonical JSON")
    top = check_members(
        value, required=("_type", "subject", "predicateType", "predicate"), what="statement"
    )
    if top["_type"] != STATEMENT_TYPE:
        raise InputError("statement.type", "not an in-toto Statement v1")
    if not isinstance(top["predicateType"], str) or top["predicateType"] not in PREDICATE_TYPES:
        raise InputError("statement.predicate-type", "an unknown predicateType")
    predicate = Predicate(top["predicateType"])
    body = check_members(
        top["predicate"],
        required=("ledger", "record", "event", "actor", "time", "nonce", "detail"),
        optional=("seen", "prior"),
        what="predicate",
    )
    event = _parse_event(body["event"], predicate)
    parse_time(body["time"], what="time")
    return Statement(
        predicate=predicate,
        subject=_parse_subject(top["subject"]),
        ledger=check_text(body["ledger"], size_max=ORIGIN_SIZE_MAX, what="ledger"),
        record=parse_record_id(body["record"]),
        event=event,
        actor=parse_actor(body["actor"], what="actor"),
        time=body["time"],
        nonce=parse_hex(body["nonce"], size=16, what="nonce"),
        seen=_parse_seen(body["seen"]) if "seen" in body else None,
        prior=_parse_prior(body["prior"]) if "prior" in body else None,
        detail=check_detail(body["detail"], predicate=predicate, event=event),
    )


def _parse_event(value: Json, predicate: Predicate) -> str:
    words = {
        Predicate.RECORD: RECORD_EVENTS,
        Predicate.KEY: KEY_EVENTS,
        Predicate.POLICY: POLICY_EVENTS,
    }[predicate]
    if not isinstance(value, str) or value not in words:
        raise InputError("statement.event", f"{str(value)[:40]!a} is no event of this family")
    return value


def _parse_subject(value: Json) -> Subject:
    if not isinstance(value, list) or len(value) != 1:
        raise InputError("statement.subject", "a statement has exactly one subject")
    members = check_members(value[0], required=("name", "digest"), what="subject")
    digest = check_members(
        members["digest"], required=("sha256",), optional=("sm3",), what="subject digest"
    )
    return Subject(
        name=check_text(members["name"], size_max=NAME_SIZE_MAX, what="subject name"),
        sha256=parse_hex(digest["sha256"], size=32, what="sha256"),
        sm3=parse_hex(digest["sm3"], size=32, what="sm3") if "sm3" in digest else None,
    )


def _parse_seen(value: Json) -> Seen:
    members = check_members(value, required=("chainId", "number", "hash"), what="seen")
    return Seen(
        chain_id=parse_count(members["chainId"], what="seen.chainId"),
        number=parse_count(members["number"], what="seen.number"),
        hash=parse_wire_hex(members["hash"], size=32, what="seen.hash"),
    )


def _parse_prior(value: Json) -> Prior:
    members = check_members(value, required=("sequence", "envelope"), what="prior")
    return Prior(
        sequence=parse_count(members["sequence"], what="prior.sequence"),
        envelope=parse_hex(members["envelope"], size=32, what="prior.envelope"),
    )
