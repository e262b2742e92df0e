"""Assembling: what goes into a bundle, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from office import (
    INTAKE_KEYID,
    LI,
    POLICIES_KEY,
    RECORD_KEY,
    REGISTRY_KEY,
    ROOT,
    ROOT_TWO,
    SEEN,
    WANG,
    ZHAO,
    Log,
    envelope,
    key_registration,
    key_revocation,
    policy_event,
    prior_of,
    statement,
)
from vermilion_ledger.assembly import (
    OpenEntry,
    encode_registry,
    select_anchor_sizes,
    select_events,
)
from vermilion_ledger.encoding import parse_json
from vermilion_ledger.errors import NotFoundError
from vermilion_ledger.rules import Rule, hash_rules

RULES = (Rule(event="approve", count=1),)
OTHER_RULES = (Rule(event="seal", count=1),)


def entries(log: Log, key: bytes) -> list[OpenEntry]:
    return [OpenEntry(logged=place, salt=salt) for place, salt, each in log.items if each == key]


def filled() -> Log:
    """Root, WANG, LI, ZHAO, root two (unused); two policies; a record that WANG approved."""
    log = Log()
    log.add(envelope(key_registration(ROOT), ROOT), REGISTRY_KEY)  # 0
    log.add(envelope(key_registration(ROOT_TWO), ROOT_TWO), REGISTRY_KEY)  # 1
    for person in (WANG, LI, ZHAO):  # 2, 3, 4
        log.add(envelope(key_registration(person), ROOT, person), REGISTRY_KEY)
    log.add(envelope(policy_event(RULES), ROOT), POLICIES_KEY)  # 5
    log.add(envelope(policy_event(OTHER_RULES), ROOT_TWO), POLICIES_KEY)  # 6
    policy = {"policy": hash_rules(RULES).hex()}
    first = log.add(envelope(statement("register", detail=policy)), RECORD_KEY)  # 7
    decision = statement(
        "approve",
        seen=SEEN,
        prior=prior_of(first),
        detail={"step": "s", "decision": "approved"} | policy,
    )
    log.add(envelope(decision, WANG), RECORD_KEY)  # 8
    log.add(envelope(key_revocation(WANG), ROOT), REGISTRY_KEY)  # 9
    log.add(envelope(key_revocation(ZHAO), ROOT), REGISTRY_KEY)  # 10
    return log


def select(log: Log, size: int) -> tuple[list[int], list[int], list[int]]:
    found = select_events(
        entries(log, RECORD_KEY), entries(log, REGISTRY_KEY), entries(log, POLICIES_KEY), size=size
    )
    return (
        [each.index for each in found.entries],
        [each.index for each in found.keys],
        [each.index for each in found.policies],
    )


def test_signers_and_their_roots_and_their_revocations_go_in() -> None:
    assert select(filled(), 11) == ([7, 8], [0, 2, 9], [5])


def test_nothing_at_or_above_the_checkpoint_goes_in() -> None:
    assert select(filled(), 9) == ([7, 8], [0, 2], [5])
    assert select(filled(), 8) == ([7], [0], [5])


def test_a_record_that_nobody_signed_and_that_names_no_policy_needs_no_keys() -> None:
    log = Log()
    log.add(envelope(key_registration(ROOT), ROOT), REGISTRY_KEY)
    log.add(envelope(policy_event(RULES), ROOT), POLICIES_KEY)
    log.add(envelope(statement("register")), RECORD_KEY)

    assert select(log, 3) == ([2], [], [])


def test_a_record_that_is_not_in_the_checkpoint_is_refused() -> None:
    with pytest.raises(NotFoundError) as caught:
        select(filled(), 7)

    assert caught.value.code == "record.not-in-checkpoint"


def test_a_root_that_revoked_a_signer_brings_its_own_registration() -> None:
    log = filled()
    log.add(envelope(replace(key_revocation(WANG), actor=ROOT_TWO.actor), ROOT_TWO), REGISTRY_KEY)

    assert select(log, 12)[1] == [0, 1, 2, 9, 11]


@pytest.mark.parametrize(
    ("sizes", "indices", "count_max", "chosen"),
    [
        ([], [0], 64, ()),
        ([5], [5], 64, ()),
        ([5], [4], 64, (5,)),
        ([1, 2, 3, 4, 5], [0], 64, (1, 2, 3, 4, 5)),
        ([1, 2, 3, 4, 5], [0, 2], 4, (1, 3, 4, 5)),
        ([1, 2, 3, 4, 5], [4], 64, (5,)),
        ([1, 2, 3, 4, 5], [0, 1, 2, 3], 2, (1, 5)),
        ([5, 5, 3, 3], [2], 64, (3, 5)),
        ([10, 20], [15], 64, (20,)),
    ],
)
def test_the_newest_and_the_earliest_covering_anchors_are_chosen(
    sizes: list[int], indices: list[int], count_max: int, chosen: tuple[int, ...]
) -> None:
    assert select_anchor_sizes(sizes, indices, count_max=count_max) == chosen


def test_the_registry_file_has_every_event_of_both_public_records() -> None:
    log = filled()

    data = encode_registry(entries(log, REGISTRY_KEY), entries(log, POLICIES_KEY))

    value = parse_json(data, size_max=1 << 20, what="registry")
    assert value["mediaType"] == "application/vnd.vermilion.registry.v1+json"
    assert [each["index"] for each in value["keys"]] == [0, 1, 2, 3, 4, 9, 10]
    assert [each["sequence"] for each in value["policies"]] == [0, 1]
    assert set(value["keys"][0]) == {"sequence", "index", "salt", "envelope"}
    assert INTAKE_KEYID in data.decode()
