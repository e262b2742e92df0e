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
    "check_record",
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
    past = _Past(registry)
    for other in earlier:
        past.add(other)
    _check_after(entry, past, complete=complete)


def check_record(
    entries: Sequence[LoggedEnvelope], registry: KeyRegistry
) -> tuple[LoggedEnvelope, ...]:
    """Check every event of a record against those before it, in one pass.

    Args:
        entries: Those at hand, in log order.
        registry: The keys of their signers.

    Returns:
        The events whose answer lies in an entry that was left out.

    Raises:
        VerificationError: A rule of FORMATS section 3 is broken.
    """
    past = _Past(registry)
    undecided = []
    for place, entry in enumerate(entries):
        try:
            _check_after(entry, past, complete=place == entry.sequence)
        except Incomplete:
            undecided.append(entry)
        past.add(entry)
    return tuple(undecided)


def needs_seen(entry: LoggedEnvelope, registry: KeyRegistry) -> bool:
    """Tell whether a statement must quote a block."""
    if entry.statement.predicate is Predicate.RECORD and entry.statement.event in SEEN_EVENTS:
        return True
    return any(
        key.scheme == "secp256k1-eip712" or key.until is not None
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


class _Past:
    """What the entries before one say, so that each is looked at once."""

    def __init__(self, registry: KeyRegistry) -> None:
        self.registry = registry
        self.policy: object = None
        self.envelopes: dict[int, bytes] = {}
        self.versions: set[bytes] = set()
        self.signers: set[str] = set()
        self.decided: dict[tuple[object, ...], int] = {}

    def add(self, entry: LoggedEnvelope) -> None:
        """Take the next entry of the record."""
        statement, owners = entry.statement, _owner_ids(entry, self.registry)
        if not self.envelopes:
            self.policy = statement.detail.get("policy")
        self.envelopes[entry.sequence] = entry.envelope.hash
        if statement.event in VERSION_EVENTS:
            self.versions.add(statement.subject.sha256)
        self.signers |= owners
        if statement.event in DECISION_EVENTS:
            for owner in owners:
                self.decided[*_decision_place(entry), owner] = entry.sequence


def _check_after(entry: LoggedEnvelope, past: _Past, *, complete: bool) -> None:
    statement, registry = entry.statement, past.registry
    if (statement.event == "register") != (entry.sequence == 0):
        raise VerificationError(
            "statement.register-place", f"{statement.event} at sequence {entry.sequence}"
        )
    if needs_seen(entry, registry) and statement.seen is None:
        raise VerificationError("statement.seen-missing", f"{statement.event} quotes no block")
    if statement.event in DECISION_EVENTS and statement.detail.get("policy") != past.policy:
        raise VerificationError("statement.other-policy", "the decision binds another policy")
    open_questions = [
        not _check_prior(entry, past, complete=complete),
        not _check_digest(entry, past, complete=complete),
        not _check_owner(entry, past, complete=complete),
    ]
    if any(open_questions):
        raise Incomplete


def _check_prior(entry: LoggedEnvelope, past: _Past, *, complete: bool) -> bool:
    """Return whether `prior` could be looked at."""
    prior = entry.statement.prior
    if prior is None:
        if needs_prior(entry, past.registry):
            raise VerificationError("statement.prior-missing", "the last entry seen is not named")
        return True
    if entry.statement.event == "register":
        raise VerificationError("statement.prior-refused", "register comes before everything")
    if prior.sequence >= entry.sequence:
        raise VerificationError("statement.prior-later", f"prior {prior.sequence} comes later")
    _check_decision_order(entry, past, prior_sequence=prior.sequence)
    found = past.envelopes.get(prior.sequence)
    if found is not None:
        if found != prior.envelope:
            raise VerificationError("statement.prior-differs", "prior is another envelope")
        return True
    if complete:
        raise VerificationError("statement.prior-unknown", f"no entry {prior.sequence}")
    return False


def _check_decision_order(entry: LoggedEnvelope, past: _Past, *, prior_sequence: int) -> None:
    """A held-back approval must not undo a rejection that its owner signed later."""
    if entry.statement.event not in DECISION_EVENTS:
        return
    place = _decision_place(entry)
    for owner in _owner_ids(entry, past.registry):
        decided = past.decided.get((*place, owner), -1)
        if decided > prior_sequence:
            raise VerificationError(
                "statement.decision-order",
                f"decided at {decided} already, having seen {prior_sequence} only",
            )


def _decision_place(entry: LoggedEnvelope) -> tuple[str, str, bytes]:
    statement = entry.statement
    return statement.event, statement.detail["step"], statement.subject.sha256


def _owner_ids(entry: LoggedEnvelope, registry: KeyRegistry) -> frozenset[str]:
    """Return who signed and for whom: delegator and delegate are one here."""
    keys = (registry.keys.get(keyid) for keyid in entry.signers)
    return frozenset[str]().union(*(key.people for key in keys if key is not None))


def _check_digest(entry: LoggedEnvelope, past: _Past, *, complete: bool) -> bool:
    """Return whether the subject, and `from`, could be found among the versions."""
    statement = entry.statement
    wanted = set() if statement.event in VERSION_EVENTS else {statement.subject.sha256}
    if statement.event == "convert":
        wanted.add(bytes.fromhex(statement.detail["from"]))
    if wanted <= past.versions:
        return True
    if complete:
        missing = min(wanted - past.versions).hex()
        raise VerificationError("statement.unrecorded-digest", f"no version {missing[:16]}…")
    return False


def _check_owner(entry: LoggedEnvelope, past: _Past, *, complete: bool) -> bool:
    """Return whether the right to revoke, supersede or dispose could be decided."""
    if entry.statement.event not in OWNER_EVENTS:
        return True
    keys = past.registry.keys
    if any(key.officer for keyid in entry.signers if (key := keys.get(keyid)) is not None):
        return True
    if _owner_ids(entry, past.registry) & past.signers:
        return True
    if complete:
        raise VerificationError(
            "statement.not-owner", f"{entry.statement.event} by somebody who never signed here"
        )
    return False
