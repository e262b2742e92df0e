"""An issuer whom two believed roots certified: which way is looked at first decides nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from certificate_kit import CARD, certificates_of, crl, issuer, leaf, root
from evidence import codes, office
from office import ROOT
from trusted import trust_toml
from tsa import Holder
from vermilion_verify.policy import parse_trust_policy
from vermilion_verify.report import Report, Verdict

ONE, TWO = root("Root One"), root("Root Two")
BY_ONE, BY_TWO = issuer(ONE, "Shared CA"), issuer(TWO, "Shared CA")  # one name, one key
ORDERS = pytest.mark.parametrize("believed", [(ONE, TWO), (TWO, ONE)])


def judged(believed: tuple[Holder, ...], *revocations: bytes) -> Report:
    scene = office(rules=None, people=())
    members = certificates_of(leaf(BY_ONE), BY_ONE, BY_TWO, revocations=revocations)
    scene.register_key(CARD, ROOT, **members)
    scene.event("register", detail={})
    scene.approve(CARD)
    scene.anchor()
    text = trust_toml([scene.chain]) + '[certificates]\nroots = ["ca.pem"]\n'
    policy = parse_trust_policy(text.encode(), folder=Path())
    return scene.verify(policy=policy, issuers=[each.authority() for each in believed])


@ORDERS
def test_a_list_of_one_root_leads_by_the_way_of_that_root(believed: tuple[Holder, ...]) -> None:
    report = judged(believed, crl(ONE), crl(BY_ONE))

    assert report.verdict is Verdict.PROVEN


@ORDERS
def test_no_other_way_leads_around_a_revocation(believed: tuple[Holder, ...]) -> None:
    report = judged(believed, crl(ONE, BY_ONE), crl(BY_ONE))

    assert codes(report).keys() == {"key.validity"}
    assert report.verdict is Verdict.REFUTED


@ORDERS
def test_lists_of_both_roots_fit_no_single_way(believed: tuple[Holder, ...]) -> None:
    report = judged(believed, crl(ONE), crl(TWO))

    assert codes(report) == {"key.validity": "certificate.revocation-data"}
