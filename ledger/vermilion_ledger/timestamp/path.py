"""The way from a signing certificate to a root (RFC 5280, section 6; RFC 3161, section 2.3).

Certificates that came with a token are believed no more than the token: only
what a root vouches for, link by link, at the moment that the token states.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from vermilion_ledger.errors import InputError, VerificationError
from vermilion_ledger.timestamp.authority import Authority, is_issued_by

__all__ = ["Path", "check_links", "check_path", "find_extension", "find_paths", "read_extensions"]

_E = TypeVar("_E", bound=x509.ExtensionType)

Path = tuple[x509.Certificate, ...]
"""Signing certificate first, root last."""

_LENGTH_MAX = 6  # certificates
_LINKS_MAX = 256  # signatures looked at for one token: who writes it decides how many fit
_UNDERSTOOD = frozenset(
    {
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
    }
)
_FOR_STAMPS = frozenset(
    {ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
)


def find_paths(
    signer: x509.Certificate, pool: Sequence[x509.Certificate], authority: Authority
) -> Iterator[Path]:
    """Yield ways by names and signatures alone; none is judged yet.

    Args:
        signer: The certificate that the token names.
        pool: Certificates that may lie between; none of them is believed.
        authority: Where a way must end.
    """
    looked_at = 0
    known: dict[tuple[x509.Certificate, x509.Certificate], bool] = {}
    waiting: list[Path] = [(signer,)]
    while waiting:
        path = waiting.pop()
        for issuer in (*authority.roots, *pool):
            if issuer.subject != path[-1].issuer or issuer in path:
                continue
            looked_at += 1
            if looked_at > _LINKS_MAX:
                return
            link = path[-1], issuer
            if link not in known:
                known[link] = is_issued_by(*link)
            if not known[link]:
                continue
            if issuer in authority.roots:
                yield (*path, issuer)
            elif len(path) < _LENGTH_MAX - 1:
                waiting.append((*path, issuer))


def check_path(path: Path, at: datetime) -> None:
    """Check that every certificate may do what it did, then.

    Raises:
        VerificationError: ``timestamp.not-valid-then``, ``timestamp.key-usage``
            or ``timestamp.path``.
    """
    check_links(path, at)
    _check_signer(read_extensions(path[0]), path[0])
    for certificate in path[1:]:
        usage = find_extension(read_extensions(certificate), x509.ExtendedKeyUsage)
        if usage is not None and _FOR_STAMPS.isdisjoint(usage.value):
            raise VerificationError(
                "timestamp.key-usage", f"{_name(certificate)} issues nothing for time-stamps"
            )


def check_links(path: Path, at: datetime) -> None:
    """Check that all were valid then, and each but the first may issue the one before it.

    Raises:
        VerificationError: ``timestamp.not-valid-then`` or ``timestamp.path``.
        InputError: ``timestamp.malformed``.
    """
    for certificate in path:
        try:
            start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        except ValueError as exc:  # a date that nobody has, such as one of the year 0
            raise InputError("timestamp.malformed", f"{_name(certificate)}: {exc}") from exc
        if not start <= at <= end:
            raise VerificationError(
                "timestamp.not-valid-then",
                f"{_name(certificate)} is valid from {start} to {end}, not at {at}",
            )
    _, *issuers = (read_extensions(certificate) for certificate in path)
    for below, (extensions, certificate) in enumerate(zip(issuers, path[1:], strict=True)):
        _check_issuer(extensions, certificate, below=below)


def _check_signer(extensions: x509.Extensions, certificate: x509.Certificate) -> None:
    """Made for time-stamps, and for nothing else (RFC 3161, section 2.3)."""
    usage = find_extension(extensions, x509.ExtendedKeyUsage)
    if (
        usage is None
        or not usage.critical
        or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]
    ):
        raise VerificationError(
            "timestamp.key-usage",
            f"{_name(certificate)} is not for time-stamps alone, by a critical extension",
        )
    allowed = find_extension(extensions, x509.KeyUsage)
    if allowed is not None and not (
        allowed.value.digital_signature or allowed.value.content_commitment
    ):
        raise VerificationError("timestamp.key-usage", f"{_name(certificate)} may not sign")


def _check_issuer(
    extensions: x509.Extensions, certificate: x509.Certificate, *, below: int
) -> None:
    """May issue certificates, with ``below`` others between it and the signer."""
    basic = find_extension(extensions, x509.BasicConstraints)
    if basic is None or not basic.value.ca:
        raise VerificationError(
            "timestamp.path", f"{_name(certificate)} may not issue certificates"
        )
    if basic.value.path_length is not None and below > basic.value.path_length:
        raise VerificationError(
            "timestamp.path",
            f"{_name(certificate)} allows {basic.value.path_length} issuers below it, not {below}",
        )
    allowed = find_extension(extensions, x509.KeyUsage)
    if allowed is not None and not allowed.value.key_cert_sign:
        raise VerificationError(
            "timestamp.path", f"{_name(certificate)} may not issue certificates"
        )


def read_extensions(certificate: x509.Certificate) -> x509.Extensions:
    """Return the extensions, none of them critical and unknown here.

    Raises:
        InputError: ``timestamp.malformed``.
        VerificationError: ``timestamp.path``: one that must be understood is not.
    """
    try:
        extensions = certificate.extensions
    except (
        ValueError,
        TypeError,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
    ) as exc:
        raise InputError("timestamp.malformed", f"{_name(certificate)}: {exc}") from exc
    for each in extensions:
        if each.critical and each.oid not in _UNDERSTOOD:
            raise VerificationError(
                "timestamp.path",
                f"{_name(certificate)} has a critical extension {each.oid.dotted_string}",
            )
    return extensions


def find_extension(extensions: x509.Extensions, kind: type[_E]) -> x509.Extension[_E] | None:
    """Return the extension of a kind, or None where there is none."""
    try:
        return extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()
