"""The way from a signer's certificate to a pinned root, at one moment (RFC 5280, section 6).

No clock is read: the moment is that of the anchor under which the registration
stands. The links are judged as those of time-stamps are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from vermilion_ledger.certificates.material import CertificateMaterial
from vermilion_ledger.certificates.revocation import judge_revocation
from vermilion_ledger.errors import InputError, VerificationError
from vermilion_ledger.timestamp.authority import Authority
from vermilion_ledger.timestamp.path import (
    Path,
    check_links,
    find_extension,
    find_paths,
    read_extensions,
)

__all__ = ["CertifiedKey", "check_material"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifiedKey:
    """A registered key whose certificate leads to a root.

    Attributes:
        subject: Whom the certificate names, RFC 4514.
        authority: Name of the `Authority` whose root vouches for it.
        revocation: ``good``, ``stale`` or ``missing``: the worst of the certificates.
    """

    subject: str
    authority: str
    revocation: str


def check_material(
    material: CertificateMaterial, authorities: Sequence[Authority], at: datetime
) -> CertifiedKey:
    """Check certificates and revocation data as of a moment.

    Raises:
        VerificationError: ``certificate.unknown-authority``: no way leads to a
            root; ``certificate.not-valid-then``, ``certificate.path``,
            ``certificate.key-usage``; ``certificate.revoked``;
            ``certificate.revocation-data``.
        InputError: ``certificate.malformed``.
    """
    failure: VerificationError | InputError | None = None
    for authority in authorities:
        pool = (*material.others, *authority.helpers)
        for path in find_paths(material.leaf, pool, authority):
            try:
                _check_path(path, at)
                revocation = judge_revocation(path, material.revocations, at)
            except (VerificationError, InputError) as exc:
                if exc.code == "certificate.revoked":
                    raise  # no other way leads around that
                failure = failure or exc
                continue
            return CertifiedKey(
                subject=_name(material.leaf), authority=authority.name, revocation=revocation
            )
    if failure is not None:
        raise failure
    raise VerificationError(
        "certificate.unknown-authority",
        f"no root that is named vouches for {_name(material.leaf)[:200]!a}",
    )


def _check_path(path: Path, at: datetime) -> None:
    try:
        check_links(path, at)
        extensions = read_extensions(path[0])
    except (VerificationError, InputError) as exc:
        raise _renamed(exc) from exc
    usage = find_extension(extensions, x509.KeyUsage)
    if usage is None or not (usage.value.digital_signature or usage.value.content_commitment):
        raise VerificationError("certificate.key-usage", f"{_name(path[0])} is not for signatures")


def _renamed(error: VerificationError | InputError) -> VerificationError | InputError:
    """Return the same finding under the name that it has here."""
    if isinstance(error, InputError):
        return InputError("certificate.malformed", error.message)
    if error.code == "timestamp.not-valid-then":
        return VerificationError("certificate.not-valid-then", error.message)
    return VerificationError("certificate.path", error.message)


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()
