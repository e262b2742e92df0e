"""Were the keys valid, each at its place in the log?"""

from __future__ import annotations

from vermilion_ledger.bundle import BundleEntry
from vermilion_ledger.commitment import commit, encode_entry, make_tag
from vermilion_ledger.errors import UnavailableError, VerificationError
from vermilion_ledger.events import Predicate
from vermilion_ledger.keys import RegisteredKey, check_key_events, touched_key
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.policies import check_policy_events
from vermilion_ledger.possession import check_possession
from vermilion_verify.case import Case
from vermilion_verify.outcome import Absent, Detail, Unknown
from vermilion_verify.walk import LogWalk, check_walk

__all__ = ["check_key_validity", "is_log_entry"]


def check_key_validity(case: Case) -> Detail:
    """Check key and policy events, and the right of every signer to sign.

    Validity is judged by the place in the log, never by a claimed date
    (FORMATS section 3). With a registry file, keys and policies are taken
    from there, after it was compared with the log and with the bundle.

    Raises:
        VerificationError: An event by those who may not make it, a key that
            nobody proved to possess, was not valid at the place, may not sign
            the event or belongs to another actor; a registry file that is not
            the log's.
        Unknown: A signer's key is in doubt, or of a scheme that this build
            cannot check.
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
        for event in case.key_events:
            check_possession(event)
        check_policy_events(case.policy_events, case.registry, case.policy.roots)
    except UnavailableError as exc:
        raise Unknown(exc.code, exc.message) from exc
    for entry in case.entries:
        if entry.actors:
            _check_signers(case, entry)
    in_doubt = _signers_in_doubt(case)
    if in_doubt:
        raise Unknown(
            "key.in-doubt", "a signer's key counts as compromised", {"keys": sorted(in_doubt)}
        )
    return {"keys": len(case.registry.keys)}


def is_log_entry(walk: LogWalk, event: BundleEntry, record_key: bytes) -> bool:
    """Tell whether the log holds this very event at its index."""
    tag = make_tag(record_key, event.sequence)
    return walk.entries.get(event.index) == encode_entry(
        commit(event.salt, event.envelope.hash), tag
    )


def _check_signers(case: Case, entry: LoggedEnvelope) -> None:
    keys = [case.registry.find(keyid) for keyid in sorted(entry.signers)]
    event = entry.statement.event
    for key in keys:
        if not key.is_valid_at(entry.index):
            raise VerificationError("key.not-valid", _when(key, entry.index))
        if event not in key.may:
            raise VerificationError("key.may-not", f"key {key.keyid[:16]}… may not {event}")
    if entry.statement.actor not in {key.owner for key in keys}:
        raise VerificationError(
            "key.other-owner", f"the actor of leaf {entry.index} owns none of the signing keys"
        )


def _when(key: RegisteredKey, index: int) -> str:
    if index <= key.registered:
        return f"signed at leaf {index}, registered at {key.registered}"
    return f"signed at leaf {index}, after the revocation at {key.revoked}"


def _signers_in_doubt(case: Case) -> set[str]:
    return {
        keyid
        for event in (*case.entries, *case.key_events, *case.policy_events)
        for keyid in event.signers
        if (key := case.registry.keys.get(keyid)) is not None and key.is_in_doubt_at(event.index)
    }


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
    touching: dict[str, list[LoggedEnvelope]] = {}
    for event in case.key_events:
        if event.statement.predicate is Predicate.KEY:  # `check_key_events` refuses all others
            touching.setdefault(touched_key(event), []).append(event)
    named, _ = case.record_policy
    policies = [event for event in case.policy_events if event.statement.subject.sha256 == named]
    wanted = {event.index for event in policies}
    waiting = {keyid for event in (*case.entries, *policies) for keyid in event.signers}
    done: set[str] = set()
    while waiting:
        keyid = waiting.pop()
        done.add(keyid)
        for event in touching.get(keyid, ()):
            wanted.add(event.index)
            waiting |= event.signers - done
    bundled = {event.index for event in (*case.bundle.keys, *case.bundle.policies)}
    if missing := wanted - bundled:
        raise VerificationError(
            "registry.held-back", f"the bundle was given without leaf {min(missing)} of the log"
        )
