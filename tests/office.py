"""A small office for the tests: people with real keys, signed statements, a log, a bundle.

Everything is derived from names, so that two runs give the same bytes. No
part of the ledger is replaced: what these helpers return went through the
public functions of `vermilion_ledger`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import devices
from vermilion_ledger.actor import Actor
from vermilion_ledger.bundle import BundleEntry, Closing, EvidenceBundle, closing_message
from vermilion_ledger.checkpoint import Checkpoint, parse_checkpoint_unverified, sign_checkpoint
from vermilion_ledger.commitment import commit, encode_entry, make_record_id, make_tag
from vermilion_ledger.encoding import encode_base64, parse_time
from vermilion_ledger.envelope import Envelope, Signature, make_envelope, sign_intake
from vermilion_ledger.events import Predicate
from vermilion_ledger.keys import KeyRegistry, RegisteredKey, Roots
from vermilion_ledger.logged import LoggedEnvelope, place_envelope
from vermilion_ledger.merkle import hash_leaf
from vermilion_ledger.records import make_history
from vermilion_ledger.rules import Rule, encode_rules
from vermilion_ledger.schemes import bls12381, ed25519, make_keyid, webauthn
from vermilion_ledger.statement import Prior, Seen, Statement, Subject
from vermilion_ledger.tree import Frontier, Node, build_inclusion

ORIGIN = "ledger.example.gov/office-1"
TIME = "2026-11-21T08:00:00Z"


def secret(name: str) -> bytes:
    """32 bytes that depend on a name alone."""
    return hashlib.sha256(b"tests/office\x00" + name.encode()).digest()


RECORD_KEY, REGISTRY_KEY, POLICIES_KEY = secret("record"), secret("registry"), secret("policies")
RECORD, REGISTRY = make_record_id(RECORD_KEY), make_record_id(REGISTRY_KEY)
POLICIES = make_record_id(POLICIES_KEY)
LOG_SEED, INTAKE_SEED = secret("log key"), secret("intake key")
INTAKE_PUBLIC = ed25519.public_key_of(INTAKE_SEED)
INTAKE_KEYID = make_keyid(ed25519.NAME, INTAKE_PUBLIC)
DOCUMENT = hashlib.sha256(b"the contract").digest()
OTHER_DOCUMENT = hashlib.sha256(b"the contract, corrected").digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with a key; `owner` may differ from the name when they hold several."""

    name: str
    owner: str = ""
    post: str = "clerk"
    unit: str = "finance"
    scheme: str = ed25519.NAME
    may: tuple[str, ...] = ("approve", "countersign", "revoke", "seal", "supersede")
    officer: bool = False
    until: str = ""  # of a delegated key
    on_behalf_of: str = ""

    @property
    def seed(self) -> bytes:
        return secret(f"key of {self.name}")

    @property
    def public_key(self) -> bytes:
        return devices.public_key_of(self.scheme, self.seed)

    @property
    def keyid(self) -> str:
        return make_keyid(self.scheme, self.public_key)

    @property
    def actor(self) -> Actor:
        return Actor(
            id=self.owner or self.name, name=self.name.title(), post=self.post, unit=self.unit
        )

    def registered(self, index: int = 0, **changes: Any) -> RegisteredKey:
        """The key as the registry would have it."""
        key = RegisteredKey(
            keyid=self.keyid,
            scheme=self.scheme,
            public_key=self.public_key,
            owner=self.actor,
            may=frozenset(self.may),
            officer=self.officer,
            registered=index,
            party=devices.PARTY if self.scheme == webauthn.NAME else None,
            until=parse_time(self.until, what="until") if self.until else None,
            on_behalf_of=self.on_behalf_of or None,
        )
        return replace(key, **changes)

    def sign(self, envelope: Envelope) -> Envelope:
        """The envelope with this person's signature at the end."""
        sig, extra = devices.sign(self.scheme, self.seed, envelope.message)
        return envelope.with_signature(
            Signature(keyids=(self.keyid,), scheme=self.scheme, sig=sig, extra=extra)
        )


WANG, LI, ZHAO = Person(name="wang"), Person(name="li"), Person(name="zhao", post="director")
ROOT = Person(name="root", may=())
ROOT_TWO = Person(name="root two", may=())
ROOTS = Roots(keyids=frozenset({ROOT.keyid}), quorum=1)
SEEN = Seen(chain_id=31337, number=42, hash=bytes(31) + b"\x2a")


def registry_of(*people: Person, index: int = 0) -> KeyRegistry:
    return KeyRegistry(keys={person.keyid: person.registered(index) for person in people})


def statement(event: str = "register", **changes: Any) -> Statement:
    """A well-formed record event about `DOCUMENT`; any member may be changed."""
    detail: Mapping[str, Any] = {
        "approve": {"step": "sign-off", "decision": "approved"},
        "countersign": {"step": "sign-off", "decision": "approved"},
        "revoke": {"reason": "wrong amount"},
        "supersede": {"by": POLICIES},
        "convert": {"from": DOCUMENT.hex()},
    }.get(event, {})
    made = Statement(
        predicate=Predicate.RECORD,
        subject=Subject(name="合同-2026-017.pdf", sha256=DOCUMENT),
        ledger=ORIGIN,
        record=RECORD,
        event=event,
        actor=WANG.actor,
        time=TIME,
        nonce=secret(f"nonce {event} {sorted(changes.items(), key=str)!r}")[:16],
        detail=detail,
    )
    return replace(made, **changes)


def key_registration(person: Person, *, by: Actor = ROOT.actor, **detail: Any) -> Statement:
    """The statement that registers a person's key."""
    members: dict[str, Any] = {
        "scheme": person.scheme,
        "key": person.public_key.hex(),
        "owner": person.actor.to_json(),
        "may": sorted(person.may),
    }
    if person.officer:
        members["officer"] = True
    if person.until:
        members |= {"until": person.until, "onBehalfOf": person.on_behalf_of}
    if person.scheme == webauthn.NAME:
        members |= {"rpId": devices.PARTY.rp_id, "origin": devices.PARTY.origin}
    if person.scheme == bls12381.NAME:
        members["pop"] = encode_base64(bls12381.prove_possession(person.seed))
    return statement(
        "register",
        predicate=Predicate.KEY,
        record=REGISTRY,
        subject=Subject(name=person.name, sha256=hashlib.sha256(person.public_key).digest()),
        actor=by,
        detail=members | detail,
    )


def key_revocation(person: Person, *, by: Actor = ROOT.actor, **detail: Any) -> Statement:
    """The statement that revokes a person's key."""
    return replace(
        key_registration(person, by=by),
        event="revoke",
        nonce=secret(f"revoke {person.name} {sorted(detail.items())}")[:16],
        detail={"keyid": person.keyid, "reason": "left the office"} | detail,
    )


def policy_event(rules: Sequence[Rule], event: str = "adopt") -> Statement:
    """The statement that adopts or withdraws rules."""
    return statement(
        event,
        predicate=Predicate.POLICY,
        record=POLICIES,
        subject=Subject(name="rules", sha256=hashlib.sha256(encode_rules(rules)).digest()),
        actor=ROOT.actor,
        detail={"rules": [rule.to_json() for rule in rules]},
    )


def envelope(made: Statement, *signers: Person) -> Envelope:
    """The statement signed by people, then by the ledger."""
    signed = make_envelope(made.encode(), ())
    for person in signers:
        signed = person.sign(signed)
    return sign_intake(signed, INTAKE_SEED)


def joined(made: Statement, *signers: Person) -> Envelope:
    """The statement with one aggregate of people's signatures, then by the ledger."""
    unsigned = make_envelope(made.encode(), ())
    together = Signature(
        keyids=tuple(sorted(person.keyid for person in signers)),
        scheme=bls12381.NAME,
        sig=bls12381.join_signatures(
            [bls12381.sign(person.seed, unsigned.message.pae) for person in signers]
        ),
        extra={},
    )
    return sign_intake(unsigned.with_signature(together), INTAKE_SEED)


def placed(made: Statement, *signers: Person, index: int, sequence: int = 0) -> LoggedEnvelope:
    """The signed statement at a place in the log."""
    return place_envelope(
        envelope(made, *signers), index=index, sequence=sequence, intake_keyids={INTAKE_KEYID}
    )


def prior_of(entry: LoggedEnvelope) -> Prior:
    return Prior(sequence=entry.sequence, envelope=entry.envelope.hash)


class Log:
    """A log in memory: entries with their salts, and every complete node."""

    def __init__(self) -> None:
        self.items: list[tuple[LoggedEnvelope, bytes, bytes]] = []  # placed, salt, record key
        self.entries: list[bytes] = []
        self._nodes: dict[Node, bytes] = {}
        self._frontier = Frontier()

    @property
    def size(self) -> int:
        return self._frontier.size

    @property
    def root(self) -> bytes:
        return self._frontier.root()

    def read(self, nodes: Sequence[Node]) -> Sequence[bytes]:
        return [self._nodes[node] for node in nodes]

    def add(self, signed: Envelope, record_key: bytes = RECORD_KEY) -> LoggedEnvelope:
        """Commit to an envelope and append its entry."""
        sequence = sum(key == record_key for _, _, key in self.items)
        salt = secret(f"salt {self.size}")
        entry = encode_entry(commit(salt, signed.hash), make_tag(record_key, sequence))
        place = place_envelope(
            signed, index=self.size, sequence=sequence, intake_keyids={INTAKE_KEYID}
        )
        self.items.append((place, salt, record_key))
        self.entries.append(entry)
        self._nodes.update(self._frontier.append(hash_leaf(entry)))
        return place

    def record(self, record_key: bytes) -> tuple[BundleEntry, ...]:
        """The entries of one record with their proofs, for a bundle."""
        return tuple(
            BundleEntry(
                sequence=place.sequence,
                index=place.index,
                salt=salt,
                envelope=place.envelope,
                proof=build_inclusion(place.index, self.size, self.read),
            )
            for place, salt, key in self.items
            if key == record_key
        )

    def bundle(self, **changes: Any) -> EvidenceBundle:
        """The evidence bundle of the record of `RECORD_KEY`, signed; parts may be changed."""
        note = sign_checkpoint(Checkpoint(origin=ORIGIN, size=self.size, root=self.root), LOG_SEED)
        history = make_history([place for place, _, key in self.items if key == RECORD_KEY])
        made = EvidenceBundle(
            record_id=RECORD,
            record_key=RECORD_KEY,
            note=note,
            signed_checkpoint=parse_checkpoint_unverified(note.encode()),
            closing=Closing(
                entries=len(history.entries),
                digest=history.current_digest(),
                status=history.closing_status(),
                sig=bytes(64),
            ),
            entries=self.record(RECORD_KEY),
            keys=self.record(REGISTRY_KEY),
            policies=self.record(POLICIES_KEY),
            anchors=(),
            headers=(),
            timestamps=(),
        )
        return close(replace(made, **changes))


def close(bundle: EvidenceBundle) -> EvidenceBundle:
    """The bundle with the ledger's word over its present content."""
    sig = ed25519.sign(INTAKE_SEED, closing_message(bundle))
    return replace(bundle, closing=replace(bundle.closing, sig=sig))


def filled_log() -> Log:
    """A log with a root, two people and a record that was registered and reviewed."""
    log = Log()
    log.add(envelope(key_registration(ROOT), ROOT), REGISTRY_KEY)
    for person in (WANG, LI):
        log.add(envelope(key_registration(person), ROOT, person), REGISTRY_KEY)
    log.add(envelope(statement("register")), RECORD_KEY)
    log.add(envelope(statement("review")), RECORD_KEY)
    return log
