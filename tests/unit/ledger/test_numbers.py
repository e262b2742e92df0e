"""Document numbers: one canonical form, many ways to write it, and many that are refused."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vermilion_ledger.errors import EvidenceError, InputError
from vermilion_ledger.numbers import (
    SERIAL_MAX,
    Disclosure,
    DocumentNumber,
    Numbering,
    check_office,
    commit_number,
    find_gaps,
    next_serial,
    parse_disclosure,
    parse_number,
)

FIFTH = DocumentNumber(office="国办发", year=2026, serial=5)
SALT = bytes(range(32))


def refusal(text: object) -> str:
    with pytest.raises(InputError) as caught:
        parse_number(text)
    return caught.value.code


@pytest.mark.parametrize(
    "text",
    [
        "国办发〔2026〕5号",
        "国办发[2026]5号",
        "国办发(2026)5号",
        "国办发（2026）5号",
        "国办发【2026】5号",
        "国办发［2026］5号",
        "国办发〔２０２６〕５号",
        " 国办发 〔 2026 〕 5 号 ",
        "\u3000国办发\u3000〔2026〕5号\u3000",
    ],
)
def test_every_way_of_writing_leads_to_the_canonical_form(text: str) -> None:
    assert parse_number(text) == FIFTH
    assert str(parse_number(text)) == "国办发〔2026〕5号"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("〔2026〕5号", "number.office"),
        (" 〔2026〕5号", "number.office"),
        ("国 办发〔2026〕5号", "number.office"),
        ("国办发、〔2026〕5号", "number.office"),
        ("国\u200b办发〔2026〕5号", "number.office"),
        ("国\u202e办发〔2026〕5号", "number.office"),
        ("国\x00办发〔2026〕5号", "number.office"),
        ("5国办发〔2026〕5号", "number.office"),
        ("-发〔2026〕5号", "number.office"),
        ("国①〔2026〕5号".replace("①", "\u20dd"), "number.office"),
        ("国" * 41 + "〔2026〕5号", "number.office"),
        ("国办发〔2026〕第5号", "number.ordinal"),
        ("国办发〔2026〕 第 5 号", "number.ordinal"),
        ("国办发〔2026〕05号", "number.leading-zero"),
        ("国办发〔2026〕００５号", "number.leading-zero"),
        ("国办发〔2026〕0号", "number.serial"),
        ("国办发〔2026〕000号", "number.serial"),
        ("国办发〔2026〕1000000号", "number.serial"),
        ("国办发〔2026〕99999999999999999999号", "number.serial"),
        ("国办发〔1948〕5号", "number.year"),
        ("国办发〔26〕5号", "number.year"),
        ("国办发〔02026〕5号", "number.year"),
        ("国办发〔10000〕5号", "number.year"),
        ("国办发〔2026〕5", "number.shape"),
        ("国办发〔2026〕号", "number.shape"),
        ("国办发〔2026〕五号", "number.shape"),
        ("国办发〔二〇二六〕5号", "number.shape"),
        ("国办发〔2026〕5 6号", "number.shape"),
        ("国办发〔2026〕5号之一", "number.shape"),
        ("国办发〔2026]5号", "number.shape"),
        ("国办发(2026）5号", "number.shape"),
        ("国办发2026年5号", "number.shape"),
        ("国办发〔2026〕٥号", "number.shape"),
        ("国办发〔2026〕-5号", "number.shape"),
        ("国办发〔2026〕5号\n", "number.shape"),
        ("国\n办发〔2026〕5号", "number.shape"),
        ("", "number.shape"),
        ("国" * 500, "number.shape"),
        (5, "number.shape"),
        (None, "number.shape"),
    ],
)
def test_what_is_no_number_is_refused(text: object, code: str) -> None:
    assert refusal(text) == code


def test_no_message_repeats_what_was_given() -> None:
    for text in ("京密发〔2026〕第5号", "京密发〔2026〕05号", "京密 发〔2026〕5号", "京密发5号"):
        with pytest.raises(InputError) as caught:
            parse_number(text)
        assert "京密" not in caught.value.message


def test_look_alikes_of_an_office_are_one_office() -> None:
    assert check_office("ＡＢ办") == check_office("AB办") == "AB办"
    with pytest.raises(InputError):
        DocumentNumber(office="ＡＢ办", year=2026, serial=1)


offices = st.text("国办发财京沪a-Z0", min_size=1, max_size=40).filter(
    lambda text: text[0].isalpha()
)
numbers = st.builds(
    DocumentNumber,
    office=offices,
    year=st.integers(1949, 9999),
    serial=st.integers(1, SERIAL_MAX),
)


@given(numbers, st.sampled_from(["〔〕", "[]", "()", "（）", "【】", "［］"]))
def test_what_is_written_is_read_back(number: DocumentNumber, brackets: str) -> None:
    text = str(number).replace("〔", brackets[0]).replace("〕", brackets[1])

    assert parse_number(text) == number


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse_number(text)
    except InputError:
        return
    assert parse_number(str(found)) == found


@given(numbers, numbers, st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_number_and_salt_are_what_a_commitment_is_to(
    one: DocumentNumber, other: DocumentNumber, salt: bytes, second: bytes
) -> None:
    same = (one, salt) == (other, second)

    assert (commit_number(one, salt) == commit_number(other, second)) is same


def test_the_commitment_is_the_one_of_the_specification() -> None:
    expected = hashlib.sha256(b"vermilion/number/v1\x00" + SALT + "国办发〔2026〕5号".encode())

    assert commit_number(FIFTH, SALT) == expected.digest()
    assert Numbering(number=FIFTH, salt=SALT).commitment == expected.digest()


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_salt_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(InputError) as caught:
        commit_number(FIFTH, bytes(size))
    assert caught.value.code == "number.salt"


def test_a_number_file_is_read_as_it_was_written() -> None:
    made = Disclosure(number=FIFTH, salt=SALT)

    assert parse_disclosure(made.encode()) == made


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"salt": "00" * 32}, "number.not-opened"),
        ({"number": "国办发〔2026〕6号"}, "number.not-opened"),
        ({"commitment": "00" * 32}, "number.not-opened"),
        ({"number": "国办发[2026]5号"}, "json.not-canonical"),
        ({"number": "国办发〔2026〕05号"}, "number.leading-zero"),
        ({"number": 5}, "number.shape"),
        ({"salt": "00" * 31}, "hex.malformed"),
        ({"salt": SALT.hex().upper()}, "hex.malformed"),
        ({"record": "rec_"}, "json.unknown-member"),
        ({"salt": None}, "hex.malformed"),
    ],
)
def test_a_changed_number_file_is_refused(change: dict[str, object], code: str) -> None:
    value = json.loads(Disclosure(number=FIFTH, salt=SALT).encode()) | change
    data = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    with pytest.raises(EvidenceError) as caught:
        parse_disclosure(data)

    assert caught.value.code == code


def test_a_number_file_with_spaces_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        parse_disclosure(Disclosure(number=FIFTH, salt=SALT).encode() + b"\n")
    assert caught.value.code == "json.not-canonical"


@given(st.sets(st.integers(1, 60)))
def test_gaps_and_serials_together_are_all_up_to_the_last(serials: set[int]) -> None:
    missing = {each for first, last in find_gaps(serials) for each in range(first, last + 1)}

    assert missing | serials == set(range(1, max(serials, default=0) + 1))
    assert not missing & serials
    assert next_serial(serials) == max(serials, default=0) + 1
    assert next_serial(serials, fill=True) == min({*missing, next_serial(serials)})


def test_when_all_serials_are_given_there_is_no_next_one() -> None:
    with pytest.raises(InputError) as caught:
        next_serial([SERIAL_MAX])
    assert caught.value.code == "number.serial"
    assert next_serial([SERIAL_MAX], fill=True) == 1
