"""Scheme ``webauthn-es256``: passkeys, held by a person's own device (FORMATS section 4).

A browser does not let a key sign what one likes: the device signs its own
`authenticatorData` and the hash of the browser's `clientDataJSON`, in which the
statement stands as the challenge. Verified here is what W3C Web Authentication
Level 3, section 7.2, asks of such an assertion and FORMATS demands: nothing is
signed here, since only a browser can.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from vermilion_ledger.encoding import Json, parse_json
from vermilion_ledger.errors import InputError, SignatureError
from vermilion_ledger.limits import ENVELOPE_SIZE_MAX
from vermilion_ledger.schemes import ecdsa_p256
from vermilion_ledger.schemes.message import SignedMessage

__all__ = [
    "NAME",
    "PUBLIC_KEY_SIZE",
    "SIGNATURE_SIZE_MAX",
    "Assertion",
    "RelyingParty",
    "check_public_key",
    "verify",
]

NAME = "webauthn-es256"
PUBLIC_KEY_SIZE = ecdsa_p256.PUBLIC_KEY_SIZE
SIGNATURE_SIZE_MAX = 72  # bytes of two 33-byte integers in DER

_AUTHENTICATOR_DATA_SIZE_MIN = 37  # bytes: hash of the rpId, flags, counter
_USER_PRESENT = 0x01  # Web Authentication, section 6.1
_USER_VERIFIED = 0x04


@dataclass(frozen=True, slots=True, kw_only=True)
class RelyingParty:
    """The site that a key was made for, as its registration says.

    Attributes:
        rp_id: Domain to which the device bound the key.
        origin: Where the page that may use it comes from, such as ``https://host``.
    """

    rp_id: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """A device's signature with what it is over.

    Attributes:
        sig: ECDSA signature in minimal DER.
        authenticator_data: What the device says of itself and its user.
        client_data: The bytes of ``clientDataJSON``, as the browser made them.
        party: From the registration of the key, never from the message.
    """

    sig: bytes
    authenticator_data: bytes
    client_data: bytes
    party: RelyingParty


def check_public_key(public_key: bytes) -> None:
    """Refuse a key that is not a compressed point of P-256.

    Raises:
        InputError: Not 33 bytes, another form, or no such point.
    """
    ecdsa_p256.check_public_key(public_key)


def verify(public_key: bytes, message: SignedMessage, signature: Assertion) -> None:
    """Check that a device signed the statement, with its user verified, at its site.

    Raises:
        InputError: The key is refused, or ``clientDataJSON`` is not I-JSON.
        SignatureError: A rule of FORMATS section 4 is broken, or the
            signature is bad.
    """
    _check_client_data(signature.client_data, message, signature.party)
    _check_authenticator_data(signature.authenticator_data, signature.party)
    if len(signature.sig) > SIGNATURE_SIZE_MAX:
        raise SignatureError("signature.size", f"a P-256 signature of {len(signature.sig)} bytes")
    signed = signature.authenticator_data + hashlib.sha256(signature.client_data).digest()
    ecdsa_p256.verify_der(public_key, signed, signature.sig)


def _check_client_data(data: bytes, message: SignedMessage, party: RelyingParty) -> None:
    """Read what the browser says; members that FORMATS does not name say nothing here."""
    members = parse_json(data, size_max=ENVELOPE_SIZE_MAX, what="clientDataJSON")
    if not isinstance(members, dict):
        raise InputError("json.shape", "clientDataJSON is not an object")
    challenge = base64.urlsafe_b64encode(message.digest).rstrip(b"=").decode()
    _check_equal("webauthn.type", "type", members.get("type"), "webauthn.get")
    _check_equal("webauthn.challenge", "challenge", members.get("challenge"), challenge)
    _check_equal("webauthn.origin", "origin", members.get("origin"), party.origin)
    if members.get("crossOrigin", False) is not False:
        raise SignatureError("webauthn.cross-origin", "a page inside of another one asked")


def _check_equal(code: str, what: str, found: Json, wanted: str) -> None:
    if found != wanted:
        raise SignatureError(code, f"{what} is {str(found)[:200]!a}, not {wanted!a}")


def _check_authenticator_data(data: bytes, party: RelyingParty) -> None:
    """Read hash and flags; counter and extensions are signed, and say nothing here."""
    if len(data) < _AUTHENTICATOR_DATA_SIZE_MIN:
        raise SignatureError(
            "webauthn.authenticator-data", f"authenticatorData of {len(data)} bytes, not 37 or more"
        )
    if data[:32] != hashlib.sha256(party.rp_id.encode()).digest():
        raise SignatureError(
            "webauthn.rp-id", f"authenticatorData is for another rpId than {party.rp_id[:200]!a}"
        )
    if not data[32] & _USER_PRESENT:
        raise SignatureError("webauthn.user-absent", "the device says that no user was present")
    if not data[32] & _USER_VERIFIED:
        raise SignatureError("webauthn.user-unverified", "the device did not verify its user")
