"""Records that have a life are listed page by page, on both databases."""

from __future__ import annotations

import pytest

from store_kit import make_sequencer, make_submission, place, record_key
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.store import Database
from vermilion_ledger.store.lives import SqlLives


def ids(*names: str) -> list[str]:
    return [make_record_id(record_key(name)) for name in names]


def walk(lives: SqlLives, limit: int) -> list[list[str]]:
    """Every page until an empty one."""
    pages, after = [], -1
    while page := lives.next_records(after, limit):
        pages.append([record_id for _, record_id in page])
        after = page[-1][0]
    return pages


@pytest.mark.parametrize(("limit", "pages"), [(1, [1, 1, 1]), (2, [2, 1]), (9, [3])])
def test_each_record_with_a_second_entry_is_listed_once_in_the_order_of_the_log(
    database: Database, limit: int, pages: list[int]
) -> None:
    names = ["a", "b", "alone", "c", "b", "a", "b", "c", "b", "a"]
    sequencer = make_sequencer(database)
    place(sequencer, *(make_submission(name) for name in names))
    place(sequencer, *(make_submission("keys", kind="keys") for _ in range(2)))

    found = walk(SqlLives(database.engine), limit)

    assert [len(page) for page in found] == pages
    assert [record_id for page in found for record_id in page] == ids("b", "a", "c")


def test_an_empty_log_has_none(database: Database) -> None:
    assert walk(SqlLives(database.engine), 5) == []
