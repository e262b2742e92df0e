"""Were the keys valid, each at its place in the log?"""

from __future__ import annotations

from vermilion_ledger.bundle import BundleEntry
from vermilion_ledger.commitment import commit, encode_entry, make_tag
from vermilion_ledger.encoding import encode_time
from vermilion_ledger.errors import UnavailableError, VerificationError
from vermilion_ledger.events import Predicate
from vermilion_ledger.involved import find_involved
from vermilion_ledger.keys import RegisteredKey, check_key_events, check_one_voice, touched_key
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.policies import check_policy_events
from vermilion_ledger.possession import check_possession
from vermilion_verify.case import Case
from vermilion_verify.checks.certificates import check_certificates
from vermilion_verify.checks.time import bound_event, is_pending
from vermilion_verify.closing import Patience
from vermilion_verify.outcome import Absent, Detail, Unknown
from vermilion_verify.walk import LogWalk, check_walk

__all__ = ["check_key_validity", "find_trouble", "is_log_entry"]

_IN_DOUBT = "key.in-doubt"
_EXPIRED, _MAYBE_EXPIRED = "key.expired", "key.maybe-expired"


def check_key_validity(case: Case) -> Detail:
    """Check key and policy events, and the right of every signer to sign.

    Validity is judged by the place in the log, never by a claimed date
    (FORMATS section 3), the end of a delegation by the anchored interval
    (docs/formats/delegation.md): while the verdict waits for an anchor, that does
    not hold it up. With a registry file, keys and policies are taken from
    there, after it was compared with the log and with the bundle.

    Raises:
        VerificationError: An event by those who may not make it, a key that
            nobody proved to possess, was not valid at the place, may not sign
            the event, belongs to another actor or was delegated until before;
            a registry file that is not the log's.
        Unknown: A signer's key is in doubt, was perhaps delegated until
            before, or is of a scheme that this build cannot check.
        Absent: No actor signed, and the bundle has no keys.
    """
    if case.registry_file is not None:
        _check_registry_file(case)
    if not case.key_events and not any(entry.actors for entry in case.entries):
        raise Absent("no key is used")
    intake = {key.keyid for key in case.policy.intake_keys}
    if intake & case.registry.keys.keys():
        raise VerificationError("key.intake-registered", "an intake key is in the key record")
    try:
        check_key_events(case.key_events, case.policy.roots)
        _check_possessions(case)
        check_policy_events(case.policy_events, case.registry, case.policy.roots)
    except UnavailableError as exc:
        raise Unknown(exc.code, exc.message) from exc
    for entry in case.entries:
        if entry.actors:
            _check_signers(case, entry)
    certificates = check_certificates(case)
    in_doubt = _signers_in_doubt(case)
    if in_doubt:
        raise Unknown(_IN_DOUBT, "a signer's key counts as compromised", {"keys": sorted(in_doubt)})
    expired = {
        keyid: entry.index
        for entry in case.entries
        for keyid, code in find_trouble(case, entry).items()
        if code == _MAYBE_EXPIRED
    }
    if expired and not is_pending(case):
        raise Unknown(
            _MAYBE_EXPIRED,
            f"leaf {min(expired.values())} is not known to be from before a delegation ended",
            {"keys": sorted(expired)},
        )
    return {"keys": len(case.registry.keys), **certificates}


def _check_possessions(case: Case) -> None:
    patience = Patience(is_closed=case.is_closed)
    for event in case.key_events:
        if not patience.lasts("pop" in event.statement.detail):
            raise Unknown("bundle.not-closed", "too many proofs in a bundle of nobody's")
        check_possession(event)


def is_log_entry(walk: LogWalk, event: BundleEntry, record_key: bytes) -> bool:
    """Tell whether the log holds this very event at its index."""
    tag = make_tag(record_key, event.sequence)
    return walk.entries.get(event.index) == encode_entry(
        commit(event.salt, event.envelope.hash), tag
    )


def _check_signers(case: Case, entry: LoggedEnvelope) -> None:
    keys = [case.registry.find(keyid) for keyid in sorted(entry.signers)]
    check_one_voice(keys)
    event = entry.statement.event
    trouble = find_trouble(case, entry)
    for key in keys:
        if not key.is_valid_at(entry.index):
            raise VerificationError(trouble[key.keyid], _when(key, entry.index))
        if event not in key.may:
            raise VerificationError("key.may-not", f"key {key.keyid[:16]}… may not {event}")
    if entry.statement.actor not in {key.owner for key in keys}:
        raise VerificationError(
            "key.other-owner", f"the actor of leaf {entry.index} owns none of the signing keys"
        )
    for key in keys:
        if trouble.get(key.keyid) == _EXPIRED:
            raise VerificationError(
                _EXPIRED,
                f"leaf {entry.index} quotes a block from after {_end_of(key)},"
                f" when the delegation to {key.owner.id} had ended",
            )


def find_trouble(case: Case, entry: LoggedEnvelope) -> dict[str, str]:
    """Return, for each signing key that was not surely good for an entry, the code of why."""
    keys = [key for keyid in sorted(entry.signers) if (key := case.registry.keys.get(keyid))]
    judged = {key.keyid: _judge(case, key, entry) for key in keys}
    return {keyid: code for keyid, code in judged.items() if code is not None}


def _judge(case: Case, key: RegisteredKey, entry: LoggedEnvelope) -> str | None:
    """Return what is worst about a key at an entry, whatever date the entry claims."""
    if not key.is_valid_at(entry.index):
        return "key.not-valid" if entry.index <= key.registered else "key.after-revocation"
    expiry = _judge_expiry(case, key, entry)
    if expiry != _EXPIRED and key.is_in_doubt_at(entry.index):
        return _IN_DOUBT
    return expiry


def _judge_expiry(case: Case, key: RegisteredKey, entry: LoggedEnvelope) -> str | None:
    """Return why a delegation may not have lasted, by the entry's interval alone."""
    if key.until is None:
        return None
    bounds, end = bound_event(case, entry), _end_of(key)
    if bounds["notAfter"] and bounds["notAfter"]["time"] <= end:
        return None
    if bounds["notBefore"] and bounds["notBefore"]["time"] > end:
        return _EXPIRED
    return _MAYBE_EXPIRED


def _end_of(key: RegisteredKey) -> str:
    """Return the end of a delegation as it is written; so written, times compare as text."""
    assert key.until is not None  # noqa: S101 - asked of delegated keys only
    return encode_time(key.until)


def _when(key: RegisteredKey, index: int) -> str:
    if index <= key.registered:
        return f"signed at leaf {index}, registered at {key.registered}"
    return f"signed at leaf {index}, after the revocation at {key.revoked}, whatever date it claims"


def _signers_in_doubt(case: Case) -> set[str]:
    """Return the keys in doubt that signed what this record hangs on.

    A registry file tells of everybody's keys; the theft of a stranger's is no
    doubt about this record. Nor is what a key says of itself: the roots vouch
    for its registration, and its own revocation adds no decision.
    """
    policies, involved = _hung_on(case)
    return {
        keyid
        for event in (*case.entries, *involved, *policies)
        for keyid in event.signers
        if (key := case.registry.keys.get(keyid)) is not None and key.is_in_doubt_at(event.index)
        if event.statement.predicate is not Predicate.KEY or touched_key(event.statement) != keyid
    }


def _hung_on(case: Case) -> tuple[list[LoggedEnvelope], tuple[LoggedEnvelope, ...]]:
    """Return the events of the record's policy, and the key events behind all its signers."""
    named, _ = case.record_policy
    policies = [event for event in case.policy_events if event.statement.subject.sha256 == named]
    signers = {keyid for event in (*case.entries, *policies) for keyid in event.signers}
    return policies, find_involved(case.key_events, signers)


def _check_registry_file(case: Case) -> None:
    """Compare the registry file with the log's entries and with the bundle."""
    assert case.registry_file is not None  # noqa: S101 - asked by the only caller
    assert case.walk is not None  # noqa: S101 - `verify_bundle` demands both or neither
    for what, events, record, bundled in (
        ("keys", case.registry_file.keys_below(case.size), case.policy.registry, case.bundle.keys),
        (
            "policies",
            case.registry_file.policies_below(case.size),
            case.policy.policies,
            case.bundle.policies,
        ),
    ):
        if [event.sequence for event in events] != list(range(len(events))):
            raise VerificationError("registry.gap", f"{what} of the registry have a gap")
        for event in events:
            if not is_log_entry(case.walk, event, record.key):
                raise VerificationError(
                    "registry.not-in-log", f"{what}: leaf {event.index} of the log differs"
                )
        check_walk(case.walk, record.key, [event.index for event in events], what=what)
        known = {(event.index, event.sequence, event.envelope.hash, event.salt) for event in events}
        for event in bundled:
            if (event.index, event.sequence, event.envelope.hash, event.salt) not in known:
                raise VerificationError(
                    "registry.differs", f"{what}: the bundle's leaf {event.index} is not there"
                )
    _check_nothing_held_back(case)


def _check_nothing_held_back(case: Case) -> None:
    """Check that the bundle has every event that touches its keys and its policy.

    The ledger closed the bundle with its signature: an event that it kept
    back is a difference, whether or not it would have changed the verdict.
    """
    policies, involved = _hung_on(case)
    wanted = {event.index for event in (*policies, *involved)}
    bundled = {event.index for event in (*case.bundle.keys, *case.bundle.policies)}
    if missing := wanted - bundled:
        raise VerificationError(
            "registry.held-back", f"the bundle was given without leaf {min(missing)} of the log"
        )
