"""Random ledgers, run by somebody without sense: every bundle gets a report.

And what a report says is compared with plain sentences about the same scene.
"""

from __future__ import annotations

import hashlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from evidence import (
    DOCUMENT_BYTES,
    LI,
    RULES,
    WANG,
    ZHAO,
    Scene,
    codes,
)
from office import RECORD_KEY, ROOT, ROOT_TWO, Person
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.events import RECORD_EVENTS
from vermilion_ledger.rules import hash_rules
from vermilion_ledger.statement import Prior
from vermilion_verify.report import Verdict

PEOPLE = (WANG, LI, ZHAO, ROOT, ROOT_TWO, Person(name="nobody"))
CONTENTS = (DOCUMENT_BYTES, b"second", b"third")

people = st.lists(st.sampled_from(PEOPLE), max_size=3, unique=True)
contents = st.sampled_from(CONTENTS)
sources = contents.map(lambda content: {"from": hashlib.sha256(content).hexdigest()})
decisions = st.fixed_dictionaries(
    {
        "step": st.sampled_from(["sign-off", "legal"]),
        "decision": st.sampled_from(["approved", "rejected"]),
    },
    optional={"policy": st.just(hash_rules(RULES).hex())},
)
steps = st.one_of(
    st.tuples(
        st.just("event"),
        st.sampled_from(sorted(RECORD_EVENTS)),
        people,
        contents,
        st.integers(-1, 4),
    ),
    st.tuples(st.just("decide"), people, contents, decisions),
    st.tuples(st.just("convert"), people, contents, sources),
    st.tuples(st.just("key"), st.sampled_from(PEOPLE), people),
    st.tuples(st.just("revoke"), st.sampled_from(PEOPLE), people, st.integers(-1, 12)),
    st.tuples(st.just("policy"), st.sampled_from(["adopt", "withdraw"]), people),
    st.just(("anchor",)),
)


def play(scene: Scene, step: Any) -> None:
    """Do one thing, allowed or not."""
    match step:
        case ("event", word, signers, content, prior):
            changes: dict[str, Any] = {}
            if prior >= 0 and RECORD_KEY in scene.last:
                changes["prior"] = Prior(sequence=prior, envelope=bytes(32))
            if word == "convert":
                changes["detail"] = {"from": hashlib.sha256(DOCUMENT_BYTES).hexdigest()}
            scene.event(word, *signers, content=content, **changes)
        case ("decide", signers, content, detail):
            scene.event("approve", *signers, content=content, detail=detail)
        case ("convert", signers, content, detail):
            scene.event("convert", *signers, content=content, detail=detail)
        case ("key", person, by):
            scene.register_key(person, *(each for each in by if each is not person))
        case ("revoke", person, by, since):
            detail = {} if since < 0 else {"compromisedSince": since}
            scene.revoke_key(person, *(by or [person]), **detail)
        case ("policy", word, by):
            scene.policy(RULES, word, by=by or [ROOT])
        case ("anchor",) if scene.log.size:
            scene.anchor(number=100 + scene.log.size)


@given(
    st.lists(steps, max_size=12), st.sets(st.integers(1, 6), max_size=2), contents, st.booleans()
)
def test_every_scene_gets_a_report_that_agrees_with_itself(
    script: list[Any], without: set[int], content: bytes, withhold: bool
) -> None:
    scene = Scene()
    scene.register_key(ROOT)
    for person in (WANG, LI):
        scene.register_key(person, ROOT)
    scene.event("register", detail={})
    for step in script:
        try:
            play(scene, step)
        except EvidenceError:
            continue  # a statement that cannot even be written
    if len({each.size for each in scene.anchors}) < len(scene.anchors):
        scene.anchors = list({each.size: each for each in scene.anchors}.values())
    scene.anchor(number=500)

    report = scene.verify(
        scene.bundle(withhold=withhold, without=without if withhold else ()), content=content
    )

    if report.verdict in {Verdict.PROVEN, Verdict.SUPERSEDED}:
        agrees(scene, content, cut=bool(withhold and without))
    if report.verdict is Verdict.REFUTED:
        assert codes(report)


def agrees(scene: Scene, content: bytes, *, cut: bool) -> None:
    """What must be true of a record that was proven, said without the verifier's code."""
    digest = hashlib.sha256(content).digest()
    entries = [place for place, _, key in scene.log.items if key == RECORD_KEY]
    about = [place.statement for place in entries if place.statement.subject.sha256 == digest]
    assert any(each.event in {"register", "version", "correct", "convert"} for each in about)
    if not cut:
        assert not any(each.event == "revoke" for each in about)
        registered: dict[str, int] = {}
        revoked: dict[str, int] = {}
        for place, _, _ in scene.log.items:
            statement = place.statement
            if statement.predicate.value != "urn:vermilion:key-event:v1":
                continue
            keyid = next(
                each.keyid for each in PEOPLE if each.public_key == _key_of(statement, scene)
            )
            book = registered if statement.event == "register" else revoked
            book.setdefault(keyid, place.index)
        for place in entries:
            for keyid in place.signers:
                assert registered[keyid] < place.index < revoked.get(keyid, 2**53)


def _key_of(statement: Any, scene: Scene) -> bytes:
    if statement.event == "register":
        return bytes.fromhex(statement.detail["key"])
    return next(each.public_key for each in PEOPLE if each.keyid == statement.detail["keyid"])
