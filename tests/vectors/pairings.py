"""Vectors of BLS keys and signatures, joined and single (FORMATS section 4).

The accepted ones name their seeds, so that the reference library can make them
again (`tests/unit/ledger/test_pairings.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import office
from vermilion_ledger.schemes import bls12381

__all__ = ["vectors"]

Vector = dict[str, Any]

_MESSAGE = b"DSSEv1 28 application/vnd.in-toto+json 2 {}"
_SEEDS = [office.secret(f"bls vector {number}") for number in range(3)]
_KEYS = [bls12381.public_key_of(seed) for seed in _SEEDS]
_PROOFS = [bls12381.prove_possession(seed) for seed in _SEEDS]
_SINGLE = [bls12381.sign(seed, _MESSAGE) for seed in _SEEDS]
_JOINED = bls12381.join_signatures(_SINGLE)
_P = bls12381._P
_KEY_IDENTITY, _IDENTITY = b"\xc0" + bytes(47), b"\xc0" + bytes(95)
_SMALL = b"\x80" + bytes(47)  # (0, 2), of order 3


def vectors() -> Iterator[tuple[str, str, Vector]]:
    """Yield folder, name and vector."""
    for name, why, count in (
        ("one", "one key", 1),
        ("two", "the least that is an aggregate", 2),
        ("three", "three keys", 3),
    ):
        made = _vector(_KEYS[:count], bls12381.join_signatures(_SINGLE[:count]))
        seeds = [seed.hex() for seed in _SEEDS[:count]]
        yield "bls", name, {"why": why, "accept": True, "seeds": seeds, **made}
    for name, why, code, vector in (*_bad_keys(), *_bad_signatures(), *_bad_proofs()):
        yield "bls", name, {"why": why, "accept": False, "code": code, **vector}


def _vector(
    keys: Sequence[bytes],
    signature: bytes,
    *,
    message: bytes = _MESSAGE,
    proofs: Sequence[bytes] | None = None,
) -> Vector:
    stated = _PROOFS[: len(keys)] if proofs is None else proofs
    return {
        "keys": [key.hex() for key in keys],
        "proofs": [proof.hex() for proof in stated],
        "message": message.hex(),
        "signature": signature.hex(),
    }


def _flagged(point: bytes, flags: int) -> bytes:
    return bytes([point[0] & 0b11111 | flags << 5]) + point[1:]


def _negated(point: bytes) -> bytes:
    return bytes([point[0] ^ 0b00100000]) + point[1:]


def _bad_keys() -> Iterator[tuple[str, str, str, Vector]]:
    for name, why, code, key in (
        ("key-short", "47 bytes", "key.size", _KEYS[0][:-1]),
        ("key-uncompressed-size", "96 bytes", "key.size", _KEYS[0] * 2),
        ("key-identity", "the identity", "key.identity", _KEY_IDENTITY),
        ("key-identity-with-sign", "the identity with the flag of y", "key.not-canonical", _flagged(_KEY_IDENTITY, 0b111)),
        ("key-identity-with-x", "the identity with a coordinate", "key.not-canonical", _KEY_IDENTITY[:-1] + b"\x01"),
        ("key-not-compressed", "the first flag is off", "key.not-canonical", _flagged(_KEYS[0], 0b000)),
        ("key-x-is-p", "x is the modulus and stands for 0", "key.not-canonical", _flagged(_P.to_bytes(48, "big"), 0b100)),
        ("key-off-curve", "no y fits x = 1", "key.not-in-group", b"\x80" + bytes(46) + b"\x01"),
        ("key-of-order-three", "on the curve, outside the group", "key.not-in-group", _SMALL),
        ("key-beside-a-good-one", "one of two is outside the group", "key.not-in-group", _SMALL),
    ):
        keys = [_KEYS[0], key] if name == "key-beside-a-good-one" else [key]
        yield name, why, code, _vector(keys, _SINGLE[0])


def _bad_signatures() -> Iterator[tuple[str, str, str, Vector]]:
    one, three = _KEYS[:1], _KEYS
    yield from (
        ("signature-short", "95 bytes", "signature.size", _vector(one, _SINGLE[0][:-1])),
        ("signature-identity", "the identity", "signature.bad", _vector(one, _IDENTITY)),
        ("signature-not-compressed", "the first flag is off", "signature.not-canonical", _vector(one, _flagged(_SINGLE[0], 0))),
        ("signature-second-half-flagged", "flags on the second coordinate", "signature.not-canonical", _vector(one, _SINGLE[0][:48] + _flagged(_SINGLE[0][48:], 0b100))),
        ("signature-x-is-p", "a coordinate is the modulus", "signature.not-canonical", _vector(one, _SINGLE[0][:48] + _P.to_bytes(48, "big"))),
        ("signature-outside-the-group", "x = 0", "signature.bad", _vector(one, b"\x80" + bytes(95))),
        ("signature-negated", "the other y", "signature.bad", _vector(one, _negated(_SINGLE[0]))),
        ("signature-of-another-key", "another key signed", "signature.bad", _vector(one, _SINGLE[1])),
        ("signature-over-another-message", "another message", "signature.bad", _vector(one, _SINGLE[0], message=_MESSAGE + b" ")),
        ("joined-without-one", "one of three did not sign", "signature.bad", _vector(three, bls12381.join_signatures(_SINGLE[:2]))),
        ("joined-with-one-more", "a signer is not named", "signature.bad", _vector(three[:2], _JOINED)),
        ("joined-twice", "one signature was added twice", "signature.bad", _vector(three, bls12381.join_signatures([*_SINGLE, _SINGLE[0]]))),
        ("joined-over-two-messages", "one of them signed something else", "signature.bad", _vector(three[:2], bls12381.join_signatures([_SINGLE[0], bls12381.sign(_SEEDS[1], b"else")]))),
    )


def _bad_proofs() -> Iterator[tuple[str, str, str, Vector]]:
    opposite = _negated(_KEYS[0])
    for name, why, code, proofs in (
        ("proof-of-another-key", "the proof is of another key", "signature.bad", [_PROOFS[1]]),
        ("proof-is-a-signature", "a signature over the key is no proof", "signature.bad", [bls12381.sign(_SEEDS[0], _KEYS[0])]),
        ("proof-identity", "the identity proves nothing", "signature.bad", [_IDENTITY]),
        ("proof-short", "95 bytes", "signature.size", [_PROOFS[0][:-1]]),
    ):
        yield name, why, code, _vector(_KEYS[:1], _SINGLE[0], proofs=proofs)
    pair = [_KEYS[0], opposite]
    proofs = [_PROOFS[0], _negated(_PROOFS[0])]
    yield (
        "keys-that-cancel",
        "a key and its opposite, whose proof is not the opposite of the proof",
        "signature.bad",
        _vector(pair, _IDENTITY, proofs=proofs),
    )
