"""What signs at intake makes the same bytes as the library that checks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vermilion_api.intake_signer import IntakeSigner
from vermilion_ledger.errors import SignatureError
from vermilion_ledger.schemes import ed25519

_SEEDS = st.binary(min_size=32, max_size=32)


@given(_SEEDS, st.binary(max_size=300))
def test_signatures_are_those_of_the_library_that_checks(seed: bytes, message: bytes) -> None:
    signer = IntakeSigner(seed)

    assert signer.public_key == ed25519.public_key_of(seed)
    assert signer.sign(message) == ed25519.load_private_key(seed).sign(message)
    ed25519.verify_bytes(signer.public_key, message, signer.sign(message))


@given(_SEEDS, st.binary(min_size=1, max_size=100), st.integers(0, 511))
def test_a_signature_with_a_flipped_bit_is_refused(seed: bytes, message: bytes, bit: int) -> None:
    signer = IntakeSigner(seed)
    signature = bytearray(signer.sign(message))
    signature[bit // 8] ^= 1 << bit % 8

    with pytest.raises(SignatureError):
        ed25519.verify_bytes(signer.public_key, message, bytes(signature))


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_seed_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="seed"):
        IntakeSigner(bytes(size))
