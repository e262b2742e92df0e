"""The registry of keys: who held which key from which leaf to which.

Key events (FORMATS section 3) are read twice. `collect_keys` takes what
they say, so that every signature can be looked up; `check_key_events` asks
whether those who said it were allowed to. A verifier reports the two
separately; the ledger does both before it accepts a key event.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from vermilion_ledger.actor import Actor, parse_actor
from vermilion_ledger.encoding import parse_time
from vermilion_ledger.envelope import Signature
from vermilion_ledger.errors import InputError, SignatureError, VerificationError
from vermilion_ledger.events import Predicate
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.schemes import load_scheme, make_keyid, webauthn
from vermilion_ledger.schemes.message import SignedMessage
from vermilion_ledger.schemes.webauthn import Assertion, RelyingParty
from vermilion_ledger.statement import Statement

__all__ = [
    "KeyRegistry",
    "RegisteredKey",
    "Roots",
    "check_key_events",
    "check_one_voice",
    "check_root_quorum",
    "collect_keys",
    "touched_key",
    "verify_actor_signature",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Roots:
    """Who may register and revoke keys, by the trust policy."""

    keyids: frozenset[str]
    quorum: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredKey:
    """A key with the interval of leaf indices in which it is valid.

    Attributes:
        registered: Leaf index of the registration; valid from the next on.
        revoked: Leaf index of the first revocation, or None.
        compromised_since: Leaf index from which signatures are in doubt.
        may: Event words of records that the key may sign.
        officer: Whether it may revoke, supersede and dispose of any record.
        party: The site of a ``webauthn-es256`` key; None for all other schemes.
        until: Moment at which a delegation ends, inclusive; None of a person's own key.
        on_behalf_of: Id of the owner for whom a delegated key decides, or None.
    """

    keyid: str
    scheme: str
    public_key: bytes
    owner: Actor
    may: frozenset[str]
    officer: bool
    registered: int
    revoked: int | None = None
    compromised_since: int | None = None
    party: RelyingParty | None = None
    until: datetime | None = None
    on_behalf_of: str | None = None

    @property
    def counts_for(self) -> str:
        """Id of the owner whose decision a signature with this key is."""
        return self.on_behalf_of or self.owner.id

    @property
    def people(self) -> frozenset[str]:
        """Ids of everybody whose decision it is, or who made it: delegator and delegate."""
        return frozenset({self.owner.id, self.counts_for})

    def is_valid_at(self, index: int) -> bool:
        """Tell whether ``registered < index < revoked``."""
        return self.registered < index and (self.revoked is None or index < self.revoked)

    def is_in_doubt_at(self, index: int) -> bool:
        """Tell whether the key counts as compromised at a leaf index."""
        return self.compromised_since is not None and index >= self.compromised_since


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRegistry:
    """All keys of a ledger, or those that a bundle brings along, by key id."""

    keys: Mapping[str, RegisteredKey]

    def find(self, keyid: str) -> RegisteredKey:
        """Return a key.

        Raises:
            SignatureError: Nobody registered it.
        """
        key = self.keys.get(keyid)
        if key is None:
            raise SignatureError("key.unknown", f"key {keyid[:16]}… is not registered")
        return key


def collect_keys(events: Sequence[LoggedEnvelope]) -> KeyRegistry:
    """Return the keys that events register, with their revocations.

    Args:
        events: Key events in the order of their leaf index.

    Raises:
        VerificationError: A key is registered twice, or an event is of
            another family.
    """
    keys: dict[str, RegisteredKey] = {}
    for event in events:
        if event.statement.predicate is not Predicate.KEY:
            raise VerificationError("statement.other-family", "not a key event")
        detail = event.statement.detail
        if event.statement.event == "register":
            key = _read_registration(event)
            if key.keyid in keys:
                raise VerificationError("key.registered-twice", f"key {key.keyid} twice")
            keys[key.keyid] = key
        elif (known := keys.get(detail["keyid"])) is not None:
            keys[known.keyid] = _revoke(known, event.index, detail.get("compromisedSince"))
    return KeyRegistry(keys=keys)


def check_key_events(events: Sequence[LoggedEnvelope], roots: Roots) -> None:
    """Check that each key event was made by those who may make it.

    Args:
        events: Key events in the order of their leaf index; those of every
            root that signed one of them are among them.
        roots: Who may register and revoke, by the trust policy.

    Raises:
        VerificationError: A rule of FORMATS section 3, "Key events", is broken.
    """
    registry = collect_keys(events)
    owned: dict[str, list[RegisteredKey]] = {}
    for key in registry.keys.values():
        if key.on_behalf_of is None:  # a delegation is not delegated further
            owned.setdefault(key.owner.id, []).append(key)
    for event in events:
        if event.statement.prior is not None:
            raise VerificationError("key-event.prior", "a key event carries no prior")
        _check_quote(event, registry)
        if event.statement.event == "register":
            _check_registration(event, registry, roots)
            _check_delegation(event, owned)
        else:
            _check_revocation(event, registry, roots)


def check_root_quorum(event: LoggedEnvelope, registry: KeyRegistry, roots: Roots) -> None:
    """Check that enough distinct roots, valid at the event's index, signed.

    Raises:
        VerificationError: Fewer than the quorum did, or the actor is the
            owner of none of them.
    """
    signed = event.signers & roots.keyids
    signing = [
        key
        for keyid in sorted(signed)
        if (key := registry.keys.get(keyid)) is not None and key.is_valid_at(event.index)
    ]
    if len(signing) < roots.quorum:
        idle = len(signed) - len(signing)
        also = f"; not registered and valid there: {idle} that did" if idle else ""
        raise VerificationError(
            "key-event.quorum",
            f"{len(signing)} of {roots.quorum} roots signed entry {event.index}{also}",
        )
    if event.statement.actor not in {key.owner for key in signing}:
        raise VerificationError("key-event.actor", "the actor owns none of the signing roots")


def verify_actor_signature(
    signature: Signature, message: SignedMessage, registry: KeyRegistry
) -> None:
    """Check one signature under the key, or all the keys, registered for it.

    That the keys of an aggregate were proved to be possessed is asked of their
    registrations (`vermilion_ledger.possession`), not here.

    Raises:
        SignatureError: A key is unknown, the stated scheme is not the key's,
            or the signature is bad.
        UnavailableError: This build has not got the scheme.
    """
    keys = [registry.find(keyid) for keyid in signature.keyids]
    for key in keys:
        if key.scheme != signature.scheme:
            raise SignatureError(
                "signature.other-scheme", f"the key is {key.scheme}, stated is {signature.scheme}"
            )
    scheme = load_scheme(signature.scheme)
    try:
        if len(keys) == 1:
            scheme.verify(keys[0].public_key, message, _signed_by(keys[0], signature))
        else:  # an envelope parses only if the scheme has aggregates
            scheme.verify_aggregate([key.public_key for key in keys], message, signature.sig)
    except InputError as exc:
        raise SignatureError(exc.code, exc.message) from exc


def _signed_by(key: RegisteredKey, signature: Signature) -> bytes | Assertion:
    """Return what the scheme verifies; the site is that of the key's registration."""
    if key.party is None:
        return signature.sig
    return Assertion(
        sig=signature.sig,
        authenticator_data=signature.extra["authenticatorData"],
        client_data=signature.extra["clientDataJSON"],
        party=key.party,
    )


def check_one_voice(keys: Sequence[RegisteredKey]) -> None:
    """Check that nobody speaks for somebody beside another who does, in one envelope.

    Which of two would be heard must not hang on the order of their key ids
    (docs/formats/delegation.md).

    Raises:
        VerificationError: ``key.two-voices``.
    """
    delegated = {key.on_behalf_of for key in keys if key.on_behalf_of is not None}
    for person in sorted(delegated):
        if sum(key.counts_for == person for key in keys) > 1:
            raise VerificationError(
                "key.two-voices", f"two keys in one envelope speak for {person[:80]!a}"
            )


def touched_key(statement: Statement) -> str:
    """Return the id of the key that a key event registers or revokes."""
    detail = statement.detail
    if statement.event == "register":
        return make_keyid(detail["scheme"], bytes.fromhex(detail["key"]))
    return str(detail["keyid"])


def _read_registration(event: LoggedEnvelope) -> RegisteredKey:
    detail = event.statement.detail
    public_key = bytes.fromhex(detail["key"])
    return RegisteredKey(
        keyid=make_keyid(detail["scheme"], public_key),
        scheme=detail["scheme"],
        public_key=public_key,
        owner=parse_actor(detail["owner"], what="owner"),
        may=frozenset(detail["may"]),
        officer=detail.get("officer", False),
        registered=event.index,
        party=RelyingParty(rp_id=detail["rpId"], origin=detail["origin"])
        if detail["scheme"] == webauthn.NAME
        else None,
        until=parse_time(detail["until"], what="until") if "until" in detail else None,
        on_behalf_of=detail.get("onBehalfOf"),
    )


def _revoke(key: RegisteredKey, index: int, since: int | None) -> RegisteredKey:
    """Return the key as revoked; the earliest word of each kind stands."""
    revoked = index if key.revoked is None else min(key.revoked, index)
    doubts = [mark for mark in (since, key.compromised_since) if mark is not None]
    return replace(key, revoked=revoked, compromised_since=min(doubts, default=None))


def _check_registration(event: LoggedEnvelope, registry: KeyRegistry, roots: Roots) -> None:
    key = _read_registration(event)
    _check_subject(event, key.public_key)
    try:
        load_scheme(key.scheme).check_public_key(key.public_key)
    except InputError as exc:
        raise VerificationError(exc.code, exc.message) from exc
    if key.keyid in roots.keyids:
        # A root registers itself: there is nobody above it but the trust policy.
        if event.signers != {key.keyid}:
            raise VerificationError("key-event.root-signers", "a root registers by itself alone")
        if key.may or event.statement.detail.keys() & {"officer", "until"}:
            raise VerificationError("key-event.root-powers", "a root signs no record events")
        if event.statement.actor != key.owner:
            raise VerificationError("key-event.actor", "the actor is not the owner of the root")
        return
    if key.keyid not in event.signers:
        raise VerificationError("key-event.new-key", "the new key did not sign its registration")
    _check_no_strangers(event, key.keyid, roots)
    check_root_quorum(event, registry, roots)


def _check_quote(event: LoggedEnvelope, registry: KeyRegistry) -> None:
    """Whatever a delegated key signs quotes a block, its own registration too."""
    if event.statement.seen is None and any(
        (key := registry.keys.get(keyid)) is not None and key.until is not None
        for keyid in event.signers
    ):
        raise VerificationError(
            "statement.seen-missing", f"{event.statement.event} by a delegated key quotes no block"
        )


def _check_delegation(event: LoggedEnvelope, owned: Mapping[str, Sequence[RegisteredKey]]) -> None:
    """Nobody can be given more than the delegator has, at that index, by keys of their own."""
    detail = event.statement.detail
    delegator = detail.get("onBehalfOf")
    if delegator is None:
        return
    valid = [key for key in owned.get(delegator, ()) if key.is_valid_at(event.index)]
    if not valid:
        raise VerificationError(
            "key-event.delegator", f"no key of {delegator[:40]!a} is valid at leaf {event.index}"
        )
    if more := set(detail["may"]).difference(*(key.may for key in valid)):
        raise VerificationError(
            "key-event.delegated-may", f"{delegator[:40]!a} may not {min(more)}"
        )


def _check_revocation(event: LoggedEnvelope, registry: KeyRegistry, roots: Roots) -> None:
    detail = event.statement.detail
    key = registry.keys.get(detail["keyid"])
    if key is None or key.registered >= event.index:
        raise VerificationError("key-event.unknown-key", "revoked before it was registered")
    _check_subject(event, key.public_key)
    _check_no_strangers(event, key.keyid, roots)
    since = detail.get("compromisedSince")
    if since is not None and not key.registered <= since <= event.index:
        raise VerificationError(
            "key-event.compromised-since",
            f"compromised since {since}, not in {key.registered} to {event.index}",
        )
    # The first revocation of a key may be its own: it was valid until this very entry.
    alone = event.signers == {key.keyid} and key.revoked == event.index
    if alone and since is None and event.statement.actor == key.owner:
        return
    check_root_quorum(event, registry, roots)


def _check_subject(event: LoggedEnvelope, public_key: bytes) -> None:
    if event.statement.subject.sha256 != hashlib.sha256(public_key).digest():
        raise VerificationError("key-event.subject", "the subject is not the digest of the key")


def _check_no_strangers(event: LoggedEnvelope, keyid: str, roots: Roots) -> None:
    if strangers := event.signers - roots.keyids - {keyid}:
        raise VerificationError("key-event.stranger", f"signed by {min(strangers)[:16]}…")
