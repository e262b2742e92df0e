"""What a registration brings along: certificates, leaf first, and revocation data.

Read from the detail of a key event; nothing of it is believed here but its form,
and that the first certificate is about the very key that is registered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

from vermilion_ledger.encoding import parse_base64
from vermilion_ledger.errors import InputError, VerificationError
from vermilion_ledger.limits import STATEMENT_SIZE_MAX

__all__ = ["CertificateMaterial", "RevocationData", "load_revocation", "read_material"]

RevocationData = x509.CertificateRevocationList | ocsp.OCSPResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateMaterial:
    """Certificates and revocation data of one registration.

    Attributes:
        leaf: About the registered key.
        others: May lie between the leaf and a root; none of them is believed.
        revocations: Lists and answers, in the order of the registration.
    """

    leaf: x509.Certificate
    others: tuple[x509.Certificate, ...]
    revocations: tuple[RevocationData, ...]


def read_material(detail: Mapping[str, Any]) -> CertificateMaterial:
    """Read the certificates of a registration that has some.

    Args:
        detail: As `vermilion_ledger.details` let it through, with ``certificates``.

    Raises:
        InputError: ``certificate.malformed``: not DER of what it should be.
        VerificationError: ``certificate.other-key``: the first one is about another key.
    """
    leaf, *others = (_load_certificate(each) for each in map(_decode, detail["certificates"]))
    if _public_key_of(leaf) != bytes.fromhex(detail["key"]):
        raise VerificationError(
            "certificate.other-key",
            f"the certificate of {leaf.subject.rfc4514_string()[:200]!a} is about another key",
        )
    revocations = tuple(load_revocation(_decode(each)) for each in detail.get("revocations", ()))
    return CertificateMaterial(leaf=leaf, others=tuple(others), revocations=revocations)


def load_revocation(data: bytes) -> RevocationData:
    """Read a revocation list (RFC 5280, section 5) or an OCSP response (RFC 6960) in DER.

    Raises:
        InputError: ``certificate.malformed``.
    """
    try:
        return x509.load_der_x509_crl(data)
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        pass
    try:
        return ocsp.load_der_ocsp_response(data)
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as exc:
        raise InputError(
            "certificate.malformed", "revocation data is neither a list nor an OCSP response"
        ) from exc


def _decode(value: str) -> bytes:
    return parse_base64(value, size_max=STATEMENT_SIZE_MAX, what="certificate")


def _load_certificate(data: bytes) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(data)
        # What is read late is read now, where a failure has a name.
        certificate.subject.rfc4514_string()
        certificate.issuer.rfc4514_string()
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as exc:
        raise InputError("certificate.malformed", f"a certificate: {exc}") from exc
    return certificate


def _public_key_of(certificate: x509.Certificate) -> bytes:
    """Return the compressed point, or nothing for any other kind of key."""
    try:
        key = certificate.public_key()
        if isinstance(key, EllipticCurvePublicKey) and key.curve.name == "secp256r1":
            return key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    except (ValueError, UnsupportedAlgorithm):
        return b""
    return b""
