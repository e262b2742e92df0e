"""Joining what several people signed on their own into one envelope.

Each of them has a copy of one statement and signs it alone, perhaps offline.
Their BLS signatures become one of 96 bytes (FORMATS section 4, "Aggregate
BLS"); those of other schemes stand beside it. Whoever joins needs no secret,
and can neither add nor change an approval; they could leave one out.
"""

from __future__ import annotations

from collections.abc import Sequence

from vermilion_ledger.envelope import Envelope, Signature, make_envelope
from vermilion_ledger.errors import InputError
from vermilion_ledger.keys import KeyRegistry, verify_actor_signature
from vermilion_ledger.schemes import bls12381

__all__ = ["join_approvals"]


def join_approvals(parts: Sequence[Envelope], registry: KeyRegistry) -> Envelope:
    """Return one envelope with everybody's signature, the BLS ones as an aggregate.

    Each is checked before: joined, one bad signature would spoil all, and
    nobody could tell whose it was. What was joined already can be joined again.

    Args:
        parts: Envelopes of one statement without the ledger's signature, each
            with what somebody signed.
        registry: The keys of the signers.

    Raises:
        InputError: ``join.nothing``: fewer than two signatures;
            ``join.other-statement``; ``envelope.repeated-signer``.
        SignatureError: A signature is bad, or its key unknown.
        LimitError: More signatures of other schemes than an envelope takes.
        UnavailableError: This build has not got a scheme.
    """
    signatures = [signature for part in parts for signature in part.signatures]
    if len(signatures) < 2:
        raise InputError("join.nothing", f"{len(signatures)} signatures cannot be joined")
    payload = parts[0].payload
    if any(part.payload != payload for part in parts):
        raise InputError("join.other-statement", "the files are about different statements")
    keyids = [keyid for signature in signatures for keyid in signature.keyids]
    if len(set(keyids)) < len(keyids):
        raise InputError("envelope.repeated-signer", "a key signs an envelope once")
    for signature in signatures:
        verify_actor_signature(signature, parts[0].message, registry)
    others = [each for each in signatures if each.scheme != bls12381.NAME]
    adding = [each for each in signatures if each.scheme == bls12381.NAME]
    return make_envelope(payload, others + ([_aggregate(adding)] if adding else []))


def _aggregate(signatures: Sequence[Signature]) -> Signature:
    return Signature(
        keyids=tuple(sorted(keyid for each in signatures for keyid in each.keyids)),
        scheme=bls12381.NAME,
        sig=bls12381.join_signatures([each.sig for each in signatures]),
        extra={},
    )
