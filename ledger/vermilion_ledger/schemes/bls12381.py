"""Scheme ``bls12381-g2-pop``: signatures that add up (FORMATS section 4).

draft-irtf-cfrg-bls-signature-05, the proof-of-possession scheme with keys in
G1 and signatures in G2; points are compressed as in its appendix A. Any number
of signatures over one message become one of the same size. That is safe only
among keys whose holders proved that they have the private key: otherwise
somebody who subtracts another's key from their own could sign for both.

A private key is kept as a 32-byte seed, from which `KeyGen` makes the scalar.
Encodings are judged here, since arkworks takes some that are not canonical.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from vermilion_ledger.errors import InputError, SignatureError
from vermilion_ledger.schemes.message import SignedMessage
from vermilion_ledger.schemes.pairing import Pairing, load_pairing

__all__ = [
    "NAME",
    "PUBLIC_KEY_SIZE",
    "SEED_SIZE",
    "SIGNATURE_SIZE",
    "check_public_key",
    "join_signatures",
    "prove_possession",
    "public_key_of",
    "sign",
    "verify",
    "verify_aggregate",
    "verify_bytes",
    "verify_possession",
]

NAME = "bls12381-g2-pop"
SEED_SIZE = 32
PUBLIC_KEY_SIZE = 48
SIGNATURE_SIZE = 96

_P = int(
    "1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF"
    "6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB",
    16,
)
_R = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
_COORDINATE_SIZE = 48
_FLAGS = 0b111 << 381  # compressed, infinity, the larger y
_COMPRESSED, _INFINITY = 1 << 383, 1 << 382


def check_public_key(public_key: bytes, *, pairing: Pairing | None = None) -> None:
    """Refuse a key of another size, not canonical, the identity, or outside the group.

    Raises:
        InputError: The key is one of those.
        UnavailableError: No pairing library is installed; as in all that follow.
    """
    _check_key_encoding(public_key)
    (pairing or load_pairing()).check_key(public_key)


def verify(public_key: bytes, message: SignedMessage, signature: bytes) -> None:
    """Check one signature over the pre-authentication encoding of an envelope.

    Raises:
        InputError: The key is refused.
        SignatureError: The signature is.
    """
    verify_bytes([public_key], message.pae, signature)


def verify_aggregate(
    public_keys: Sequence[bytes], message: SignedMessage, signature: bytes
) -> None:
    """Check one signature that stands for all of the keys; each proved its possession.

    Raises:
        InputError: A key is refused.
        SignatureError: The signature is, or there is no key.
    """
    verify_bytes(public_keys, message.pae, signature)


def verify_bytes(
    public_keys: Sequence[bytes],
    message: bytes,
    signature: bytes,
    *,
    pairing: Pairing | None = None,
) -> None:
    """Check a signature by one or several keys over plain bytes (FastAggregateVerify).

    Raises:
        InputError: A key is refused.
        SignatureError: The signature is, or there is no key.
    """
    for public_key in public_keys:
        _check_key_encoding(public_key)
    _check_signature_encoding(signature)
    (pairing or load_pairing()).verify(public_keys, message, signature)


def verify_possession(public_key: bytes, proof: bytes, *, pairing: Pairing | None = None) -> None:
    """Check that whoever made the proof has the private key (PopVerify).

    Raises:
        InputError: The key is refused.
        SignatureError: The proof is.
    """
    _check_key_encoding(public_key)
    _check_signature_encoding(proof)
    (pairing or load_pairing()).verify_proof(public_key, proof)


def join_signatures(signatures: Sequence[bytes], *, pairing: Pairing | None = None) -> bytes:
    """Return the one signature that stands for all, each of which was verified before.

    Raises:
        SignatureError: One is no signature.
    """
    for signature in signatures:
        _check_signature_encoding(signature)
    return (pairing or load_pairing()).join(signatures)


def sign(private_key: bytes, message: bytes, *, pairing: Pairing | None = None) -> bytes:
    """Return the 96-byte signature of a 32-byte seed over plain bytes."""
    return (pairing or load_pairing()).sign(_scalar_of(private_key), message)


def prove_possession(private_key: bytes, *, pairing: Pairing | None = None) -> bytes:
    """Return the 96-byte proof that goes into the key's registration, as ``pop``."""
    return (pairing or load_pairing()).prove(_scalar_of(private_key))


def public_key_of(private_key: bytes, *, pairing: Pairing | None = None) -> bytes:
    """Return the 48 public bytes of a 32-byte seed."""
    return (pairing or load_pairing()).make_key(_scalar_of(private_key))


def _scalar_of(private_key: bytes) -> int:
    """Return the scalar in [1, r) of a seed: KeyGen of the draft, section 2.3, no key_info.

    The salt is hashed before its first use, as in draft 04 and EIP-2333.
    """
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    if len(private_key) != SEED_SIZE:
        raise InputError("key.size", f"a bls12381 seed of {len(private_key)} bytes")
    salt = b"BLS-SIG-KEYGEN-SALT-"
    scalar = 0
    while scalar == 0:
        salt = hashlib.sha256(salt).digest()
        stretch = HKDF(algorithm=SHA256(), length=48, salt=salt, info=b"\x00\x30")
        scalar = int.from_bytes(stretch.derive(private_key + b"\x00"), "big") % _R
    return scalar


def _check_key_encoding(public_key: bytes) -> None:
    if len(public_key) != PUBLIC_KEY_SIZE:
        raise InputError("key.size", f"a bls12381 key of {len(public_key)} bytes")
    if _is_identity(public_key):
        raise InputError("key.identity", "the bls12381 key is the identity")
    if not _is_canonical(public_key):
        raise InputError("key.not-canonical", "the bls12381 key is not canonical")


def _check_signature_encoding(signature: bytes) -> None:
    if len(signature) != SIGNATURE_SIZE:
        raise SignatureError("signature.size", f"a bls12381 signature of {len(signature)} bytes")
    if _is_identity(signature):
        raise SignatureError("signature.bad", "the identity is no bls12381 signature")
    if not _is_canonical(signature):
        raise SignatureError("signature.not-canonical", "the bls12381 signature is not canonical")


def _is_identity(point: bytes) -> bool:
    return point == bytes([0b11000000]) + bytes(len(point) - 1)


def _is_canonical(point: bytes) -> bool:
    """Tell whether a compressed point has the right flags and coordinates below the modulus."""
    first, *others = (
        int.from_bytes(point[start : start + _COORDINATE_SIZE], "big")
        for start in range(0, len(point), _COORDINATE_SIZE)
    )
    is_flagged = first & (_COMPRESSED | _INFINITY) == _COMPRESSED
    return is_flagged and all(each < _P for each in (first & ~_FLAGS, *others))
