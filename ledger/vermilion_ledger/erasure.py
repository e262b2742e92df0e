"""May this record be destroyed, and what is written down about it.

A record ends with a signed ``dispose`` event (FORMATS section 3). While that is
its last entry, and a final anchor covers it, what opens its commitments may be
destroyed: whoever objects logs any further event. What stays for good is a
disposal list: an entry of a record of its own, with numbers, authority and
reason, and nothing that leads back (docs/formats/erasure.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from vermilion_ledger.actor import Actor
from vermilion_ledger.encoding import check_text
from vermilion_ledger.errors import ConflictError, InputError, VerificationError
from vermilion_ledger.keys import KeyRegistry, verify_actor_signature
from vermilion_ledger.limits import NAME_SIZE_MAX
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.rows import ErasedEntry, RecordRow

__all__ = ["Condemned", "check_disposal", "check_reason", "describe_disposal"]

_TELLING_SIZE_MIN = 4  # characters: a shorter name may stand in any reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Condemned:
    """A record that may be destroyed.

    Attributes:
        record: Its id and its key.
        entries: What the log's own files have at its places, in order.
    """

    record: RecordRow
    entries: tuple[ErasedEntry, ...]


def check_disposal(
    entries: Sequence[LoggedEnvelope], registry: KeyRegistry, *, covered: int
) -> Actor:
    """Check that a record ends with a disposal in force; return who ordered it.

    Whether the signer may dispose of this record was decided when the event
    entered the log; the signature itself is checked again.

    Args:
        entries: All entries of the record, in order.
        registry: The keys, as far as the log goes.
        covered: Size of the tree below which entries count as final.

    Raises:
        ConflictError: ``erase.not-disposed``: another event is the last one;
            ``erase.not-final``: it is not anchored for good yet.
        VerificationError: ``key.in-doubt``: a signer's key counts as compromised.
        SignatureError: A signature does not hold.
    """
    last = entries[-1]
    statement = last.statement
    if statement.event != "dispose":
        raise ConflictError(
            "erase.not-disposed", f"the last event of {statement.record} is {statement.event}"
        )
    if last.index >= covered:
        raise ConflictError(
            "erase.not-final", f"entry {last.index} is not below the final size {covered}"
        )
    for signature in last.actors:
        verify_actor_signature(signature, last.envelope.message, registry)
    for keyid in sorted(last.signers):
        if registry.find(keyid).is_in_doubt_at(last.index):
            raise VerificationError("key.in-doubt", f"key {keyid[:16]}… counts as compromised")
    return statement.actor


def check_reason(reason: str, entries: Iterable[LoggedEnvelope]) -> None:
    """Check that a reason, which stays, does not name what goes.

    Raises:
        InputError: ``erase.reason``: it is empty or too long, or has in it a
            record id, a digest or the name of a document.
    """
    check_text(reason, size_max=NAME_SIZE_MAX, what="reason")
    for entry in entries:
        statement = entry.statement
        name = statement.subject.name
        words = {statement.record, statement.subject.sha256.hex(), name, name.rpartition(".")[0]}
        if any(len(word) >= _TELLING_SIZE_MIN and word in reason for word in words):
            raise InputError("erase.reason", "the reason names what is destroyed")


def describe_disposal(
    condemned: Sequence[Condemned], authority: Iterable[Actor], reason: str
) -> dict[str, Any]:
    """Return the disposal list: the same for whichever records of these numbers."""
    people = {(actor.id, actor.name, actor.post, actor.unit): actor for actor in authority}
    return {
        "records": len(condemned),
        "entries": sum(len(each.entries) for each in condemned),
        "authority": [people[key].to_json() for key in sorted(people)],
        "reason": reason,
    }
