"""Certificates, lists and OCSP responses that are signed by way of a broken digest."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from certificate_kit import CARD, NOW, certificates_of, root, usage
from evidence import codes, office
from office import ROOT
from trusted import trust_toml
from tsa import octets, oid, seq
from vermilion_ledger.schemes import ecdsa_p256
from vermilion_ledger.timestamp import der
from vermilion_ledger.timestamp.der import DerReader, encode_element
from vermilion_verify.policy import parse_trust_policy
from vermilion_verify.report import Report, Verdict

DAY = timedelta(days=1)
FIRST = root()
KEY = rsa.generate_private_key(65537, 2048)
NULL = encode_element(der.NULL, b"")
DIGESTS = {"sha256": "2.16.840.1.101.3.4.2.1", "sha1": "1.3.14.3.2.26", "md5": "1.2.840.113549.2.5"}
SCHEMES = {
    name: f"1.2.840.113549.1.1.{last}" for name, last in (("sha256", 11), ("sha1", 5), ("md5", 4))
}
BROKEN = pytest.mark.parametrize("digest", ["sha1", "md5"])


def certificate(name: str, *, is_issuer: bool) -> x509.Certificate:
    public = KEY.public_key() if is_issuer else ecdsa_p256.load_private_key(CARD.seed).public_key()
    above = FIRST.certificate.subject if is_issuer else ISSUER.subject
    may = usage("key_cert_sign", "crl_sign") if is_issuer else usage("digital_signature")
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(above)
        .public_key(public)
        .serial_number(7)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .add_extension(x509.BasicConstraints(is_issuer, None), critical=True)
        .add_extension(may[0], critical=True)
    )
    return builder.sign(FIRST.key if is_issuer else KEY, hashes.SHA256())


ISSUER = certificate("issuer", is_issuer=True)
LEAF = certificate("leaf", is_issuer=False)
LIST = (
    x509.CertificateRevocationListBuilder()
    .issuer_name(ISSUER.subject)
    .last_update(NOW - DAY)
    .next_update(NOW + DAY)
    .sign(KEY, hashes.SHA256())
    .public_bytes(Encoding.DER)
)
RESPONSE = (
    ocsp.OCSPResponseBuilder()
    .add_response(
        cert=LEAF,
        issuer=ISSUER,
        algorithm=hashes.SHA256(),
        cert_status=ocsp.OCSPCertStatus.GOOD,
        this_update=NOW - DAY,
        next_update=NOW + DAY,
        revocation_time=None,
        revocation_reason=None,
    )
    .responder_id(ocsp.OCSPResponderEncoding.HASH, ISSUER)
    .sign(KEY, hashes.SHA256())
    .public_bytes(Encoding.DER)
)


def signed_anew(data: bytes, digest: str) -> bytes:
    """The same text, signed by way of another digest: no library makes such things any more."""
    text = DerReader(data).inside(der.SEQUENCE).take(der.SEQUENCE).content
    old, new = (seq(oid(SCHEMES[each]), NULL) for each in ("sha256", digest))
    text = seq(text.replace(old, new))
    info = seq(seq(oid(DIGESTS[digest]), NULL), octets(hashlib.new(digest, text).digest()))
    size = KEY.key_size // 8  # RFC 8017, section 9.2
    padded = b"\x00\x01" + (size - 3 - len(info)) * b"\xff" + b"\x00" + info
    private = KEY.private_numbers()
    number = pow(int.from_bytes(padded, "big"), private.d, private.public_numbers.n)
    sig = encode_element(der.BIT_STRING, b"\x00" + number.to_bytes(size, "big"))
    return seq(text, new, sig)


def response_signed_anew(digest: str) -> bytes:
    reader = DerReader(RESPONSE).inside(der.SEQUENCE)
    status = reader.take().encoded
    inner = DerReader(reader.take().content).inside(der.SEQUENCE)
    kind, basic = inner.take().encoded, inner.content(der.OCTET_STRING)
    return seq(status, encode_element(0xA0, seq(kind, octets(signed_anew(basic, digest)))))


def judged(leaf: bytes, *revocations: bytes) -> Report:
    scene = office(rules=None, people=())
    above = ISSUER.public_bytes(Encoding.DER)
    scene.register_key(CARD, ROOT, **certificates_of(leaf, above, revocations=revocations))
    scene.event("register", detail={})
    scene.approve(CARD)
    scene.anchor()
    text = trust_toml([scene.chain]) + '[certificates]\nroots = ["ca.pem"]\n'
    policy = parse_trust_policy(text.encode(), folder=Path())
    return scene.verify(policy=policy, issuers=[FIRST.authority()])


ENCODED = LEAF.public_bytes(Encoding.DER)


def test_what_is_signed_anew_by_a_good_digest_holds() -> None:
    report = judged(
        signed_anew(ENCODED, "sha256"), signed_anew(LIST, "sha256"), response_signed_anew("sha256")
    )

    assert report.verdict is Verdict.PROVEN


@BROKEN
def test_a_certificate_signed_by_a_broken_digest_is_nobodys(digest: str) -> None:
    report = judged(signed_anew(ENCODED, digest))

    assert codes(report) == {"key.validity": "certificate.unknown-authority"}


@BROKEN
def test_a_list_signed_by_a_broken_digest_is_nobodys(digest: str) -> None:
    report = judged(ENCODED, signed_anew(LIST, digest))

    assert codes(report) == {"key.validity": "certificate.revocation-data"}


@BROKEN
def test_an_ocsp_response_signed_by_a_broken_digest_is_nobodys(digest: str) -> None:
    report = judged(ENCODED, response_signed_anew(digest))

    assert codes(report) == {"key.validity": "certificate.revocation-data"}
