"""Scheme sm2-sm3: public vectors, OpenSSL as the other side, and every form that is refused."""

from __future__ import annotations

import json
import secrets
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import devices
import office
from curve_kit import code_of, message, parts, raw
from vermilion_ledger.errors import EvidenceError, UnavailableError
from vermilion_ledger.schemes import sm2
from vermilion_ledger.schemes.sm2 import ORDER

SEED = office.secret("somebody")
PUBLIC = devices.sm2_public_key(SEED)
SIGNATURE = devices.sign_sm2(SEED, b"message")
PRIME = sm2._P
G = sm2._G
MINUS_G = (G[0], PRIME - G[1])

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the program openssl signs with SM2 here"
)


def point(x: int, y: int) -> bytes:
    return b"\x04" + raw(x, y)


# --- public vectors


def test_all_public_signatures_are_judged_as_stated(shared_vectors: Path) -> None:
    path = shared_vectors / "sm-crypto" / "sm2" / "sm2_verify_test.json"
    accepted = refused = 0
    for case in json.loads(path.read_text(encoding="utf-8"))["tests"]:
        # What has no form of 64 bytes is invalid there too, and is given as it stands.
        signature = bytes.fromhex(case["sigRaw"] or case["sigDer"])
        try:
            sm2.verify_bytes(
                bytes.fromhex(case["publicKeyUncompressed"]),
                bytes.fromhex(case["msg"]),
                signature,
                identity=bytes.fromhex(case["userId"]),
            )
            found = True
        except EvidenceError:
            found = False
        assert found is (case["result"] == "valid"), case["name"]
        accepted, refused = accepted + found, refused + (not found)

    assert (accepted, refused) == (5, 18)


def test_the_hash_is_that_of_the_standard(shared_vectors: Path) -> None:
    path = shared_vectors / "sm-crypto" / "sm2" / "sm2_verify_test.json"
    example = json.loads(path.read_text(encoding="utf-8"))["tests"][0]
    public_key = bytes.fromhex(example["publicKeyUncompressed"])

    assert sm2.hash_message(public_key, b"message digest").hex() == (
        "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640"
    )


def test_the_example_of_the_standard_is_made_from_its_key_and_nonce() -> None:
    private = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8"
    nonce = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21

    made = devices.sign_sm2(bytes.fromhex(private), b"message digest", nonce=nonce)

    assert made.hex() == (
        "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
        "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
    )


def test_sm3_is_that_of_the_public_digests(shared_vectors: Path) -> None:
    """The empty message is written ``Len = 0``, ``Msg = 00``."""
    folder = shared_vectors / "sm-crypto" / "pyca" / "vectors" / "cryptography_vectors"
    text = (folder / "hashes" / "SM3" / "oscca.txt").read_text(encoding="ascii")
    members = [line.partition(" = ") for line in text.splitlines() if " = " in line]
    values = [(name, value) for name, _, value in members if name in {"Len", "Msg", "MD"}]
    cases = [values[start : start + 3] for start in range(0, len(values), 3)]

    for (_, bits), (_, data), (_, digest) in cases:
        assert sm2._sm3(bytes.fromhex(data)[: int(bits) // 8]).hex() == digest.lower()
    assert len(cases) == 6


# --- OpenSSL as the other side


@needs_openssl
def test_what_openssl_signs_verifies_here() -> None:
    data = message()
    signatures = {sm2.sign(SEED, data.pae) for _ in range(3)}

    assert len(signatures) == 3  # its nonces are random
    for signature in signatures:
        sm2.verify(PUBLIC, data, signature)
        assert code_of(sm2.verify, PUBLIC, message("seal"), signature) == "signature.bad"


@needs_openssl
def test_openssl_and_we_derive_the_same_public_key() -> None:
    for private in (SEED, (1).to_bytes(32, "big"), (ORDER - 2).to_bytes(32, "big")):
        assert sm2.public_key_of(private) == devices.sm2_public_key(private)


def test_without_openssl_nothing_is_signed_and_the_reason_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    for use in (sm2.public_key_of, lambda key: sm2.sign(key, b"")):
        with pytest.raises(UnavailableError) as caught:
            use(SEED)
        assert caught.value.code == "scheme.no-openssl"


@pytest.mark.parametrize(
    "script", ["exit 1", "echo no such curve >&2; exit 1", "true", "echo 0", "printf '0%070d' 0"]
)
def test_an_openssl_without_sm2_signs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    program = tmp_path / "openssl"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    for use in (sm2.public_key_of, lambda key: sm2.sign(key, b"")):
        with pytest.raises(UnavailableError) as caught:
            use(SEED)
        assert caught.value.code == "scheme.no-openssl"


# --- signatures


def test_a_signature_verifies_over_its_statement_alone() -> None:
    signature = devices.sign_sm2(SEED, message().pae)

    sm2.verify(PUBLIC, message(), signature)
    assert code_of(sm2.verify, PUBLIC, message("seal"), signature) == "signature.bad"
    other = devices.sm2_public_key(office.secret("other"))
    assert code_of(sm2.verify, other, message(), signature) == "signature.bad"


@pytest.mark.parametrize("identity", [b"", b"ALICE123@YAHOO.COM", b"1234567812345679"])
def test_a_signature_for_another_identity_is_refused(identity: bytes) -> None:
    signature = devices.sign_sm2(SEED, b"message", identity=identity)

    assert code_of(sm2.verify_bytes, PUBLIC, b"message", signature) == "signature.bad"


def test_a_signature_over_the_digest_without_identity_and_key_is_refused() -> None:
    signature = devices.sign_sm2_digest(SEED, sm2._sm3(b"message"))

    assert code_of(sm2.verify_bytes, PUBLIC, b"message", signature) == "signature.bad"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda _, s: (0, s), "signature.not-canonical"),
        (lambda r, _: (r, 0), "signature.not-canonical"),
        (lambda _, s: (ORDER, s), "signature.not-canonical"),
        (lambda r, _: (r, ORDER), "signature.not-canonical"),
        (lambda _, s: (2**256 - 1, s), "signature.not-canonical"),
        (lambda r, _: (r, ORDER - r), "signature.bad"),  # t would be 0
        (lambda r, s: (r, ORDER - s), "signature.bad"),
        (lambda r, s: (s, r), "signature.bad"),
        (lambda r, s: (r ^ 1, s), "signature.bad"),
        (lambda r, s: (r, s ^ 1), "signature.bad"),
        (lambda _, __: (1, 1), "signature.bad"),
        (lambda _, __: (ORDER - 1, ORDER - 1), "signature.bad"),
    ],
)
def test_other_numbers_are_refused(change: Any, code: str) -> None:
    signature = raw(*change(*parts(SIGNATURE)))

    assert code_of(sm2.verify_bytes, PUBLIC, b"message", signature) == code


@pytest.mark.parametrize("signature", [b"", SIGNATURE[:63], SIGNATURE + b"\0", bytes(71)])
def test_a_signature_of_another_size_is_refused(signature: bytes) -> None:
    assert code_of(sm2.verify_bytes, PUBLIC, b"message", signature) == "signature.size"


# --- keys


X, Y = parts(PUBLIC[1:])


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (b"", "key.size"),
        (b"\x00", "key.size"),  # the neutral element
        (PUBLIC[1:], "key.size"),
        (PUBLIC + b"\0", "key.size"),
        (bytes([2 + Y % 2]) + PUBLIC[1:33], "key.size"),  # the compressed form
        (b"\x06" + PUBLIC[1:], "key.not-canonical"),  # hybrid forms
        (b"\x07" + PUBLIC[1:], "key.not-canonical"),
        (bytes(65), "key.not-canonical"),
        (b"\x04" + b"\xff" * 64, "key.not-canonical"),
        (point(PRIME, Y), "key.not-canonical"),
        (point(X, PRIME), "key.not-canonical"),
        (point(0, 0), "key.off-curve"),
        (point(X, Y ^ 1), "key.off-curve"),
        (point(Y, X), "key.off-curve"),
        (point(*parts(bytes.fromhex(
            # the base point of P-256: another curve of the same size
            "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
            "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
        ))), "key.off-curve"),
    ],
)  # fmt: skip
def test_anything_but_an_uncompressed_point_is_no_key(key: bytes, code: str) -> None:
    assert code_of(sm2.check_public_key, key) == code
    assert code_of(sm2.verify_bytes, key, b"message", SIGNATURE) == code


@pytest.mark.parametrize(
    ("private", "code"),
    [
        (bytes(31), "key.size"),
        (bytes(33), "key.size"),
        (bytes(32), "key.range"),
        ((ORDER - 1).to_bytes(32, "big"), "key.range"),
        (ORDER.to_bytes(32, "big"), "key.range"),
        (b"\xff" * 32, "key.range"),
    ],
)
def test_a_private_key_out_of_range_signs_nothing(private: bytes, code: str) -> None:
    assert code_of(sm2.public_key_of, private) == code
    assert code_of(sm2.sign, private, b"") == code


# --- the arithmetic


def test_the_sum_of_multiples_is_right_where_points_meet() -> None:
    """Keys that an attacker may choose: G, its opposite, and small multiples."""
    multiples = [sm2._combine(k, 0, sm2._G) for k in range(8)]
    assert multiples[0] is None
    for k in (1, 2, 3, 7, ORDER - 1, ORDER - 2):
        key = sm2._combine(k, 0, sm2._G)
        assert key is not None
        for s, t in ((1, 1), (2, 1), (1, 2), (3, 2), (0, 3), (ORDER - k, 1), (k, ORDER - 1)):
            assert sm2._combine(s, t, key) == sm2._combine((s + t * k) % ORDER, 0, sm2._G)
        check = point(*key)
        sm2.check_public_key(check)
    assert sm2._combine(ORDER, 0, sm2._G) is None


def test_keys_of_small_multiples_verify_their_own_signatures_alone() -> None:
    for k in (1, 2, 3, ORDER - 2):
        private = k.to_bytes(32, "big")
        key, signature = devices.sm2_public_key(private), devices.sign_sm2(private, b"message")
        sm2.verify_bytes(key, b"message", signature)
        assert code_of(sm2.verify_bytes, key, b"massage", signature) == "signature.bad"


def test_sums_of_random_multiples_agree_with_one_multiple() -> None:
    for _ in range(5):
        k, s, t = (secrets.randbelow(ORDER - 1) + 1 for _ in range(3))
        key = sm2._combine(k, 0, sm2._G)
        assert key is not None
        assert sm2._combine(s, t, key) == sm2._combine((s + t * k) % ORDER, 0, sm2._G)


# --- the arithmetic beneath


def added_up(terms: list[tuple[int, tuple[int, int]]]) -> tuple[int, int] | None:
    """The sum of multiples of points, bit by bit."""
    total = sm2._NEUTRAL
    for number, term in terms:
        doubled = (*term, 1)
        for bit in range(number.bit_length()):
            if number >> bit & 1:
                total = sm2._add(total, sm2._to_affine(doubled))
            doubled = sm2._double(doubled)
    return sm2._to_affine(total) if total[2] else None


SCALARS = (1, 2, 3, 7, 8, 9, 31, 32, 33, 2**255, ORDER - 1, ORDER // 3, int.from_bytes(SEED, "big"))


@pytest.mark.parametrize("s", SCALARS)
def test_windows_give_the_sum_that_single_bits_give(s: int) -> None:
    other = sm2._to_affine(sm2._double((*G, 1)))
    for t in SCALARS[::3]:
        for term in (G, MINUS_G, other):  # sums meet each other, and their opposites
            assert sm2._combine(s % ORDER, t % ORDER, term) == added_up([(s, G), (t, term)])


@given(number=st.integers(0, ORDER))
def test_the_digits_of_a_number_are_that_number(number: int) -> None:
    digits = list(sm2._signed_digits(number, sm2._G_MULTIPLES))

    assert sum(digit << position for position, digit in digits) == number
    assert all(digit in sm2._G_MULTIPLES for _, digit in digits)
