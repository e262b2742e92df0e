"""Registering documents without an actor's signature: the hot path.

A statement and an envelope are written here as canonical bytes directly, once
each; a test holds them equal to what `vermilion_ledger.envelope` makes. The
record key, the salt and the nonce are drawn here and stored with the envelope.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from vermilion_api.requests import Registration
from vermilion_ledger.actor import Actor
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.encoding import encode_base64, encode_json, encode_time
from vermilion_ledger.envelope import PAYLOAD_TYPE
from vermilion_ledger.errors import LimitError
from vermilion_ledger.events import Predicate
from vermilion_ledger.limits import STATEMENT_SIZE_MAX
from vermilion_ledger.ports import Clock
from vermilion_ledger.rows import NewRecord, Submission
from vermilion_ledger.schemes import ed25519, make_keyid
from vermilion_ledger.schemes.message import encode_pae
from vermilion_ledger.statement import STATEMENT_TYPE

__all__ = ["Registrar"]

_INTAKE_TYPE = "application/vnd.vermilion.intake.v1"
_LEDGER_ACTOR = Actor(id="ledger")  # where a request names nobody


class Registrar:
    """Makes submissions of new records. Safe to share between threads."""

    def __init__(self, *, origin: str, intake_seed: bytes, clock: Clock) -> None:
        self._origin = origin
        self._clock = clock
        self._sign: Callable[[bytes], bytes] = ed25519.load_private_key(intake_seed).sign
        self._keyid = make_keyid(ed25519.NAME, ed25519.public_key_of(intake_seed))

    def prepare(self, registration: Registration) -> Submission:
        """Return the submission that registers a document as a new record.

        Raises:
            LimitError: ``json.too-large``: its detail is too long.
        """
        record_key = secrets.token_bytes(32)
        nonce = secrets.token_bytes(16)
        record_id = make_record_id(record_key)
        envelope = self.seal(
            encode_json(self._statement(registration, record_id, nonce, self._clock()))
        )
        return Submission(
            submission_id=secrets.token_bytes(16),
            record_id=record_id,
            envelope=envelope,
            envelope_hash=hashlib.sha256(envelope).digest(),
            salt=secrets.token_bytes(32),
            event="register",
            predicate=Predicate.RECORD.value,
            digest=registration.sha256,
            name=registration.name,
            nonces=((bytes.fromhex(self._keyid), nonce),),
            new_record=NewRecord(record_id=record_id, record_key=record_key),
        )

    def seal(self, payload: bytes) -> bytes:
        """Return the envelope of a statement without actors, signed at intake.

        Raises:
            LimitError: ``json.too-large``.
        """
        if len(payload) > STATEMENT_SIZE_MAX:
            raise LimitError(
                "json.too-large", "statement bytes", found=len(payload), limit=STATEMENT_SIZE_MAX
            )
        # Base64 and these names need no escape, and the members stand sorted: canonical.
        start = (
            f'{{"payload":"{encode_base64(payload)}","payloadType":"{PAYLOAD_TYPE}","signatures":['
        )
        unsigned = f"{start}]}}".encode()
        sig = self._sign(encode_pae(_INTAKE_TYPE, hashlib.sha256(unsigned).digest()))
        member = f'{{"keyid":"{self._keyid}","scheme":"ed25519","sig":"{encode_base64(sig)}"}}'
        return f"{start}{member}]}}".encode()

    def _statement(
        self, registration: Registration, record_id: str, nonce: bytes, now: datetime
    ) -> dict[str, Any]:
        digest = {"sha256": registration.sha256.hex()}
        if registration.sm3 is not None:
            digest["sm3"] = registration.sm3.hex()
        return {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": registration.name, "digest": digest}],
            "predicateType": Predicate.RECORD.value,
            "predicate": {
                "ledger": self._origin,
                "record": record_id,
                "event": "register",
                "actor": (registration.actor or _LEDGER_ACTOR).to_json(),
                "time": encode_time(now),
                "nonce": nonce.hex(),
                "detail": dict(registration.detail),
            },
        }
