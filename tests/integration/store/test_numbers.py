"""The book of document numbers: none given twice, none lost, none without its submission."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from store_kit import Admit, accept, digest, make_sequencer, make_submission
from vermilion_ledger.errors import (
    ConflictError,
    IntegrityError,
    NotFoundError,
    VerificationError,
)
from vermilion_ledger.intake import Intake
from vermilion_ledger.numbers import (
    DocumentNumber,
    Numbering,
    NumberState,
    find_gaps,
    next_serial,
)
from vermilion_ledger.ports import HistoryView, IntakeStore
from vermilion_ledger.rows import Idempotency, IntakeBatch, Pending, Submission
from vermilion_ledger.store import Database, schema
from vermilion_ledger.store.engine import reading, writing

Opener = Callable[..., Database]
OFFICE, YEAR = "国办发", 2026
VICTIM = Path(__file__).with_name("number_victim.py")


def number(serial: int, office: str = OFFICE, year: int = YEAR) -> DocumentNumber:
    return DocumentNumber(office=office, year=year, serial=serial)


def numbered(
    serial: int, record: str = "a", *, replaces: bytes | None = None, office: str = OFFICE
) -> Submission:
    numbering = Numbering(number=number(serial, office), salt=os.urandom(32), replaces=replaces)
    return replace(make_submission(record), numbering=numbering)


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises((ConflictError, NotFoundError)) as caught:
        call()
    return caught.value.code


def serials(database: Database) -> list[int]:
    return sorted(database.numbers.load_serials(OFFICE, YEAR))


def assert_book_and_submissions_agree(database: Database) -> None:
    """Each row has its submission, and each submission that was told a number its row."""
    with reading(database.engine) as connection:
        rows = connection.execute(
            select(schema.document_numbers.c.position).where(
                schema.document_numbers.c.position.is_not(None)
            )
        ).scalars()
        positions = list(rows)
        known = set(connection.execute(select(schema.submissions.c.position)).scalars())
    assert len(set(positions)) == len(positions)
    assert set(positions) <= known


def test_a_number_is_given_once(database: Database, store: IntakeStore) -> None:
    (first,) = store.save_batches([IntakeBatch(submissions=(numbered(1),))])
    (second,) = store.save_batches([IntakeBatch(submissions=(numbered(1, "b"),))])

    assert not isinstance(first, Exception)
    assert isinstance(second, ConflictError)
    assert second.code == "number.taken"
    assert "国办发" not in second.message
    assert serials(database) == [1]


def test_of_two_in_one_transaction_one_is_given(database: Database, store: IntakeStore) -> None:
    batches = [IntakeBatch(submissions=(numbered(1, each),)) for each in ("a", "b")]

    results = store.save_batches(batches)

    assert [isinstance(each, ConflictError) for each in results] == [False, True]
    assert_book_and_submissions_agree(database)


def test_of_two_in_one_batch_none_is_given(database: Database) -> None:
    twice = (numbered(1), numbered(1, "b"))

    assert code_of(lambda: accept(database, *twice)) == "number.taken"
    assert serials(database) == []


def test_the_same_serial_of_another_office_or_year_is_another_number(database: Database) -> None:
    accept(database, numbered(1), numbered(1, office="国函"))
    other = Numbering(number=number(1, year=2027), salt=bytes(32))
    accept(database, replace(make_submission(), numbering=other))

    assert len(database.numbers.load_rows()) == 3


def test_a_repeated_request_gets_the_number_that_it_has(database: Database) -> None:
    idempotency = Idempotency(key="k", request_hash=digest("request"))
    made = [numbered(each) for each in (1, 2)]
    batches = [IntakeBatch(submissions=(each,), idempotency=idempotency) for each in made]

    first, again = (database.intake.save_batches([each])[0] for each in batches)

    assert not isinstance(first, Exception)
    assert not isinstance(again, Exception)
    assert again.positions == first.positions
    assert database.numbers.find_by_envelope(made[0].envelope_hash) == number(1)
    assert database.numbers.find_by_envelope(made[1].envelope_hash) is None
    assert serials(database) == [1]


def refuse(pending: Pending, _: HistoryView) -> None:
    raise VerificationError("number.second", "no")


def test_a_refused_submission_holds_no_number(database: Database) -> None:
    sequencer = make_sequencer(database, admission=Admit(refuse))
    refused, taken = numbered(1), numbered(1, "b")
    sequencer.save_batches([IntakeBatch(submissions=(refused,))])
    assert serials(database) == []
    assert database.numbers.find_by_envelope(refused.envelope_hash) is None

    accept(database, taken)

    assert database.numbers.find_by_envelope(taken.envelope_hash) == number(1)
    assert code_of(lambda: accept(database, numbered(1, "c"))) == "number.taken"


def test_a_replaced_number_stays_spent(database: Database) -> None:
    first = numbered(1)
    assert first.numbering is not None
    accept(database, first)
    accept(database, numbered(2, replaces=first.numbering.commitment))

    states = {row.number.serial: row.state for row in database.numbers.load_rows()}

    assert states == {1: NumberState.REPLACED, 2: NumberState.GIVEN}
    assert code_of(lambda: accept(database, numbered(1, "b"))) == "number.taken"


def test_a_void_number_is_no_gap_and_is_not_given(database: Database) -> None:
    accept(database, numbered(1), numbered(3, "b"))
    assert find_gaps(serials(database)) == ((2, 2),)

    database.numbers.void(number(2), "draft withdrawn")

    (row,) = (each for each in database.numbers.load_rows() if each.number.serial == 2)
    assert (row.state, row.record, row.reason) == (NumberState.VOID, None, "draft withdrawn")
    assert find_gaps(serials(database)) == ()
    assert code_of(lambda: accept(database, numbered(2, "c"))) == "number.taken"
    assert code_of(lambda: database.numbers.void(number(2), "again")) == "number.taken"
    assert code_of(lambda: database.numbers.void(number(1), "mine")) == "number.taken"


def test_a_number_of_a_refused_submission_may_be_voided(database: Database) -> None:
    sequencer = make_sequencer(database, admission=Admit(refuse))
    sequencer.save_batches([IntakeBatch(submissions=(numbered(1),))])

    database.numbers.void(number(1), "spoiled")

    assert [row.state for row in database.numbers.load_rows()] == [NumberState.VOID]


def test_a_forgotten_number_is_tied_to_nothing_and_not_given_again(database: Database) -> None:
    made = numbered(1)
    assert made.numbering is not None
    accept(database, made, numbered(2, "b"))
    commitment = made.numbering.commitment
    assert database.numbers.load_disclosure(commitment).number == number(1)

    assert database.numbers.forget(made.record_id) == 1

    assert code_of(lambda: database.numbers.load_disclosure(commitment)) == "number.unknown"
    first, second = database.numbers.load_rows(office=OFFICE, year=YEAR)
    assert (first.state, first.record) == (NumberState.FORGOTTEN, None)
    assert second.state is NumberState.GIVEN
    assert find_gaps(serials(database)) == ()
    assert code_of(lambda: accept(database, numbered(1, "c"))) == "number.taken"
    with reading(database.engine) as connection:
        row = connection.execute(
            select(schema.document_numbers).where(schema.document_numbers.c.serial == 1)
        ).one()
    assert list(row)[3:] == [None] * 6


def test_a_book_that_was_changed_opens_nothing(database: Database) -> None:
    made = numbered(1)
    assert made.numbering is not None
    accept(database, made)
    with writing(database.engine) as connection:
        connection.exec_driver_sql("UPDATE document_numbers SET serial = 2")

    with pytest.raises(IntegrityError) as caught:
        database.numbers.load_disclosure(made.numbering.commitment)

    assert caught.value.code == "number.book-differs"


def test_no_row_of_the_book_is_deleted(database: Database) -> None:
    accept(database, numbered(1))

    with pytest.raises(IntegrityError) as caught, writing(database.engine) as connection:
        connection.exec_driver_sql("DELETE FROM document_numbers")

    assert caught.value.code == "store.append-only"


def test_threads_that_number_at_once_leave_no_double_and_no_gap(
    database: Database, store: IntakeStore
) -> None:
    told: list[int] = []
    counted = threading.Barrier(4)

    def work(intake: Intake, name: int) -> None:
        counted.wait()
        for turn in range(6):
            while True:
                serial = next_serial(database.numbers.load_serials(OFFICE, YEAR))
                with suppress(ConflictError):
                    intake.submit([numbered(serial, f"{name} {turn}")]).result(30)
                    told.append(serial)
                    break

    with Intake(store) as intake:
        threads = [threading.Thread(target=work, args=(intake, each)) for each in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(told) == serials(database) == list(range(1, 25))
    assert_book_and_submissions_agree(database)


def test_processes_killed_while_they_number_leave_no_double_and_no_loss(
    url: str, database: Database
) -> None:
    moments = random.Random(20261122)
    told = run_and_kill(url, [moments.uniform(0.1, 0.4) for _ in range(3)])

    found = serials(database)
    assert len(told) == len(set(told)) > 0
    assert set(told) <= set(found)
    assert find_gaps(found) == ()  # what was not told is in the book all the same
    assert_book_and_submissions_agree(database)
    with reading(database.engine) as connection:
        count = len(connection.execute(select(schema.submissions.c.position)).all())
    assert count == len(found)  # no submission without its number either


def run_and_kill(url: str, seconds: Sequence[float]) -> list[int]:
    """Run processes side by side, kill each a while after it has begun; what they told."""
    children = [
        subprocess.Popen(
            [sys.executable, str(VICTIM), url],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in seconds
    ]
    told: list[int] = []
    for child, pause in zip(children, seconds, strict=True):
        assert child.stdout is not None
        told.append(int(child.stdout.readline()))
        time.sleep(pause)
        child.kill()
    for child in children:
        rest, _ = child.communicate(timeout=30)
        told += [int(line) for line in rest.rpartition("\n")[0].split()]
    return told
