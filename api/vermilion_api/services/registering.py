"""Registering documents without an actor's signature: the hot path.

Statement and envelope are written here as canonical bytes directly, once
each: the members stand in their order (RFC 8785, section 3.2.3), and every
value that a caller chose goes through the canonical encoder. A test holds
them equal to what `vermilion_ledger.envelope` makes. The record key, the salt
and the nonce are drawn here and stored with the envelope.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from datetime import datetime

from vermilion_api.intake_signer import IntakeSigner
from vermilion_api.requests import Registration
from vermilion_api.services.drawing import RandomBlock
from vermilion_api.services.nonces import RegistrarNonces
from vermilion_ledger.actor import Actor
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.encoding import encode_base64, encode_json, encode_text, encode_time
from vermilion_ledger.envelope import PAYLOAD_TYPE
from vermilion_ledger.errors import LimitError
from vermilion_ledger.events import Predicate
from vermilion_ledger.limits import STATEMENT_SIZE_MAX
from vermilion_ledger.ports import Clock
from vermilion_ledger.rows import Submission
from vermilion_ledger.schemes import ed25519, make_keyid
from vermilion_ledger.schemes.message import encode_pae
from vermilion_ledger.statement import STATEMENT_TYPE

__all__ = ["Registrar"]

_INTAKE_TYPE = "application/vnd.vermilion.intake.v1"
_LEDGER_ACTOR = Actor(id="ledger")  # where a request names nobody
_STOCK_COUNT = 64  # nonces
_DRAWN_SIZE = 32 + 32  # random bytes of a submission: record key, salt


class Registrar:
    """Makes submissions of new records. Safe to share between threads."""

    def __init__(self, *, origin: str, intake_seed: bytes, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._stock: list[bytes] = []  # nonces that nobody has seen
        self._second: tuple[datetime | None, bytes] = None, b""
        self._random = RandomBlock()
        self._nonces = RegistrarNonces(intake_seed, self._random)
        signer = IntakeSigner(intake_seed)
        self._sign = signer.sign
        keyid = make_keyid(ed25519.NAME, signer.public_key)
        self._actor = encode_json(_LEDGER_ACTOR.to_json())
        # What follows a statement's detail up to its nonce, and what follows its time.
        self._middle = b',"event":"register","ledger":%b,"nonce":"' % encode_json(origin)
        self._end = b'"},"predicateType":"%b","subject":[{"digest":{"sha256":"' % (
            Predicate.RECORD.value.encode()
        )
        self._start = b'{"_type":"%b","predicate":{"actor":' % STATEMENT_TYPE.encode()
        self._type = b'","payloadType":"%b","signatures":[' % PAYLOAD_TYPE.encode()
        self._signature = b'{"keyid":"%b","scheme":"ed25519","sig":"' % keyid.encode()

    def prepare(self, registration: Registration) -> Submission:
        """Return the submission that registers a document as a new record.

        Raises:
            LimitError: ``json.too-large``: its detail is too long.
        """
        return self.prepare_all((registration,))[0]

    def prepare_all(self, registrations: Sequence[Registration]) -> list[Submission]:
        """Return the submissions that register documents, each as a record of its own.

        Raises:
            LimitError: ``json.too-large``: a detail is too long.
        """
        moment = self._moment()
        drawn = self._random.take(_DRAWN_SIZE * len(registrations))
        nonces = self._draw(len(registrations))
        return [
            self._prepare(each, drawn[start : start + _DRAWN_SIZE], nonce, moment)
            for each, nonce, start in zip(
                registrations, nonces, range(0, len(drawn), _DRAWN_SIZE), strict=True
            )
        ]

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
        start = b'{"payload":"' + encode_base64(payload).encode() + self._type
        unsigned = hashlib.sha256(start + b"]}").digest()
        sig = encode_base64(self._sign(encode_pae(_INTAKE_TYPE, unsigned)))
        return start + self._signature + sig.encode() + b'"}]}'

    def _draw(self, count: int) -> list[bytes]:
        """Return nonces: for a few from a stock, as setting the cipher up costs most."""
        if count > _STOCK_COUNT:
            return self._nonces.draw(count)
        with self._lock:
            if len(self._stock) < count:
                self._stock = self._nonces.draw(_STOCK_COUNT)
            taken, self._stock = self._stock[:count], self._stock[count:]
        return taken

    def _moment(self) -> bytes:
        """Return the present second; thousands of statements share one."""
        now = self._clock().replace(microsecond=0)
        known, text = self._second
        if now != known:
            text = encode_time(now).encode()
            self._second = now, text
        return text

    def _prepare(
        self, registration: Registration, drawn: bytes, nonce: bytes, moment: bytes
    ) -> Submission:
        record_key = drawn[:32]
        record_id = make_record_id(record_key)
        envelope = self.seal(self._statement(registration, record_id, nonce, moment))
        return Submission(
            record_id=record_id,
            record_key=record_key,
            envelope=envelope,
            envelope_hash=hashlib.sha256(envelope).digest(),
            salt=drawn[32:],
            digest=registration.sha256,
            is_plain="policy" not in registration.detail,
        )

    def _statement(
        self, registration: Registration, record_id: str, nonce: bytes, moment: bytes
    ) -> bytes:
        """Return the canonical statement; hex, ids and times need no escape."""
        actor, detail, sm3 = registration.actor, registration.detail, registration.sm3
        return b"".join(
            (
                self._start,
                self._actor if actor is None else encode_json(actor.to_json()),
                b',"detail":',
                encode_json(dict(detail)) if detail else b"{}",
                self._middle,
                nonce.hex().encode(),
                b'","record":"',
                record_id.encode(),
                b'","time":"',
                moment,
                self._end,
                registration.sha256.hex().encode(),
                b"" if sm3 is None else b'","sm3":"' + sm3.hex().encode(),
                b'"},"name":',
                encode_text(registration.name),
                b"}]}",
            )
        )
