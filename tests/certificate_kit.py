"""Certificates of people for the tests: a root, an issuer below it, a leaf about a real key.

The same seeds give the same bytes. Not a test.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from office import Person
from trusted import START
from tsa import Holder, certify, make_ca
from vermilion_ledger.encoding import encode_base64
from vermilion_ledger.schemes import ecdsa_p256

__all__ = ["CARD", "NOW", "certificates_of", "crl", "issuer", "leaf", "root", "usage"]

NOW = datetime.fromtimestamp(START, tz=UTC)  # anchors of the tests are some minutes later
CARD = Person(name="card", scheme=ecdsa_p256.NAME)
_DAY = timedelta(days=1)


def usage(*names: str) -> tuple[x509.ExtensionType, bool]:
    """A critical key usage of these names."""
    every = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
        *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{name: name in names for name in every}), True


def root(name: str = "Office Root", **parts: Any) -> Holder:
    return make_ca(name, seed=name, **{"more": [usage("key_cert_sign", "crl_sign")]} | parts)


def issuer(above: Holder, name: str = "Office CA", **parts: Any) -> Holder:
    return make_ca(name, above, seed=name, **{"more": [usage("key_cert_sign", "crl_sign")]} | parts)


def leaf(
    above: Holder,
    person: Person = CARD,
    *,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
    **parts: Any,
) -> Holder:
    """A certificate about a person's key."""
    number = int.from_bytes(hashlib.sha256(person.name.encode()).digest()[:8], "big")
    return certify(
        person.name,
        above,
        extensions=extensions or [usage("digital_signature")],
        key=ecdsa_p256.load_private_key(person.seed),
        serial=parts.pop("serial", number),
        **parts,
    )


def crl(
    by: Holder,
    *revoked: Holder,
    at: datetime = NOW - _DAY,
    start: datetime = NOW - _DAY,
    end: datetime = NOW + _DAY,
    more: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> bytes:
    """A revocation list in DER, by an issuer, in which some stand as revoked since a day."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(by.certificate.subject)
        .last_update(start)
        .next_update(end)
    )
    for each in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(each.certificate.serial_number)
        builder = builder.add_revoked_certificate(entry.revocation_date(at).build())
    for extension, critical in more:
        builder = builder.add_extension(extension, critical=critical)
    made = builder.sign(by.key, hashes.SHA256(), ecdsa_deterministic=True)
    return made.public_bytes(Encoding.DER)


def certificates_of(
    *holders: Holder | bytes, revocations: Sequence[bytes] | None = None
) -> dict[str, Any]:
    """The further members of a registration."""
    encoded = [each if isinstance(each, bytes) else each.encoded for each in holders]
    members: dict[str, Any] = {"certificates": [encode_base64(each) for each in encoded]}
    if revocations is not None:
        members["revocations"] = [encode_base64(each) for each in revocations]
    return members
