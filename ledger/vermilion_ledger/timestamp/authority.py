"""Time-stamping authorities, as whoever believes them names them: a PEM file each.

In a file, certificates that signed themselves are roots. Others are not
believed: they only help to find the way from a token to a root.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from vermilion_ledger.errors import InputError

__all__ = ["Authority", "is_issued_by", "parse_authority"]

_CERTIFICATE_COUNT_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """One authority: it counts once, however many roots and tokens it has.

    Attributes:
        name: For people: where the roots came from.
        roots: Believed.
        helpers: Not believed, only at hand.
    """

    name: str
    roots: tuple[x509.Certificate, ...]
    helpers: tuple[x509.Certificate, ...] = ()


def parse_authority(name: str, data: bytes) -> Authority:
    """Read the PEM file of an authority.

    Raises:
        InputError: ``timestamp.roots``: not PEM certificates, too many of
            them, or no root among them.
    """
    try:
        found = tuple(x509.load_pem_x509_certificates(data))
        roots = tuple(each for each in found if is_issued_by(each, each))
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as exc:
        raise InputError("timestamp.roots", f"{name} has no PEM certificates: {exc}") from exc
    if not roots:
        raise InputError("timestamp.roots", f"{name} has no root, which signs itself")
    if len(found) > _CERTIFICATE_COUNT_MAX:
        raise InputError("timestamp.roots", f"{name} has {len(found)} certificates")
    helpers = tuple(each for each in found if each not in roots)
    return Authority(name=name, roots=roots, helpers=helpers)


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether names and signature lead from a certificate to an issuer."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
