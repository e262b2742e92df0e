"""Time-stamps in the store: one for each authority and checkpoint, and never another."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from store_filled import TARGET, make_final
from vermilion_ledger.anchor_rows import FinalAnchor, StoredTimestamp
from vermilion_ledger.errors import InputError
from vermilion_ledger.store import Database

NOW = datetime(2026, 11, 22, 5, tzinfo=UTC)
FIRST, SECOND = "http://first.example/tsa", "http://second.example/tsa"


def stamp(size: int, authority: str = FIRST, token: bytes = b"token") -> StoredTimestamp:
    return StoredTimestamp(size=size, authority=authority, token=token, time=NOW)


def anchored(database: Database, size: int, *, chain_id: int = TARGET.chain_id) -> FinalAnchor:
    target = replace(TARGET, chain_id=chain_id)
    root = hashlib.sha256(b"%d" % size).digest()
    job = database.anchors.plan(target, size=size, root=root, now=NOW)
    anchor = replace(make_final(), target=target, size=size, root=root, block_hash=root)
    database.anchors.save_receipt(job, anchor)
    return anchor


def test_anchored_sizes_wait_newest_first_for_each_authority(database: Database) -> None:
    for size in (3, 5, 9):
        anchored(database, size)
    anchored(database, 5, chain_id=1)

    database.timestamps.save(stamp(9))

    assert database.timestamps.sizes_without(FIRST, among=10) == [5, 3]
    assert database.timestamps.sizes_without(SECOND, among=10) == [9, 5, 3]


def test_only_the_newest_are_looked_at(database: Database) -> None:
    for size in (3, 5, 9):
        anchored(database, size)
    database.timestamps.save(stamp(9))

    assert database.timestamps.sizes_without(FIRST, among=2) == [5]
    assert database.timestamps.sizes_without(FIRST, among=1) == []


def test_nothing_waits_before_an_anchor_is_final(database: Database) -> None:
    database.anchors.plan(TARGET, size=1, root=bytes(32), now=NOW)

    assert database.timestamps.sizes_without(FIRST, among=10) == []


def test_the_first_token_stays_and_a_second_changes_nothing(database: Database) -> None:
    database.timestamps.save(stamp(5))
    database.timestamps.save(stamp(5, token=b"another"))

    assert database.timestamps.load(5) == [stamp(5)]


def test_they_are_given_out_by_checkpoint(database: Database) -> None:
    for each in (stamp(5, SECOND), stamp(5, FIRST), stamp(7, FIRST)):
        database.timestamps.save(each)

    assert database.timestamps.load(5) == [stamp(5, FIRST), stamp(5, SECOND)]
    assert database.timestamps.load(6) == []
    assert database.timestamps.list_newest(limit=2) == [stamp(7), stamp(5)]


@pytest.mark.parametrize("change", [{"size": 0}, {"token": b""}, {"authority": ""}])
def test_a_row_that_cannot_be_is_refused(change: dict[str, object]) -> None:
    make: Callable[..., StoredTimestamp] = replace
    with pytest.raises(InputError):
        make(stamp(1), **change)
