"""What a node says of a block, read strictly."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vermilion_ledger.errors import InputError
from vermilion_ledger.evm.answers import encode_header, parse_data, parse_quantity
from vermilion_ledger.evm.header import parse_header

BLOCK: dict[str, Any] = {
    "parentHash": "0x" + "01" * 32,
    "sha3Uncles": "0x" + "02" * 32,
    "miner": "0x" + "03" * 20,
    "stateRoot": "0x" + "04" * 32,
    "transactionsRoot": "0x" + "05" * 32,
    "receiptsRoot": "0x" + "06" * 32,
    "logsBloom": "0x" + "00" * 256,
    "difficulty": "0x0",
    "number": "0x2a",
    "gasLimit": "0x1c9c380",
    "gasUsed": "0x5208",
    "timestamp": "0x6553f100",
    "extraData": "0x",
    "mixHash": "0x" + "07" * 32,
    "nonce": "0x" + "00" * 8,
}
LATER = {
    "baseFeePerGas": "0x7",
    "withdrawalsRoot": "0x" + "08" * 32,
    "blobGasUsed": "0x0",
    "excessBlobGas": "0x0",
    "parentBeaconBlockRoot": "0x" + "09" * 32,
    "requestsHash": "0x" + "0a" * 32,
}


def test_the_members_of_a_block_make_its_header() -> None:
    header = parse_header(encode_header(BLOCK))

    assert (header.number, header.timestamp) == (42, 0x6553F100)
    assert (header.parent_hash, header.receipts_root) == (b"\x01" * 32, b"\x06" * 32)


def test_fields_of_later_forks_are_taken_up_to_the_first_gap() -> None:
    names = list(LATER)
    sizes = [len(encode_header(BLOCK | {n: LATER[n] for n in names[:count]})) for count in range(7)]

    assert sizes == sorted(set(sizes))
    gap = BLOCK | {name: LATER[name] for name in names if name != "withdrawalsRoot"}
    assert encode_header(gap) == encode_header(BLOCK | {"baseFeePerGas": "0x7"})


@pytest.mark.parametrize("name", BLOCK)
@pytest.mark.parametrize("value", [None, 5, "", "0xzz", [], "ff"])
def test_a_header_with_an_odd_member_is_refused(name: str, value: Any) -> None:
    with pytest.raises(InputError) as error:
        encode_header(BLOCK | {name: value})

    assert error.value.code == "rpc.answer"
    assert name in error.value.message


@pytest.mark.parametrize("value", ["0x", "0xg", "1", "-0x1", "0x-1", "0x_1", "0x" + "f" * 65, 1])
def test_an_odd_number_is_refused(value: Any) -> None:
    with pytest.raises(InputError):
        parse_quantity(value, "x")


@pytest.mark.parametrize("value", ["0x0", "0xgg", "00", "0x 00", None, 0, b"0x00"])
def test_odd_bytes_are_refused(value: Any) -> None:
    with pytest.raises(InputError):
        parse_data(value, "x")
    with pytest.raises(InputError):
        parse_data("0x00", "x", size=2)


@given(st.integers(min_value=0, max_value=2**256 - 1), st.binary(max_size=40))
def test_what_a_node_writes_is_read_back(number: int, data: bytes) -> None:
    assert parse_quantity(hex(number), "x") == number
    assert parse_data("0x" + data.hex(), "x", size=len(data)) == data
