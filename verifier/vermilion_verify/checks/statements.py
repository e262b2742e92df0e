"""What the envelopes say, and who signed them."""

from __future__ import annotations

from collections.abc import Iterable

from vermilion_ledger.binding import check_nonces, check_place, check_record
from vermilion_ledger.envelope import split_intake, verify_intake
from vermilion_ledger.errors import UnavailableError, VerificationError
from vermilion_ledger.events import ACTOR_SIGNED_EVENTS, Predicate
from vermilion_ledger.keys import verify_actor_signature
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_verify.case import Case
from vermilion_verify.closing import Patience
from vermilion_verify.outcome import Absent, Detail, Unknown

__all__ = ["check_signature_actor", "check_signature_intake", "check_statement_binding"]


def check_statement_binding(case: Case) -> Detail:
    """Check that every statement is of this ledger, this record and this place.

    Raises:
        VerificationError: A rule of FORMATS section 3 is broken.
        Unknown: An answer lies in an entry that was left out.
    """
    policy = case.policy
    if case.bundle.record_id in {policy.registry.record, policy.policies.record}:
        raise VerificationError("record.public", "the record is that of the keys or policies")
    for entry in case.entries:
        check_place(
            entry, ledger=policy.origin, record=case.bundle.record_id, predicate=Predicate.RECORD
        )
    for events, record, predicate in (
        (case.key_events, policy.registry.record, Predicate.KEY),
        (case.policy_events, policy.policies.record, Predicate.POLICY),
    ):
        for event in events:
            check_place(event, ledger=policy.origin, record=record, predicate=predicate)
    check_nonces(case.bundled)
    undecided = check_record(case.entries, case.registry)
    if undecided:
        raise Unknown(
            "statement.left-out",
            "an answer lies in an entry that was left out",
            {"sequences": [entry.sequence for entry in undecided]},
        )
    return {"statements": len(case.bundled)}


def check_signature_intake(case: Case) -> Detail:
    """Check the ledger's own signature on every envelope (FORMATS section 4).

    Raises:
        VerificationError: None or several, by a key not in force, or bad.
    """
    keyids = {key.keyid for key in case.policy.intake_keys}
    for event in _all_events(case):
        intake, actors = split_intake(event.envelope, keyids)
        in_force = [
            key
            for key in case.policy.intake_keys
            if key.keyid in intake.keyids and key.is_in_force(event.index)
        ]
        if not in_force:
            raise VerificationError(
                "intake.not-in-force", f"the intake key is not in force at leaf {event.index}"
            )
        verify_intake(event.envelope, intake, actors, in_force[0].public)
    return {"envelopes": len(case.bundled)}


def check_signature_actor(case: Case) -> Detail:
    """Check every actor's signature under the key that is registered for it.

    Raises:
        VerificationError: A signature is bad, its key unknown, or one that the
            event demands is missing.
        Unknown: This build cannot check a scheme, or the bundle is not the
            ledger's and there are too many of them.
        Absent: No statement of the bundle is signed by an actor.
    """
    unsupported: set[str] = set()
    patience = Patience(is_closed=case.is_closed)
    count = 0
    for event in _all_events(case):
        statement = event.statement
        demanded = statement.predicate is not Predicate.RECORD
        if (demanded or statement.event in ACTOR_SIGNED_EVENTS) and not event.actors:
            raise VerificationError(
                "signature.missing", f"{statement.event} at leaf {event.index} is unsigned"
            )
        if not patience.lasts(len(event.signers)):
            raise Unknown("bundle.not-closed", "too many signatures in a bundle of nobody's")
        for signature in event.actors:
            try:
                verify_actor_signature(signature, event.envelope.message, case.registry)
                count += 1
            except UnavailableError:
                unsupported.add(signature.scheme)
            except VerificationError as exc:
                message = f"leaf {event.index}: {exc.message}"
                raise VerificationError(exc.code, message) from exc
    if unsupported:
        raise Unknown(
            "scheme.unsupported",
            "this build cannot check a scheme",
            {"schemes": sorted(unsupported)},
        )
    if count == 0:
        raise Absent("no statement is signed by an actor")
    return {"signatures": count}


def _all_events(case: Case) -> Iterable[LoggedEnvelope]:
    """Return the events of the bundle and of the registry file, each place once."""
    events = (*case.bundled, *case.key_events, *case.policy_events)
    return {(event.index, event.envelope.hash): event for event in events}.values()
