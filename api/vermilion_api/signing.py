"""Signing statements that a ledger prepared, after reading what they say.

A signer must not sign bytes because a server sent them: whatever was asked
for is compared with what came back first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vermilion_api.client import Ledger
from vermilion_api.devices import StatementSigner
from vermilion_api.keyfiles import KeyFile
from vermilion_ledger.actor import Actor
from vermilion_ledger.encoding import encode_base64, parse_base64
from vermilion_ledger.envelope import PAYLOAD_TYPE, Envelope, Signature, make_envelope
from vermilion_ledger.errors import IntegrityError
from vermilion_ledger.limits import STATEMENT_SIZE_MAX
from vermilion_ledger.schemes import bls12381
from vermilion_ledger.schemes.message import SignedMessage, encode_pae
from vermilion_ledger.statement import Statement

__all__ = [
    "check_statement",
    "describe_key",
    "prepare_event",
    "sign_envelope",
    "sign_statement",
    "submit_envelope",
    "submit_event",
]


def submit_event(
    ledger: Ledger,
    record: str,
    asked: Mapping[str, Any],
    keys: Sequence[StatementSigner],
    *,
    wait: str = "published",
) -> dict[str, Any]:
    """Have a statement prepared, check it, sign it with every key, and submit it.

    Args:
        ledger: Where to.
        record: Record id.
        asked: Body for ``/statements``: event, detail, digest, actor and so on.
        keys: Whose signatures the envelope shall carry; may be none.
        wait: How far the entry shall be when this returns, if it gets there soon.

    Raises:
        IntegrityError: ``statement.not-as-asked``: the ledger prepared something else.
        EvidenceError: The problem that the ledger answered with.
    """
    signed = sign_envelope(prepare_event(ledger, record, asked, keys), keys)
    return submit_envelope(ledger, signed, wait=wait)


def prepare_event(
    ledger: Ledger, record: str, asked: Mapping[str, Any], keys: Sequence[StatementSigner]
) -> Envelope:
    """Have a statement prepared, check it, and return it unsigned.

    Raises:
        IntegrityError: ``statement.not-as-asked``: the ledger prepared something else.
        EvidenceError: The problem that the ledger answered with.
    """
    body = {**asked, "keyids": [key.keyid for key in keys]}
    prepared = ledger.post(f"/v1/records/{record}/statements", body)
    payload = parse_base64(
        prepared.get("payload"), size_max=STATEMENT_SIZE_MAX, what="prepared statement"
    )
    unsigned = make_envelope(payload, ())
    check_statement(unsigned.statement, record, asked, keys)
    return unsigned


def sign_envelope(envelope: Envelope, keys: Sequence[StatementSigner]) -> Envelope:
    """Return the envelope with a signature of each key more.

    Raises:
        InputError: ``envelope.repeated-signer``.
        LimitError: More than an envelope takes.
    """
    made = [sign_statement(envelope.payload, envelope.statement, key) for key in keys]
    return make_envelope(envelope.payload, (*envelope.signatures, *made))


def submit_envelope(
    ledger: Ledger, envelope: Envelope, *, wait: str = "published"
) -> dict[str, Any]:
    """Submit a signed envelope to the record that it names, and return the answer.

    Raises:
        EvidenceError: The problem that the ledger answered with.
    """
    path = f"/v1/records/{envelope.statement.record}/events"
    return ledger.submit(path, envelope.data, wait=wait)


def sign_statement(payload: bytes, statement: Statement, key: StatementSigner) -> Signature:
    """Return one person's signature over a statement.

    Raises:
        EvidenceError: As the key's own `sign`.
    """
    message = SignedMessage(pae=encode_pae(PAYLOAD_TYPE, payload), statement=statement)
    return Signature(keyids=(key.keyid,), scheme=key.scheme, sig=key.sign(message), extra={})


def describe_key(key: StatementSigner, may: Sequence[str]) -> dict[str, Any]:
    """Return the detail of a key's registration, with the proof that its scheme asks for."""
    detail: dict[str, Any] = {
        "scheme": key.scheme,
        "key": key.public.hex(),
        "owner": key.owner.to_json(),
        "may": sorted(may),
    }
    if isinstance(key, KeyFile) and key.scheme == bls12381.NAME:
        detail["pop"] = encode_base64(bls12381.prove_possession(key.private))
    return detail


def check_statement(
    statement: Statement, record: str, asked: Mapping[str, Any], keys: Sequence[StatementSigner]
) -> None:
    """Compare a prepared statement with what was asked for.

    Raises:
        IntegrityError: ``statement.not-as-asked``.
    """
    wanted: dict[str, object] = {"record": record, "event": asked["event"]}
    found: dict[str, object] = {"record": statement.record, "event": statement.event}
    if "digest" in asked:
        wanted["sha256"] = asked["digest"]["sha256"]
        found["sha256"] = statement.subject.sha256.hex()
    actor = Actor(**asked["actor"]) if "actor" in asked else keys[0].owner if keys else None
    if actor is not None:
        wanted["actor"], found["actor"] = actor, statement.actor
    # The ledger may add the policy that the record names; nothing else.
    detail = dict(asked.get("detail", {}))
    wanted["detail"] = detail
    found["detail"] = {
        name: value
        for name, value in statement.detail.items()
        if name in detail or name != "policy"
    }
    for name, value in wanted.items():
        if found[name] != value:
            raise IntegrityError(
                "statement.not-as-asked", f"{name} is {found[name]!a}, asked was {value!a}"
            )
