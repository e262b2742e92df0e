"""The pairing by py-ecc, in Python: the reference, and the fallback where arkworks is missing.

The only module that imports py-ecc, and through it `eth_utils` and `pydantic`:
a verifier with arkworks never loads it. Importing py-ecc lets everything in the
process recurse 100,000 deep, which the C stack does not bear; that is undone.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from vermilion_ledger.errors import InputError, SignatureError

_limit = sys.getrecursionlimit()
from eth_typing import BLSPubkey, BLSSignature  # noqa: E402 - between reading the limit
from py_ecc.bls.ciphersuites import G2ProofOfPossession  # noqa: E402
from py_ecc.bls.g2_primitives import signature_to_G2, subgroup_check  # noqa: E402

# Clearing the cofactor is a multiplication by 636 bits, a frame for each.
sys.setrecursionlimit(max(_limit, 2000))

__all__ = ["PyEccPairing"]


class PyEccPairing:
    """Implements `vermilion_ledger.schemes.pairing.Pairing`."""

    name = "py-ecc"

    def check_key(self, key: bytes) -> None:
        """Refuse a key that is not a point of G1."""
        if not G2ProofOfPossession.KeyValidate(BLSPubkey(key)):
            raise InputError("key.not-in-group", "the bls12381 key is not a point of G1")

    def make_key(self, scalar: int) -> bytes:
        """Return the public key of a private scalar."""
        return G2ProofOfPossession.SkToPk(scalar)

    def sign(self, scalar: int, message: bytes) -> bytes:
        """Return the signature over a message."""
        return G2ProofOfPossession.Sign(scalar, message)

    def prove(self, scalar: int) -> bytes:
        """Return the proof of possession of a private scalar."""
        return G2ProofOfPossession.PopProve(scalar)

    def join(self, signatures: Sequence[bytes]) -> bytes:
        """Return the sum of signatures."""
        for each in signatures:
            _check_signature(each)
        return G2ProofOfPossession.Aggregate([BLSSignature(each) for each in signatures])

    def verify(self, keys: Sequence[bytes], message: bytes, signature: bytes) -> None:
        """Check one signature by all of the keys over one message."""
        for key in keys:
            self.check_key(key)
        verified = G2ProofOfPossession.FastAggregateVerify(
            [BLSPubkey(key) for key in keys], message, BLSSignature(signature)
        )
        if not verified:
            raise SignatureError("signature.bad", "the bls12381 signature does not verify")

    def verify_proof(self, key: bytes, proof: bytes) -> None:
        """Check a proof of possession."""
        self.check_key(key)
        if not G2ProofOfPossession.PopVerify(BLSPubkey(key), BLSSignature(proof)):
            raise SignatureError("signature.bad", "the bls12381 signature does not verify")


def _check_signature(signature: bytes) -> None:
    try:
        is_member = subgroup_check(signature_to_G2(BLSSignature(signature)))
    except ValueError as exc:
        raise SignatureError(
            "signature.bad", "the bls12381 signature is not a point of G2"
        ) from exc
    if not is_member:
        raise SignatureError("signature.bad", "the bls12381 signature is not a point of G2")
