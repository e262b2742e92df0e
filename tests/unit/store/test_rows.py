"""Rows that exist are storable; moments survive the database; addresses are strict."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store_kit import make_submission
from vermilion_ledger.codes import all_codes
from vermilion_ledger.codes.storing import CODES
from vermilion_ledger.errors import InputError, IntegrityError
from vermilion_ledger.rows import Idempotency, RecordKind
from vermilion_ledger.store import open_database
from vermilion_ledger.store.kinds import decode_kind, encode_kind
from vermilion_ledger.store.moments import decode_moment, encode_moment


@pytest.mark.parametrize(
    "change",
    [
        {"record_key": b"\x00" * 31},
        {"record_key": b""},
        {"envelope_hash": b"\x00" * 31},
        {"salt": b""},
        {"digest": b"\x00" * 33},
        {"nonces": ((b"\x00" * 31, b"\x00" * 16),)},
        {"nonces": ((b"\x00" * 32, b"\x00" * 15),)},
        {"envelope": b"\x00" * (64 * 1024 + 1)},
    ],
)
def test_a_row_that_a_database_would_refuse_cannot_be_made(change: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        replace(make_submission(), **change)

    assert caught.value.code == "submission.malformed"


@pytest.mark.parametrize(
    ("key", "request_hash"),
    [
        ("k", b"short"),
        ("a\x00b", b"\x00" * 32),
        ("\ud800", b"\x00" * 32),
        ("x" * 1025, b"\x00" * 32),
    ],
)
def test_a_malformed_idempotency_key_is_refused(key: str, request_hash: bytes) -> None:
    with pytest.raises(InputError) as caught:
        Idempotency(key=key, request_hash=request_hash)

    assert caught.value.code == "submission.malformed"


@pytest.mark.parametrize("number", [-1, 3, 255])
def test_a_kind_that_nobody_defined_is_damage(number: int) -> None:
    with pytest.raises(IntegrityError) as caught:
        decode_kind(number)

    assert caught.value.code == "store.corrupt"


def test_kinds_keep_their_numbers() -> None:
    kinds: tuple[RecordKind, ...] = ("document", "keys", "policies")

    assert [encode_kind(kind) for kind in kinds] == [0, 1, 2]
    assert tuple(decode_kind(number) for number in range(3)) == kinds


@given(st.datetimes(timezones=st.just(UTC)))
def test_moments_survive_the_round_trip(moment: datetime) -> None:
    assert decode_moment(encode_moment(moment)) == moment


def test_moments_of_other_zones_become_utc() -> None:
    china = timezone(timedelta(hours=8))

    assert decode_moment(encode_moment(datetime(2026, 11, 21, 8, tzinfo=china))) == datetime(
        2026, 11, 21, tzinfo=UTC
    )


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        encode_moment(datetime(2026, 11, 21))  # noqa: DTZ001


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "mysql://localhost/x",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=memory",
    ],
)
def test_an_address_without_durable_database_is_refused(url: str) -> None:
    with pytest.raises(InputError) as caught:
        open_database(url)

    assert caught.value.code == "store.url"


def test_every_code_of_the_store_has_advice_in_both_languages() -> None:
    assert CODES.items() <= all_codes().items()
    for advice in CODES.values():
        assert advice.en.endswith(".")
        assert advice.zh.endswith("。")
