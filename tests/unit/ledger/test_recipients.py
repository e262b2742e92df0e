"""Recipients are committed to, and shown one by one."""

from __future__ import annotations

import hashlib
import json

import pytest

from office import secret
from vermilion_ledger.errors import InputError
from vermilion_ledger.recipients import Recipient, parse_recipients

FINANCE = Recipient(name="财政局", salt=secret("salt of finance"))
ARCHIVE = Recipient(name="档案馆", salt=secret("salt of archive"))


def test_the_commitment_is_that_of_the_document() -> None:
    data = b"vermilion/recipient/v1\x00" + FINANCE.salt + "财政局".encode()

    assert FINANCE.commitment == hashlib.sha256(data).digest()


def test_lines_open_their_commitments_and_no_other() -> None:
    lines = FINANCE.encode_line() + ARCHIVE.encode_line()

    assert parse_recipients(lines) == (FINANCE, ARCHIVE)
    assert parse_recipients(ARCHIVE.encode_line()) == (ARCHIVE,)
    assert "财政局" not in ARCHIVE.encode_line().decode()


def test_the_same_name_has_another_commitment_under_another_salt() -> None:
    assert Recipient(name="财政局", salt=ARCHIVE.salt).commitment != FINANCE.commitment


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 201, "a\u202eb"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        Recipient(name=name, salt=bytes(32))


def test_a_short_salt_is_refused() -> None:
    with pytest.raises(InputError):
        Recipient(name="财政局", salt=bytes(31))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"recipient": "档案馆"}, "recipient.commitment"),
        ({"salt": "00" * 32}, "recipient.commitment"),
        ({"copy": "00" * 32}, "recipient.commitment"),
        ({"copy": "00"}, "hex.malformed"),
        ({"more": 1}, "json.unknown-member"),
        ({"recipient": 1}, "text.shape"),
    ],
)
def test_a_line_that_opens_nothing_is_refused(change: dict[str, object], code: str) -> None:
    line = json.dumps(json.loads(FINANCE.encode_line()) | change).encode()

    with pytest.raises(InputError) as caught:
        parse_recipients(ARCHIVE.encode_line() + line)

    assert caught.value.code == code


def test_a_file_without_end_is_refused() -> None:
    with pytest.raises(InputError):
        parse_recipients(b"\n" * (16 * 1024 * 1024 + 1))
