"""Signed bytes against eth-account, and every single bit of them against the check."""

from __future__ import annotations

from dataclasses import fields as fields_of
from dataclasses import replace
from typing import Any

import coincurve
import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from vermilion_anchor.eip1559 import add_signature, check_signed, signing_digest
from vermilion_anchor.evm import AccountSigner
from vermilion_anchor.ports import TransactionFields
from vermilion_ledger.errors import SignatureError, VerificationError

KEY = b"\x42" * 32
SIGNER = AccountSigner(KEY)
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
FIELDS = TransactionFields(
    chain_id=1,
    nonce=0,
    to=b"\x01" * 20,
    data=b"\x02" * 60,
    gas_limit=21_000,
    max_fee=10**9,
    priority_fee=10**8,
)
NUMBERS = st.integers(0, 2**63)
ALL_FIELDS = st.builds(
    TransactionFields,
    chain_id=st.integers(1, 2**53),
    nonce=NUMBERS,
    to=st.none() | st.binary(min_size=20, max_size=20),
    data=st.binary(max_size=200),
    gas_limit=NUMBERS,
    max_fee=NUMBERS,
    priority_fee=NUMBERS,
)


def bare_signature(fields: TransactionFields) -> tuple[int, int]:
    """What a device gives: r and s, nothing else."""
    signature = coincurve.PrivateKey(KEY).sign_recoverable(signing_digest(fields), hasher=None)
    return int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")


@given(fields=ALL_FIELDS, is_high=st.booleans())
def test_either_s_of_a_device_makes_the_bytes_of_eth_account(
    fields: TransactionFields, is_high: bool
) -> None:
    r, s = bare_signature(fields)

    raw = add_signature(fields, r=r, s=N - s if is_high else s, address=SIGNER.address)

    assert raw == SIGNER.sign(fields)
    check_signed(raw, fields, address=SIGNER.address)
    assert Account.recover_transaction(raw)[2:].lower() == SIGNER.address.hex()


@given(
    fields=ALL_FIELDS, name=st.sampled_from(fields_of(TransactionFields)), value=st.integers(0, 9)
)
def test_a_field_that_differs_is_refused(fields: TransactionFields, name: Any, value: int) -> None:
    other: Any = {"to": bytes([value]) * 20, "data": bytes([value])}.get(name.name, value)
    changed = replace(fields, **{name.name: other})
    if changed == fields:
        return

    with pytest.raises(VerificationError) as caught:
        check_signed(SIGNER.sign(changed), fields, address=SIGNER.address)

    assert caught.value.code == "signer.other-transaction"


def test_every_flipped_bit_is_refused() -> None:
    raw = SIGNER.sign(FIELDS)
    for bit in range(8 * len(raw)):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8

        with pytest.raises(VerificationError) as caught:
            check_signed(bytes(flipped), FIELDS, address=SIGNER.address)

        assert caught.value.code.startswith("signer."), bit


def test_every_cut_is_refused() -> None:
    raw = SIGNER.sign(FIELDS)
    for size in range(len(raw)):
        with pytest.raises(VerificationError):
            check_signed(raw[:size], FIELDS, address=SIGNER.address)


@given(raw=st.binary(max_size=300), is_typed=st.booleans())
def test_any_bytes_are_refused_politely(raw: bytes, is_typed: bool) -> None:
    with pytest.raises(VerificationError):
        check_signed(b"\x02" * is_typed + raw, FIELDS, address=SIGNER.address)


@pytest.mark.parametrize("r", [0, N, N + 1, 2**256 - 1])
def test_an_r_out_of_range_is_refused(r: int) -> None:
    _, s = bare_signature(FIELDS)

    with pytest.raises(SignatureError) as caught:
        add_signature(FIELDS, r=r, s=s, address=SIGNER.address)

    assert caught.value.code == "signer.bad-signature"


@pytest.mark.parametrize("s", [0, N, N + 1, 2**256 - 1])
def test_an_s_out_of_range_is_refused(s: int) -> None:
    r, _ = bare_signature(FIELDS)

    with pytest.raises(SignatureError) as caught:
        add_signature(FIELDS, r=r, s=s, address=SIGNER.address)

    assert caught.value.code == "signer.bad-signature"


@pytest.mark.parametrize(("r", "s"), [(5, 1), (1, 1), (2**255, 7)])
def test_numbers_that_are_no_signature_are_refused(r: int, s: int) -> None:
    with pytest.raises(SignatureError) as caught:
        add_signature(FIELDS, r=r, s=s, address=SIGNER.address)

    assert caught.value.code == "signer.other-key"


def test_a_signature_over_something_else_is_refused() -> None:
    r, s = bare_signature(replace(FIELDS, nonce=1))

    with pytest.raises(SignatureError) as caught:
        add_signature(FIELDS, r=r, s=s, address=SIGNER.address)

    assert caught.value.code == "signer.other-key"


def test_another_key_than_the_address_s_is_refused() -> None:
    r, s = bare_signature(FIELDS)

    with pytest.raises(SignatureError) as caught:
        add_signature(FIELDS, r=r, s=s, address=b"\x01" * 20)

    assert caught.value.code == "signer.other-key"
