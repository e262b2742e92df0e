"""The registrar's nonces: nobody can tell them from random, and we can."""

from __future__ import annotations

import secrets
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from office import INTAKE_SEED
from vermilion_api.services.nonces import NONCE_SIZE, RegistrarNonces

OURS = RegistrarNonces(INTAKE_SEED)
COUNT = 20_000


@pytest.fixture(scope="module")
def drawn() -> list[bytes]:
    return OURS.draw(COUNT)


def test_nonces_have_sixteen_bytes_and_are_all_different(drawn: list[bytes]) -> None:
    assert {len(nonce) for nonce in drawn} == {NONCE_SIZE}
    assert len(set(drawn)) == COUNT


def test_what_was_drawn_is_recognised(drawn: list[bytes]) -> None:
    assert all(OURS.is_ours(nonce) for nonce in drawn[:2000])


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_as_many_are_drawn_as_asked(count: int) -> None:
    assert len(OURS.draw(count)) == count


def test_random_nonces_are_not_ours() -> None:
    # One in 2^32 is: among 20,000, once in 200,000 runs.
    assert not any(OURS.is_ours(secrets.token_bytes(NONCE_SIZE)) for _ in range(COUNT))


@given(st.binary(min_size=32, max_size=32))
def test_nonces_of_another_intake_key_are_not_ours(seed: bytes) -> None:
    (theirs,) = RegistrarNonces(seed).draw(1)

    assert RegistrarNonces(seed).is_ours(theirs)
    assert OURS.is_ours(theirs) == (seed == INTAKE_SEED)


@given(at=st.integers(min_value=0, max_value=NONCE_SIZE * 8 - 1))
def test_a_nonce_with_one_bit_changed_is_not_ours(at: int) -> None:
    (nonce,) = OURS.draw(1)
    changed = bytearray(nonce)
    changed[at // 8] ^= 1 << at % 8

    # Deciphered, it is as good as random.
    assert not OURS.is_ours(bytes(changed))


@pytest.mark.parametrize("nonce", [bytes(16), b"\xff" * 16, bytes(4) + b"\x01" * 12])
def test_the_mark_itself_does_not_show(nonce: bytes) -> None:
    assert not OURS.is_ours(nonce)


def test_nonces_look_random(drawn: list[bytes]) -> None:
    """Each bit is set as often as not, and no byte of the mark shows through."""
    bits = [
        sum(nonce[at // 8] >> at % 8 & 1 for nonce in drawn) / COUNT for at in range(NONCE_SIZE * 8)
    ]

    assert all(0.47 < share < 0.53 for share in bits)
    assert statistics.mean(bits) == pytest.approx(0.5, abs=0.005)
    assert len({nonce[:4] for nonce in drawn}) > COUNT - 5
