"""The check of a time-stamp token: whose word, about what, at which moment.

FORMATS section 9, after RFC 3161 section 2.2 and RFC 5816. Whoever asks brings
the text and the authorities; no clock is read, as a token is judged at the
moment that it states.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from vermilion_ledger.errors import (
    InputError,
    NotFoundError,
    SignatureError,
    UnavailableError,
    VerificationError,
)
from vermilion_ledger.timestamp import der
from vermilion_ledger.timestamp.authority import Authority
from vermilion_ledger.timestamp.der import DerReader
from vermilion_ledger.timestamp.path import Path, check_path, find_paths
from vermilion_ledger.timestamp.token import SignerInfo, TimestampToken, parse_token

__all__ = ["FORMATS_RULES", "RFC3161_RULES", "TokenRules", "VerifiedToken", "verify_token"]

_VERSION = 0xA0  # the first member of a certificate, where it has one
_DIGESTS = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
_RSA = {  # PKCS #1 v1.5: the hash function that the identifier names, if any
    "1.2.840.113549.1.1.1": None,
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
}
_ECDSA = {
    "1.2.840.10045.4.3.2": "sha256",
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRules:
    """What a caller asks beyond a good signature.

    Attributes:
        imprint_hashes: Hash functions that an imprint may be of.
        is_old_certificate_id_good: Whether ESSCertID, with SHA-1, is enough.
    """

    imprint_hashes: frozenset[str]
    is_old_certificate_id_good: bool


FORMATS_RULES = TokenRules(imprint_hashes=frozenset({"sha256"}), is_old_certificate_id_good=False)
"""FORMATS section 9: SHA-256 and ESSCertIDv2."""

RFC3161_RULES = TokenRules(imprint_hashes=frozenset(_DIGESTS), is_old_certificate_id_good=True)
"""What RFC 3161 allows, for tokens that others ask for; evidence is not judged by these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedToken:
    """A token that holds.

    Attributes:
        authority: Name of the `Authority` whose root it leads to.
        signer: Subject of the signing certificate, RFC 4514.
        time: The stated moment, UTC.
        accuracy: How far the clock may be off, by the signer's own word.
        serial: Number that the authority gave the token.
        policy: Identifier of the rules under which it was made.
    """

    authority: str
    signer: str
    time: datetime
    accuracy: timedelta
    serial: int
    policy: str

    @property
    def latest(self) -> datetime:
        """The latest moment that the token allows, in whole seconds, of those that dates have."""
        try:
            moment = self.time + self.accuracy
            return moment.replace(microsecond=0) + timedelta(seconds=1 if moment.microsecond else 0)
        except OverflowError:
            return datetime.max.replace(microsecond=0, tzinfo=self.time.tzinfo)


def verify_token(
    data: bytes,
    text: bytes,
    authorities: Sequence[Authority],
    *,
    rules: TokenRules = FORMATS_RULES,
) -> VerifiedToken:
    """Check a token, from its form to the root that vouches for its signer.

    Args:
        data: DER of the token.
        text: What it is said to stamp: the checkpoint's signed text.
        authorities: Those that the caller believes.
        rules: FORMATS section 9, unless the token is nobody's evidence.

    Raises:
        InputError: It is malformed, or a response instead of the token.
        UnavailableError: ``timestamp.algorithm``: nobody here can check it.
        VerificationError: Another imprint, a bad signature, a certificate
            that may not stamp or was not valid then.
        NotFoundError: ``timestamp.unknown-authority``: well formed, about the
            text, and of nobody whom the caller named.
    """
    token = parse_token(data)
    _check_imprint(token, text, rules)
    if token.signer.is_old_certificate_id and not rules.is_old_certificate_id_good:
        raise VerificationError(
            "timestamp.certificate-id", "it names its certificate by SHA-1, not by ESSCertIDv2"
        )
    pool = _load_certificates(token)
    helpers = [each for authority in authorities for each in authority.helpers]
    signer = _find_signer(token.signer, (*pool, *helpers))
    _check_signature(token, signer)
    authority, path = _find_way(signer, pool, authorities, token.info.time)
    return VerifiedToken(
        authority=authority.name,
        signer=path[0].subject.rfc4514_string(),
        time=token.info.time,
        accuracy=token.info.accuracy,
        serial=token.info.serial,
        policy=token.info.policy,
    )


def _check_imprint(token: TimestampToken, text: bytes, rules: TokenRules) -> None:
    info = token.info
    if info.hash_name not in rules.imprint_hashes:
        raise VerificationError("timestamp.imprint", f"the imprint is by {info.hash_name}")
    found = hashlib.new(info.hash_name, text).digest()
    if info.imprint != found:
        raise VerificationError(
            "timestamp.imprint", f"it stamps {info.imprint.hex()}, the checkpoint is {found.hex()}"
        )


def _load_certificates(token: TimestampToken) -> tuple[x509.Certificate, ...]:
    found = []
    for encoded in token.certificates:
        if _read_name(encoded)[0] <= 0:  # RFC 5280, section 4.1.2.2
            raise InputError("timestamp.malformed", "a certificate's serial number is not positive")
        try:
            certificate = x509.load_der_x509_certificate(encoded)
            # What is read late is read now, where a failure has a name.
            certificate.subject.rfc4514_string()
            certificate.issuer.rfc4514_string()
        except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as exc:
            raise InputError("timestamp.malformed", f"a certificate in the token: {exc}") from exc
        found.append(certificate)
    return tuple(found)


def _find_signer(signer: SignerInfo, pool: Sequence[x509.Certificate]) -> x509.Certificate:
    """Return the certificate that the *signed* attributes name, wherever it lies."""
    named = [
        each
        for each in pool
        if _read_name(each.public_bytes(Encoding.DER)) == (signer.serial, signer.issuer)
    ]
    if not named:
        raise NotFoundError(
            "timestamp.unknown-authority", "its certificate is neither in it nor in the policy"
        )
    for each in named:
        encoded = each.public_bytes(Encoding.DER)
        if _digest(signer.certificate_hash_name, encoded) == signer.certificate_digest:
            return each
    raise VerificationError(
        "timestamp.certificate-id", "the signed attributes name another certificate"
    )


def _digest(hash_name: str, data: bytes) -> bytes:
    if hash_name not in {"sha1", *_DIGESTS}:
        raise UnavailableError("timestamp.algorithm", f"hash function {hash_name} is unknown here")
    return hashlib.new(hash_name, data, usedforsecurity=hash_name != "sha1").digest()


def _check_signature(token: TimestampToken, certificate: x509.Certificate) -> None:
    """Check both steps of RFC 5652, section 5.4: content to attributes, attributes to key."""
    signer = token.signer
    if signer.hash_name not in _DIGESTS:
        raise UnavailableError("timestamp.algorithm", f"{signer.hash_name} is not checked here")
    if _digest(signer.hash_name, token.info.encoded) != signer.content_digest:
        raise SignatureError("timestamp.signature", "the signed digest is of other content")
    key = _load_key(certificate)
    named = {**_RSA, **_ECDSA}.get(signer.algorithm, signer.hash_name) or signer.hash_name
    if named != signer.hash_name:
        raise SignatureError(
            "timestamp.signature", f"digest by {signer.hash_name}, signature by {named}"
        )
    digest = _DIGESTS[named]
    try:
        if isinstance(key, rsa.RSAPublicKey) and signer.algorithm in _RSA:
            key.verify(signer.signature, signer.signed, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and signer.algorithm in _ECDSA:
            key.verify(signer.signature, signer.signed, ec.ECDSA(digest))
        else:
            raise UnavailableError(
                "timestamp.algorithm", f"signature scheme {signer.algorithm} is not checked here"
            )
    except (InvalidSignature, ValueError) as exc:
        raise SignatureError("timestamp.signature", "the signature does not hold") from exc


def _load_key(certificate: x509.Certificate) -> object:
    try:
        return certificate.public_key()
    except UnsupportedAlgorithm as exc:
        raise UnavailableError("timestamp.algorithm", f"a key not known here: {exc}") from exc
    except ValueError as exc:
        raise InputError("timestamp.malformed", f"the key of the certificate: {exc}") from exc


def _read_name(encoded: bytes) -> tuple[int, bytes]:
    """Return serial number and issuer as they stand in a certificate (RFC 5280, section 4.1)."""
    reader = DerReader(encoded).inside(der.SEQUENCE).inside(der.SEQUENCE)
    reader.optional(_VERSION)
    serial = der.parse_integer(reader.content(der.INTEGER))
    reader.take(der.SEQUENCE)  # the signature scheme
    return serial, reader.take(der.SEQUENCE).encoded


def _find_way(
    signer: x509.Certificate,
    pool: Sequence[x509.Certificate],
    authorities: Sequence[Authority],
    at: datetime,
) -> tuple[Authority, Path]:
    """Return the first authority to which a good path leads."""
    failure: VerificationError | None = None
    for authority in authorities:
        for path in find_paths(signer, (*pool, *authority.helpers), authority):
            try:
                check_path(path, at)
            except VerificationError as exc:
                failure = failure or exc
            else:
                return authority, path
    if failure is not None:
        raise failure
    raise NotFoundError(
        "timestamp.unknown-authority",
        f"no root that is named vouches for {signer.subject.rfc4514_string()}",
    )
