"""Revocation data that was kept with a registration, judged as of one moment.

Lists (RFC 5280, section 5) and OCSP responses (RFC 6960). Data that nobody on the
path answers for is refused, not passed over: who registers a key brings what is
about its certificates, and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from vermilion_ledger.certificates.material import RevocationData
from vermilion_ledger.errors import InputError, VerificationError
from vermilion_ledger.timestamp.authority import is_issued_by
from vermilion_ledger.timestamp.path import Path, find_extension, read_extensions

__all__ = ["judge_revocation"]

_GOOD, _STALE, _MISSING = "good", "stale", "missing"
_ORDER = (_GOOD, _STALE, _MISSING)
_BROKEN = (hashes.MD5, hashes.SHA1)  # `cryptography` takes no certificate or list by these


def judge_revocation(path: Path, data: Sequence[RevocationData], at: datetime) -> str:
    """Return the worst that is known of the certificates below the root.

    ``good``: of each some data in force then says that it was not revoked;
    ``stale``: there is data, of another time; ``missing``: there is none.

    Args:
        path: Signing certificate first, root last; judged already.
        data: What the registration kept.
        at: The moment, UTC.

    Raises:
        VerificationError: ``certificate.revoked``: revoked by then;
            ``certificate.revocation-data``: data of nobody on the path, or of a
            kind that is not understood.
    """
    links = tuple(pairwise(path))
    found = [_MISSING] * len(links)
    for item in data:
        answered = [
            (number, answer)
            for number, (certificate, issuer) in enumerate(links)
            if (answer := _ask(item, certificate, issuer, at)) is not None
        ]
        if not answered:
            raise VerificationError(
                "certificate.revocation-data", "revocation data of nobody who issued a certificate"
            )
        for number, answer in answered:
            found[number] = min(found[number], answer, key=_ORDER.index)
    return max(found, key=_ORDER.index, default=_GOOD)


def _ask(
    item: RevocationData, certificate: x509.Certificate, issuer: x509.Certificate, at: datetime
) -> str | None:
    """Return what the issuer says of a certificate, or None where the data is not its own."""
    try:
        if isinstance(item, ocsp.OCSPResponse):
            return _ask_response(item, certificate, issuer, at)
        return _ask_list(item, certificate, issuer, at)
    except (
        ValueError,
        TypeError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
    ) as exc:
        raise VerificationError(
            "certificate.revocation-data", f"revocation data that cannot be read: {exc}"
        ) from exc


def _ask_list(
    crl: x509.CertificateRevocationList,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    at: datetime,
) -> str | None:
    if crl.issuer != issuer.subject:
        return None
    key = issuer.public_key()
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return None
    if not crl.is_signature_valid(key):
        return None
    usage = find_extension(_extensions(issuer), x509.KeyUsage)
    if usage is not None and not usage.value.crl_sign:
        return None
    # Delta lists, indirect ones and parts of one say so by a critical extension.
    for extension in crl.extensions:
        if extension.critical:
            raise VerificationError(
                "certificate.revocation-data",
                f"a list with a critical extension {extension.oid.dotted_string}",
            )
    entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
    if entry is not None:
        _refuse_revoked(certificate, _moment_of(entry), at)
    return _freshness(crl.last_update_utc, crl.next_update_utc, at)


def _moment_of(entry: x509.RevokedCertificate) -> datetime:
    """Return since when it counts as revoked: what its issuer says of the key goes first."""
    try:
        invalid = entry.extensions.get_extension_for_class(x509.InvalidityDate)
    except x509.ExtensionNotFound:
        return entry.revocation_date_utc
    return min(invalid.value.invalidity_date_utc, entry.revocation_date_utc)


def _ask_response(
    response: ocsp.OCSPResponse,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    at: datetime,
) -> str | None:
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise VerificationError(
            "certificate.revocation-data", f"an OCSP response: {response.response_status.name}"
        )
    names = hashlib.new(
        response.hash_algorithm.name, issuer.subject.public_bytes(), usedforsecurity=False
    )
    if (
        response.serial_number != certificate.serial_number
        or response.issuer_name_hash != names.digest()
        or not _is_signed_for(response, issuer, at)
    ):
        return None
    if response.certificate_status is ocsp.OCSPCertStatus.REVOKED:
        revoked = response.revocation_time_utc
        assert revoked is not None  # noqa: S101 - RFC 6960 demands it, and the parser does
        _refuse_revoked(certificate, revoked, at)
    elif response.certificate_status is not ocsp.OCSPCertStatus.GOOD:
        return _MISSING
    return _freshness(response.this_update_utc, response.next_update_utc, at)


def _is_signed_for(response: ocsp.OCSPResponse, issuer: x509.Certificate, at: datetime) -> bool:
    """Tell whether the issuer signed, or somebody whom it certified for that (section 4.2.2.2)."""
    signers = [issuer]
    for each in response.certificates:
        usage = find_extension(_extensions(each), x509.ExtendedKeyUsage)
        if (
            usage is not None
            and ExtendedKeyUsageOID.OCSP_SIGNING in usage.value
            and each.not_valid_before_utc <= at <= each.not_valid_after_utc
            and is_issued_by(each, issuer)
        ):
            signers.append(each)
    return any(_holds(response, each) for each in signers)


def _holds(response: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    key, digest = signer.public_key(), response.signature_hash_algorithm
    if digest is None or isinstance(digest, _BROKEN):
        return False
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(response.signature, response.tbs_response_bytes, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(digest))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _refuse_revoked(certificate: x509.Certificate, revoked: datetime, at: datetime) -> None:
    if revoked <= at:
        raise VerificationError(
            "certificate.revoked",
            f"{certificate.subject.rfc4514_string()[:200]!a} was revoked {revoked}, before {at}",
        )


def _freshness(start: datetime, end: datetime | None, at: datetime) -> str:
    """Return whether data was in force: without an end it is only as of its start."""
    return _GOOD if end is not None and start <= at <= end else _STALE


def _extensions(certificate: x509.Certificate) -> x509.Extensions:
    try:
        return read_extensions(certificate)
    except (VerificationError, InputError) as exc:
        raise VerificationError("certificate.revocation-data", exc.message) from exc
