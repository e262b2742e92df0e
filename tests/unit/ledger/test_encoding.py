"""What the vectors of the text codecs cannot say: bounds, Python values, cost."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from vermilion_ledger.encoding import (
    check_depth,
    check_members,
    encode_json,
    encode_time,
    parse_base64,
    parse_count,
    parse_json,
    parse_time,
    parse_wire_hex,
)
from vermilion_ledger.errors import InputError, LimitError


def test_json_above_its_bound_is_refused_unread() -> None:
    with pytest.raises(LimitError, match="3 exceeds the limit of 2"):
        parse_json(b"[]]", size_max=2, what="value")


def test_unfinished_text_of_escaped_quotes_costs_linear_time() -> None:
    data = b'"' + b'\\"' * 2_000_000
    start = time.perf_counter()

    with pytest.raises(InputError):
        parse_json(data, size_max=len(data), what="value")

    assert time.perf_counter() - start < 5  # two minutes for a hundredth of it, once


def test_a_name_in_an_error_message_is_cut() -> None:
    name = b'"' + b"n" * 5000 + b'"'

    with pytest.raises(InputError) as duplicate:
        parse_json(b"{" + name + b":1," + name + b":2}", size_max=20_000, what="value")
    with pytest.raises(InputError) as unknown:
        check_members({"n" * 5000: 1}, required=(), what="value")

    assert max(len(str(duplicate.value)), len(str(unknown.value))) < 100


@pytest.mark.parametrize("value", [2**53, {1: 2}, "\ud800", b"bytes", {"a": {"b": object()}}])
def test_a_value_without_a_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(InputError) as caught:
        encode_json(value)

    assert caught.value.code == "json.not-canonical"


@pytest.mark.parametrize("value", [[], "x", None, 1])
def test_a_value_that_is_no_object_has_no_members(value: object) -> None:
    with pytest.raises(InputError, match="not an object"):
        check_members(value, required=(), what="value")


def test_missing_members_are_all_named() -> None:
    with pytest.raises(InputError, match="lacks a, b"):
        check_members({"c": 1}, required=("b", "a", "c"), what="value")


@pytest.mark.parametrize("value", [-1, True, 1.0, "1", None, 2**53])
def test_a_count_is_a_natural_number_below_2_to_53(value: object) -> None:
    with pytest.raises(InputError):
        parse_count(value, what="count")


def test_the_bound_of_base64_is_exact_to_the_byte() -> None:
    assert parse_base64("AAAA", size_max=3, what="value") == bytes(3)
    with pytest.raises(LimitError):
        parse_base64("AAAA", size_max=2, what="value")
    with pytest.raises(LimitError):
        parse_base64("AAAAAAAA", size_max=3, what="value")
    with pytest.raises(InputError):
        parse_base64("ÄÄÄÄ", size_max=3, what="value")


def test_wire_hex_without_an_exact_size_is_bounded() -> None:
    assert parse_wire_hex("0x", size_max=2, what="value") == b""
    assert parse_wire_hex("0xabcd", size_max=2, what="value") == b"\xab\xcd"
    with pytest.raises(LimitError):
        parse_wire_hex("0xabcdef", size_max=2, what="value")
    with pytest.raises(InputError):
        parse_wire_hex("0xabc", size_max=2, what="value")
    with pytest.raises(InputError):
        parse_wire_hex(7, size_max=2, what="value")


def test_a_moment_is_written_in_utc_without_fractions() -> None:
    beijing = timezone(timedelta(hours=8))

    assert encode_time(datetime(2026, 11, 21, 16, 0, 0, 999_999, beijing)) == "2026-11-21T08:00:00Z"
    assert encode_time(datetime(1, 2, 3, tzinfo=UTC)) == "0001-02-03T00:00:00Z"
    assert parse_time("0001-02-03T00:00:00Z", what="time") == datetime(1, 2, 3, tzinfo=UTC)


@pytest.mark.parametrize("filler", [b"[],", b"{},", b'"]",', b'"\\"[",'])
def test_levels_are_counted_however_much_lies_beside_them(filler: bytes) -> None:
    many = filler * 100_000
    good = b"[" * 15 + many + b"[1]" + b"]" * 15

    parse_json(good, size_max=len(good), what="x")
    with pytest.raises(LimitError) as caught:
        parse_json(b"[" + good + b"]", size_max=len(good) + 2, what="x")

    assert caught.value.code == "json.too-deep"


def test_brackets_that_are_never_closed_are_too_deep_before_anything_parses_them() -> None:
    for data in (b"[" * 17, b"]" * 99 + b"[" * 17, b"[}" * 99 + b'{"a":' * 17, b"[" * 100_000):
        with pytest.raises(LimitError) as caught:
            check_depth(data, "x")
        assert caught.value.code == "json.too-deep"
