"""What a signature is over, in every form a scheme may want it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from vermilion_ledger.statement import Statement

__all__ = ["SignedMessage", "encode_pae"]


def encode_pae(payload_type: str, payload: bytes) -> bytes:
    """Return the DSSE v1 pre-authentication encoding (DSSE protocol.md)."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedMessage:
    """The bytes ``m = PAE(payloadType, payload)`` and the statement in them.

    Attributes:
        pae: Pre-authentication encoding of the envelope.
        statement: The payload, parsed; typed-data schemes sign its fields.
    """

    pae: bytes
    statement: Statement

    @property
    def digest(self) -> bytes:
        """``H(m)``."""
        return hashlib.sha256(self.pae).digest()
