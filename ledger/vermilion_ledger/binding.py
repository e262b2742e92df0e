"""What ties a statement to its ledger, its record and its place in it.

FORMATS section 3. The ledger asks these questions before it admits a
statement, the verifier asks them again. Where an answer needs an entry that
a bundle left out, `Incomplete` is raised, which is neither yes nor no.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vermilion_ledger.errors import VerificationError
from vermilion_ledger.events import (
    DECISION_EVENTS,
    OWNER_EVENTS,
    SEEN_EVENTS,
    VERSION_EVENTS,
    Predicate,
)
from vermilion_ledger.keys import KeyRegistry
from vermilion_ledger.logged import LoggedEnvelope

__all__ = [
    "Incomplete",
    "check_entry",
    "check_nonces",
    "check_place",
    "needs_prior",
    "needs_seen",
]


class Incomplete(Exception):  # noqa: N818 - an answer, not an error
    """The answer lies in an entry that is not at hand."""


def check_place(entry: LoggedEnvelope, *, ledger: str, record: str, predicate: Predicate) -> None:
    """Check that a statement names this ledger, this record and this family.

    Raises:
        VerificationError: It names another.
    """
    statement = entry.statement
    if statement.ledger != ledger:
        raise VerificationError("statement.other-ledger", f"ledger is {statement.ledger[:80]!a}")
    if statement.record != record:
        raise VerificationError("statement.other-record", f"record is {statement.record}")
    if statement.predicate is not predicate:
        raise VerificationError("statement.other-family", f"family is {statement.predicate}")


def check_entry(
    entry: LoggedEnvelope,
    earlier: Sequence[LoggedEnvelope],
    registry: KeyRegistry,
    *,
    complete: bool,
) -> None:
    """Check one record event against the earlier entries of its record.

    Args:
        entry: The event in question.
        earlier: Entries of the record with a smaller sequence that are at
            hand, in log order; entry 0 is always among them.
        registry: The keys of its signers.
        complete: Whether ``earlier`` leaves no entry out.

    Raises:
        VerificationError: A rule of FORMATS section 3 is broken.
        Incomplete: The answer lies in an entry that was left out.
    """
    statement = entry.statement
    if (statement.event == "register") != (entry.sequence == 0):
        raise VerificationError(
            "statement.register-place", f"{statement.event} at sequence {entry.sequence}"
        )
    if needs_seen(entry, registry) and statement.seen is None:
        raise VerificationError("statement.seen-missing", f"{statement.event} quotes no block")
    _check_policy(entry, earlier)
    open_questions = [
        not _check_prior(entry, earlier, registry, complete=complete),
        not _check_digest(entry, earlier, complete=complete),
        not _check_owner(entry, earlier, registry, complete=complete),
    ]
    if any(open_questions):
        raise Incomplete


def needs_seen(entry: LoggedEnvelope, registry: KeyRegistry) -> bool:
    """Tell whether a statement must quote a block."""
    if entry.statement.predicate is Predicate.RECORD and entry.statement.event in SEEN_EVENTS:
        return True
    return any(
        key.scheme == "secp256k1-eip712"
        for keyid in entry.signers
        if (key := registry.keys.get(keyid)) is not None
    )


def needs_prior(entry: LoggedEnvelope, registry: KeyRegistry) -> bool:
    """Tell whether a record event must name the last entry its signer saw."""
    return entry.statement.event != "register" and needs_seen(entry, registry)


def check_nonces(entries: Iterable[LoggedEnvelope]) -> None:
    """Check that no key used a nonce twice.

    The key of a statement without an actor's signature is the intake key.

    Raises:
        VerificationError: A pair of key and nonce occurs twice.
    """
    seen: set[tuple[str, bytes]] = set()
    for entry in entries:
        for keyid in entry.signers or frozenset(entry.intake.keyids if entry.intake else ()):
            pair = (keyid, entry.statement.nonce)
            if pair in seen:
                raise VerificationError("statement.nonce-reused", f"nonce {pair[1].hex()} twice")
            seen.add(pair)


def _check_policy(entry: LoggedEnvelope, earlier: Sequence[LoggedEnvelope]) -> None:
    if entry.statement.event not in DECISION_EVENTS:
        return
    named = earlier[0].statement.detail.get("policy") if earlier else None
    if entry.statement.detail.get("policy") != named:
        raise VerificationError("statement.other-policy", "the decision binds another policy")


def _check_prior(
    entry: LoggedEnvelope,
    earlier: Sequence[LoggedEnvelope],
    registry: KeyRegistry,
    *,
    complete: bool,
) -> bool:
    """Return whether `prior` could be looked at."""
    prior = entry.statement.prior
    if prior is None:
        if needs_prior(entry, registry):
            raise VerificationError("statement.prior-missing", "the last entry seen is not named")
        return True
    if entry.statement.event == "register":
        raise VerificationError("statement.prior-refused", "register comes before everything")
    if prior.sequence >= entry.sequence:
        raise VerificationError("statement.prior-later", f"prior {prior.sequence} comes later")
    _check_decision_order(entry, earlier, registry, prior_sequence=prior.sequence)
    for candidate in earlier:
        if candidate.sequence == prior.sequence:
            if candidate.envelope.hash != prior.envelope:
                raise VerificationError("statement.prior-differs", "prior is another envelope")
            return True
    if complete:
        raise VerificationError("statement.prior-unknown", f"no entry {prior.sequence}")
    return False


def _check_decision_order(
    entry: LoggedEnvelope,
    earlier: Sequence[LoggedEnvelope],
    registry: KeyRegistry,
    *,
    prior_sequence: int,
) -> None:
    """A held-back approval must not undo a rejection that its owner signed later."""
    if entry.statement.event not in DECISION_EVENTS:
        return
    owners = _owner_ids(entry, registry)
    for other in earlier:
        if (
            other.sequence > prior_sequence
            and _decision_place(other) == _decision_place(entry)
            and owners & _owner_ids(other, registry)
        ):
            raise VerificationError(
                "statement.decision-order",
                f"decided at {other.sequence} already, having seen {prior_sequence} only",
            )


def _decision_place(entry: LoggedEnvelope) -> tuple[str, object, bytes]:
    statement = entry.statement
    return statement.event, statement.detail.get("step"), statement.subject.sha256


def _owner_ids(entry: LoggedEnvelope, registry: KeyRegistry) -> frozenset[str]:
    return frozenset(
        key.owner.id for keyid in entry.signers if (key := registry.keys.get(keyid)) is not None
    )


def _check_digest(
    entry: LoggedEnvelope, earlier: Sequence[LoggedEnvelope], *, complete: bool
) -> bool:
    """Return whether the subject, and `from`, could be found among the versions."""
    statement = entry.statement
    recorded = {
        other.statement.subject.sha256
        for other in earlier
        if other.statement.event in VERSION_EVENTS
    }
    wanted = set() if statement.event in VERSION_EVENTS else {statement.subject.sha256}
    if statement.event == "convert":
        wanted.add(bytes.fromhex(statement.detail["from"]))
    if wanted <= recorded:
        return True
    if complete:
        missing = min(wanted - recorded).hex()
        raise VerificationError("statement.unrecorded-digest", f"no version {missing[:16]}…")
    return False


def _check_owner(
    entry: LoggedEnvelope,
    earlier: Sequence[LoggedEnvelope],
    registry: KeyRegistry,
    *,
    complete: bool,
) -> bool:
    """Return whether the right to revoke, supersede or dispose could be decided."""
    if entry.statement.event not in OWNER_EVENTS:
        return True
    keys = [registry.keys[keyid] for keyid in entry.signers if keyid in registry.keys]
    if any(key.officer for key in keys):
        return True
    owners = {key.owner.id for key in keys}
    if any(owners & _owner_ids(other, registry) for other in earlier):
        return True
    if complete:
        raise VerificationError(
            "statement.not-owner", f"{entry.statement.event} by somebody who never signed here"
        )
    return False
