"""Scheme ecdsa-p256: the public vectors of Wycheproof, and every form that is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

import office
from curve_kit import code_of, message, parts, raw
from vermilion_ledger.errors import EvidenceError, InputError, SignatureError
from vermilion_ledger.schemes import ecdsa_p256
from vermilion_ledger.schemes.ecdsa_p256 import ORDER

SEED = office.secret("somebody")
PUBLIC = ecdsa_p256.public_key_of(SEED)
SIGNATURE = ecdsa_p256.sign(SEED, b"message")
PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1
# Valid by ECDSA, and refused by `ecdsa-p256` for the larger of the two values of s alone.
HIGH_S = frozenset({
    2, 3, 7, 299, 301, 302, 303, 306, 312, 313, 315, 316, 320, 321, 322, 329, 330, 331, 335, 337,
    339, 340, 342, 345, 346, 349, 350, 352, 353, 365, 366, 367, 368, 369, 394, 395, 398, 399, 400,
    403, 406, 412, 413, 414, 415, 418, 419, 420, 422, 423, 427, 433, 434, 439, 440, 448, 452, 453,
    456, 459, 461, 462, 463, 465, 467, 468, 469, 471, 475, 479, 484,
})  # fmt: skip


# --- public vectors


def wycheproof(folder: Path) -> Iterator[tuple[dict[str, Any], bytes, bytes, bytes]]:
    """Each case with its key, message and DER signature."""
    path = folder / "wycheproof" / "testvectors_v1" / "ecdsa_secp256r1_sha256_test.json"
    for group in json.loads(path.read_text(encoding="utf-8"))["testGroups"]:
        point = bytes.fromhex(group["publicKey"]["uncompressed"])
        key = bytes([2 + (point[-1] & 1)]) + point[1:33]
        for case in group["tests"]:
            yield case, key, bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])


def is_accepted(verify: Callable[[bytes, bytes, bytes], None], *arguments: bytes) -> bool:
    try:
        verify(*arguments)
    except EvidenceError:
        return False
    return True


def test_all_public_signatures_in_der_are_judged_as_stated(shared_vectors: Path) -> None:
    judged = [
        (is_accepted(ecdsa_p256.verify_der, key, data, sig), case["result"] == "valid")
        for case, key, data, sig in wycheproof(shared_vectors)
    ]

    assert all(found is stated for found, stated in judged)
    assert (judged.count((True, True)), judged.count((False, False))) == (174, 310)


def test_all_public_signatures_are_judged_as_stated_but_for_a_high_s(shared_vectors: Path) -> None:
    accepted, high = 0, set()
    for case, key, data, der in wycheproof(shared_vectors):
        try:
            r, s = decode_dss_signature(der)
            signature = raw(r, s)
        except (ValueError, OverflowError):
            assert case["result"] == "invalid", case["tcId"]
            continue  # it has no form of 64 bytes
        if encode_dss_signature(r, s) != der:
            continue  # invalid for its DER, which does not survive here
        found = is_accepted(ecdsa_p256.verify_bytes, key, data, signature)
        if case["result"] == "valid" and s > ORDER // 2:
            high.add(case["tcId"])
            assert code_of(ecdsa_p256.verify_bytes, key, data, signature).endswith("not-canonical")
        else:
            assert found is (case["result"] == "valid"), case["tcId"]
        accepted += found

    assert high == HIGH_S
    assert accepted == 174 - len(HIGH_S)


def test_the_nonce_is_that_of_rfc_6979() -> None:
    """RFC 6979, A.2.5, "sample" with SHA-256; its s is the larger one."""
    private = bytes.fromhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
    r, s = parts(ecdsa_p256.sign(private, b"sample"))

    assert r == 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
    assert s == ORDER - 0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8


# --- signatures


def test_a_signature_verifies_over_its_statement_alone() -> None:
    signature = ecdsa_p256.sign(SEED, message().pae)

    ecdsa_p256.verify(PUBLIC, message(), signature)
    assert code_of(ecdsa_p256.verify, PUBLIC, message("seal"), signature) == "signature.bad"
    other = ecdsa_p256.public_key_of(office.secret("other"))
    assert code_of(ecdsa_p256.verify, other, message(), signature) == "signature.bad"


def test_one_message_has_one_signature_with_the_lower_s() -> None:
    for number in range(20):
        data = b"message %d" % number
        signature = ecdsa_p256.sign(SEED, data)
        assert signature == ecdsa_p256.sign(SEED, data)
        assert parts(signature)[1] <= ORDER // 2
        ecdsa_p256.verify_bytes(PUBLIC, data, signature)


def test_the_other_s_is_refused_though_the_library_takes_it() -> None:
    r, s = parts(SIGNATURE)

    ecdsa_p256.verify_der(PUBLIC, b"message", encode_dss_signature(r, ORDER - s))
    code = code_of(ecdsa_p256.verify_bytes, PUBLIC, b"message", raw(r, ORDER - s))
    assert code == "signature.not-canonical"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda _, s: (0, s), "signature.not-canonical"),
        (lambda r, _: (r, 0), "signature.not-canonical"),
        (lambda _, s: (ORDER, s), "signature.not-canonical"),
        (lambda r, _: (r, ORDER), "signature.not-canonical"),
        (lambda _, s: (2**256 - 1, s), "signature.not-canonical"),
        (lambda r, _: (r, ORDER // 2 + 1), "signature.not-canonical"),
        (lambda r, _: (r, ORDER // 2), "signature.bad"),
        (lambda r, s: (s, r % (ORDER // 2)), "signature.bad"),
        (lambda r, s: (r ^ 1, s), "signature.bad"),
        (lambda r, s: (r, s ^ 1), "signature.bad"),
        (lambda _, s: (1, 1), "signature.bad"),
    ],
)
def test_other_numbers_are_refused(change: Any, code: str) -> None:
    signature = raw(*change(*parts(SIGNATURE)))

    assert code_of(ecdsa_p256.verify_bytes, PUBLIC, b"message", signature) == code


@pytest.mark.parametrize("signature", [b"", SIGNATURE[:63], SIGNATURE + b"\0", bytes(72)])
def test_a_signature_of_another_size_is_refused(signature: bytes) -> None:
    code = code_of(ecdsa_p256.verify_bytes, PUBLIC, b"message", signature)

    assert code == "signature.size"


def test_a_der_signature_is_none_of_this_scheme() -> None:
    der = encode_dss_signature(*parts(SIGNATURE))

    assert code_of(ecdsa_p256.verify_bytes, PUBLIC, b"message", der) == "signature.size"


# --- keys


def test_a_key_is_a_compressed_point_of_33_bytes() -> None:
    ecdsa_p256.check_public_key(PUBLIC)
    assert len(PUBLIC) == ecdsa_p256.PUBLIC_KEY_SIZE


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (b"", "key.size"),
        (b"\x00", "key.size"),  # the neutral element
        (PUBLIC[1:], "key.size"),
        (PUBLIC + b"\0", "key.size"),
        (b"\x04" + bytes(64), "key.size"),  # the uncompressed form
        (b"\x00" * 33, "key.off-curve"),
        (b"\x04" + PUBLIC[1:], "key.off-curve"),
        (b"\x05" + PUBLIC[1:], "key.off-curve"),
        (b"\x06" + PUBLIC[1:], "key.off-curve"),  # hybrid forms
        (b"\x07" + PUBLIC[1:], "key.off-curve"),
        (b"\x02" + (1).to_bytes(32, "big"), "key.off-curve"),  # no y for this x
        (b"\x02" + PRIME.to_bytes(32, "big"), "key.off-curve"),  # 0 plus the prime
        (b"\x03" + (PRIME + 5).to_bytes(32, "big"), "key.off-curve"),  # 5 plus the prime
        (b"\x02" + b"\xff" * 32, "key.off-curve"),
    ],
)
def test_anything_else_is_no_key(key: bytes, code: str) -> None:
    assert code_of(ecdsa_p256.check_public_key, key) == code
    assert code_of(ecdsa_p256.verify_bytes, key, b"message", SIGNATURE) == code


def test_an_x_below_the_prime_is_the_one_form_of_a_point() -> None:
    ecdsa_p256.check_public_key(b"\x03" + (5).to_bytes(32, "big"))


def test_the_mirrored_key_verifies_nothing() -> None:
    mirrored = bytes([PUBLIC[0] ^ 1]) + PUBLIC[1:]

    with pytest.raises(SignatureError):
        ecdsa_p256.verify_bytes(mirrored, b"message", SIGNATURE)


@pytest.mark.parametrize(
    ("private", "code"),
    [
        (bytes(31), "key.size"),
        (bytes(33), "key.size"),
        (bytes(32), "key.range"),
        (ORDER.to_bytes(32, "big"), "key.range"),
        (b"\xff" * 32, "key.range"),
    ],
)
def test_a_private_key_out_of_range_signs_nothing(private: bytes, code: str) -> None:
    for use in (ecdsa_p256.public_key_of, lambda key: ecdsa_p256.sign(key, b"")):
        with pytest.raises(InputError) as caught:
            use(private)
        assert caught.value.code == code
