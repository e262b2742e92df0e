"""Preparing statements to sign, and taking signed envelopes in.

What a signer gets is the exact canonical bytes, with the block to quote and
the last entry of the record filled in. What comes back is judged whole before
anything is stored: place, rules, signatures, quoted block.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from dataclasses import dataclass
from typing import Any

from vermilion_api.requests import EVENT_SIZE_MAX, Draft
from vermilion_api.services.history import ReadOnce, StoredHistory
from vermilion_api.services.nonces import RegistrarNonces
from vermilion_api.services.seen import SeenDesk
from vermilion_ledger.actor import parse_actor
from vermilion_ledger.admission import LedgerAdmission, LedgerIdentity, predicate_of
from vermilion_ledger.encoding import encode_json, encode_time, parse_json
from vermilion_ledger.envelope import (
    PAYLOAD_TYPE,
    Envelope,
    parse_envelope,
    sign_intake,
)
from vermilion_ledger.errors import ConflictError, InputError, NotFoundError, SignatureError
from vermilion_ledger.event_details import check_members_of
from vermilion_ledger.events import DECISION_EVENTS, SEEN_EVENTS, Predicate
from vermilion_ledger.grades import (
    REFUSALS_MARK,
    check_grades,
    neutral_name,
    present_grade,
    profile_of,
)
from vermilion_ledger.limits import STATEMENT_SIZE_MAX
from vermilion_ledger.log import LogReader
from vermilion_ledger.logged import LoggedEnvelope, place_envelope
from vermilion_ledger.numbering import check_no_number, check_number_detail
from vermilion_ledger.numbers import Numbering
from vermilion_ledger.ports import Clock, HistoryView
from vermilion_ledger.records import RecordHistory
from vermilion_ledger.rows import RecordRow, Submission
from vermilion_ledger.rules import hash_rules, parse_rules
from vermilion_ledger.schemes import secp256k1
from vermilion_ledger.schemes.message import SignedMessage, encode_pae
from vermilion_ledger.statement import Prior, Statement, Subject, parse_statement

__all__ = ["PreparedStatement", "StatementDesk"]

_TYPED_DATA_SCHEME = "secp256k1-eip712"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedStatement:
    """A statement ready to be signed, in every form a signer may want.

    Attributes:
        payload: Canonical bytes of the statement.
        typed_data: EIP-712 JSON, where the statement quotes a block.
    """

    statement: Statement
    payload: bytes
    typed_data: dict[str, Any] | None

    @property
    def pae(self) -> bytes:
        """What plain schemes sign."""
        return encode_pae(PAYLOAD_TYPE, self.payload)

    def to_json(self) -> dict[str, Any]:
        """Return the statement as an object."""
        value: dict[str, Any] = parse_json(
            self.payload, size_max=STATEMENT_SIZE_MAX, what="statement"
        )
        return value


class StatementDesk:
    """Prepares and accepts statements of all three families.

    Admission keeps a cache of the key record, so one thread at a time asks it for keys.
    """

    def __init__(
        self,
        *,
        identity: LedgerIdentity,
        admission: LedgerAdmission,
        reader: LogReader,
        seen: SeenDesk,
        intake_seed: bytes,
        clock: Clock,
    ) -> None:
        self._identity = identity
        self._admission = admission
        self._reader = reader
        self._view = StoredHistory(reader)
        self._seen = seen
        self._intake_seed = intake_seed
        self._nonces = RegistrarNonces(intake_seed)
        self._clock = clock
        self._lock = threading.Lock()

    def prepare(self, record_id: str, draft: Draft) -> PreparedStatement:
        """Return the statement that a draft stands for, with ``seen`` and ``prior``.

        Raises:
            NotFoundError: ``record.unknown``, or no version of that digest.
            InputError: The draft is malformed or incomplete.
            SignatureError: ``key.unknown``: a key of a record event, or one to be revoked, is not
                registered.
            UnavailableError: ``seen.unavailable``.
        """
        record = self._reader.record(record_id)
        predicate = predicate_of(record.kind)
        history = self._admission.history(record_id, self._view)
        with self._lock:
            registry = self._admission.registry(self._view)
        signers = [key for keyid in draft.keyids if (key := registry.keys.get(keyid)) is not None]
        if predicate is Predicate.RECORD and len(signers) < len(draft.keyids):
            registry.find(min(set(draft.keyids) - registry.keys.keys()))
        schemes = {key.scheme for key in signers} | {draft.detail.get("scheme")}
        actor = draft.actor or next((key.owner for key in signers), None)
        if actor is None:
            raise InputError(
                "json.missing-member", "request names no actor (--actor) and no registered key"
            )
        quotes = (
            _TYPED_DATA_SCHEME in schemes
            or any(key.until is not None for key in signers)
            or (predicate is Predicate.RECORD and draft.event in SEEN_EVENTS)
            or (predicate is Predicate.KEY and "until" in draft.detail)
        )
        detail = dict(draft.detail)
        if predicate is Predicate.RECORD:
            check_members_of(draft.event, detail)
            _fill_policy(detail, draft.event, history)
        statement = Statement(
            predicate=predicate,
            subject=self._subject(predicate, draft, history),
            ledger=self._identity.origin,
            record=record_id,
            event=draft.event,
            actor=actor,
            time=encode_time(self._clock()),
            nonce=secrets.token_bytes(16),
            seen=self._seen.offer() if quotes else None,
            prior=_prior(history) if quotes and predicate is Predicate.RECORD else None,
            detail=detail,
        )
        payload = statement.encode()
        message = SignedMessage(pae=encode_pae(PAYLOAD_TYPE, payload), statement=statement)
        return PreparedStatement(
            statement=parse_statement(payload),
            payload=payload,
            typed_data=secp256k1.typed_data(message) if quotes else None,
        )

    def accept(
        self,
        record_id: str,
        body: bytes,
        *,
        numbering: Numbering | None = None,
        is_repeated: bool = False,
        is_own: bool = False,
    ) -> Submission:
        """Judge a signed envelope and return the submission, signed at intake.

        The payload's bytes are taken as they are; the envelope around them is
        brought into canonical form once, here.

        Args:
            record_id: The record that it is for.
            body: The envelope.
            numbering: What a ``number`` event commits to; only the office's book gives numbers.
            is_repeated: An idempotency key will find what was saved before; this one
                only stands for it, and is not judged by what it has changed since.
            is_own: The ledger says it; into its count of refusals nobody else writes.

        Raises:
            InputError: Malformed.
            VerificationError: A rule is broken, or a signature is bad.
            NotFoundError: ``record.unknown``.
            ConflictError: ``envelope.intake-signed``, ``statement.nonce-reused``.
            UnavailableError: The quoted block cannot be checked now.
        """
        value = parse_json(body, size_max=EVENT_SIZE_MAX, what="request")
        envelope = parse_envelope(encode_json(value))
        keyids = {keyid for each in envelope.signatures for keyid in each.keyids}
        if keyids & self._identity.intake_keyids:
            raise ConflictError("envelope.intake-signed", "the ledger's own signature is on it")
        check_grades(envelope.statement.detail)
        check_no_number(envelope.statement.detail)
        _check_numbering(envelope.statement, numbering)
        record, view = self._reader.record(record_id), ReadOnce(self._view)
        history = self._admission.history(record_id, view)
        for logged in history:
            # Judged then: a request comes again, perhaps from before another intake key.
            repeated = (logged.envelope.payload, logged.actors)
            if repeated == (envelope.payload, envelope.signatures):
                return _submission(record, logged.envelope, logged)
        if not is_own and _is_of_refusals(history):
            raise InputError("grade.own-record", "the ledger alone writes the record of refusals")
        if envelope.statement.predicate is Predicate.RECORD:
            check_members_of(envelope.statement.event, envelope.statement.detail)
        sealed = sign_intake(envelope, self._intake_seed)
        entry = place_envelope(
            sealed,
            index=self._reader.size(),
            sequence=len(history),
            intake_keyids=self._identity.intake_keyids,
        )
        if not entry.actors and self._nonces.is_ours(envelope.statement.nonce):
            raise ConflictError("statement.nonce-reused", "this key has used this nonce before")
        if not is_repeated:
            self._check(record, entry, view)
        return _submission(record, sealed, entry, numbering)

    def check_new(self, submission: Submission) -> None:
        """Check a prepared registration of a new record, where it names a policy.

        Raises:
            VerificationError: ``policy.not-in-force``.
        """
        entry = place_envelope(
            parse_envelope(submission.envelope),
            index=self._reader.size(),
            sequence=0,
            intake_keyids=self._identity.intake_keyids,
        )
        with self._lock:
            self._admission.check(
                entry,
                record_id=submission.record_id,
                kind=submission.kind,
                view=self._view,
            )

    def _check(self, record: RecordRow, entry: LoggedEnvelope, view: HistoryView) -> None:
        """Ask what the sequencer will ask, at the place the entry would get now."""
        with self._lock:
            self._admission.check(entry, record_id=record.record_id, kind=record.kind, view=view)
            self._admission.verify_actors(entry, kind=record.kind, view=view)
        moment = self._clock()
        if entry.statement.seen is not None:
            moment = max(moment, self._seen.check(entry.statement.seen).time)
        with self._lock:
            self._admission.check_unexpired(entry, kind=record.kind, view=view, moment=moment)

    def _subject(
        self, predicate: Predicate, draft: Draft, history: tuple[LoggedEnvelope, ...]
    ) -> Subject:
        if predicate is Predicate.KEY:
            return self._key_subject(draft)
        if predicate is Predicate.POLICY:
            digest = hash_rules(parse_rules(draft.detail.get("rules")))
            return Subject(name=draft.name or "policy", sha256=digest)
        if draft.sha256 is not None and draft.name is not None:
            return Subject(name=draft.name, sha256=draft.sha256, sm3=draft.sm3)
        life = RecordHistory(entries=history)
        digest = draft.sha256 or life.current_digest()
        profile = profile_of(present_grade(history))
        neutral = neutral_name(digest) if profile is not None and profile.is_neutral else None
        if neutral is not None and draft.sha256 is not None:
            return Subject(name=draft.name or neutral, sha256=digest, sm3=draft.sm3)
        recorded = life.first_recorded(digest)
        if recorded is None:
            raise NotFoundError("record.no-such-version", f"no version {digest.hex()[:16]}… here")
        subject = recorded.statement.subject
        name = draft.name or neutral or subject.name
        return Subject(name=name, sha256=digest, sm3=subject.sm3)

    def _key_subject(self, draft: Draft) -> Subject:
        detail = draft.detail
        if draft.event == "register":
            key = detail.get("key")
            try:
                public = bytes.fromhex(key if isinstance(key, str) else "")
            except ValueError:
                public = b""
            owner = parse_actor(detail.get("owner"), what="owner")
            return Subject(
                name=draft.name or f"key of {owner.id}", sha256=hashlib.sha256(public).digest()
            )
        with self._lock:
            registry = self._admission.registry(self._view)
        keyid = str(detail.get("keyid"))
        known = registry.keys.get(keyid)
        if known is None:
            raise SignatureError("key.unknown", f"key {keyid[:64]!a} is not registered")
        return Subject(
            name=draft.name or f"key of {known.owner.id}",
            sha256=hashlib.sha256(known.public_key).digest(),
        )


def _fill_policy(detail: dict[str, Any], event: str, history: tuple[LoggedEnvelope, ...]) -> None:
    """Bind a decision to the policy that the record names (FORMATS section 3)."""
    if event in DECISION_EVENTS and history and "policy" not in detail:
        named = history[0].statement.detail.get("policy")
        if named is not None:
            detail["policy"] = named


def _prior(history: tuple[LoggedEnvelope, ...]) -> Prior | None:
    if not history:
        return None
    return Prior(sequence=history[-1].sequence, envelope=history[-1].envelope.hash)


def _is_of_refusals(history: tuple[LoggedEnvelope, ...]) -> bool:
    return bool(history) and history[0].statement.detail.get(REFUSALS_MARK) is True


def _check_numbering(statement: Statement, numbering: Numbering | None) -> None:
    """Refuse a ``number`` event that the office's book knows nothing of."""
    if statement.event != "number" or statement.predicate is not Predicate.RECORD:
        return
    check_number_detail(statement.detail)
    if numbering is None or numbering.commitment.hex() != statement.detail["commitment"]:
        raise InputError("number.unassigned", "the office's book has not given this number")


def _submission(
    record: RecordRow,
    sealed: Envelope,
    entry: LoggedEnvelope,
    numbering: Numbering | None = None,
) -> Submission:
    statement = sealed.statement
    # A statement that no actor signed uses up a nonce of the intake key.
    signers = entry.signers or frozenset(entry.intake.keyids if entry.intake else ())
    return Submission(
        record_id=record.record_id,
        record_key=record.record_key,
        kind=record.kind,
        envelope=sealed.data,
        envelope_hash=sealed.hash,
        salt=secrets.token_bytes(32),
        digest=statement.subject.sha256,
        nonces=tuple((bytes.fromhex(keyid), statement.nonce) for keyid in sorted(signers)),
        numbering=numbering,
    )
