from __future__ import annotations

from typing import Any

import pytest
import rlp as reference  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from vermilion_ledger.errors import InputError, LimitError
from vermilion_ledger.evm.rlp import (
    Item,
    decode_rlp,
    encode_integer,
    encode_rlp,
    parse_integer,
)

ITEMS: st.SearchStrategy[Any] = st.recursive(
    st.binary(max_size=300), lambda inner: st.lists(inner, max_size=6).map(tuple), max_leaves=20
)

# the examples of the Yellow Paper, appendix B, and of the Ethereum wiki
EXAMPLES: list[tuple[Item, str]] = [
    (b"dog", "83646f67"),
    ((b"cat", b"dog"), "c88363617483646f67"),
    (b"", "80"),
    ((), "c0"),
    (b"\x00", "00"),
    (b"\x0f", "0f"),
    (b"\x04\x00", "820400"),
    (((), ((),), ((), ((),))), "c7c0c1c0c3c0c1c0"),
    (
        b"Lorem ipsum dolor sit amet, consectetur adipisicing elit",
        "b838" + b"Lorem ipsum dolor sit amet, consectetur adipisicing elit".hex(),
    ),
]


@pytest.mark.parametrize(("item", "encoded"), EXAMPLES)
def test_published_examples(item: Item, encoded: str) -> None:
    assert encode_rlp(item).hex() == encoded
    assert decode_rlp(bytes.fromhex(encoded), what="x") == item


@given(ITEMS)
def test_what_is_written_is_read_back(item: Any) -> None:
    assert decode_rlp(encode_rlp(item), what="x") == item


@given(ITEMS)
def test_the_reference_library_writes_the_same_bytes(item: Any) -> None:
    assert encode_rlp(item) == reference.encode(item)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_canonically_or_refused(data: bytes) -> None:
    try:
        item = decode_rlp(data, what="x")
    except InputError:
        return
    assert encode_rlp(item) == data


@given(ITEMS, st.data())
def test_a_flipped_bit_never_reads_as_the_same_item(item: Any, data: st.DataObject) -> None:
    encoded = bytearray(encode_rlp(item))
    bit = data.draw(st.integers(0, 8 * len(encoded) - 1))
    encoded[bit // 8] ^= 1 << bit % 8
    try:
        assert decode_rlp(bytes(encoded), what="x") != item
    except InputError:
        return


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("", "rlp.truncated"),
        ("83646f", "rlp.truncated"),
        ("b8", "rlp.truncated"),
        ("b838", "rlp.truncated"),
        ("c883636174", "rlp.truncated"),
        ("c382", "rlp.truncated"),
        ("c283646f67", "rlp.truncated"),  # the member is longer than its list
        ("f8", "rlp.truncated"),
        ("bfffffffffffffffff", "rlp.truncated"),
        ("ffffffffffffffffff", "rlp.truncated"),
        ("8000", "rlp.trailing-bytes"),
        ("c000", "rlp.trailing-bytes"),
        ("0000", "rlp.trailing-bytes"),
        ("8100", "rlp.not-canonical"),
        ("817f", "rlp.not-canonical"),
        ("b800", "rlp.not-canonical"),
        ("b803646f67", "rlp.not-canonical"),
        ("b90003646f67", "rlp.not-canonical"),
        ("b90038" + "61" * 56, "rlp.not-canonical"),  # a length with a leading zero
        ("f800", "rlp.not-canonical"),
        ("f803010203", "rlp.not-canonical"),
        ("f90038" + "61" * 56, "rlp.not-canonical"),
        ("c28100", "rlp.not-canonical"),
    ],
)
def test_malformed_bytes_are_refused(data: str, code: str) -> None:
    with pytest.raises(InputError) as error:
        decode_rlp(bytes.fromhex(data), what="x")

    assert error.value.code == code


def test_deep_nesting_is_refused_before_the_stack_is() -> None:
    item: Item = ()
    for _ in range(16):
        item = (item,)

    with pytest.raises(LimitError) as error:
        decode_rlp(encode_rlp(item), what="x")

    assert error.value.code == "rlp.too-deep"


def test_a_flood_of_items_is_refused() -> None:
    with pytest.raises(LimitError) as error:
        decode_rlp(encode_rlp((b"",) * (1 << 16)), what="x")

    assert error.value.code == "rlp.too-many-items"


@given(st.integers(0, 2**53 - 1))
def test_numbers_are_read_back(value: int) -> None:
    assert parse_integer(encode_integer(value), maximum=2**53 - 1, what="x") == value


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (b"\x00", "rlp.not-canonical"),
        (b"\x00\x01", "rlp.not-canonical"),
        ((), "rlp.shape"),
        ((b"\x01",), "rlp.shape"),
        (encode_integer(2**53), "rlp.integer-range"),
        (b"\x01" * 9, "rlp.integer-range"),
        (b"\x01" * 400, "rlp.integer-range"),
    ],
)
def test_other_numbers_are_refused(item: Item, code: str) -> None:
    with pytest.raises(InputError) as error:
        parse_integer(item, maximum=2**53 - 1, what="x")

    assert error.value.code == code
