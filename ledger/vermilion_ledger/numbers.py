"""Document numbers (发文字号): how they are written, committed to and disclosed.

GB/T 9704: office code, year in six-corner brackets, serial, 号, as in
``国办发〔2026〕5号``. A number stays in the office: what the log commits to is a
salted digest of it (docs/formats/numbers.md). No message of this module repeats
what it was given, since messages end in logs.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from vermilion_ledger.encoding import (
    check_members,
    encode_json,
    encode_parsed,
    parse_hex,
    parse_json,
)
from vermilion_ledger.errors import InputError, VerificationError

__all__ = [
    "SERIAL_MAX",
    "Disclosure",
    "DocumentNumber",
    "NumberRow",
    "NumberState",
    "Numbering",
    "check_office",
    "commit_number",
    "find_gaps",
    "next_serial",
    "parse_disclosure",
    "parse_number",
]

SERIAL_MAX = 999_999
_YEARS = range(1949, 10_000)
_OFFICE_SIZE_MAX = 40  # characters
_TEXT_SIZE_MAX = 200  # characters, before anything else is looked at
_DISCLOSURE_SIZE_MAX = 4096  # bytes
_SALT_SIZE = 32
# Written on keyboards in many ways; each opening bracket closes with its own.
_BRACKETS = {"〔": "〕", "[": "]", "(": ")", "（": "）", "【": "】", "［": "］"}
_DIGITS = str.maketrans("０１２３４５６７８９", "0123456789")
_GAP = "[ \u3000]*"
_NUMBER = re.compile(
    rf"{_GAP}(?P<office>.*?){_GAP}(?P<open>[{re.escape(''.join(_BRACKETS))}]){_GAP}"
    rf"(?P<year>[0-9]+){_GAP}(?P<close>.){_GAP}(?P<ordinal>第?){_GAP}"
    rf"(?P<serial>[0-9]+){_GAP}号{_GAP}\Z",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class DocumentNumber:
    """One number; its text is the canonical form.

    Attributes:
        office: Office code (机关代字): letters, digits and hyphens.
        year: 1949 to 9999.
        serial: 1 to 999,999.

    >>> str(DocumentNumber(office="国办发", year=2026, serial=5))
    '国办发〔2026〕5号'
    """

    office: str
    year: int
    serial: int

    def __post_init__(self) -> None:
        if check_office(self.office) != self.office:
            raise InputError("number.office", "the office code is not in its canonical form")
        if self.year not in _YEARS:
            raise InputError("number.year", "the year is not 1949 to 9999")
        if not 1 <= self.serial <= SERIAL_MAX:
            raise InputError("number.serial", f"the serial is not 1 to {SERIAL_MAX}")

    def __str__(self) -> str:
        return f"{self.office}〔{self.year}〕{self.serial}号"


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbering:
    """A number about to be given, with what opens its commitment.

    Attributes:
        salt: 32 random bytes of its own.
        replaces: Commitment of the record's number so far; None where it has none.
    """

    number: DocumentNumber
    salt: bytes
    replaces: bytes | None = None

    @property
    def commitment(self) -> bytes:
        """What the statement carries."""
        return commit_number(self.number, self.salt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """A number shown to somebody, with the salt that opens its commitment."""

    number: DocumentNumber
    salt: bytes

    @property
    def commitment(self) -> bytes:
        """What the record's ``number`` event must carry."""
        return commit_number(self.number, self.salt)

    def encode(self) -> bytes:
        """Return the bytes of the file that is handed over."""
        return encode_json(
            {
                "commitment": self.commitment.hex(),
                "number": str(self.number),
                "salt": self.salt.hex(),
            }
        )


class NumberState(StrEnum):
    """What became of a number."""

    GIVEN = "given"
    REPLACED = "replaced"
    VOID = "void"
    FORGOTTEN = "forgotten"
    """Its record was destroyed; that the number was used is all that is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRow:
    """One number in the book.

    Attributes:
        record: The record that has it, or had it; None where void or forgotten.
        reason: Why it is void; empty otherwise.
    """

    number: DocumentNumber
    state: NumberState
    record: str | None
    reason: str


def parse_number(text: object) -> DocumentNumber:
    """Read a number as people write it; brackets, digits and spaces vary.

    Raises:
        InputError: ``number.shape``, or a code for the part that is wrong.

    >>> str(parse_number(" 国办发 [２０２６] 5 号"))
    '国办发〔2026〕5号'
    """
    if not isinstance(text, str) or len(text) > _TEXT_SIZE_MAX:
        raise InputError("number.shape", "a document number is a short text")
    found = _NUMBER.match(text.translate(_DIGITS))
    if found is None or found["close"] != _BRACKETS[found["open"]]:
        raise InputError("number.shape", "a document number is written 机关代字〔YYYY〕N号")
    if found["ordinal"]:
        raise InputError("number.ordinal", "a serial stands without 第")
    if found["serial"].startswith("0") and found["serial"].strip("0"):
        raise InputError("number.leading-zero", "a serial has no leading zeros")
    if len(found["year"]) != 4:
        raise InputError("number.year", "the year has not four digits")
    if len(found["serial"]) > len(str(SERIAL_MAX)):
        raise InputError("number.serial", f"the serial is not 1 to {SERIAL_MAX}")
    return DocumentNumber(
        office=check_office(found["office"]), year=int(found["year"]), serial=int(found["serial"])
    )


def check_office(text: object) -> str:
    """Return an office code in its canonical form: without look-alikes of the same letter.

    Raises:
        InputError: ``number.office``: empty, too long, or with something else
            than letters, digits and hyphens after a letter.
    """
    if not isinstance(text, str) or not 0 < len(text) <= _OFFICE_SIZE_MAX:
        raise InputError(
            "number.office", f"the office code has not 1 to {_OFFICE_SIZE_MAX} letters"
        )
    office = unicodedata.normalize("NFKC", text)
    if not office[:1].isalpha() or not all(map(_is_of_office, office)):
        raise InputError("number.office", "the office code is not letters, digits and hyphens")
    if len(office) > _OFFICE_SIZE_MAX:
        raise InputError(
            "number.office", f"the office code has not 1 to {_OFFICE_SIZE_MAX} letters"
        )
    return office


def commit_number(number: DocumentNumber, salt: bytes) -> bytes:
    """Return ``H("vermilion/number/v1" ‖ 0x00 ‖ salt ‖ canonical number)``.

    Raises:
        InputError: ``number.salt``: not 32 bytes.
    """
    if len(salt) != _SALT_SIZE:
        raise InputError("number.salt", f"a salt of {len(salt)} bytes, not {_SALT_SIZE}")
    return hashlib.sha256(b"vermilion/number/v1\x00" + salt + str(number).encode()).digest()


def parse_disclosure(data: bytes) -> Disclosure:
    """Read the file that somebody was handed.

    Raises:
        InputError: Not canonical, or its number is not in canonical form.
        VerificationError: ``number.not-opened``: number and salt do not lead to
            the commitment that the file itself states.
    """
    value = parse_json(data, size_max=_DISCLOSURE_SIZE_MAX, what="number file")
    members = check_members(value, required=("commitment", "number", "salt"), what="number file")
    stated = parse_hex(members["commitment"], size=32, what="commitment")
    number = parse_number(members["number"])
    found = Disclosure(number=number, salt=parse_hex(members["salt"], size=_SALT_SIZE, what="salt"))
    if str(number) != members["number"] or encode_parsed(value) != data:
        raise InputError("json.not-canonical", "the number file is not in canonical form")
    if found.commitment != stated:
        raise VerificationError("number.not-opened", "number and salt open another commitment")
    return found


def find_gaps(serials: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Return what is missing between 1 and the highest serial, as ranges with both ends.

    >>> find_gaps([1, 2, 6, 4])
    ((3, 3), (5, 5))
    """
    gaps: list[tuple[int, int]] = []
    expected = 1
    for serial in sorted(set(serials)):
        if serial > expected:
            gaps.append((expected, serial - 1))
        expected = serial + 1
    return tuple(gaps)


def next_serial(serials: Iterable[int], *, fill: bool = False) -> int:
    """Return the serial to give next: after the highest, or in the first gap.

    Raises:
        InputError: ``number.serial``: all are given.
    """
    used = set(serials)
    gaps = find_gaps(used) if fill else ()
    serial = gaps[0][0] if gaps else max(used, default=0) + 1
    if serial > SERIAL_MAX:
        raise InputError("number.serial", f"no serial up to {SERIAL_MAX} is left")
    return serial


def _is_of_office(character: str) -> bool:
    return character.isalpha() or character == "-" or character in "0123456789"
