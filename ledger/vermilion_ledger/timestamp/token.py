"""What a time-stamp token says: RFC 3161 in a CMS envelope (RFC 5652), read strictly.

Reading judges nothing but the form. The signed attributes are kept as they
stand, as they are what is signed; attributes that are not signed are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from vermilion_ledger.errors import InputError, LimitError
from vermilion_ledger.timestamp import der
from vermilion_ledger.timestamp.der import DerReader, parse_integer, parse_oid

__all__ = ["HASHES", "TOKEN_SIZE_MAX", "SignerInfo", "TimestampToken", "TokenInfo", "parse_token"]

TOKEN_SIZE_MAX = 64 * 1024  # bytes, as in a bundle
HASHES: Mapping[str, str] = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
"""Hash functions by their identifier, as `hashlib` names them; any other keeps its number."""

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_TST_INFO = "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
_CERTIFICATE_COUNT_MAX = 16
_ATTRIBUTE_COUNT_MAX = 32
_CONSTRUCTED_0, _CONSTRUCTED_1 = 0xA0, 0xA1
_PRIMITIVE_0, _PRIMITIVE_1 = 0x80, 0x81


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenInfo:
    """The statement that the authority signed (RFC 3161, section 2.4.2).

    Attributes:
        encoded: Its bytes.
        policy: Identifier of the rules under which it was made.
        hash_name: Hash function of the imprint.
        imprint: Digest of what was stamped.
        serial: Number that the authority gave it; may be negative.
        time: The moment, UTC.
        accuracy: How far the clock may be off, by the authority's own word.
        nonce: What the request asked to be repeated.
    """

    encoded: bytes
    policy: str
    hash_name: str
    imprint: bytes
    serial: int
    time: datetime
    accuracy: timedelta
    nonce: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerInfo:
    """Who signed, what and how (RFC 5652, section 5.3; RFC 5035).

    Attributes:
        issuer: DER of the name that issued the signer's certificate.
        serial: Serial number of that certificate.
        hash_name: Hash function of content and attributes.
        algorithm: Identifier of the signature scheme.
        signed: What is signed: the DER of the set of attributes.
        content_digest: Digest of the statement, one of those attributes.
        certificate_hash_name: Hash function of the next.
        certificate_digest: Digest of the signer's certificate, from ESSCertID(v2).
        is_old_certificate_id: Whether that is an ESSCertID of RFC 2634, which is SHA-1.
        signature: The signature itself.
    """

    issuer: bytes
    serial: int
    hash_name: str
    algorithm: str
    signed: bytes
    content_digest: bytes
    certificate_hash_name: str
    certificate_digest: bytes
    is_old_certificate_id: bool
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampToken:
    """A token; ``certificates`` are whatever came with it, as DER, unsigned and unsorted."""

    info: TokenInfo
    signer: SignerInfo
    certificates: tuple[bytes, ...]


def parse_token(data: bytes) -> TimestampToken:
    """Read a token: a CMS SignedData with one signer (RFC 3161, section 2.4.2).

    Raises:
        LimitError: ``timestamp.too-large``.
        InputError: ``der.malformed``, ``timestamp.response`` or ``timestamp.malformed``.
    """
    if len(data) > TOKEN_SIZE_MAX:
        raise LimitError(
            "timestamp.too-large", "token bytes", found=len(data), limit=TOKEN_SIZE_MAX
        )
    outer = DerReader(data)
    content = outer.inside(der.SEQUENCE)
    outer.finish()
    if content.next_tag == der.SEQUENCE:
        raise InputError("timestamp.response", "this is a response, not the token inside it")
    _expect(parse_oid(content.content(der.OID)), _SIGNED_DATA, "content")
    wrapped = content.inside(_CONSTRUCTED_0)
    content.finish()
    signed = wrapped.inside(der.SEQUENCE)
    wrapped.finish()
    _expect(parse_integer(signed.content(der.INTEGER)), 3, "SignedData version")
    digests = _read_algorithms(signed.inside(der.SET))
    info = _read_content(signed.inside(der.SEQUENCE))
    certificates = _read_certificates(signed.optional(_CONSTRUCTED_0))
    signed.optional(_CONSTRUCTED_1)  # revocation lists, unsigned and not looked at
    signers = signed.inside(der.SET)
    signed.finish()
    signer = _read_signer(signers.inside(der.SEQUENCE))
    signers.finish()
    if signer.hash_name not in digests:
        raise _malformed(f"the signer's {signer.hash_name} is not among the digest algorithms")
    return TimestampToken(info=info, signer=signer, certificates=certificates)


def _read_content(reader: DerReader) -> TokenInfo:
    _expect(parse_oid(reader.content(der.OID)), _TST_INFO, "signed content")
    wrapped = reader.inside(_CONSTRUCTED_0)
    reader.finish()
    encoded = wrapped.content(der.OCTET_STRING)
    wrapped.finish()
    return _read_info(encoded)


def _read_info(encoded: bytes) -> TokenInfo:
    outer = DerReader(encoded)
    reader = outer.inside(der.SEQUENCE)
    outer.finish()
    _expect(parse_integer(reader.content(der.INTEGER)), 1, "TSTInfo version")
    policy = parse_oid(reader.content(der.OID))
    imprint = reader.inside(der.SEQUENCE)
    hash_name = _read_hash(imprint.inside(der.SEQUENCE))
    digest = imprint.content(der.OCTET_STRING)
    imprint.finish()
    serial = parse_integer(reader.content(der.INTEGER))
    time = der.parse_generalized_time(reader.content(der.GENERALIZED_TIME))
    accuracy = _read_accuracy(reader.optional(der.SEQUENCE))
    ordering = reader.optional(der.BOOLEAN)
    if ordering is not None and ordering.content != b"\xff":  # DER omits what is false
        raise _malformed("ordering is not true")
    nonce = reader.optional(der.INTEGER)
    reader.optional(_CONSTRUCTED_0)  # the authority's name, a hint: its certificate names it
    reader.optional(_CONSTRUCTED_1)  # extensions; their meaning is the authority's own
    reader.finish()
    return TokenInfo(
        encoded=encoded,
        policy=policy,
        hash_name=hash_name,
        imprint=digest,
        serial=serial,
        time=time,
        accuracy=accuracy,
        nonce=None if nonce is None else parse_integer(nonce.content),
    )


def _read_accuracy(element: der.Element | None) -> timedelta:
    if element is None:
        return timedelta(0)
    reader = DerReader(element.content)
    parts = [
        parse_integer(found.content) if (found := reader.optional(tag)) is not None else 0
        for tag in (der.INTEGER, _PRIMITIVE_0, _PRIMITIVE_1)
    ]
    reader.finish()
    seconds, millis, micros = parts
    if not 0 <= seconds < 1 << 31 or not 0 <= millis < 1000 or not 0 <= micros < 1000:
        raise _malformed(f"an accuracy of {seconds} s, {millis} ms, {micros} µs")
    return timedelta(seconds=seconds, milliseconds=millis, microseconds=micros)


def _read_certificates(element: der.Element | None) -> tuple[bytes, ...]:
    found: list[bytes] = []
    reader = DerReader(element.content if element is not None else b"")
    while not reader.is_done:
        if len(found) == _CERTIFICATE_COUNT_MAX:
            raise _malformed(f"more than {_CERTIFICATE_COUNT_MAX} certificates")
        found.append(reader.take(der.SEQUENCE).encoded)
    return tuple(found)


def _read_signer(reader: DerReader) -> SignerInfo:
    """Read the one SignerInfo; it names its certificate by issuer and serial number."""
    _expect(parse_integer(reader.content(der.INTEGER)), 1, "SignerInfo version")
    name = reader.inside(der.SEQUENCE)
    issuer = name.take(der.SEQUENCE).encoded
    serial = parse_integer(name.content(der.INTEGER))
    name.finish()
    hash_name = _read_hash(reader.inside(der.SEQUENCE))
    attributes = reader.content(_CONSTRUCTED_0)
    algorithm = _read_algorithm(reader.inside(der.SEQUENCE))
    signature = reader.content(der.OCTET_STRING)
    reader.optional(_CONSTRUCTED_1)  # attributes that nobody signed
    reader.finish()
    signed = _read_attributes(attributes)
    content_type = DerReader(signed.get(_CONTENT_TYPE, b"")).content(der.OID)
    _expect(parse_oid(content_type), _TST_INFO, "content type attribute")
    content_digest = DerReader(signed.get(_MESSAGE_DIGEST, b"")).content(der.OCTET_STRING)
    is_old = _SIGNING_CERTIFICATE_V2 not in signed
    kind = _SIGNING_CERTIFICATE if is_old else _SIGNING_CERTIFICATE_V2
    if kind not in signed:
        raise _malformed("the attributes do not name the signer's certificate")
    certificate_hash, certificate_digest = _read_certificate_id(signed[kind], is_old=is_old)
    return SignerInfo(
        issuer=issuer,
        serial=serial,
        hash_name=hash_name,
        algorithm=algorithm,
        # RFC 5652, section 5.4: signed is the SET, whatever tag it has here.
        signed=der.encode_element(der.SET, attributes),
        content_digest=content_digest,
        certificate_hash_name=certificate_hash,
        certificate_digest=certificate_digest,
        is_old_certificate_id=is_old,
        signature=signature,
    )


def _read_attributes(data: bytes) -> dict[str, bytes]:
    """Return the single value of each signed attribute, by its type, as DER."""
    values: dict[str, bytes] = {}
    reader = DerReader(data)
    while not reader.is_done:
        attribute = reader.inside(der.SEQUENCE)
        kind = parse_oid(attribute.content(der.OID))
        members = attribute.inside(der.SET)
        attribute.finish()
        value = members.take().encoded
        if kind in values or len(values) == _ATTRIBUTE_COUNT_MAX:
            raise _malformed(f"attribute {kind} is there twice, or there are too many")
        members.finish()
        values[kind] = value
    return values


def _read_certificate_id(data: bytes, *, is_old: bool) -> tuple[str, bytes]:
    """Return hash function and digest of the first certificate named: the signer's."""
    outer = DerReader(data)
    reader = outer.inside(der.SEQUENCE)
    outer.finish()
    first = reader.inside(der.SEQUENCE).inside(der.SEQUENCE)
    hash_name = "sha1" if is_old else "sha256"
    if not is_old and first.next_tag == der.SEQUENCE:
        hash_name = _read_hash(first.inside(der.SEQUENCE))
    return hash_name, first.content(der.OCTET_STRING)


def _read_algorithms(reader: DerReader) -> set[str]:
    found: set[str] = set()
    while not reader.is_done:
        found.add(_read_hash(reader.inside(der.SEQUENCE)))
    return found


def _read_hash(reader: DerReader) -> str:
    """Return the name of a hash function; its parameters are NULL or absent."""
    number = parse_oid(reader.content(der.OID))
    parameters = reader.optional(der.NULL)
    reader.finish()
    if parameters is not None and parameters.content:
        raise _malformed("a NULL with content")
    return HASHES.get(number, number)


def _read_algorithm(reader: DerReader) -> str:
    """Return the identifier of a signature scheme; those with parameters are not known here."""
    number = parse_oid(reader.content(der.OID))
    if reader.next_tag != der.NULL:
        if not reader.is_done:
            reader.take()
            reader.finish()
            return f"{number} with parameters"
        return number
    if reader.content(der.NULL):
        raise _malformed("a NULL with content")
    reader.finish()
    return number


def _expect(found: object, wanted: object, what: str) -> None:
    if found != wanted:
        raise _malformed(f"{what} is {found}, expected is {wanted}")


def _malformed(message: str) -> InputError:
    return InputError("timestamp.malformed", message)
