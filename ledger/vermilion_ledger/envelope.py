"""Envelopes: a statement, who signed it, and the ledger's own signature.

DSSE v1 in canonical JSON (FORMATS section 4). The canonical bytes are what
is stored and hashed; an `Envelope` keeps them and never re-serialises.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vermilion_ledger.encoding import (
    Json,
    check_members,
    encode_base64,
    encode_parsed,
    parse_base64,
    parse_hex,
    parse_json,
)
from vermilion_ledger.errors import InputError, LimitError, VerificationError
from vermilion_ledger.limits import ENVELOPE_SIZE_MAX, SIGNATURE_COUNT_MAX, STATEMENT_SIZE_MAX
from vermilion_ledger.schemes import SCHEME_NAMES, ed25519, make_keyid
from vermilion_ledger.schemes.message import SignedMessage, encode_pae
from vermilion_ledger.statement import Statement, parse_statement

__all__ = [
    "INTAKE_TYPE",
    "PAYLOAD_TYPE",
    "Envelope",
    "Signature",
    "make_envelope",
    "parse_envelope",
    "read_envelope",
    "sign_intake",
    "split_intake",
    "verify_intake",
]

PAYLOAD_TYPE = "application/vnd.in-toto+json"
INTAKE_TYPE = "application/vnd.vermilion.intake.v1"
_SIGNATURE_SIZE_MAX = 4096  # bytes; ML-DSA-44 has 2,420
_AGGREGATE_SCHEME = "bls12381-g2-pop"
_WEBAUTHN_SCHEME = "webauthn-es256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One member of ``signatures``.

    Attributes:
        keyids: One key id, or the sorted key ids of an aggregate.
        scheme: As stated; the registered key's scheme decides.
        sig: Signature bytes.
        extra: ``authenticatorData`` and ``clientDataJSON`` of WebAuthn.
    """

    keyids: tuple[str, ...]
    scheme: str
    sig: bytes
    extra: Mapping[str, bytes]

    def to_json(self) -> dict[str, Json]:
        """Return the member as it stands in the envelope."""
        value: dict[str, Json] = {"scheme": self.scheme, "sig": encode_base64(self.sig)}
        if len(self.keyids) == 1:
            value["keyid"] = self.keyids[0]
        else:
            value["keyids"] = list(self.keyids)
        value.update({name: encode_base64(data) for name, data in self.extra.items()})
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A signed statement with the canonical bytes it was read from.

    Attributes:
        data: Canonical JSON; what is stored, hashed and committed to.
        payload: Canonical bytes of the statement.
        statement: The payload, parsed.
        signatures: In the order of the envelope.
    """

    data: bytes
    payload: bytes
    statement: Statement
    signatures: tuple[Signature, ...]

    @property
    def hash(self) -> bytes:
        """``H(envelope bytes)``."""
        return hashlib.sha256(self.data).digest()

    @property
    def message(self) -> SignedMessage:
        """What the actors' signatures are over."""
        return SignedMessage(pae=encode_pae(PAYLOAD_TYPE, self.payload), statement=self.statement)

    def to_json(self) -> dict[str, Any]:
        """Return the envelope object; its canonical form is `data`."""
        return _to_json(self.payload, self.signatures)

    def with_signature(self, signature: Signature) -> Envelope:
        """Return this envelope with one signature more, at the end.

        Raises:
            InputError: The key signed already.
            LimitError: A bound was exceeded.
        """
        return make_envelope(self.payload, (*self.signatures, signature))


def make_envelope(payload: bytes, signatures: Sequence[Signature]) -> Envelope:
    """Return the envelope of a statement's bytes and its signatures.

    Raises:
        InputError: The payload is no statement, or a key signed twice.
        LimitError: A bound was exceeded.
    """
    return parse_envelope(encode_parsed(_to_json(payload, tuple(signatures))))


def parse_envelope(data: bytes) -> Envelope:
    """Read an envelope strictly; check no signature.

    Raises:
        LimitError: More than 64 KiB or 32 signatures.
        InputError: Not canonical I-JSON, an unknown member or scheme, a key
            that signed twice, or a payload that is no statement.
    """
    value = parse_json(data, size_max=ENVELOPE_SIZE_MAX, what="envelope")
    if encode_parsed(value) != data:
        raise InputError("json.not-canonical", "the envelope is not canonical JSON")
    return _build_envelope(value, data)


def read_envelope(value: Json) -> Envelope:
    """Read an envelope that is part of JSON which `parse_json` has read, as `parse_envelope` does.

    Raises:
        LimitError, InputError: As `parse_envelope`; a part of canonical JSON is canonical.
    """
    data = encode_parsed(value)
    if len(data) > ENVELOPE_SIZE_MAX:
        raise LimitError(
            "json.too-large", "envelope bytes", found=len(data), limit=ENVELOPE_SIZE_MAX
        )
    return _build_envelope(value, data)


def _build_envelope(value: Json, data: bytes) -> Envelope:
    members = check_members(
        value, required=("payload", "payloadType", "signatures"), what="envelope"
    )
    if members["payloadType"] != PAYLOAD_TYPE:
        raise InputError("envelope.payload-type", f"payloadType is not {PAYLOAD_TYPE}")
    payload = parse_base64(members["payload"], size_max=STATEMENT_SIZE_MAX, what="payload")
    listed = members["signatures"]
    if not isinstance(listed, list):
        raise InputError("envelope.signatures", "signatures is not a list")
    if len(listed) > SIGNATURE_COUNT_MAX:
        raise LimitError(
            "envelope.too-many-signatures",
            "signatures",
            found=len(listed),
            limit=SIGNATURE_COUNT_MAX,
        )
    signatures = tuple(_parse_signature(item) for item in listed)
    signers = [keyid for signature in signatures for keyid in signature.keyids]
    if len(set(signers)) != len(signers):
        raise InputError("envelope.repeated-signer", "a key signs an envelope once")
    return Envelope(
        data=data, payload=payload, statement=parse_statement(payload), signatures=signatures
    )


def split_intake(
    envelope: Envelope, intake_keyids: Collection[str]
) -> tuple[Signature, tuple[Signature, ...]]:
    """Return the ledger's intake signature and the actors' signatures.

    Raises:
        VerificationError: Not exactly one member is by an intake key.
    """
    intake = [s for s in envelope.signatures if set(s.keyids) & set(intake_keyids)]
    if len(intake) != 1:
        raise VerificationError(
            "intake.not-one", f"{len(intake)} intake signatures in an envelope, not 1"
        )
    return intake[0], tuple(s for s in envelope.signatures if s is not intake[0])


def sign_intake(envelope: Envelope, private_key: bytes) -> Envelope:
    """Return the envelope with the intake signature of the ledger added.

    Args:
        envelope: As its actors signed it.
        private_key: The 32-byte Ed25519 seed of an intake key.

    Raises:
        InputError: The intake key signed already.
        LimitError: A bound was exceeded.
    """
    public_key = ed25519.public_key_of(private_key)
    signature = Signature(
        keyids=(make_keyid(ed25519.NAME, public_key),),
        scheme=ed25519.NAME,
        sig=ed25519.sign(private_key, _intake_message(envelope.payload, envelope.signatures)),
        extra={},
    )
    return envelope.with_signature(signature)


def verify_intake(
    envelope: Envelope, intake: Signature, others: Sequence[Signature], public_key: bytes
) -> None:
    """Check the intake signature over the envelope without that member.

    Raises:
        VerificationError: Another scheme, or the signature is bad.
    """
    if intake.scheme != ed25519.NAME or len(intake.keyids) != 1:
        raise VerificationError("intake.scheme", "the intake signature is not a single ed25519")
    message = _intake_message(envelope.payload, others)
    try:
        ed25519.verify_bytes(public_key, message, intake.sig)
    except InputError as exc:
        raise VerificationError(exc.code, exc.message) from exc


def _intake_message(payload: bytes, signatures: Sequence[Signature]) -> bytes:
    without = encode_parsed(_to_json(payload, tuple(signatures)))  # base64 and hex alone
    return encode_pae(INTAKE_TYPE, hashlib.sha256(without).digest())


def _to_json(payload: bytes, signatures: tuple[Signature, ...]) -> dict[str, Any]:
    return {
        "payload": encode_base64(payload),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [signature.to_json() for signature in signatures],
    }


def _parse_signature(value: Json) -> Signature:
    aggregate = isinstance(value, dict) and "keyids" in value
    scheme = value.get("scheme") if isinstance(value, dict) else None
    if not isinstance(scheme, str) or scheme not in SCHEME_NAMES:
        raise InputError("scheme.unknown", f"{str(scheme)[:40]!a} is no scheme")
    extra = ("authenticatorData", "clientDataJSON") if scheme == _WEBAUTHN_SCHEME else ()
    members = check_members(
        value,
        required=("keyids" if aggregate else "keyid", "scheme", "sig", *extra),
        what="signature",
    )
    return Signature(
        keyids=_parse_keyids(members["keyids"], scheme)
        if aggregate
        else (_keyid(members["keyid"]),),
        scheme=scheme,
        sig=parse_base64(members["sig"], size_max=_SIGNATURE_SIZE_MAX, what="sig"),
        extra={
            name: parse_base64(members[name], size_max=ENVELOPE_SIZE_MAX, what=name)
            for name in extra
        },
    )


def _parse_keyids(value: Json, scheme: str) -> tuple[str, ...]:
    if scheme != _AGGREGATE_SCHEME:
        raise InputError("envelope.aggregate", f"{scheme} has no aggregate signatures")
    if not isinstance(value, list) or len(value) < 2:
        raise InputError("envelope.aggregate", "an aggregate names at least two keys")
    keyids = tuple(_keyid(item) for item in value)
    if list(keyids) != sorted(set(keyids)):
        raise InputError("envelope.aggregate", "keyids are not sorted and distinct")
    return keyids


def _keyid(value: Json) -> str:
    return parse_hex(value, size=32, what="keyid").hex()
