"""The walk over the log's entries: what is missing, slipped in, elsewhere, or of another log."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from conformance.case import Case, case, log_of
from evidence import RULES, WANG, Scene, approved, office
from office import POLICIES_KEY, RECORD_KEY, ROOT, secret
from vermilion_ledger.commitment import encode_entry, make_record_id, make_tag
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.merkle import hash_leaf
from vermilion_ledger.records import Status
from vermilion_ledger.rules import hash_rules

_COMPLETE = "record.completeness"
_KEYS = "key.validity"


def completeness_cases() -> Iterator[Case]:
    """record.completeness with ``--log-entries``, key.validity with ``--registry``."""
    yield from _slipped_in()
    yield from _left_out()
    yield from _other_logs()
    yield from _registries()


def _slipped_in() -> Iterator[Case]:
    for sequence, name, why in (
        (0, "walk_register_twice", "an entry came later under the tag of the first one"),
        (1, "walk_tag_twice", "an entry came later under the tag of an approval"),
        (2, "walk_last_tag_twice", "an entry came later under the tag of the last one"),
    ):
        scene = approved(anchored=False)
        _hide(scene, sequence)
        scene.anchor()
        yield case(name, why, "refuted", scene, _COMPLETE, more={"log-entries.bin": log_of(scene)})
    scene = approved(anchored=False)
    _hide(scene, 3)
    scene.event("review", record_key=secret("later record"), content=b"later")
    _hide(scene, 3)
    scene.anchor()
    more = {"log-entries.bin": log_of(scene)}
    why = "two further entries claim the next place of the record"
    yield case("walk_next_tag_twice", why, "refuted", scene, _COMPLETE, more=more)


def _left_out() -> Iterator[Case]:
    """The ledger cuts the end of the record off and signs that this is all."""
    scene = approved(anchored=False)
    scene.event("revoke", WANG, detail={"reason": "withdrawn"})
    scene.anchor()
    cut = scene.bundle(
        entries=scene.bundle().entries[:-1], closing={"entries": 3, "status": Status.CURRENT}
    )
    more = {"log-entries.bin": log_of(scene)}
    why = "a revocation is left out and the closing denies it"
    yield case("walk_revocation_left_out", why, "refuted", scene, _COMPLETE, bundle=cut, more=more)


def _other_logs() -> Iterator[Case]:
    scene = approved()
    data = log_of(scene)
    other = approved()
    other.event("review", record_key=secret("yet another"), content=b"yet another")
    entries = [data[at : at + 65] for at in range(0, len(data), 65)]
    swapped = [*entries[:4], entries[5], entries[4], *entries[6:]]
    foreign = bytearray(data)
    foreign[5 * 65 + 20] ^= 1  # the commitment of somebody else's entry
    for name, why, found in (
        ("walk_of_nothing", "the file of entries is empty", b""),
        ("walk_without_the_first", "the log begins one entry later", data[65:]),
        ("walk_other_order", "two neighbours changed places", b"".join(swapped)),
        ("walk_other_root", "one bit of a foreign entry changed", bytes(foreign)),
        ("walk_entry_doubled", "an entry stands twice", data[:65] + data[:-65]),
        ("walk_of_zeros", "as long as the log, and empty", bytes(len(data))),
    ):
        more = {"log-entries.bin": found}
        yield case(name, why, "refuted", scene, _COMPLETE, more=more)
    bundle = scene.bundle(record_key=RECORD_KEY)
    key = secret("another key")
    lying = replace(bundle, record_key=key)
    more = {"log-entries.bin": data}
    why = "the key is not that of the record"
    yield case("walk_other_key", why, "refuted", scene, _COMPLETE, bundle=lying, more=more)
    lying = replace(bundle, record_key=key, record_id=make_record_id(key))
    why = "key and record id fit each other, and nothing in the log"
    yield case("walk_other_record", why, "refuted", scene, _COMPLETE, bundle=lying, more=more)
    yield case(
        "walk_beyond_the_checkpoint",
        "later entries of the log are ignored",
        "proven",
        scene,
        more={"log-entries.bin": data + log_of(other)[-65:]},
    )


def _registries() -> Iterator[Case]:
    def changed(scene: Scene, change: Callable[[Any], None]) -> dict[str, bytes]:
        value = json.loads(scene.registry_file())
        change(value)
        return {"log-entries.bin": log_of(scene), "registry.json": encode_json(value)}

    def hide_registration(value: Any) -> None:
        del value["keys"][1]

    def move(value: Any) -> None:
        value["keys"][-1]["index"] += 1

    def take_other_salt(value: Any) -> None:
        value["keys"][-1]["salt"] = value["keys"][0]["salt"]

    for name, why, change in (
        ("registry_with_a_gap", "a registration is kept back", hide_registration),
        ("registry_event_moved", "an event is said to be elsewhere in the log", move),
        ("registry_unopened", "an event does not open its entry", take_other_salt),
    ):
        scene = approved()
        yield case(name, why, "refuted", scene, _KEYS, more=changed(scene, change))
    scene = office()
    scene.policy(event="withdraw")
    scene.event("register", detail={"policy": hash_rules(RULES).hex()})
    scene.anchor()
    bundle = scene.bundle(policies=scene.bundle().policies[:1])

    def hide_withdrawal(value: Any) -> None:
        value["policies"].pop()

    more = changed(scene, hide_withdrawal)
    why = "bundle and registry keep the withdrawal of a policy back"
    yield case("registry_hides_withdrawal", why, "refuted", scene, _KEYS, bundle=bundle, more=more)
    scene = approved()
    bundle = scene.bundle()
    scene.revoke_key(WANG, ROOT)
    more = {"log-entries.bin": log_of(scene), "registry.json": scene.registry_file()}
    why = "a registry of a later size: what it has beyond the checkpoint is ignored"
    yield case("registry_of_a_later_size", why, "proven", scene, bundle=bundle, more=more)
    scene = approved(anchored=False)
    _hide(scene, 1, POLICIES_KEY)
    scene.anchor()
    more = {"log-entries.bin": log_of(scene), "registry.json": scene.registry_file()}
    why = "the log has a policy event that nobody is shown"
    yield case("registry_policy_left_out", why, "refuted", scene, _KEYS, more=more)


def _hide(scene: Scene, sequence: int, record_key: bytes = RECORD_KEY) -> None:
    """Let the log have an entry of a record that the ledger keeps to itself."""
    entry = encode_entry(secret(f"hidden {scene.log.size}"), make_tag(record_key, sequence))
    # A place of the log belongs to an item: that of a record which nobody asks about.
    scene.event("review", record_key=secret(f"stand-in {scene.log.size}"), content=b"stand-in")
    scene.log.entries[-1] = entry
    _regrow(scene)


def _regrow(scene: Scene) -> None:
    """Grow the tree anew over the entries as they are now."""
    log = scene.log
    fresh = type(log)()
    for entry in log.entries:
        fresh._nodes.update(fresh._frontier.append(hash_leaf(entry)))
    log._nodes, log._frontier = fresh._nodes, fresh._frontier
