"""The DER reader: one way to write each value, and nothing left over."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vermilion_ledger.errors import InputError
from vermilion_ledger.timestamp import der
from vermilion_ledger.timestamp.der import (
    DerReader,
    encode_element,
    parse_generalized_time,
    parse_integer,
    parse_oid,
)
from vermilion_ledger.timestamp.token import parse_token


@given(tag=st.integers(0, 255).filter(lambda tag: tag & 0x1F != 0x1F), content=st.binary())
def test_what_is_encoded_is_read_back(tag: int, content: bytes) -> None:
    reader = DerReader(encode_element(tag, content))

    assert reader.content(tag) == content
    reader.finish()


@pytest.mark.parametrize("size", [0, 127, 128, 255, 256, 65_535, 65_536])
def test_lengths_of_every_form_are_read(size: int) -> None:
    reader = DerReader(encode_element(der.OCTET_STRING, bytes(size)))

    assert len(reader.content(der.OCTET_STRING)) == size


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("", "nothing"),
        ("04", "no length"),
        ("0401", "no content"),
        ("040200", "half the content"),
        ("04820001ff", "a length with a leading zero"),
        ("0481017f", "a long form where the short one would do"),
        ("04800000", "an indefinite length"),
        ("048500000000017f", "a length of five bytes"),
        ("1f8101017f", "a tag of more than one byte"),
        ("020101", "another tag"),
    ],
)
def test_other_bytes_are_refused(data: str, why: str) -> None:
    with pytest.raises(InputError) as caught:
        DerReader(bytes.fromhex(data)).content(der.OCTET_STRING)
    assert caught.value.code == "der.malformed", why


def test_a_tag_of_more_than_one_byte_is_refused_whatever_is_asked_for() -> None:
    with pytest.raises(InputError):
        DerReader(bytes.fromhex("1f810100")).take()


def test_bytes_left_over_are_refused() -> None:
    reader = DerReader(b"\x05\x00\x00")
    reader.take(der.NULL)

    with pytest.raises(InputError):
        reader.finish()


@pytest.mark.parametrize(
    ("data", "value"), [("00", 0), ("7f", 127), ("0080", 128), ("ff", -1), ("80", -128)]
)
def test_integers_may_be_negative(data: str, value: int) -> None:
    assert parse_integer(bytes.fromhex(data)) == value


@pytest.mark.parametrize("data", ["", "0001", "007f", "ffff", "ff80", "01" * 65])
def test_integers_not_in_their_shortest_form_are_refused(data: str) -> None:
    with pytest.raises(InputError):
        parse_integer(bytes.fromhex(data))


@pytest.mark.parametrize(
    ("data", "dotted"),
    [("2a8648ce3d0403", "1.2.840.10045.4.3"), ("6086480165", "2.16.840.1.101"), ("00", "0.0")],
)
def test_object_identifiers_are_read(data: str, dotted: str) -> None:
    assert parse_oid(bytes.fromhex(data)) == dotted


@pytest.mark.parametrize("data", ["", "2a86", "2a8001", "2a" * 65])
def test_object_identifiers_of_another_form_are_refused(data: str) -> None:
    with pytest.raises(InputError):
        parse_oid(bytes.fromhex(data))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"20261122050000Z", datetime(2026, 11, 22, 5, tzinfo=UTC)),
        (b"20261122050000.5Z", datetime(2026, 11, 22, 5, 0, 0, 500_000, tzinfo=UTC)),
        (b"20261122050000.123456789Z", datetime(2026, 11, 22, 5, 0, 0, 123_456, tzinfo=UTC)),
    ],
)
def test_moments_are_in_utc(data: bytes, expected: datetime) -> None:
    assert parse_generalized_time(data) == expected


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"20261122050000", b"20261122050000+0100", b"202611220500Z", b"20261122050000.Z"),
        *(b"20261122050000.50Z", b"20261322050000Z", b"20261122240000Z", b"20261122050060Z"),
        *(b"20261122050000.0000000001Z", "２0261122050000Z".encode(), b"20261122050000z"),
    ],
)
def test_other_moments_are_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        parse_generalized_time(data)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_token_or_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError):
        parse_token(data)
