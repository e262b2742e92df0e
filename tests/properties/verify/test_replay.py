"""A signature counts for the one statement that was signed, and a bundle for the one ledger.

Signatures of every scheme are put under statements that differ in one or two
fields, by a ledger that lies as well as it can; and a good bundle is shown to
verifiers who trust something else.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import cache
from itertools import combinations
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import evidence
from evidence import DOCUMENT_BYTES, Scene, codes
from office import (
    INTAKE_SEED,
    ORIGIN,
    POLICIES,
    RECORD,
    REGISTRY,
    ROOT,
    ROOT_TWO,
    Person,
    registry_of,
    secret,
    statement,
)
from trusted import log_vkey
from vermilion_ledger.actor import Actor
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.envelope import make_envelope, sign_intake
from vermilion_ledger.errors import SignatureError
from vermilion_ledger.keys import verify_actor_signature
from vermilion_ledger.schemes import SCHEME_NAMES, ed25519
from vermilion_ledger.statement import Prior, Seen, Statement, Subject
from vermilion_verify.policy import TrustPolicy
from vermilion_verify.report import Verdict

SCHEMES = tuple(sorted(SCHEME_NAMES))
PEOPLE = {scheme: Person(name=f"signer {scheme}", scheme=scheme) for scheme in SCHEMES}

hashes = st.binary(min_size=32, max_size=32)
counts = st.integers(0, 2**53 - 1)
texts = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=12)
moments = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001 - UTC by format
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "subject.name": texts,
    "subject.sha256": hashes,
    "subject.sm3": st.none() | hashes,
    "ledger": texts,
    "record": st.sampled_from([RECORD, REGISTRY, POLICIES]),
    "event": st.sampled_from(["approve", "countersign"]),
    "actor.id": texts,
    "actor.name": texts,
    "actor.post": texts,
    "actor.unit": texts,
    "time": moments.map("{:%Y-%m-%dT%H:%M:%SZ}".format),
    "seen.chain_id": counts,
    "seen.number": counts,
    "seen.hash": hashes,
    "prior.sequence": counts,
    "prior.envelope": hashes,
    "nonce": st.binary(min_size=16, max_size=16),
    "detail.step": texts,
    "detail.decision": st.sampled_from(["approved", "rejected"]),
    "detail.policy": hashes.map(bytes.hex),
    "detail.remark": texts,
}
CHANGED = [frozenset(names) for count in (1, 2) for names in combinations(FIELDS, count)]
statements = st.fixed_dictionaries(FIELDS)


def write(values: dict[str, Any]) -> Statement:
    """The statement that has these values."""
    groups: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        group, _, member = name.rpartition(".")
        groups.setdefault(group, {})[member] = value
    return statement(
        subject=Subject(**groups["subject"]),
        actor=Actor(**groups["actor"]),
        seen=Seen(**groups["seen"]),
        prior=Prior(**groups["prior"]),
        detail=groups["detail"],
        **groups[""],
    )


@given(st.sampled_from(SCHEMES), st.sampled_from(CHANGED), statements, statements)
def test_a_signature_is_refused_under_another_statement(
    scheme: str, changed: frozenset[str], signed: dict[str, Any], other: dict[str, Any]
) -> None:
    shown = {name: (other if name in changed else signed)[name] for name in FIELDS}
    assume(shown != signed)
    person = PEOPLE[scheme]
    made = person.sign(make_envelope(write(signed).encode(), ()))
    moved = make_envelope(write(shown).encode(), ())
    registry = registry_of(person)

    verify_actor_signature(made.signatures[0], made.message, registry)
    with pytest.raises(SignatureError):
        verify_actor_signature(made.signatures[0], moved.message, registry)


# -- a ledger that lies: the decision that it logs is not the one that was signed

OTHER_BYTES = b"the contract, with another sum"
LIES: dict[str, tuple[Any, Any]] = {  # what was signed, what is shown
    "digest": (hashlib.sha256(OTHER_BYTES).digest(), hashlib.sha256(DOCUMENT_BYTES).digest()),
    "ledger": ("another.example/office", ORIGIN),
    "record": (POLICIES, RECORD),
    "event": ("countersign", "approve"),
    "step": ("hearing", "sign-off"),
    "decision": ("rejected", "approved"),
    "number": (11, 10),
    "nonce": (secret("signed nonce")[:16], secret("shown nonce")[:16]),
    "time": ("2026-11-20T08:00:00Z", "2026-11-21T08:00:00Z"),
}
LIED = [frozenset(names) for count in (1, 2) for names in combinations(LIES, count)]


@given(st.sampled_from(LIED), st.sampled_from(SCHEMES))
def test_a_decision_that_was_not_signed_refutes(lied: frozenset[str], scheme: str) -> None:
    report = decided(scheme, lied).verify()

    assert report.verdict is Verdict.REFUTED
    assert "signature.actor" in codes(report)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_decision_that_was_signed_is_proven(scheme: str) -> None:
    assert decided(scheme, frozenset()).verify().verdict is Verdict.PROVEN


def decided(scheme: str, lied: frozenset[str]) -> Scene:
    """A record with one decision, whose statement is not the signed one where it is lied."""
    scene, person = Scene(), PEOPLE[scheme]
    scene.register_key(ROOT)
    scene.register_key(person, ROOT)
    scene.event("register")
    scene.event("version", content=OTHER_BYTES)
    last = scene.event("version")
    signed, shown = ({name: pair[at] for name, pair in LIES.items()} for at in (0, 1))
    signed = {name: (signed if name in lied else shown)[name] for name in LIES}
    envelopes = []
    for values in (signed, shown):
        made = statement(
            values["event"],
            subject=Subject(name="合同-2026-017.pdf", sha256=values["digest"]),
            ledger=values["ledger"],
            record=values["record"],
            actor=person.actor,
            time=values["time"],
            nonce=values["nonce"],
            seen=scene.chain.seen(values["number"]),
            prior=Prior(sequence=last.sequence, envelope=last.envelope.hash),
            detail={"step": values["step"], "decision": values["decision"]},
        )
        envelopes.append(make_envelope(made.encode(), ()))
    signature = person.sign(envelopes[0]).signatures[0]
    scene.smuggle(sign_intake(envelopes[1].with_signature(signature), INTAKE_SEED))
    scene.anchor()
    return scene


# -- a good bundle before somebody who trusts another ledger, chain or contract

OTHER_ORIGIN, OTHER_SEED = "another.example/office", secret("another ledger")
OTHER_KEYS = secret("another key record"), secret("another policy record")
OTHER_TRUST: dict[str, dict[str, str]] = {
    "origin": {"origin": f'"{OTHER_ORIGIN}"', "log_keys": log_vkey(name=OTHER_ORIGIN)},
    "log key": {"log_keys": log_vkey(OTHER_SEED)},
    "intake key": {
        "intake": f'[{{key = "{ed25519.public_key_of(OTHER_KEYS[0]).hex()}", from = 0}}]'
    },
    "key record": {
        "registry_record": f'"{make_record_id(OTHER_KEYS[0])}"',
        "registry_key": f'"{OTHER_KEYS[0].hex()}"',
    },
    "policy record": {
        "policies_record": f'"{make_record_id(OTHER_KEYS[1])}"',
        "policies_key": f'"{OTHER_KEYS[1].hex()}"',
    },
    "root": {"roots": f'["{ROOT_TWO.keyid}"]'},
    "rules": {"rules": '[{event = "seal", count = 1}]'},
    "chain": {"chain.id": "1"},
    "contract": {"chain.contract": f'"0x{"77" * 20}"'},
    "log on the chain": {"chain.log": f'"0x{"77" * 32}"'},
    "two chains": {"anchors": "2"},
}
TRUSTED = [frozenset(names) for count in (1, 2) for names in combinations(OTHER_TRUST, count)]


@cache
def good() -> tuple[Scene, bytes]:
    """A scene and its bundle, which is proven; nobody adds to it."""
    scene = evidence.approved()
    return scene, encode_json(scene.bundle().to_json())


def trust(scene: Scene, changed: frozenset[str]) -> TrustPolicy:
    """A policy that differs in these places."""
    lines = {
        key: text
        for name in OTHER_TRUST
        if name in changed
        for key, text in OTHER_TRUST[name].items()
    }
    if {"origin", "log key"} <= changed:
        lines["log_keys"] = log_vkey(OTHER_SEED, OTHER_ORIGIN)
    if "log_keys" in lines:
        lines["log_keys"] = f'[{{vkey = "{lines["log_keys"]}", from = 0}}]'
    table = {key.removeprefix("chain."): text for key, text in lines.items() if "." in key}
    return scene.trust(
        scene.chain.table(**table), **{key: text for key, text in lines.items() if "." not in key}
    )


@pytest.mark.parametrize("changed", TRUSTED, ids=lambda names: ", ".join(sorted(names)))
def test_a_bundle_is_not_proven_to_who_trusts_another(changed: frozenset[str]) -> None:
    scene, bundle = good()

    report = scene.verify(bundle, policy=trust(scene, changed))

    assert report.verdict in {Verdict.REFUTED, Verdict.PENDING, Verdict.CANNOT_TELL}


def test_the_same_bundle_is_proven_to_who_trusts_this_ledger() -> None:
    scene, bundle = good()

    assert scene.verify(bundle, policy=trust(scene, frozenset())).verdict is Verdict.PROVEN
