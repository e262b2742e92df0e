"""Giving document numbers: the next free one, or the one asked for (docs/formats/numbers.md).

A number is in the office's book from the moment at which its event is saved,
in one transaction with it. No message here names one.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from vermilion_api.services.history import StoredHistory
from vermilion_api.services.speaking import LedgerVoice
from vermilion_ledger.actor import Actor, parse_actor
from vermilion_ledger.admission import LedgerAdmission
from vermilion_ledger.encoding import Json, check_members, check_text
from vermilion_ledger.errors import ConflictError, InputError
from vermilion_ledger.log import LogReader
from vermilion_ledger.numbering import make_number_detail, present_commitment
from vermilion_ledger.numbers import (
    Disclosure,
    DocumentNumber,
    Numbering,
    NumberRow,
    check_office,
    find_gaps,
    next_serial,
    parse_number,
)
from vermilion_ledger.rows import Submission

__all__ = ["NumberBook", "NumberDesk", "NumberWish", "find_disclosure", "parse_wish"]

_REASON_SIZE_MAX = 400  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberWish:
    """Which number a record shall get.

    Attributes:
        number: This one; None for the next free one of ``office`` and ``year``.
        fill: The first gap instead of the one after the highest.
        replace: In place of the number that the record has.
        actor: Who is said to have numbered it.
    """

    number: DocumentNumber | None
    office: str
    year: int
    fill: bool
    replace: bool
    actor: Actor | None


class NumberBook(Protocol):
    """The office's book; `vermilion_ledger.store.numbers.SqlNumberStore` keeps it."""

    def load_rows(
        self, *, office: str | None = None, year: int | None = None
    ) -> Sequence[NumberRow]:
        """Return the numbers of an office and a year, or of all, in order."""
        ...

    def load_serials(self, office: str, year: int) -> Sequence[int]:
        """Return the serials that are given or void."""
        ...

    def find_by_envelope(self, envelope_hash: bytes) -> DocumentNumber | None:
        """Return the number that an envelope commits to."""
        ...

    def load_disclosure(self, commitment: bytes) -> Disclosure:
        """Return the number behind a commitment, with its salt."""
        ...

    def void(self, number: DocumentNumber, reason: str) -> None:
        """Spend a number on nothing; durable on return."""
        ...


def parse_wish(value: Json) -> NumberWish:
    """Read the body of ``POST /v1/records/{record}/number``.

    Raises:
        InputError: Not such an object, or no such number.
    """
    members = check_members(
        value,
        required=(),
        optional=("number", "office", "year", "fill", "replace", "actor"),
        what="request",
    )
    flags = {name: members.get(name, False) for name in ("fill", "replace")}
    if not all(isinstance(flag, bool) for flag in flags.values()):
        raise InputError("json.shape", "fill and replace are true or false")
    asked = members.keys() & {"office", "year", "fill"}
    needed = set() if "number" in members else {"office", "year"}
    if not needed <= asked or (asked and not needed):
        raise InputError("number.shape", "give a number, or an office with a year")
    number = parse_number(members["number"]) if not needed else None
    first = number or _first(members["office"], members["year"])
    return NumberWish(
        number=number,
        office=first.office,
        year=first.year,
        actor=parse_actor(members["actor"], what="actor") if "actor" in members else None,
        **flags,
    )


def find_disclosure(
    record_id: str, reader: LogReader, admission: LedgerAdmission, book: NumberBook
) -> Disclosure:
    """Return the number that a record has, with what opens its commitment.

    Raises:
        NotFoundError: ``record.unknown`` or ``number.unknown``.
    """
    reader.record(record_id)
    present = present_commitment(admission.history(record_id, StoredHistory(reader)))
    return book.load_disclosure(present if present is not None else b"")


class NumberDesk:
    """Makes ``number`` events and reads the book. Owned by one event loop, but for what reads."""

    def __init__(
        self,
        *,
        book: NumberBook,
        voice: LedgerVoice,
        reader: LogReader,
        admission: LedgerAdmission,
    ) -> None:
        self._book = book
        self._voice = voice
        self._reader = reader
        self._view = StoredHistory(reader)
        self._admission = admission  # of this desk alone, and asked by one thread at a time
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[_Turn]:
        """Give out numbers one after the other, until each is saved or has failed.

        Of other processes only the book knows; who loses against them asks again.
        """
        turn = _Turn(self._turn)
        await self._turn.acquire()
        try:
            yield turn
        finally:
            turn.end()

    def prepare(self, record_id: str, wish: NumberWish, *, is_repeated: bool = False) -> Submission:
        """Return the submission that gives a record its number.

        Args:
            record_id: The record.
            wish: Which number.
            is_repeated: As for `vermilion_api.services.statements.StatementDesk.accept`.

        Raises:
            NotFoundError: ``record.unknown``.
            EvidenceError: The record may not be numbered so.
        """
        number = wish.number or DocumentNumber(
            office=wish.office,
            year=wish.year,
            serial=next_serial(self._book.load_serials(wish.office, wish.year), fill=wish.fill),
        )
        present = None
        if wish.replace:
            history = self._admission.history(record_id, self._view)
            present = present_commitment(history)
            if present is None and not is_repeated:
                raise ConflictError("number.replaces", "the record has no number to be replaced")
        numbering = Numbering(number=number, salt=secrets.token_bytes(32), replaces=present)
        detail = make_number_detail(numbering.commitment, replaces=present)
        return self._voice.say(
            record_id,
            "number",
            detail,
            actor=wish.actor,
            numbering=numbering,
            is_repeated=is_repeated,
        )

    def number_of(self, envelope_hash: bytes) -> DocumentNumber | None:
        """Return the number that an entry's envelope commits to."""
        return self._book.find_by_envelope(envelope_hash)

    def void(self, value: Json) -> DocumentNumber:
        """Void a number, as the body of ``POST /v1/numbers/void`` asks.

        Raises:
            InputError: Not such an object; ``number.reason``.
            ConflictError: ``number.taken``.
        """
        members = check_members(value, required=("number", "reason"), what="request")
        number = parse_number(members["number"])
        try:
            reason = check_text(members["reason"], size_max=_REASON_SIZE_MAX, what="reason")
        except InputError as exc:
            raise InputError("number.reason", exc.message) from exc
        self._book.void(number, reason)
        return number

    def describe(self, *, office: str = "", year: int | None = None) -> dict[str, Any]:
        """Return the book: all numbers, and for each office and year what is missing."""
        rows = self._book.load_rows(office=check_office(office) if office else None, year=year)
        books: dict[tuple[str, int], list[int]] = {}
        for row in rows:
            books.setdefault((row.number.office, row.number.year), []).append(row.number.serial)
        return {
            "books": [_book(name, serials) for name, serials in sorted(books.items())],
            "numbers": [_row(row) for row in rows],
        }


class _Turn:
    """The right to give out the next number."""

    def __init__(self, lock: asyncio.Lock) -> None:
        self._lock = lock
        self._is_over = False

    def end(self) -> None:
        """Let the next one go; asking twice is harmless."""
        if not self._is_over:
            self._is_over = True
            self._lock.release()


def _first(office: Json, year: Json) -> DocumentNumber:
    """Return a number of an office and a year, to have both judged."""
    if type(year) is not int:
        raise InputError("number.year", "the year is not 1949 to 9999")
    return DocumentNumber(office=check_office(office), year=year, serial=1)


def _book(name: tuple[str, int], serials: list[int]) -> dict[str, Any]:
    return {
        "office": name[0],
        "year": name[1],
        "count": len(serials),
        "last": max(serials),
        "gaps": [list(gap) for gap in find_gaps(serials)],
    }


def _row(row: NumberRow) -> Mapping[str, Any]:
    value: dict[str, Any] = {
        "number": str(row.number),
        "state": row.state.value,
        "record": row.record,
    }
    if row.reason:
        value["reason"] = row.reason
    return value
