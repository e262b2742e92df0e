"""The vocabulary of statements: families and event words (FORMATS section 3)."""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "ACTOR_SIGNED_EVENTS",
    "DECISION_EVENTS",
    "KEY_EVENTS",
    "OWNER_EVENTS",
    "POLICY_EVENTS",
    "PREDICATE_TYPES",
    "RECORD_EVENTS",
    "SEEN_EVENTS",
    "VERSION_EVENTS",
    "Predicate",
]


class Predicate(StrEnum):
    """The three families; the value is the in-toto ``predicateType``."""

    RECORD = "urn:vermilion:record-event:v1"
    KEY = "urn:vermilion:key-event:v1"
    POLICY = "urn:vermilion:policy-event:v1"


PREDICATE_TYPES = frozenset(predicate.value for predicate in Predicate)

RECORD_EVENTS = frozenset(
    {
        "register",
        "version",
        "review",
        "approve",
        "countersign",
        "number",
        "seal",
        "issue",
        "dispatch",
        "receive",
        "handle",
        "urge",
        "supervise",
        "access",
        "archive",
        "transfer",
        "fixity",
        "convert",
        "regrade",
        "correct",
        "revoke",
        "supersede",
        "dispose",
    }
)
KEY_EVENTS = frozenset({"register", "revoke"})
POLICY_EVENTS = frozenset({"adopt", "withdraw"})

SEEN_EVENTS = frozenset({"approve", "countersign", "seal", "revoke"})
"""Record events that must quote a block and the prior entry."""

ACTOR_SIGNED_EVENTS = frozenset(
    {"approve", "countersign", "seal", "revoke", "supersede", "correct", "dispose", "regrade"}
)
"""Record events that must carry an actor's signature."""

OWNER_EVENTS = frozenset({"revoke", "supersede", "dispose"})
"""Record events only for who signed earlier in the record, or an officer."""

DECISION_EVENTS = frozenset({"approve", "countersign"})
"""Record events with a step and a decision."""

VERSION_EVENTS = frozenset({"register", "version", "correct", "convert"})
"""Record events that record a document version."""
