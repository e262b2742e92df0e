"""The office's book of document numbers: one row for each number ever given.

A row is written in the transaction that saves the submission which carries its
commitment, so neither is there without the other. A row whose submission the
sequencer refused holds nothing: whoever is given the number next takes the row
over. No row is ever deleted, or a number could be given twice: voiding and
forgetting leave the number alone in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Select, select, tuple_, update

from vermilion_ledger.errors import ConflictError, IntegrityError, NotFoundError
from vermilion_ledger.numbers import Disclosure, DocumentNumber, NumberRow, NumberState
from vermilion_ledger.rows import Submission
from vermilion_ledger.store import schema
from vermilion_ledger.store.bulk import chunks, insert_rows
from vermilion_ledger.store.engine import reading, writing

__all__ = ["NumberBook", "SqlNumberStore", "forget_numbers"]

_BLANK = dict.fromkeys(("position", "record", "salt", "commitment", "replaces"))

_numbers = schema.document_numbers.c
_refusals = schema.refusals.c
_KEY = (_numbers.office, _numbers.year, _numbers.serial)
_COLUMNS = ("office", "year", "serial", "position", "record", "salt", "commitment", "replaces")
_FEW = 500  # numbers looked up in one statement


class NumberBook:
    """What one transaction of the intake gives out. Owned by that transaction."""

    def __init__(self, connection: Connection, submissions: Sequence[Submission]) -> None:
        self._connection = connection
        self._held: set[tuple[str, int, int]] = set()
        self._stale: set[tuple[str, int, int]] = set()
        self._noted: list[tuple[Any, ...]] = []
        keys = sorted({_key(each.numbering.number) for each in submissions if each.numbering})
        for part in chunks(keys, _FEW):
            query = (
                select(*_KEY, _refusals.position)
                .outerjoin(schema.refusals, _refusals.position == _numbers.position)
                .where(tuple_(*_KEY).in_(part))
            )
            for office, year, serial, refused in connection.execute(query):
                (self._held if refused is None else self._stale).add((office, year, serial))

    def is_held(self, number: DocumentNumber) -> bool:
        """Tell whether somebody has the number."""
        return _key(number) in self._held

    def note(self, submission: Submission, position: int) -> None:
        """Give a submission the number that it carries; it is held from now on."""
        numbering = submission.numbering
        assert numbering is not None  # noqa: S101 - asked for by whoever looked
        key = _key(numbering.number)
        self._held.add(key)
        opened = (numbering.salt, numbering.commitment, numbering.replaces)
        self._noted.append((*key, position, submission.record_id, *opened))

    def insert(self) -> None:
        """Write every row that was noted."""
        fresh = [row for row in self._noted if row[:3] not in self._stale]
        insert_rows(self._connection, schema.document_numbers, _COLUMNS, fresh)
        for row in self._noted:
            if row[:3] in self._stale:
                changed = dict(zip(_COLUMNS[3:], row[3:], strict=True))
                self._connection.execute(
                    update(schema.document_numbers)
                    .where(tuple_(*_KEY).in_([row[:3]]))
                    .values(**changed)
                )


class SqlNumberStore:
    """Reads the book, and writes into it what needs no entry in the log."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def load_rows(
        self, *, office: str | None = None, year: int | None = None
    ) -> Sequence[NumberRow]:
        """Return the numbers of an office and a year, or of all, in order."""
        query = _live(*_KEY, _numbers.record, _numbers.commitment, _numbers.reason).order_by(*_KEY)
        if office is not None:
            query = query.where(_numbers.office == office)
        if year is not None:
            query = query.where(_numbers.year == year)
        replaced = _live(_numbers.replaces).where(_numbers.replaces.is_not(None))
        with reading(self._engine) as connection:
            gone = set(connection.execute(replaced).scalars())
            return [_row(row, gone) for row in connection.execute(query)]

    def load_serials(self, office: str, year: int) -> Sequence[int]:
        """Return the serials of an office and a year that are given or void."""
        query = _live(_numbers.serial).where(_numbers.office == office, _numbers.year == year)
        with reading(self._engine) as connection:
            return list(connection.execute(query).scalars())

    def find_by_envelope(self, envelope_hash: bytes) -> DocumentNumber | None:
        """Return the number that an envelope's statement commits to."""
        known = schema.known_envelopes.c
        query = (
            _live(*_KEY)
            .join(schema.known_envelopes, known.position == _numbers.position)
            .where(known.envelope_hash == envelope_hash)
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        return None if row is None else _number(row)

    def load_disclosure(self, commitment: bytes) -> Disclosure:
        """Return the number behind a commitment, with its salt.

        Raises:
            NotFoundError: ``number.unknown``: it is not of this office, or forgotten.
            IntegrityError: ``number.book-differs``: the book does not open what it names.
        """
        query = _live(*_KEY, _numbers.salt).where(_numbers.commitment == commitment)
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        if row is None:
            raise NotFoundError("number.unknown", "the office has no number for this commitment")
        found = Disclosure(number=_number(row), salt=row.salt)
        if found.commitment != commitment:
            raise IntegrityError("number.book-differs", "the book was changed after it was written")
        return found

    def void(self, number: DocumentNumber, reason: str) -> None:
        """Spend a number on nothing, so that it is no gap; durable on return.

        Raises:
            ConflictError: ``number.taken``: somebody has it.
        """
        try:
            with writing(self._engine, one_state=True) as connection:
                _spend(connection, _key(number), reason)
        except ConflictError as exc:
            if exc.code != "store.conflict":
                raise
            raise ConflictError("number.taken", "this number was given a moment ago") from exc

    def forget(self, record_id: str) -> int:
        """Destroy what ties numbers to a record; return how many there were."""
        with writing(self._engine) as connection:
            return forget_numbers(connection, record_id)


def forget_numbers(connection: Connection, record_id: str) -> int:
    """Destroy what ties numbers to a record, in a transaction; return how many there were.

    The numbers stay spent: they are no gap, and nobody is given them again.
    Without salt, record and submission nothing in the log can be tied to them.
    """
    statement = (
        update(schema.document_numbers)
        .where(_numbers.record == record_id)
        .values(**_BLANK, reason=None)
    )
    return connection.execute(statement).rowcount


def _spend(connection: Connection, key: tuple[str, int, int], reason: str) -> None:
    query = (
        select(_numbers.serial, _refusals.position)
        .outerjoin(schema.refusals, _refusals.position == _numbers.position)
        .where(tuple_(*_KEY).in_([key]))
    )
    row = connection.execute(query).first()
    if row is None:
        columns = ("office", "year", "serial", "reason")
        insert_rows(connection, schema.document_numbers, columns, [(*key, reason)])
        return
    if row.position is None:
        raise ConflictError("number.taken", "this number is in the book already")
    connection.execute(
        update(schema.document_numbers)
        .where(tuple_(*_KEY).in_([key]))
        .values(**_BLANK, reason=reason)
    )


def _live(*columns: Any) -> Select[Any]:
    """Select from the rows that hold their number: none whose submission was refused."""
    return (
        select(*columns)
        .select_from(schema.document_numbers)
        .outerjoin(schema.refusals, _refusals.position == _numbers.position)
        .where(_refusals.position.is_(None))
    )


def _key(number: DocumentNumber) -> tuple[str, int, int]:
    return number.office, number.year, number.serial


def _number(row: Any) -> DocumentNumber:
    return DocumentNumber(office=row.office, year=row.year, serial=row.serial)


def _row(row: Any, replaced: set[bytes]) -> NumberRow:
    state = NumberState.GIVEN
    if row.reason is not None:
        state = NumberState.VOID
    elif row.record is None:
        state = NumberState.FORGOTTEN
    elif row.commitment in replaced:
        state = NumberState.REPLACED
    return NumberRow(number=_number(row), state=state, record=row.record, reason=row.reason or "")
