"""The anchorers' last words and what past anchors took, in both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from anchor_kit import NOW, TARGET, make_attempt, make_note, mined_in, seconds
from vermilion_ledger.anchor_rows import AnchorTarget, FinalAnchor, JobState
from vermilion_ledger.anchor_standing import AnchorTotals
from vermilion_ledger.store import Database

OTHER = replace(TARGET, log=b"\x03" * 32)


def finish(
    database: Database,
    number: int,
    *,
    size: int,
    target: AnchorTarget = TARGET,
    planned_at: datetime = NOW,
    **changes: Any,
) -> FinalAnchor:
    """Bring a job all the way, in a block of its own."""
    journal, mined = database.anchors, mined_in(number)
    block_hash = bytes([number]) + target.log[1:]
    job = journal.plan(target, size=size, root=bytes(32), now=planned_at)
    attempt = replace(make_attempt(number), transaction=bytes([number]) + target.log[1:])
    mined = replace(mined, transaction=attempt.transaction, block_hash=block_hash)
    job = journal.save_state(journal.save_signed(job, attempt), JobState.MINED, mined=mined)
    values: dict[str, Any] = {
        "target": target,
        "size": size,
        "root": bytes(32),
        "transaction": mined.transaction,
        "transaction_index": 0,
        "log_index": 0,
        "block_number": 9,
        "block_hash": block_hash,
        "block_time": planned_at + seconds(5),
        "header": b"header",
        "receipt": b'{"hints":{"observedAt":"2026-11-21T08:00:40Z"}}',
        "gas_used": 50_000,
        "gas_price": 10**9,
    }
    anchor = FinalAnchor(**values | changes)
    journal.save_receipt(job, anchor)
    return anchor


def test_a_word_is_kept_until_the_next_one(database: Database) -> None:
    assert database.notes.load(TARGET) is None
    first = make_note("wait.sent", note="等待", alarm="anchor.low-balance")
    later = make_note("chain.unreachable", since=NOW + seconds(1), told_at=NOW + seconds(2))

    for word in (first, first, later):
        database.notes.save(word)
        assert database.notes.load(TARGET) == word

    assert database.notes.load(OTHER) is None


def test_each_target_has_a_word_of_its_own(database: Database) -> None:
    words = [make_note("wait.sent"), replace(make_note("wait.idle"), target=OTHER)]
    for word in words:
        database.notes.save(word)

    assert [database.notes.load(each) for each in (TARGET, OTHER)] == words


def test_a_target_without_an_anchor_has_no_history(database: Database) -> None:
    database.anchors.plan(TARGET, size=5, root=bytes(32), now=NOW)  # open, not final

    assert database.history.load_finished(TARGET, limit=5) == []
    assert database.history.load_totals(TARGET) == AnchorTotals(final_size=0, vanished=0)
    assert database.history.load_paid(TARGET) == 0


def test_each_anchor_is_charged_to_the_entries_that_it_adds(database: Database) -> None:
    for number, size in enumerate((10, 1010, 1011), start=1):
        finish(database, number, size=size)
        finish(database, number, size=5 * size, target=OTHER)  # which changes nothing here

    found = database.history.load_finished(TARGET, limit=5)

    assert [(each.size, each.documents) for each in found] == [(1011, 1), (1010, 1000), (10, 10)]
    assert [each.paid_per_document for each in found] == [5 * 10**13, 5 * 10**10, 5 * 10**12]
    assert found[0].final_at == NOW + timedelta(seconds=40)
    assert database.history.load_paid(TARGET) == 1.5e14


def test_the_oldest_one_shown_knows_the_one_before_it(database: Database) -> None:
    for number, size in enumerate((10, 15, 35), start=1):
        finish(database, number, size=size)

    found = database.history.load_finished(TARGET, limit=2)

    assert [(each.size, each.documents) for each in found] == [(35, 20), (15, 5)]


def test_a_vanished_anchor_is_counted_and_no_longer_charged(database: Database) -> None:
    finish(database, 1, size=10)
    gone = finish(database, 2, size=30)
    database.anchors.save_vanished(gone, now=NOW)

    found = database.history.load_finished(TARGET, limit=5)
    totals = database.history.load_totals(TARGET)

    assert [each.size for each in found] == [10]
    assert (totals.final_size, totals.vanished) == (10, 1)
    assert database.history.load_paid(TARGET) == 1e14  # a counter never falls
    finish(database, 3, size=40)
    assert database.history.load_finished(TARGET, limit=1)[0].documents == 30


@pytest.mark.parametrize("missing", ["gas_used", "gas_price"])
def test_an_anchor_of_which_no_node_told_the_price_costs_nothing_known(
    database: Database, missing: str
) -> None:
    unknown: dict[str, Any] = {missing: None}
    finish(database, 1, size=10, receipt=b"{}", **unknown)

    (found,) = database.history.load_finished(TARGET, limit=5)

    assert (found.paid, found.final_at) == (None, None)
    assert database.history.load_paid(TARGET) == 0


def test_prices_that_pass_64_bits_are_summed(database: Database) -> None:
    for number in (1, 2):
        finish(database, number, size=10 * number, gas_used=2**53 - 1, gas_price=2**53 - 1)

    assert database.history.load_paid(TARGET) == pytest.approx(2.0**107)
    assert database.history.load_finished(TARGET, limit=1)[0].paid == (2**53 - 1) ** 2
