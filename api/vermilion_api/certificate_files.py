"""Files of certificates and revocation data, as authorities hand them out: PEM or DER."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from vermilion_ledger.certificates.material import load_revocation, read_material
from vermilion_ledger.encoding import encode_base64
from vermilion_ledger.errors import InputError, NotFoundError

__all__ = ["describe_certificates"]

_FILE_SIZE_MAX = 256 * 1024  # bytes; a statement has 32 KiB in all
_PEM = b"-----BEGIN"


def describe_certificates(
    public: bytes, chain: Sequence[Path], revocations: Sequence[Path]
) -> dict[str, Any]:
    """Return the further members of a registration (docs/formats/certificates.md).

    Args:
        public: The key that is registered.
        chain: Files of certificates, leaf first; each PEM with any number, or DER.
        revocations: Files of a revocation list, or of an OCSP response in DER.

    Raises:
        InputError: ``certificate.malformed``.
        VerificationError: ``certificate.other-key``: the first is about another key.
        NotFoundError: ``input.missing``.
    """
    members: dict[str, Any] = {
        "certificates": [encode_base64(each) for path in chain for each in _certificates(path)]
    }
    if revocations:
        members["revocations"] = [encode_base64(_revocation(path)) for path in revocations]
    read_material({"key": public.hex(), **members})
    return members


def _certificates(path: Path) -> list[bytes]:
    data = _read(path)
    load: Callable[[bytes], list[x509.Certificate]] = (
        x509.load_pem_x509_certificates
        if _PEM in data
        else lambda encoded: [x509.load_der_x509_certificate(encoded)]
    )
    try:
        return [each.public_bytes(Encoding.DER) for each in load(data)]
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as exc:
        raise InputError("certificate.malformed", f"{path.name} has no certificate") from exc


def _revocation(path: Path) -> bytes:
    data = _read(path)
    if _PEM in data:
        try:
            return x509.load_pem_x509_crl(data).public_bytes(Encoding.DER)
        except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
            raise InputError("certificate.malformed", f"{path.name} has no list") from exc
    load_revocation(data)
    return data


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(_FILE_SIZE_MAX + 1)
    except OSError as exc:
        raise NotFoundError("input.missing", f"{path}: {exc.strerror}") from exc
    if len(data) > _FILE_SIZE_MAX:
        raise InputError("certificate.malformed", f"{path.name} is longer than any certificate")
    return data
