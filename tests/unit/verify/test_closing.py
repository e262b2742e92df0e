"""Of a bundle that the ledger did not close little is looked at, so that it costs little."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from cryptography import x509

from evidence import Scene, approved, codes, office, plain
from office import Person, policy_event
from tsa import Holder, certify, make_ca, make_signer, make_token
from vermilion_ledger.bundle import EvidenceBundle
from vermilion_ledger.rules import Rule
from vermilion_ledger.timestamp import path
from vermilion_ledger.timestamp.authority import is_issued_by
from vermilion_verify.report import CheckStatus, Verdict

CROWD = tuple(Person(name=f"reader {number}", may=("review",)) for number in range(22))
TSA = make_ca("TSA Root")


def opened(bundle: EvidenceBundle) -> EvidenceBundle:
    """The bundle as somebody without the ledger's key has it: one bit of the closing is another."""
    sig = bytes([bundle.closing.sig[0] ^ 1]) + bundle.closing.sig[1:]
    return replace(bundle, closing=replace(bundle.closing, sig=sig))


def crowded(*people: Person, times: int = 3) -> Scene:
    scene = office(rules=None, people=people)
    scene.event("register", detail={})
    for _ in range(times):
        scene.event("review", *people)
    scene.anchor()
    return scene


def test_every_signature_of_a_bundle_that_the_ledger_closed_is_looked_at() -> None:
    report = crowded(*CROWD).verify()

    assert report.verdict is Verdict.PROVEN
    found = report.check("signature.actor")
    assert found is not None
    assert found.detail["signatures"] > 64


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that few are many."""
    monkeypatch.setattr("vermilion_verify.closing._KEY_COUNT_MAX", 64)
    monkeypatch.setattr("vermilion_verify.checks.rules._STRANGE_COUNT_MAX", 20_000)


@pytest.mark.usefixtures("impatient")
def test_of_a_bundle_that_nobody_closed_a_few_signatures_are_looked_at() -> None:
    scene = crowded(*CROWD)

    report = scene.verify(opened(scene.bundle()))

    assert report.verdict is Verdict.REFUTED
    assert codes(report) == {"record.completeness": "closing.signature"}
    assert codes(report, CheckStatus.UNKNOWN) == {"signature.actor": "bundle.not-closed"}


def test_a_small_bundle_that_nobody_closed_is_judged_as_any_other() -> None:
    scene = approved()

    report = scene.verify(opened(scene.bundle()))

    assert codes(report) == {"record.completeness": "closing.signature"}
    assert codes(report, CheckStatus.UNKNOWN) == {}


@pytest.mark.usefixtures("impatient")
def test_of_a_bundle_that_nobody_closed_a_few_proofs_of_possession_are_looked_at() -> None:
    keys = tuple(Person(name=f"key {each}", scheme="bls12381-g2-pop") for each in range(65))
    scene = crowded(*keys, times=0)

    whole, report = scene.verify(), scene.verify(opened(scene.bundle()))

    assert codes(whole, CheckStatus.UNKNOWN) == {}
    assert codes(report, CheckStatus.UNKNOWN)["key.validity"] == "bundle.not-closed"
    assert report.verdict is Verdict.REFUTED


def test_of_a_bundle_that_nobody_closed_a_few_time_stamps_are_looked_at() -> None:
    scene = plain()
    signer = make_signer(TSA)
    text = scene.signed_text()
    bundle = scene.bundle(
        timestamps=tuple(make_token(signer, text, serial=each) for each in range(5))
    )

    for made, count in ((bundle, 5), (opened(bundle), 4)):
        report = scene.verify(made, authorities=[TSA.authority()])
        found = report.check("timestamp.token")
        assert found is not None
        assert len(found.detail["timestamps"]) == count


@pytest.mark.usefixtures("impatient")
def test_of_a_bundle_that_nobody_closed_not_every_signer_is_held_against_every_rule() -> None:
    rules = tuple(Rule(event="review", count=1, post=str(each)) for each in range(64))
    scene = office(rules=rules, people=CROWD)
    scene.event("register", detail={"policy": policy_event(rules).subject.sha256.hex()})
    for _ in range(15):
        scene.event("review", *CROWD)
    scene.anchor()

    whole, report = scene.verify(), scene.verify(opened(scene.bundle()))

    assert codes(whole) == {"approval.rule": "rules.unmet"}
    assert codes(report) == {"record.completeness": "closing.signature"}
    assert codes(report, CheckStatus.UNKNOWN)["approval.rule"] == "bundle.not-closed"


def test_each_link_of_a_maze_of_certificates_is_looked_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    above = make_ca("Maze")
    issuers = [certify("Maze", above, key=above.key, extensions=[_ca()]) for _ in range(6)]
    links: list[tuple[x509.Certificate, x509.Certificate]] = []

    def look(below: x509.Certificate, issuer: x509.Certificate) -> bool:
        links.append((below, issuer))
        return is_issued_by(below, issuer)

    monkeypatch.setattr(path, "is_issued_by", look)

    assert list(_paths(make_signer(issuers[0]), issuers)) == []
    assert len(links) == len(set(links)) > len(issuers)


def _ca() -> tuple[x509.ExtensionType, bool]:
    return x509.BasicConstraints(ca=True, path_length=None), True


def _paths(signer: Holder, issuers: list[Holder]) -> Iterator[path.Path]:
    pool = [each.certificate for each in issuers]
    return path.find_paths(signer.certificate, pool, TSA.authority())
