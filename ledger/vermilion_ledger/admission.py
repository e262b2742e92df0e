"""Who gets into the log: the ledger's side of the rules of FORMATS section 3.

`LedgerAdmission` is asked twice. At intake, before anything is stored, it
tells a caller at once what could not be accepted anyway, and checks the
actors' signatures. In the sequencer's transaction, with the index that the
entry would get and the entries of the same batch before it in view, it
decides. A (key, nonce) pair is kept single by the store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from vermilion_ledger.binding import check_entry, check_place, needs_seen
from vermilion_ledger.encoding import encode_time
from vermilion_ledger.envelope import Envelope, parse_envelope
from vermilion_ledger.errors import UnavailableError, VerificationError
from vermilion_ledger.events import ACTOR_SIGNED_EVENTS, Predicate
from vermilion_ledger.grades import check_name, check_regrade, present_grade, profile_of
from vermilion_ledger.keys import (
    KeyRegistry,
    Roots,
    check_key_events,
    check_one_voice,
    collect_keys,
    verify_actor_signature,
)
from vermilion_ledger.logged import LoggedEnvelope, place_envelope
from vermilion_ledger.numbering import check_numbering
from vermilion_ledger.policies import check_policy_events, find_policy
from vermilion_ledger.ports import HistoryView
from vermilion_ledger.possession import check_certified_key, check_possession
from vermilion_ledger.rows import Pending, RecordEntry, RecordKind

__all__ = ["LedgerAdmission", "LedgerIdentity", "RetiredIntake", "predicate_of"]

_PARSED_COUNT_MAX = 4096  # envelopes; those of one busy record are asked for again and again


@dataclass(frozen=True, slots=True, kw_only=True)
class RetiredIntake:
    """An intake key that signs no more.

    Attributes:
        keyid: Its key id.
        until: Leaf index from which on nothing that it signed is taken any more.
    """

    keyid: str
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerIdentity:
    """What makes this ledger this ledger, as its trust policy says it.

    Attributes:
        origin: Origin of the log; every statement names it.
        roots: Who may register and revoke keys, and adopt policies.
        intake_keyids: Key ids of all intake keys, retired ones too.
        retired_intakes: From where on which of them signs no more; every other
            is in force at each index.
        keys_record: Id of the public key record.
        policies_record: Id of the public policy record.
    """

    origin: str
    roots: Roots
    intake_keyids: frozenset[str]
    keys_record: str
    policies_record: str
    retired_intakes: tuple[RetiredIntake, ...] = ()


def predicate_of(kind: RecordKind) -> Predicate:
    """Return the family of events that a kind of record holds."""
    return {
        "document": Predicate.RECORD,
        "keys": Predicate.KEY,
        "policies": Predicate.POLICY,
    }[kind]


class LedgerAdmission:
    """Implements `vermilion_ledger.ports.Admission`; one instance per thread of work."""

    def __init__(self, identity: LedgerIdentity) -> None:
        self._identity = identity
        self._parse: Callable[[bytes], Envelope] = lru_cache(_PARSED_COUNT_MAX)(parse_envelope)
        self._key_rows: tuple[RecordEntry, ...] = ()
        self._key_events: tuple[LoggedEnvelope, ...] = ()
        self._registry = KeyRegistry(keys={})

    def admit(self, pending: Pending, *, index: int, sequence: int, view: HistoryView) -> None:
        """Return if the submission may become entry ``index``.

        Raises:
            EvidenceError: Refused, with the code of the rule that it breaks.
        """
        self._check_intake_key(pending.envelope, index)
        if pending.is_plain:
            return  # our own registrar wrote it, for a record that it made: nothing is left to ask
        entry = place_envelope(
            parse_envelope(pending.envelope),
            index=index,
            sequence=sequence,
            intake_keyids=self._identity.intake_keyids,
        )
        self.check(entry, record_id=pending.record_id, kind=pending.kind, view=view)

    def check(
        self, entry: LoggedEnvelope, *, record_id: str, kind: RecordKind, view: HistoryView
    ) -> None:
        """Check a statement at the place that it has or would get.

        Raises:
            InputError: A key or a list of rules in it is malformed.
            VerificationError: It breaks a rule of FORMATS section 3.
        """
        check_place(
            entry, ledger=self._identity.origin, record=record_id, predicate=predicate_of(kind)
        )
        try:
            if kind == "keys":
                self._check_key_event(entry, view)
            elif kind == "policies":
                self._check_policy_event(entry, view)
            else:
                self._check_record_event(entry, view)
        except UnavailableError as exc:
            # A scheme that this build has not got: waiting would not bring it.
            if exc.code == "scheme.unsupported":
                raise VerificationError(exc.code, exc.message) from exc
            raise

    def verify_actors(self, entry: LoggedEnvelope, *, kind: RecordKind, view: HistoryView) -> None:
        """Check every actor's signature; done once, before the statement is queued.

        Raises:
            SignatureError: A key is unknown, or a signature is bad.
            VerificationError: ``key-event.possession``.
            UnavailableError: This build has not got the scheme.
        """
        if not entry.actors:
            return
        registry = self.registry(view)
        if kind == "keys":
            # The new key signs its own registration.
            check_possession(entry)
            check_certified_key(entry)
            registry = collect_keys((*self._key_events, entry))
        for signature in entry.actors:
            verify_actor_signature(signature, entry.envelope.message, registry)

    def check_unexpired(
        self, entry: LoggedEnvelope, *, kind: RecordKind, view: HistoryView, moment: datetime
    ) -> None:
        """Check that no delegation has ended; asked at intake, which has a clock.

        A key may revoke itself at any time. What the log's readers believe is the
        anchored interval, never this clock.

        Args:
            entry: A statement that `check` let through.
            kind: Of its record.
            view: What is in the log.
            moment: The later one of now and the quoted block.

        Raises:
            VerificationError: ``key.expired``.
        """
        if not entry.actors or (kind == "keys" and entry.statement.event != "register"):
            return
        registry = self.registry(view)
        if kind == "keys":
            registry = collect_keys((*self._key_events, entry))
        for keyid in sorted(entry.signers):
            until = registry.find(keyid).until
            if until is not None and moment > until:
                raise VerificationError(
                    "key.expired", f"the delegation to key {keyid[:16]}… ended {encode_time(until)}"
                )

    def registry(self, view: HistoryView) -> KeyRegistry:
        """Return the keys, brought up to what the view has of the key record.

        What a batch that was rolled back had left in the cache is noticed by
        the last row, which then is not the one that the view has.
        """
        known = self._key_rows
        rows = view.history(self._identity.keys_record, since=max(0, len(known) - 1))
        if known and rows and rows[0] == known[-1]:
            rows = rows[1:]
        elif known:
            known = ()
            rows = view.history(self._identity.keys_record)
        if rows or len(known) != len(self._key_rows):
            events = self._key_events[: len(known)] + tuple(self.place(row) for row in rows)
            self._registry = collect_keys(events)
            self._key_events, self._key_rows = events, (*known, *rows)
        return self._registry

    def history(self, record_id: str, view: HistoryView) -> tuple[LoggedEnvelope, ...]:
        """Return a record's entries, parsed, in order."""
        return tuple(self.place(row) for row in view.history(record_id))

    def place(self, row: RecordEntry) -> LoggedEnvelope:
        """Return a stored entry at its place."""
        return place_envelope(
            self._parse(row.envelope),
            index=row.index,
            sequence=row.sequence,
            intake_keyids=self._identity.intake_keyids,
        )

    def _check_intake_key(self, envelope: bytes, index: int) -> None:
        """Refuse what a retired intake key signed (FORMATS section 11).

        Looked for in the canonical bytes, since most envelopes are not parsed
        here: no quotation mark can stand in a base64 payload.
        """
        for key in self._identity.retired_intakes:
            if index >= key.until and f'"keyid":"{key.keyid}"'.encode() in envelope:
                raise VerificationError(
                    "intake.retired",
                    f"intake key {key.keyid[:16]}… retired at leaf {key.until}, this is {index}",
                )

    def _check_key_event(self, entry: LoggedEnvelope, view: HistoryView) -> None:
        self.registry(view)
        events = (*self._key_events, entry)
        check_key_events(events, self._identity.roots)
        _check_seen(entry, collect_keys(events))

    def _check_policy_event(self, entry: LoggedEnvelope, view: HistoryView) -> None:
        registry = self.registry(view)
        check_policy_events((entry,), registry, self._identity.roots)
        _check_seen(entry, registry)

    def _check_record_event(self, entry: LoggedEnvelope, view: HistoryView) -> None:
        statement = entry.statement
        registry = KeyRegistry(keys={})
        if entry.actors:
            registry = self.registry(view)
            _check_signers(entry, registry)
        elif statement.event in ACTOR_SIGNED_EVENTS:
            raise VerificationError(
                "statement.unsigned", f"{statement.event} needs an actor's signature"
            )
        earlier: Sequence[LoggedEnvelope] = ()
        if entry.sequence > 0:
            registry = self.registry(view)
            earlier = self.history(statement.record, view)
        check_entry(entry, earlier, registry, complete=True)
        _check_office_rules(entry, earlier, registry)
        if statement.event == "register" and "policy" in statement.detail:
            self._check_policy_in_force(entry, view)

    def _check_policy_in_force(self, entry: LoggedEnvelope, view: HistoryView) -> None:
        policy = bytes.fromhex(entry.statement.detail["policy"])
        events = self.history(self._identity.policies_record, view)
        if find_policy(events, policy, before=entry.index) is None:
            raise VerificationError(
                "policy.not-in-force", f"no policy {policy.hex()[:16]}… is in force"
            )


def _check_office_rules(
    entry: LoggedEnvelope, earlier: Sequence[LoggedEnvelope], registry: KeyRegistry
) -> None:
    """Check what the ledger asks beyond the formats: no verifier knows of it."""
    statement = entry.statement
    if earlier:
        profile = profile_of(present_grade(earlier))
        check_name(statement.subject.name, profile=profile, sha256=statement.subject.sha256)
    if statement.event == "number":
        check_numbering(entry, earlier)
    elif statement.event == "regrade":
        check_regrade(entry, earlier, registry)


def _check_signers(entry: LoggedEnvelope, registry: KeyRegistry) -> None:
    """Check that every signing key may do this, here and now."""
    statement = entry.statement
    owners = set()
    signing = [registry.find(keyid) for keyid in sorted(entry.signers)]
    check_one_voice(signing)
    for key in signing:
        keyid = key.keyid
        if not key.is_valid_at(entry.index):
            if key.registered < entry.index:
                raise VerificationError("key.after-revocation", f"key {keyid[:16]}… is revoked")
            raise VerificationError("key.not-valid", f"key {keyid[:16]}… is not yet registered")
        if key.is_in_doubt_at(entry.index):
            raise VerificationError("key.in-doubt", f"key {keyid[:16]}… counts as compromised")
        if statement.event not in key.may:
            raise VerificationError(
                "key.may-not", f"key {keyid[:16]}… may not sign {statement.event}"
            )
        owners.add(key.owner)
    if statement.actor not in owners:
        raise VerificationError("key.other-actor", "the actor owns none of the signing keys")


def _check_seen(entry: LoggedEnvelope, registry: KeyRegistry) -> None:
    if needs_seen(entry, registry) and entry.statement.seen is None:
        raise VerificationError(
            "statement.seen-missing", f"{entry.statement.event} quotes no block"
        )
