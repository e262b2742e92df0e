"""Certificates beside a registered key: those that hold, and each rule broken alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from cryptography import x509

from certificate_kit import CARD, NOW, certificates_of, crl, issuer, leaf, root, usage
from conformance.case import Case, case
from evidence import WANG, Scene, office
from office import ROOT, Person
from trusted import trust_toml
from tsa import Holder

_DAY, _YEAR = timedelta(days=1), timedelta(days=365)
_OTHER = Person(name="other card", scheme="ecdsa-p256")


def certificate_cases() -> Iterator[Case]:
    """key.validity, under a policy that names a root."""
    yield from _good_cases()
    for name, why, members in (*_path_attacks(), *_revocation_attacks()):
        yield _case(name, why, "refuted", members)
    yield _case(
        "certificate_missing", "the policy requires a certificate", "refuted", {}, required=True
    )
    yield _case(
        "certificate_of_no_card",
        "a key of a scheme without certificates, where the policy requires them",
        "refuted",
        {},
        person=WANG,
        required=True,
    )
    yield _case(
        "certificate_unanchored_block",
        "nobody vouches for the block that bounds the registration",
        "cannot_tell",
        _whole(),
        checks=("key.validity", "anchor.block", "anchor.finality"),
        hashes="",
    )


def _good_cases() -> Iterator[Case]:
    first, second = _issuers()
    card = leaf(second)
    fresh = [crl(first), crl(second)]
    for name, why, members in (
        ("certified", "a certificate under a pinned root, not revoked", _whole()),
        (
            "certified_stale",
            "the revocation data ended before the anchor: said, and no more",
            certificates_of(card, second, revocations=[crl(second, end=NOW - _DAY / 2)]),
        ),
        ("certified_alone", "no revocation data was kept", certificates_of(card, second)),
        (
            "certificate_revoked_later",
            "revoked after the registration was anchored",
            certificates_of(card, second, revocations=[*fresh, crl(second, card, at=NOW + _YEAR)]),
        ),
    ):
        yield _case(name, why, "proven", members, required=True)
    crossed = issuer(root("Another Root"))  # of the same name, with the same key
    yield _case(
        "certified_by_two_roots",
        "two believed roots certified the issuer, and the lists are of one way",
        "proven",
        certificates_of(card, second, crossed, revocations=fresh),
        believed=("Office Root", "Another Root"),
    )
    yield _case(
        "certificate_unchecked",
        "a certificate of nobody, under a policy that names no root",
        "proven",
        certificates_of(leaf(root("Another Root"))),
        believed=(),
    )


def _path_attacks() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    first, second = _issuers()
    card = leaf(second)
    before, after = NOW - 2 * _YEAR, NOW + _YEAR
    for name, why, members in (
        ("other_key", "about another key", certificates_of(leaf(second, _OTHER), second)),
        ("unknown_root", "under another root", certificates_of(leaf(root("Another Root")))),
        ("no_issuer", "the issuer's certificate is left out", certificates_of(card)),
        ("issuer_first", "the issuer's certificate comes first", certificates_of(second, card)),
        (
            "expired",
            "expired before the registration was anchored",
            certificates_of(leaf(second, start=before, end=NOW - _DAY), second),
        ),
        (
            "too_early",
            "valid only after the registration was anchored",
            certificates_of(leaf(second, start=NOW + _DAY, end=after), second),
        ),
        (
            "for_encryption",
            "not for signatures",
            certificates_of(leaf(second, extensions=[usage("key_agreement")]), second),
        ),
        (
            "by_a_leaf",
            "issued by somebody who may not issue",
            certificates_of(
                leaf(_leafy := issuer(first, "Nobody CA", ca=False)),
                _leafy,
            ),
        ),
        (
            "issuer_may_not_sign",
            "issued with a key that is not for certificates",
            certificates_of(leaf(_odd := issuer(first, "Odd CA", more=[usage("crl_sign")])), _odd),
        ),
        (
            "critical_extension",
            "a critical extension that nobody here knows",
            certificates_of(
                leaf(second, extensions=[usage("digital_signature"), _odd_one()]), second
            ),
        ),
        (
            "no_certificate",
            "bytes that are no certificate",
            certificates_of(b"\x30\x03\x02\x01\x01"),
        ),
    ):
        yield f"certificate_{name}", why, members


def _revocation_attacks() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    first, second = _issuers()
    card = leaf(second)
    impostor = issuer(root("Another Root"))  # of the same name, with a key of its own
    delta = (x509.DeltaCRLIndicator(1), True)
    for name, why, data in (
        ("revoked", "revoked before the registration was anchored", [crl(second, card)]),
        ("issuer_revoked", "its issuer was revoked", [crl(first, second)]),
        (
            "revoked_in_an_old_list",
            "revoked, says a list that has run out",
            [crl(second, card, end=NOW - _DAY / 2)],
        ),
        ("strange_list", "a list of somebody else's", [crl(root("Another Root"))]),
        ("forged_list", "a list in its issuer's name, by another key", [_forged(impostor)]),
        ("delta_list", "a list of changes alone", [crl(second, more=[delta])]),
        ("no_list", "bytes that are no revocation data", [b"\x30\x00"]),
    ):
        yield (
            f"certificate_{name}",
            why,
            certificates_of(card, second, revocations=data),
        )


def _issuers() -> tuple[Holder, Holder]:
    first = root()
    return first, issuer(first)


def _whole() -> dict[str, Any]:
    first, second = _issuers()
    return certificates_of(leaf(second), second, revocations=[crl(first), crl(second)])


def _forged(impostor: Holder) -> bytes:
    key = Holder(key=root("Third Root").key, certificate=impostor.certificate)
    return crl(key)


def _odd_one() -> tuple[x509.ExtensionType, bool]:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00"), True


def _case(
    name: str,
    why: str,
    verdict: str,
    members: Mapping[str, Any],
    *,
    person: Person = CARD,
    believed: tuple[str, ...] = ("Office Root",),
    required: bool = False,
    checks: tuple[str, ...] = ("key.validity",),
    **parts: Any,
) -> Case:
    """Register a key with these members, approve with it, and name a root."""
    scene: Scene = office(rules=None, people=() if person is CARD else (person,))
    if person is CARD:
        scene.register_key(CARD, ROOT, **members)
    scene.event("register", detail={})
    scene.approve(person)
    table = ""
    more = {}
    if believed:
        table = f'[certificates]\nroots = ["ca.pem"]\nrequired = {str(required).lower()}\n'
        more["ca.pem"] = b"".join(root(each).pem for each in believed)
    trust = trust_toml([scene.chain]) + table
    failed = checks if verdict != "proven" else ()
    return case(name, why, verdict, scene, *failed, trust=trust, more=more, **parts)
