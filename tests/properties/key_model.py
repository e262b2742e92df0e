"""What is allowed to keys, in plain words over dicts: the model of the key machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Event = dict[str, Any]
Keys = dict[str, dict[str, Any]]

ROOTS, QUORUM = ("root one", "root two", "root three"), 2
OWNERS = {
    f"{owner} {number}": owner for owner in ("wang", "li", "chen", "zhao") for number in (1, 2)
}


def owner_of(name: str) -> str:
    return OWNERS.get(name, name)


def read_keys(history: Sequence[Event]) -> Keys:
    """Every key with what the events say of it, by leaf index."""
    keys: Keys = {}
    for index, event in enumerate(history):
        if event["word"] == "register":
            keys.setdefault(event["key"], {**event, "at": index, "revoked": None, "doubt": None})
        elif event["word"] == "revoke" and (key := keys.get(event["key"])):
            key["revoked"] = index if key["revoked"] is None else key["revoked"]
            if event["since"] is not None:
                known = key["doubt"]
                key["doubt"] = event["since"] if known is None else min(known, event["since"])
    return keys


def is_allowed(event: Event, index: int, keys: Keys) -> bool:
    """Whether an event may stand at a leaf after what the keys say before it."""
    signers, name = set(event["signers"]), event["key"]
    delegated = {each for each, key in keys.items() if key["for"]} | (
        {name} if event["for"] else set()
    )
    if event["forged"] or not signers or (signers & delegated and not event["quoted"]):
        return False
    valid = {each for each, key in keys.items() if key["revoked"] is None}
    if event["word"] == "approve":
        may = all(each in valid and "approve" in keys[each]["may"] for each in signers)
        voices = [keys[each]["for"] or owner_of(each) for each in signers if each in keys]
        is_one_each = all(voices.count(keys[each]["for"]) == 1 for each in signers & delegated)
        return may and event["actor"] in signers and is_one_each
    # At its own revocation a root is not valid any more.
    roots = (signers & valid & set(ROOTS)) - ({name} if event["word"] == "revoke" else set())
    # Nobody can check the signature of a root that is not registered yet.
    is_known = signers <= (set(ROOTS) & keys.keys()) | {name}
    is_by_roots = len(roots) >= QUORUM and event["actor"] in roots and is_known
    if event["word"] == "revoke":
        return name in keys and is_revocable(event, index, keys, is_by_roots=is_by_roots)
    if name in ROOTS:
        is_alone = signers == {name} == {event["actor"]}
        return name not in keys and is_alone and not event["may"] and not event["for"]
    own = [keys[each] for each in valid if owner_of(each) == event["for"] and not keys[each]["for"]]
    is_given = bool(own) and set(event["may"]) <= {word for key in own for word in key["may"]}
    is_fresh = name not in keys and name in signers
    return is_fresh and is_by_roots and (is_given or not event["for"])


def is_revocable(event: Event, index: int, keys: Keys, *, is_by_roots: bool) -> bool:
    key = keys[event["key"]]
    if event["since"] is not None:
        return is_by_roots and bool(key["at"] <= event["since"] <= index)
    is_alone = set(event["signers"]) == {event["key"]} == {event["actor"]}
    return is_by_roots or (is_alone and key["revoked"] is None)


def ends_of(event: Event, keys: Keys) -> list[int]:
    """The blocks at which the delegations end that an event rests on."""
    return [keys[each]["until"] for each in event["signers"] if each in keys and keys[each]["for"]]


def is_admitted(history: Sequence[Event], event: Event, now: int) -> bool:
    """What intake should say."""
    keys = read_keys(history)
    if not is_allowed(event, len(history), keys):
        return False
    ends = [] if event["word"] == "revoke" else ends_of(event, read_keys([*history, event]))
    return all(max(now, event["quoted"] or 0) <= end for end in ends)


def find_hung_on(history: Sequence[Event]) -> set[int]:
    """The leaves that the document's record hangs on: approvals, and the key events behind them."""
    found = {index for index, event in enumerate(history) if event["word"] == "approve"}
    waiting = {name for index in found for name in history[index]["signers"]}
    done: set[str] = set()
    while waiting:
        name = waiting.pop()
        done.add(name)
        for index, event in enumerate(history):
            if event["word"] not in {"register", "revoke"} or event["key"] != name:
                continue
            found.add(index)
            own = {
                each["key"]
                for each in history
                if each["word"] == "register" and not each["for"]
                and event["for"] == owner_of(each["key"])
            }  # fmt: skip
            waiting |= (set(event["signers"]) | own) - done
    return found


def _vouching(event: Event) -> list[str]:
    """Who signed a key event for another key: what a key says of itself is no doubt."""
    return [name for name in event["signers"] if name != event.get("key")]


def judge(history: Sequence[Event], anchors: Sequence[tuple[int, int]]) -> str:
    """What a verifier should say; anchors are pairs of tree size and block."""
    keys, is_open, hung_on = read_keys(history), False, find_hung_on(history)
    for index, event in enumerate(history):
        if event["word"] == "document":
            continue
        if not is_allowed(event, index, read_keys(history[:index])):
            return "refuted"
        asked = event["signers"] if event["word"] == "approve" else _vouching(event)
        marks = [keys[each]["doubt"] for each in asked if index in hung_on]
        is_open |= any(mark is not None and mark <= index for mark in marks)
        if event["word"] == "approve":
            anchored = min(block for size, block in anchors if size > index)
            for end in ends_of(event, keys):
                if anchored > end and event["quoted"] > end:
                    return "refuted"
                is_open |= anchored > end
    return "cannot_tell" if is_open else "proven"
