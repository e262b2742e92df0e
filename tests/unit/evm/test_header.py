from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vermilion_ledger.errors import InputError, LimitError
from vermilion_ledger.evm.header import parse_header
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.rlp import Item, encode_integer, encode_rlp

Fields = Callable[..., list[Item]]
ROOT = b"\x44" * 32


def test_the_four_fields_that_matter_are_read(header_fields: Fields) -> None:
    raw = encode_rlp(header_fields(ROOT, number=7, time=1_700_000_000))

    header = parse_header(raw)

    assert header.hash == keccak256(raw)
    assert (header.number, header.receipts_root, header.parent_hash) == (7, ROOT, b"\x01" * 32)
    assert header.time == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


# Ethereum's first block, as every node has it: 15 fields
GENESIS = (
    "f90214a0" + "00" * 32 + "a01dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"
    "94" + "00" * 20 + "a0d7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544"
    "a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
    "a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
    "b90100" + "00" * 256 + "8504000000008082138880"
    "80a011bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa"
    "a0" + "00" * 32 + "880000000000000042"
)


def test_the_first_block_of_mainnet_has_its_known_hash() -> None:
    header = parse_header(bytes.fromhex(GENESIS))

    assert header.hash.hex() == "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"
    assert (header.number, header.timestamp) == (0, 0)


@pytest.mark.parametrize("count", [0, 1, 8, 14])
def test_fewer_than_15_fields_are_refused(header_fields: Fields, count: int) -> None:
    with pytest.raises(InputError) as error:
        parse_header(encode_rlp(header_fields(ROOT)[:count]))

    assert error.value.code == "header.shape"


@pytest.mark.parametrize("count", [15, 16, 17, 20, 21])
def test_headers_of_every_fork_are_read(header_fields: Fields, count: int) -> None:
    assert parse_header(encode_rlp(header_fields(ROOT)[:count])).number == 42


def test_fields_of_later_forks_are_left_alone(header_fields: Fields) -> None:
    assert parse_header(encode_rlp([*header_fields(ROOT), b"later", (b"list",)])).number == 42


def test_more_than_4_kib_are_refused(header_fields: Fields) -> None:
    with pytest.raises(LimitError):
        parse_header(encode_rlp([*header_fields(ROOT), bytes(4096)]))


@pytest.mark.parametrize("field", [0, 5])
@pytest.mark.parametrize("value", [b"", b"\x01" * 31, b"\x01" * 33, ()])
def test_a_hash_of_another_size_is_refused(header_fields: Fields, field: int, value: Item) -> None:
    fields = header_fields(ROOT)
    fields[field] = value

    with pytest.raises(InputError):
        parse_header(encode_rlp(fields))


@pytest.mark.parametrize("field", [8, 11])
@pytest.mark.parametrize(
    "value", [b"\x00", b"\x00\x01", b"\xff" * 8, encode_integer(2**53), b"\x01" * 9, ()]
)
def test_a_number_that_is_not_canonical_or_too_large_is_refused(
    header_fields: Fields, field: int, value: Item
) -> None:
    fields = header_fields(ROOT)
    fields[field] = value

    with pytest.raises(InputError):
        parse_header(encode_rlp(fields))


def test_a_time_after_the_year_9999_is_refused(header_fields: Fields) -> None:
    assert parse_header(encode_rlp(header_fields(ROOT, time=253_402_300_799))).time.year == 9999
    with pytest.raises(LimitError):
        parse_header(encode_rlp(header_fields(ROOT, time=253_402_300_800)))


@pytest.mark.parametrize("raw", [b"", b"\x80", b"\xc0", b"\xf9\x02\x14"])
def test_what_is_no_list_is_refused(raw: bytes) -> None:
    with pytest.raises(InputError):
        parse_header(raw)


def test_trailing_bytes_are_refused(header_fields: Fields) -> None:
    with pytest.raises(InputError) as error:
        parse_header(encode_rlp(header_fields(ROOT)) + b"\0")

    assert error.value.code == "rlp.trailing-bytes"


@given(st.binary(max_size=700))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        parse_header(data)


def test_every_flipped_bit_gives_another_block_hash(header_fields: Fields) -> None:
    raw = encode_rlp(header_fields(ROOT))
    seen = {parse_header(raw).hash}

    for bit in range(8 * len(raw)):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            found = parse_header(bytes(changed)).hash
        except InputError:
            continue
        assert found not in seen
        seen.add(found)
