"""Commitments, tags, entries and record ids: sizes, and that each input matters."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from vermilion_ledger.commitment import (
    commit,
    encode_entry,
    is_record_id,
    make_record_id,
    make_tag,
    parse_entry,
)
from vermilion_ledger.errors import InputError

A, B = b"\xaa" * 32, b"\xbb" * 32


def test_the_formulas_are_those_of_the_formats() -> None:
    assert commit(A, B) == hashlib.sha256(b"vermilion/commitment/v1\x00" + A + B).digest()
    message = b"vermilion/tag/v1\x00" + (7).to_bytes(8, "big")
    assert make_tag(A, 7) == hmac.new(A, message, hashlib.sha256).digest()
    assert parse_entry(encode_entry(A, B)) == (A, B)
    assert len(encode_entry(A, B)) == 65


def test_a_record_id_is_the_base32_of_twenty_bytes_without_confusing_letters() -> None:
    record = make_record_id(A)

    number = 0
    for character in record.removeprefix("rec_"):
        number = number * 32 + "0123456789abcdefghjkmnpqrstvwxyz".index(character)
    digest = hashlib.sha256(b"vermilion/record/v1\x00" + A).digest()
    assert number.to_bytes(20, "big") == digest[:20]
    assert is_record_id(record)


@pytest.mark.parametrize("value", [None, 1, b"rec_", "rec_" + "o" * 32])
def test_other_values_are_no_record_ids(value: object) -> None:
    assert not is_record_id(value)


def test_each_input_changes_the_result() -> None:
    assert len({commit(A, B), commit(B, A), commit(A, A), commit(B, B)}) == 4
    assert len({make_tag(A, 0), make_tag(A, 1), make_tag(B, 0), make_tag(A, 256)}) == 4


@pytest.mark.parametrize("size", [0, 31, 33])
def test_an_input_of_another_size_is_refused(size: int) -> None:
    wrong = bytes(size)
    for call in (
        lambda: commit(wrong, A),
        lambda: commit(A, wrong),
        lambda: make_tag(wrong, 0),
        lambda: encode_entry(wrong, A),
        lambda: encode_entry(A, wrong),
        lambda: make_record_id(wrong),
    ):
        with pytest.raises(InputError) as caught:
            call()
        assert caught.value.code == "entry.size"


@pytest.mark.parametrize("sequence", [-1, 2**64])
def test_a_sequence_that_no_record_can_have_is_refused(sequence: int) -> None:
    with pytest.raises(InputError):
        make_tag(A, sequence)
