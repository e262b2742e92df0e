"""Certificates beside a key: what the report says of them, and what cannot be registered."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from certificate_kit import CARD, NOW, certificates_of, crl, issuer, leaf, root, usage
from evidence import Scene, codes, office
from office import ROOT, Person, key_registration, placed
from trusted import trust_toml
from tsa import Holder, certify
from vermilion_ledger.details import check_detail
from vermilion_ledger.encoding import encode_base64
from vermilion_ledger.errors import EvidenceError, InputError, LimitError
from vermilion_ledger.events import Predicate
from vermilion_ledger.possession import check_certified_key
from vermilion_verify.policy import parse_trust_policy
from vermilion_verify.report import CheckStatus, Report, Verdict

DAY = timedelta(days=1)
FIRST = root()
SECOND = issuer(FIRST)
LEAF = leaf(SECOND)
TABLE = '[certificates]\nroots = ["ca.pem"]\n'


def judged(members: dict[str, Any], *, anchors: str = "1", anchored: bool = True) -> Report:
    """The report on an approval by a key that was registered with these members."""
    scene: Scene = office(rules=None, people=())
    scene.register_key(CARD, ROOT, **members)
    scene.event("register", detail={})
    scene.approve(CARD)
    if anchored:
        scene.anchor()
    text = trust_toml([scene.chain], anchors=anchors) + TABLE
    policy = parse_trust_policy(text.encode(), folder=Path())
    return scene.verify(policy=policy, issuers=[FIRST.authority()])


def found(report: Report) -> dict[str, Any]:
    check = report.check("key.validity")
    assert check is not None
    (told,) = check.detail["certificates"]
    return dict(told)


def answer(
    by: Holder = SECOND,
    *,
    about: Holder = LEAF,
    issued_by: Holder = SECOND,
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    revoked: datetime | None = None,
    end: datetime = NOW + DAY,
    certificates: tuple[Holder, ...] = (),
) -> bytes:
    """An OCSP response about a certificate."""
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=about.certificate,
        issuer=issued_by.certificate,
        algorithm=hashes.SHA1(),
        cert_status=status,
        this_update=NOW - DAY,
        next_update=end,
        revocation_time=revoked,
        revocation_reason=None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, by.certificate)
    if certificates:
        builder = builder.certificates([each.certificate for each in certificates])
    return builder.sign(by.key, hashes.SHA256()).public_bytes(Encoding.DER)


def responder(*usages: x509.ObjectIdentifier, above: Holder = SECOND, **parts: Any) -> Holder:
    extensions = [usage("digital_signature")]
    if usages:
        extensions.append((x509.ExtendedKeyUsage(usages), False))
    return certify("responder", above, extensions=extensions, seed="responder", **parts)


# --- what the report says


def test_a_certificate_that_holds_is_told_beside_the_owner() -> None:
    report = judged(certificates_of(LEAF, SECOND, revocations=[crl(FIRST), crl(SECOND)]))

    assert report.verdict is Verdict.PROVEN
    assert found(report) == {
        "keyid": CARD.keyid,
        "owner": CARD.actor.to_json(),
        "status": "checked",
        "subject": "CN=card",
        "authority": "test",
        "revocation": "good",
    }


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (None, "missing"),
        ([], "missing"),
        ([crl(SECOND)], "missing"),  # of the leaf, not of its issuer
        ([crl(FIRST), crl(SECOND, end=NOW - DAY / 2)], "stale"),
        ([crl(FIRST), crl(SECOND, end=NOW - DAY / 2), crl(SECOND)], "good"),
        ([crl(FIRST), crl(SECOND, start=NOW + DAY / 2)], "stale"),
        ([crl(FIRST), answer()], "good"),
        ([crl(FIRST), answer(end=NOW - DAY / 2)], "stale"),
        ([crl(FIRST), answer(status=ocsp.OCSPCertStatus.UNKNOWN)], "missing"),
    ],
)
def test_revocation_data_that_says_nothing_is_not_silently_fine(
    data: list[bytes] | None, told: str
) -> None:
    report = judged(certificates_of(LEAF, SECOND, revocations=data))

    assert report.verdict is Verdict.PROVEN
    assert found(report)["revocation"] == told
    sentence = "that no certificate was revoked when its key was registered"
    assert (sentence in report.not_proven) == (told != "good")


def test_a_responder_whom_the_issuer_certified_may_answer() -> None:
    helper = responder(ExtendedKeyUsageOID.OCSP_SIGNING)
    data = [crl(FIRST), answer(helper, certificates=(helper,))]

    assert found(judged(certificates_of(LEAF, SECOND, revocations=data)))["revocation"] == "good"


def test_before_an_anchor_nothing_is_said_of_certificates() -> None:
    report = judged(certificates_of(LEAF, SECOND), anchored=False)

    assert report.verdict is Verdict.PENDING
    assert found(report)["status"] == "not checked before an anchor"
    assert "that the certificates kept with a key vouch for its owner" in report.not_proven


def test_without_an_anchor_nobody_can_tell_when_certificates_had_to_hold() -> None:
    report = judged(certificates_of(LEAF, SECOND), anchors="0", anchored=False)

    assert report.verdict is Verdict.CANNOT_TELL
    assert codes(report, CheckStatus.UNKNOWN)["key.validity"] == "certificate.no-time"


# --- what is refused

REVOKED = ocsp.OCSPCertStatus.REVOKED
NOBODY = responder()
STRANGER = responder(ExtendedKeyUsageOID.OCSP_SIGNING, above=root("Another Root"))
EXPIRED = responder(ExtendedKeyUsageOID.OCSP_SIGNING, start=NOW - 9 * DAY, end=NOW - DAY)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (answer(status=REVOKED, revoked=NOW - DAY), "certificate.revoked"),
        (answer(FIRST), "certificate.revocation-data"),  # the root did not issue it
        (answer(NOBODY, certificates=(NOBODY,)), "certificate.revocation-data"),
        (answer(STRANGER, certificates=(STRANGER,)), "certificate.revocation-data"),
        (answer(EXPIRED, certificates=(EXPIRED,)), "certificate.revocation-data"),
        (answer(about=SECOND, issued_by=FIRST), "certificate.revocation-data"),
        (
            ocsp.OCSPResponseBuilder.build_unsuccessful(
                ocsp.OCSPResponseStatus.TRY_LATER
            ).public_bytes(Encoding.DER),
            "certificate.revocation-data",
        ),
        (crl(SECOND, more=[(x509.DeltaCRLIndicator(1), True)]), "certificate.revocation-data"),
        (crl(SECOND, LEAF), "certificate.revoked"),
    ],
)
def test_bad_revocation_data_is_refused(data: bytes, code: str) -> None:
    report = judged(certificates_of(LEAF, SECOND, revocations=[data]))

    assert report.verdict is Verdict.REFUTED
    assert codes(report)["key.validity"] == code


def test_a_list_by_an_issuer_that_may_not_make_lists_is_refused() -> None:
    silent = issuer(FIRST, more=[usage("key_cert_sign")])
    report = judged(certificates_of(leaf(silent), silent, revocations=[crl(silent)]))

    assert codes(report)["key.validity"] == "certificate.revocation-data"


ONE = encode_base64(LEAF.encoded)
MANY = [encode_base64(bytes([each])) for each in range(9)]


@pytest.mark.parametrize(
    "members",
    [
        {"certificates": []},
        {"certificates": ONE},
        {"certificates": None},
        {"certificates": [ONE, ONE]},
        {"certificates": [LEAF.encoded.hex()]},
        {"certificates": [ONE + "="]},
        {"certificates": [7]},
        {"certificates": MANY},
        {"certificates": [ONE], "revocations": MANY},
        {"certificates": [ONE], "revocations": ["?"]},
        {"revocations": [ONE]},
        {"revocations": []},
    ],
)
def test_a_registration_with_malformed_certificates_is_no_registration(
    members: dict[str, Any],
) -> None:
    detail = {**key_registration(CARD).detail, **members}

    with pytest.raises((InputError, LimitError)):
        check_detail(detail, predicate=Predicate.KEY, event="register")


@pytest.mark.parametrize("scheme", ["ed25519", "webauthn-es256", "secp256k1-eip712"])
def test_only_keys_on_p256_have_certificates(scheme: str) -> None:
    detail = {**key_registration(Person(name="any", scheme=scheme)).detail, "certificates": [ONE]}

    with pytest.raises(InputError) as caught:
        check_detail(detail, predicate=Predicate.KEY, event="register")

    assert caught.value.code == "json.unknown-member"


@pytest.mark.parametrize(
    ("members", "code"),
    [
        (certificates_of(SECOND), "certificate.other-key"),
        (certificates_of(b"\x30\x00"), "certificate.malformed"),
        (certificates_of(LEAF, b"text"), "certificate.malformed"),
        (certificates_of(LEAF, revocations=[b"\x30\x00"]), "certificate.malformed"),
    ],
)
def test_a_ledger_takes_no_certificate_of_another_key(members: dict[str, Any], code: str) -> None:
    entry = placed(key_registration(CARD, **members), ROOT, CARD, index=5)

    with pytest.raises(EvidenceError) as caught:
        check_certified_key(entry)

    assert caught.value.code == code


def test_a_list_of_a_version_that_nobody_has_is_told_and_ends_nothing() -> None:
    made = crl(SECOND)
    at = made.index(b"\x02\x01\x01")  # version 2 is written as 1

    report = judged(
        certificates_of(LEAF, SECOND, revocations=[made[:at] + b"\x02\x01\x02" + made[at + 3 :]])
    )

    assert report.verdict is Verdict.REFUTED


@pytest.mark.parametrize(
    ("extension", "value"),
    [
        ("2.5.29.46", "300a3008a006a004a3023000"),
        ("2.5.29.28", "3008a006a004a3023000"),
        ("2.5.29.18", "3004a3023000"),
    ],
)
def test_a_list_that_names_somebody_in_x400_is_told_and_ends_nothing(
    extension: str, value: str
) -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier(extension), bytes.fromhex(value))

    report = judged(
        certificates_of(LEAF, SECOND, revocations=[crl(SECOND, more=[(unknown, False)])])
    )

    assert report.verdict in {Verdict.REFUTED, Verdict.PROVEN}


def test_a_certificate_from_the_year_0_is_told_and_ends_nothing() -> None:
    """Its dates are changed in its bytes, which are then signed anew: no library makes one."""
    late = leaf(SECOND, start=datetime(2060, 1, 1), end=datetime(2061, 1, 1)).certificate  # noqa: DTZ001
    content = late.tbs_certificate_bytes.replace(b"20600101", b"00000101")
    signature = SECOND.key.sign(content, ec.ECDSA(hashes.SHA256()))
    named = bytes.fromhex("300a06082a8648ce3d040302")  # ecdsa-with-SHA256

    def part(tag: int, data: bytes) -> bytes:
        size = len(data).to_bytes(2, "big").lstrip(b"\0")
        head = size if len(data) < 128 else bytes([0x80 + len(size)]) + size
        return bytes([tag]) + head + data

    made = part(0x30, content + named + part(3, b"\0" + signature))

    assert judged(certificates_of(made, SECOND)).verdict is Verdict.REFUTED
