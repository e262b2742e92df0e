"""Which key events a record hangs on: what a bundle brings along, and an auditor misses.

FORMATS section 10 and docs/formats/delegation.md: every event that touches a
signer, and the signers of those events in turn; of a delegated key also every
event that touches a key of the delegator's own. One rule for both sides: the
ledger selects by it, the verifier looks by it for what was held back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vermilion_ledger.events import Predicate
from vermilion_ledger.keys import touched_key
from vermilion_ledger.logged import LoggedEnvelope

__all__ = ["find_involved"]


def find_involved(
    events: Sequence[LoggedEnvelope], keyids: Iterable[str]
) -> tuple[LoggedEnvelope, ...]:
    """Return the key events that somebody needs who asks about signers.

    Args:
        events: Events of the key record in the order of their leaf index; of
            another family they are passed over, as the checks refuse them.
        keyids: Who signed what is asked about.
    """
    touching: dict[str, list[LoggedEnvelope]] = {}
    owned: dict[str, set[str]] = {}
    for event in events:
        if event.statement.predicate is not Predicate.KEY:
            continue
        keyid, detail = touched_key(event.statement), event.statement.detail
        touching.setdefault(keyid, []).append(event)
        if event.statement.event == "register" and "onBehalfOf" not in detail:
            owned.setdefault(detail["owner"]["id"], set()).add(keyid)
    waiting, done = set(keyids), set[str]()
    found: dict[int, LoggedEnvelope] = {}
    while waiting:
        keyid = waiting.pop()
        done.add(keyid)
        for event in touching.get(keyid, ()):
            found[event.index] = event
            delegator = event.statement.detail.get("onBehalfOf", "")
            waiting |= (event.signers | owned.get(delegator, set())) - done
    return tuple(found[index] for index in sorted(found))
