"""The pairing by arkworks, in Rust; the only module that imports py-arkworks-bls12381.

Signing is not in constant time: whoever measures it from the same machine may
learn of the key.
"""

from __future__ import annotations

from collections.abc import Sequence

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

from vermilion_ledger.errors import InputError, SignatureError

__all__ = ["ArkworksPairing"]

_SIGNATURE_TAG = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_"
_PROOF_TAG = b"BLS_POP_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_"


class ArkworksPairing:
    """Implements `vermilion_ledger.schemes.pairing.Pairing`."""

    name = "arkworks"

    def check_key(self, key: bytes) -> None:
        """Refuse a key that is not a point of G1."""
        _read_key(key)

    def make_key(self, scalar: int) -> bytes:
        """Return the public key of a private scalar."""
        return (G1Point() * _scalar(scalar)).to_compressed_bytes()

    def sign(self, scalar: int, message: bytes) -> bytes:
        """Return the signature over a message."""
        point = G2Point.hash_to_curve(message, _SIGNATURE_TAG) * _scalar(scalar)
        return point.to_compressed_bytes()

    def prove(self, scalar: int) -> bytes:
        """Return the proof of possession of a private scalar."""
        point = G2Point.hash_to_curve(self.make_key(scalar), _PROOF_TAG) * _scalar(scalar)
        return point.to_compressed_bytes()

    def join(self, signatures: Sequence[bytes]) -> bytes:
        """Return the sum of signatures."""
        points = (_read_signature(each) for each in signatures)
        return sum(points, start=G2Point.identity()).to_compressed_bytes()

    def verify(self, keys: Sequence[bytes], message: bytes, signature: bytes) -> None:
        """Check one signature by all of the keys over one message."""
        _check(keys, G2Point.hash_to_curve(message, _SIGNATURE_TAG), signature)

    def verify_proof(self, key: bytes, proof: bytes) -> None:
        """Check a proof of possession."""
        _check([key], G2Point.hash_to_curve(key, _PROOF_TAG), proof)


def _check(keys: Sequence[bytes], hashed: G2Point, signature: bytes) -> None:
    """Compare e(sum of keys, hashed message) with e(generator, signature)."""
    key = sum((_read_key(each) for each in keys), start=G1Point.identity())
    point = _read_signature(signature)
    # Keys that cancel each other out would fit the identity over every message.
    if key == G1Point.identity() or not GT.pairing_check([key, -G1Point()], [hashed, point]):
        raise SignatureError("signature.bad", "the bls12381 signature does not verify")


def _read_key(key: bytes) -> G1Point:
    try:
        return G1Point.from_compressed_bytes(key)
    except ValueError as exc:
        raise InputError("key.not-in-group", "the bls12381 key is not a point of G1") from exc


def _read_signature(signature: bytes) -> G2Point:
    try:
        return G2Point.from_compressed_bytes(signature)
    except ValueError as exc:
        raise SignatureError(
            "signature.bad", "the bls12381 signature is not a point of G2"
        ) from exc


def _scalar(scalar: int) -> Scalar:
    return Scalar.from_be_bytes(scalar.to_bytes(32, "big"))
