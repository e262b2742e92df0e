"""ML-DSA-44: the public vectors of Wycheproof, and our own keys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import office
from vermilion_ledger.errors import EvidenceError, InputError, SignatureError
from vermilion_ledger.schemes import ml_dsa_44

SEED = office.secret("somebody")
PUBLIC = ml_dsa_44.public_key_of(SEED)


def _is_accepted(public_key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        ml_dsa_44.verify_bytes(public_key, message, signature)
    except EvidenceError:
        return False
    return True


def test_all_public_signatures_without_a_context_are_judged_as_stated(shared_vectors: Path) -> None:
    path = shared_vectors / "wycheproof" / "testvectors_v1" / "mldsa_44_verify_test.json"
    accepted = refused = 0
    for group in json.loads(path.read_text(encoding="utf-8"))["testGroups"]:
        public_key = bytes.fromhex(group["publicKey"])
        for case in group["tests"]:
            is_stated = case["result"] == "valid" and not case.get("ctx")
            found = _is_accepted(public_key, bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"]))
            assert found is is_stated, case["tcId"]
            accepted, refused = accepted + found, refused + (not found)

    assert (accepted, refused) == (75, 105)


def test_a_signature_verifies_under_its_key_and_over_its_message_alone() -> None:
    signature = ml_dsa_44.sign(SEED, b"message")

    ml_dsa_44.verify_bytes(PUBLIC, b"message", signature)
    other = ml_dsa_44.public_key_of(office.secret("other"))
    for key, message in ((PUBLIC, b"massage"), (PUBLIC, b""), (other, b"message")):
        with pytest.raises(SignatureError) as caught:
            ml_dsa_44.verify_bytes(key, message, signature)
        assert caught.value.code == "signature.bad"


def test_one_message_signed_twice_verifies_twice() -> None:
    signatures = {ml_dsa_44.sign(SEED, b"message") for _ in range(2)}

    assert len(signatures) == 2
    for signature in signatures:
        ml_dsa_44.verify_bytes(PUBLIC, b"message", signature)


@pytest.mark.parametrize("size", [0, 64, 2419, 2421])
def test_a_signature_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(SignatureError) as caught:
        ml_dsa_44.verify_bytes(PUBLIC, b"message", bytes(size))

    assert caught.value.code == "signature.size"


@pytest.mark.parametrize("size", [0, 32, 1311, 1313])
def test_a_public_key_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(InputError) as caught:
        ml_dsa_44.verify_bytes(bytes(size), b"message", bytes(2420))

    assert caught.value.code == "key.size"


@pytest.mark.parametrize("size", [0, 31, 33, 2560])
def test_a_seed_of_another_size_is_refused(size: int) -> None:
    for use in (ml_dsa_44.public_key_of, lambda seed: ml_dsa_44.sign(seed, b"")):
        with pytest.raises(InputError) as caught:
            use(bytes(size))
        assert caught.value.code == "key.size"


def test_a_key_is_the_one_that_its_seed_gives() -> None:
    assert ml_dsa_44.public_key_of(SEED) == PUBLIC
    assert len(PUBLIC) == ml_dsa_44.PUBLIC_KEY_SIZE
