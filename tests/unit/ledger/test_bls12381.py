"""Scheme bls12381-g2-pop: public vectors, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import office
from vermilion_ledger.errors import EvidenceError, InputError, SignatureError
from vermilion_ledger.schemes import bls12381
from vermilion_ledger.schemes.bls12381 import (
    check_public_key,
    join_signatures,
    prove_possession,
    public_key_of,
    sign,
    verify_bytes,
    verify_possession,
)

SEEDS = [office.secret(f"bls {number}") for number in range(3)]
KEYS = [public_key_of(seed) for seed in SEEDS]
MESSAGE = b"message"
SIGNATURES = [sign(seed, MESSAGE) for seed in SEEDS]
P, R = bls12381._P, bls12381._R
KEY_IDENTITY, SIGNATURE_IDENTITY = b"\xc0" + bytes(47), b"\xc0" + bytes(95)
OUTSIDE_G1 = b"\x80" + bytes(47)  # x = 0, y = 2: on the curve, of order 3
OFF_CURVE_G1 = b"\x80" + bytes(46) + b"\x01"  # 1 + 4 has no square root


def refused_key(key: bytes) -> str:
    with pytest.raises(InputError) as caught:
        check_public_key(key)
    with pytest.raises(InputError) as again:
        verify_bytes([key], MESSAGE, SIGNATURES[0])
    assert again.value.code == caught.value.code
    return caught.value.code


def refused(keys: list[bytes], signature: bytes, message: bytes = MESSAGE) -> str:
    with pytest.raises(SignatureError) as caught:
        verify_bytes(keys, message, signature)
    return caught.value.code


def with_flags(point: bytes, flags: int) -> bytes:
    return bytes([point[0] & 0b11111 | flags << 5]) + point[1:]


def negated(point: bytes) -> bytes:
    """The point with the other y: its third flag says which."""
    return bytes([point[0] ^ 0b00100000]) + point[1:]


# --- public vectors


def test_all_public_signatures_are_judged_as_stated(shared_vectors: Path) -> None:
    path = shared_vectors / "wycheproof" / "testvectors_v1" / "bls_sig_g2_pop_verify_test.json"
    accepted = refused = 0
    for group in json.loads(path.read_text(encoding="utf-8"))["testGroups"]:
        key = bytes.fromhex(group["publicKey"]["pk"])
        for case in group["tests"]:
            found = True
            try:
                verify_bytes([key], bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"]))
            except EvidenceError:
                found = False
            assert found is (case["result"] == "valid"), case["tcId"]
            accepted, refused = accepted + found, refused + (not found)

    assert (accepted, refused) == (13, 13)


def test_signatures_of_another_suite_are_refused(shared_vectors: Path) -> None:
    path = (
        shared_vectors / "wycheproof" / "testvectors_v1" / "bls_sig_g2_aggregate_verify_test.json"
    )
    asked = 0
    for group in json.loads(path.read_text(encoding="utf-8"))["testGroups"]:
        for case in group["tests"]:
            if len(set(case["messages"])) != 1:
                continue
            keys = [bytes.fromhex(key) for key in case["pubkeys"]]
            with pytest.raises(EvidenceError):
                verify_bytes(keys, bytes.fromhex(case["messages"][0]), bytes.fromhex(case["sig"]))
            asked += 1

    assert asked >= 4


def _compressed(point: bytes, half: int) -> bytes:
    """A point of an EIP-2537 input in compressed form; `half` is the size of x there."""
    numbers = [int.from_bytes(point[start : start + 64], "big") for start in range(0, 2 * half, 64)]
    xs, ys = numbers[: half // 64], numbers[half // 64 :]
    larger = next((y > (P - 1) // 2 for y in reversed(ys) if y), False)
    plain = b"".join(x.to_bytes(48, "big") for x in reversed(xs))
    return with_flags(plain, 0b101 if larger else 0b100)


def test_the_public_points_outside_the_groups_are_refused(shared_vectors: Path) -> None:
    folder = shared_vectors / "eip2537" / "assets" / "eip-2537"
    judged = 0
    for name, half in (("fail-msm_G1_bls.json", 64), ("fail-msm_G2_bls.json", 128)):
        for case in json.loads((folder / name).read_text(encoding="utf-8")):
            if "subgroup" not in case["ExpectedError"]:
                continue
            point = _compressed(bytes.fromhex(case["Input"])[: 2 * half], half)
            if half == 64:
                assert refused_key(point) == "key.not-in-group"
            else:
                assert refused([KEYS[0]], point) == "signature.bad"
            judged += 1

    assert judged >= 2


# --- one key


def test_a_signature_verifies_under_its_key_and_over_its_message_alone() -> None:
    verify_bytes([KEYS[0]], MESSAGE, SIGNATURES[0])

    assert refused([KEYS[1]], SIGNATURES[0]) == "signature.bad"
    for message in (b"massage", b"", MESSAGE + b"\x00"):
        assert refused([KEYS[0]], SIGNATURES[0], message) == "signature.bad"


def test_signing_twice_gives_the_same_bytes() -> None:
    assert sign(SEEDS[0], MESSAGE) == SIGNATURES[0]


@pytest.mark.parametrize("size", [0, 47, 49, 96])
def test_a_key_of_another_size_is_refused(size: int) -> None:
    assert refused_key(bytes(size)) == "key.size"


@pytest.mark.parametrize(
    "key",
    [
        with_flags(KEYS[0], 0b000),  # not compressed
        with_flags(KEYS[0], 0b001),
        with_flags(KEYS[0], 0b110),  # infinity, and a coordinate
        with_flags(KEYS[0], 0b111),
        with_flags(KEY_IDENTITY, 0b111),  # infinity with a sign: arkworks takes it
        KEY_IDENTITY[:-1] + b"\x01",  # infinity with an x: arkworks takes it
        with_flags(P.to_bytes(48, "big"), 0b100),  # x = p stands for 0
        with_flags((2**381 - 1).to_bytes(48, "big"), 0b101),
    ],
)
def test_a_key_that_is_not_canonical_is_refused(key: bytes) -> None:
    assert refused_key(key) == "key.not-canonical"


def test_the_identity_is_no_key() -> None:
    assert refused_key(KEY_IDENTITY) == "key.identity"


@pytest.mark.parametrize("key", [OUTSIDE_G1, negated(OUTSIDE_G1), OFF_CURVE_G1])
def test_a_key_outside_the_group_is_refused(key: bytes) -> None:
    assert refused_key(key) == "key.not-in-group"


@pytest.mark.parametrize("size", [0, 48, 95, 97, 192])
def test_a_signature_of_another_size_is_refused(size: int) -> None:
    assert refused([KEYS[0]], bytes(size)) == "signature.size"


@pytest.mark.parametrize(
    "signature",
    [
        with_flags(SIGNATURES[0], 0b000),
        with_flags(SIGNATURES[0], 0b110),
        with_flags(SIGNATURE_IDENTITY, 0b111),
        SIGNATURE_IDENTITY[:-1] + b"\x01",
        SIGNATURES[0][:48] + with_flags(SIGNATURES[0][48:], 0b100),  # flags in the second half
        with_flags(P.to_bytes(48, "big"), 0b100) + SIGNATURES[0][48:],
        SIGNATURES[0][:48] + P.to_bytes(48, "big"),
    ],
)
def test_a_signature_that_is_not_canonical_is_refused(signature: bytes) -> None:
    assert refused([KEYS[0]], signature) == "signature.not-canonical"


@pytest.mark.parametrize(
    "signature",
    [SIGNATURE_IDENTITY, negated(SIGNATURES[0]), b"\x80" + bytes(95), SIGNATURES[1]],
)
def test_another_point_is_refused_as_a_signature(signature: bytes) -> None:
    assert refused([KEYS[0]], signature) == "signature.bad"


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_seed_of_another_size_is_refused(size: int) -> None:
    for use in (public_key_of, prove_possession, lambda seed: sign(seed, b"")):
        with pytest.raises(InputError) as caught:
            use(bytes(size))
        assert caught.value.code == "key.size"


# --- many keys


def test_joined_signatures_verify_under_all_their_keys_in_any_order() -> None:
    together = join_signatures(SIGNATURES)

    assert len(together) == 96
    verify_bytes(KEYS, MESSAGE, together)
    verify_bytes(KEYS[::-1], MESSAGE, join_signatures(SIGNATURES[::-1]))
    assert join_signatures([join_signatures(SIGNATURES[:2]), SIGNATURES[2]]) == together


@pytest.mark.parametrize(
    "keys", [KEYS[:2], KEYS[1:], [*KEYS, KEYS[0]], [KEYS[0]] * 3, [], [public_key_of(bytes(32))]]
)
def test_joined_signatures_verify_under_no_other_keys(keys: list[bytes]) -> None:
    assert refused(keys, join_signatures(SIGNATURES)) == "signature.bad"


def test_joined_signatures_over_different_messages_are_refused() -> None:
    together = join_signatures([SIGNATURES[0], sign(SEEDS[1], b"another")])

    assert refused(KEYS[:2], together) == "signature.bad"


def test_keys_that_cancel_each_other_out_sign_nothing() -> None:
    opposite = negated(KEYS[0])
    check_public_key(opposite)

    for signature in (SIGNATURE_IDENTITY, SIGNATURES[0]):
        assert refused([KEYS[0], opposite], signature) == "signature.bad"


def test_one_refused_key_spoils_the_others() -> None:
    for key, code in ((KEY_IDENTITY, "key.identity"), (OUTSIDE_G1, "key.not-in-group")):
        with pytest.raises(InputError) as caught:
            verify_bytes([*KEYS, key], MESSAGE, join_signatures(SIGNATURES))
        assert caught.value.code == code


@pytest.mark.parametrize("bad", [bytes(95), SIGNATURE_IDENTITY, b"\x80" + bytes(95)])
def test_what_is_no_signature_is_not_joined(bad: bytes) -> None:
    with pytest.raises(SignatureError):
        join_signatures([SIGNATURES[0], bad])


# --- proof of possession


def test_a_proof_is_of_its_own_key_alone() -> None:
    proof = prove_possession(SEEDS[0])

    verify_possession(KEYS[0], proof)
    with pytest.raises(SignatureError) as caught:
        verify_possession(KEYS[1], proof)
    assert caught.value.code == "signature.bad"


def test_a_signature_over_the_key_is_no_proof_and_a_proof_no_signature() -> None:
    with pytest.raises(SignatureError):
        verify_possession(KEYS[0], sign(SEEDS[0], KEYS[0]))

    assert refused([KEYS[0]], prove_possession(SEEDS[0]), KEYS[0]) == "signature.bad"


@pytest.mark.parametrize("proof", [b"", bytes(96), SIGNATURE_IDENTITY, SIGNATURES[0]])
def test_other_bytes_are_no_proof(proof: bytes) -> None:
    with pytest.raises(SignatureError):
        verify_possession(KEYS[0], proof)


@pytest.mark.parametrize("key", [KEY_IDENTITY, OUTSIDE_G1, bytes(47)])
def test_a_refused_key_is_not_possessed(key: bytes) -> None:
    with pytest.raises(InputError):
        verify_possession(key, prove_possession(SEEDS[0]))
