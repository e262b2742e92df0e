"""record.completeness: the ledger's closing, the walk, the registry file, the status."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from evidence import (
    DOCUMENT_BYTES,
    WANG,
    ZHAO,
    Scene,
    approved,
    close,
    codes,
    office,
)
from office import INTAKE_PUBLIC, ROOT, secret
from vermilion_ledger.records import Status
from vermilion_ledger.schemes import ed25519
from vermilion_verify.report import CheckStatus, Report, Verdict

SECOND = b"second version"


def sha(content: bytes = DOCUMENT_BYTES) -> bytes:
    return hashlib.sha256(content).digest()


def begun(*, rules: Any = None) -> Scene:
    scene = office(rules=rules)
    scene.event("register", detail={})
    return scene


def judged(scene: Scene, **question: Any) -> Report:
    scene.anchor()
    return scene.verify(**question)


# -- the status of a version


def test_an_older_version_is_superseded() -> None:
    scene = begun()
    scene.event("version", content=SECOND)
    scene.anchor()

    assert scene.verify().verdict is Verdict.SUPERSEDED
    assert scene.verify(content=SECOND).verdict is Verdict.PROVEN


def test_a_superseding_record_supersedes_the_current_version() -> None:
    scene = begun()
    scene.event("supersede", ZHAO)

    assert judged(scene).verdict is Verdict.SUPERSEDED


def test_a_revoked_version_is_revoked_whether_current_or_not() -> None:
    scene = begun()
    scene.event("revoke", ZHAO)
    scene.event("version", content=SECOND)
    scene.anchor()

    assert scene.verify().verdict is Verdict.REVOKED
    assert scene.verify(content=SECOND).verdict is Verdict.PROVEN


def converted(scene: Scene, content: bytes = b"pdf/a", source: bytes = DOCUMENT_BYTES) -> Scene:
    scene.event("convert", content=content, detail={"from": sha(source).hex()})
    return scene


def test_a_conversion_of_the_current_version_is_proven() -> None:
    scene = converted(begun())

    assert judged(scene, content=b"pdf/a").verdict is Verdict.PROVEN


def test_a_conversion_shares_the_fate_of_its_source() -> None:
    superseded, revoked = converted(begun()), converted(begun())
    superseded.event("version", content=SECOND)
    revoked.event("revoke", ZHAO)

    assert judged(superseded, content=b"pdf/a").verdict is Verdict.SUPERSEDED
    assert judged(revoked, content=b"pdf/a").verdict is Verdict.REVOKED


def test_a_conversion_of_a_conversion_shares_it_too() -> None:
    scene = converted(converted(begun()), b"png", b"pdf/a")
    scene.event("revoke", ZHAO)

    assert judged(scene, content=b"png").verdict is Verdict.REVOKED


def test_a_conversion_may_be_worse_than_its_source() -> None:
    scene = converted(begun())
    scene.event("revoke", ZHAO, content=b"pdf/a")
    scene.anchor()

    assert scene.verify().verdict is Verdict.PROVEN
    assert scene.verify(content=b"pdf/a").verdict is Verdict.REVOKED


def test_a_conversion_that_was_also_recorded_as_a_version_counts_as_a_version() -> None:
    scene = converted(begun())
    scene.event("version", content=b"pdf/a")
    scene.event("version", content=SECOND)
    scene.event("revoke", ZHAO)

    assert judged(scene, content=b"pdf/a").verdict is Verdict.SUPERSEDED


def test_conversions_in_a_ring_come_to_an_end() -> None:
    scene = converted(converted(begun()), b"pdf/a", b"pdf/a")

    assert judged(scene, content=b"pdf/a").verdict is Verdict.PROVEN


# -- the closing


@pytest.mark.parametrize(
    ("closing", "code"),
    [
        ({"digest": bytes(32)}, "closing.digest"),
        ({"status": Status.SUPERSEDED}, "closing.status"),
        ({"status": Status.REVOKED}, "closing.status"),
    ],
)
def test_a_closing_that_contradicts_a_whole_record_is_refuted(
    closing: dict[str, Any], code: str
) -> None:
    scene = approved()

    for withhold in (False, True):
        report = scene.verify(scene.bundle(closing=closing, withhold=withhold))
        assert report.verdict is Verdict.REFUTED
        assert codes(report) == {"record.completeness": code}


def test_a_closing_that_hides_a_revocation_is_refuted() -> None:
    scene = begun()
    scene.event("review")
    scene.event("revoke", ZHAO)
    scene.anchor()

    for status in (Status.CURRENT, Status.SUPERSEDED):
        cut = scene.bundle(withhold=True, without=[1], closing={"status": status})
        assert codes(scene.verify(cut))["record.completeness"] == "closing.status"


def test_a_closing_may_know_worse_than_the_entries_at_hand() -> None:
    scene = begun()
    scene.event("supersede", ZHAO)
    scene.event("revoke", ZHAO)
    scene.anchor()

    assert scene.verify(scene.bundle(withhold=True, without=[2])).verdict is Verdict.REVOKED


def test_a_closing_that_nobody_signed_is_refuted() -> None:
    scene = approved()
    bundle = scene.bundle()

    for sig in (b"", bytes(64), bundle.closing.sig[::-1]):
        spoiled = replace(bundle, closing=replace(bundle.closing, sig=sig))
        assert codes(scene.verify(spoiled)) == {"record.completeness": "closing.signature"}


@pytest.mark.parametrize("seed", [secret("log key"), WANG.seed, ROOT.seed])
def test_a_closing_by_another_key_is_refuted(seed: bytes) -> None:
    scene = approved()

    report = scene.verify(scene.bundle(intake_seed=seed))

    assert codes(report) == {"record.completeness": "closing.signature"}


def test_a_closing_by_an_intake_key_out_of_force_is_refuted() -> None:
    scene = approved()
    late = secret("late intake")
    public = ed25519.public_key_of(late).hex()
    keys = f'[{{key = "{INTAKE_PUBLIC.hex()}", from = 0}}, {{key = "{public}", from = 10}}]'
    policy = scene.trust(intake=keys)

    report = scene.verify(scene.bundle(intake_seed=late), policy=policy)

    assert codes(report) == {"record.completeness": "closing.signature"}
    assert scene.verify(policy=policy).verdict is Verdict.PROVEN


def test_whoever_cuts_a_bundle_needs_the_ledger() -> None:
    scene = begun()
    scene.event("review")
    scene.event("review", nonce=bytes(16))
    scene.anchor()
    bundle = scene.bundle(withhold=True)

    cut = replace(bundle, entries=(bundle.entries[0], bundle.entries[2]))

    assert codes(scene.verify(cut)) == {"record.completeness": "closing.signature"}
    assert scene.verify(close(cut)).verdict is Verdict.PROVEN


@pytest.mark.parametrize("part", ["anchors", "timestamps", "policies"])
def test_nobody_adds_or_takes_parts_of_a_closed_bundle(part: str) -> None:
    scene = approved()
    bundle = scene.bundle()
    change: dict[str, Any] = {part: (b"token",) if part == "timestamps" else ()}
    changed = replace(bundle, **change)

    assert codes(scene.verify(changed))["record.completeness"] == "closing.signature"


def test_cosignatures_and_hints_may_be_added_to_a_closed_bundle() -> None:
    scene = approved()
    bundle = scene.bundle()
    note = bundle.note + "— witness.example AAAAAAAA\n".replace("AAAAAAAA", "AAAAAAAAAA==")

    more = replace(
        bundle, note=note, anchors=tuple(replace(each, hints=None) for each in bundle.anchors)
    )

    assert scene.verify(more).verdict is Verdict.PROVEN


# -- entries left out


def test_the_current_version_is_proven_from_a_cut_record_where_no_rule_applies() -> None:
    scene = begun()
    scene.event("review")
    scene.event("version", content=SECOND)
    scene.anchor()
    cut = scene.bundle(withhold=True, without=[1])

    current, older = scene.verify(cut, content=SECOND), scene.verify(cut)

    assert current.verdict is Verdict.PROVEN
    assert codes(current, CheckStatus.UNKNOWN) == {"record.completeness": "record.left-out"}
    assert older.verdict is Verdict.CANNOT_TELL


def test_a_revocation_in_a_cut_record_is_believed() -> None:
    scene = begun()
    scene.event("revoke", ZHAO)
    scene.event("version", content=SECOND)
    scene.event("review", content=SECOND)
    scene.anchor()

    report = scene.verify(scene.bundle(withhold=True, without=[3]))

    assert report.verdict is Verdict.REVOKED


def test_the_first_entry_is_never_left_out() -> None:
    scene = approved()

    report = scene.verify(scene.bundle(withhold=True, without=[0]))

    assert codes(report) == {"bundle.parse": "bundle.first-entry"}


def test_a_cut_record_keeps_its_key_back() -> None:
    scene = approved()

    report = scene.verify(scene.bundle(without=[1]))

    assert codes(report) == {"bundle.parse": "bundle.entries-left-out"}
