"""Changing who may sign: key events made, co-signed in turn, and a key put for another.

The roots of a quorum may sit in different places. A key event travels between
them as a part (`vermilion_api.joint`), with what was signed so far; each root
compares it with what it was told to sign before it signs. What a ledger says
of an old key is believed only where a root at hand had signed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vermilion_api.client import Ledger
from vermilion_api.devices import StatementSigner
from vermilion_api.joint import fetch_key_events, merge_parts
from vermilion_api.keyfiles import KeyFile
from vermilion_api.signing import describe_key, prepare_event, sign_envelope, submit_envelope
from vermilion_ledger.encoding import encode_time, parse_time
from vermilion_ledger.envelope import Envelope
from vermilion_ledger.errors import ConflictError, InputError, IntegrityError, SignatureError
from vermilion_ledger.events import OWNER_EVENTS, Predicate
from vermilion_ledger.keys import (
    KeyRegistry,
    RegisteredKey,
    collect_keys,
    touched_key,
    verify_actor_signature,
)
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.statement import Statement

__all__ = [
    "Rotation",
    "covered_before",
    "describe_change",
    "join_key_event",
    "make_key_event",
    "powers_of_officer",
    "rotate_key",
]

_OFFICER_EVENTS = OWNER_EVENTS | {"regrade"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """A key in another's place.

    Attributes:
        registered: Leaf index of the new key's registration.
        revoked: Leaf index of the old key's revocation.
    """

    registered: int
    revoked: int


def make_key_event(
    ledger: Ledger, asked: Mapping[str, Any], keys: Sequence[StatementSigner]
) -> Envelope:
    """Have a key event prepared, compare it, and return it signed; nothing is submitted.

    Raises:
        IntegrityError: ``statement.not-as-asked``.
        EvidenceError: The problem that the ledger answered with.
    """
    record = ledger.record_id("keys")
    return sign_envelope(prepare_event(ledger, record, asked, keys), keys)


def join_key_event(
    parts: Sequence[Envelope],
    keys: Sequence[StatementSigner],
    *,
    event: str,
    keyid: str,
    detail: Mapping[str, Any],
) -> Envelope:
    """Return one key event with everybody's signature so far, and with those of keys at hand.

    Asks no ledger. What is not named is not compared: the caller shows it.

    Args:
        parts: Files of one statement.
        keys: Who signs it now; may be none.
        event: What it must be.
        keyid: Which key it must be about.
        detail: Members that it must have.

    Raises:
        InputError: ``join.other-statement``; ``envelope.repeated-signer``.
        IntegrityError: ``statement.not-as-asked``.
    """
    joined = merge_parts(parts)
    statement = joined.statement
    if statement.predicate is not Predicate.KEY or statement.event != event:
        raise IntegrityError("statement.not-as-asked", f"this is {statement.event}, not {event}")
    if touched_key(statement) != keyid:
        raise IntegrityError(
            "statement.not-as-asked", f"it is about key {touched_key(statement)}, not {keyid}"
        )
    for name, value in detail.items():
        if statement.detail.get(name) != value:
            raise IntegrityError(
                "statement.not-as-asked",
                f"{name} is {statement.detail.get(name)!a}, asked was {value!a}",
            )
    return sign_envelope(joined, keys)


def describe_change(statement: Statement) -> str:
    """Return in plain words what a key event would do, for whoever signs it."""
    detail, keyid = statement.detail, touched_key(statement)
    if statement.event == "revoke":
        since = detail.get("compromisedSince")
        doubt = "" if since is None else f", in doubt from leaf {since} on"
        return f"revoke key {keyid}{doubt}: {detail['reason'] or 'no reason given'}"
    owner = detail["owner"]
    name = " ".join(owner[member] for member in ("name", "post", "unit") if owner[member])
    words = [f"register {detail['scheme']} key {keyid} of {owner['id']} ({name})"]
    words.append(f"it may {', '.join(detail['may']) or 'sign no record events'}")
    if detail.get("officer"):
        anywhere = powers_of_officer(detail["may"])
        words.append(
            f"as an officer it may {', '.join(anywhere)} anywhere"
            if anywhere
            else f"it is an officer's, and may not {', '.join(sorted(_OFFICER_EVENTS))}"
        )
    if "until" in detail:
        words.append(f"on behalf of {detail['onBehalfOf']} until {detail['until']}")
    return "; ".join(words)


def powers_of_officer(may: Iterable[str]) -> list[str]:
    """Return what an officer may do with any record: of the officers' events those it may sign."""
    return sorted(_OFFICER_EVENTS.intersection(may))


def covered_before(ledger: Ledger, moment: datetime) -> int:
    """Return a leaf index below which all entries are from before a moment.

    By the newest anchor that the ledger had found final by then; 0 where it tells of none.

    Raises:
        EvidenceError: The problem that the ledger answered with.
    """
    anchors = ledger.get("/v1/anchors", {"limit": "1000"})["anchors"]
    sizes = [
        int(each["size"])
        for each in anchors
        if (final := (each["cost"] or {}).get("finalAt")) is not None
        and parse_time(final, what="finalAt") < moment  # told in whole seconds, cut off
    ]
    return max(sizes, default=0)


def rotate_key(
    ledger: Ledger,
    old: str,
    new: KeyFile,
    roots: Sequence[KeyFile],
    *,
    wait: str = "published",
) -> Rotation:
    """Register a key with all that another has, and revoke that one, in this order.

    From the one entry to the other both are valid; there is no place in the log
    where neither is. Stopped in between, the same call goes on where it was.

    Args:
        ledger: Where to.
        old: Id of the key that goes.
        new: The key that comes, of the same owner.
        roots: The roots' quorum; one of them signed the old key's registration.
        wait: How far each entry shall be when the next step is taken.

    Raises:
        InputError: ``key.rotate-owner``, ``key.rotate-root``.
        SignatureError: ``key.unknown``, ``key.rotate-unverified``.
        ConflictError: ``key.rotate-revoked``, ``key.rotate-other``.
        EvidenceError: The problem that the ledger answered with.
    """
    events = fetch_key_events(ledger)
    registry = collect_keys(events)
    known = registry.find(old)
    if old in ledger.get("/v1/log")["registry"]["roots"]:
        raise InputError("key.rotate-root", f"key {old[:16]}… is a root of the trust policy")
    if new.owner != known.owner:
        raise InputError(
            "key.rotate-owner", f"the new key is of {new.owner.id}, the old of {known.owner.id}"
        )
    _check_told(events, old, roots)
    actor = roots[0].owner.to_json()
    fresh = registry.keys.get(new.keyid)
    if fresh is None:
        if known.revoked is not None:
            raise ConflictError("key.rotate-revoked", f"the old key is revoked at {known.revoked}")
        asked = {"event": "register", "detail": _succeed(new, known), "actor": actor}
        signed = make_key_event(ledger, asked, [*roots, new])
        registered = int(submit_envelope(ledger, signed, wait=wait)["index"])
    else:
        if fresh.revoked is not None or _powers(fresh) != _powers(known):
            raise ConflictError("key.rotate-other", "the new key is registered for something else")
        registered = fresh.registered
    if known.revoked is not None:
        return Rotation(registered=registered, revoked=known.revoked)
    detail = {"keyid": old, "reason": f"replaced by key {new.keyid}"}
    signed = make_key_event(ledger, {"event": "revoke", "detail": detail, "actor": actor}, roots)
    revoked = int(submit_envelope(ledger, signed, wait=wait)["index"])
    return Rotation(registered=registered, revoked=revoked)


def _check_told(events: Sequence[LoggedEnvelope], keyid: str, roots: Sequence[KeyFile]) -> None:
    """Check that a root at hand has signed what the ledger tells of a key."""
    at_hand = KeyRegistry(
        keys={
            root.keyid: RegisteredKey(
                keyid=root.keyid,
                scheme=root.scheme,
                public_key=root.public,
                owner=root.owner,
                may=frozenset(),
                officer=False,
                registered=0,
            )
            for root in roots
        }
    )
    for event in events:
        if event.statement.event != "register" or touched_key(event.statement) != keyid:
            continue
        for signature in event.envelope.signatures:
            if at_hand.keys.keys() >= set(signature.keyids):
                verify_actor_signature(signature, event.envelope.message, at_hand)
                return
    raise SignatureError(
        "key.rotate-unverified", f"none of these roots registered key {keyid[:16]}…"
    )


def _succeed(new: KeyFile, known: RegisteredKey) -> dict[str, Any]:
    """Return the registration of a key that takes over all that another has."""
    detail = describe_key(new, sorted(known.may))
    if known.officer:
        detail["officer"] = True
    if known.until is not None:
        detail |= {"until": encode_time(known.until), "onBehalfOf": known.on_behalf_of}
    return detail


def _powers(key: RegisteredKey) -> tuple[object, ...]:
    return key.owner, key.may, key.officer, key.until, key.on_behalf_of
