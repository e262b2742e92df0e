"""The stamper: every anchored checkpoint, once, whatever the authorities do meanwhile."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from store_filled import TARGET, make_final
from tsa import RealAuthority, running_tsa
from vermilion_anchor.settings import Progress
from vermilion_anchor.stamper import Stamper
from vermilion_anchor.tsa import HttpAuthority
from vermilion_ledger.anchor_rows import StoredTimestamp
from vermilion_ledger.errors import UnavailableError, VerificationError
from vermilion_ledger.store import Database, open_database
from vermilion_ledger.store.timestamps import SqlTimestampStore
from vermilion_ledger.timestamp.verify import verify_token

NOW = datetime(2026, 11, 22, 5, tzinfo=UTC)
REPLY = "application/timestamp-reply"


class Checkpoints:
    """Texts of every size but those that somebody else published."""

    def __init__(self, *foreign: int) -> None:
        self.foreign = foreign

    def signed_text(self, size: int) -> bytes | None:
        return None if size in self.foreign else b"log.example\n%d\nroot\n" % size


@pytest.fixture
def tsa(tmp_path: Path) -> Iterator[RealAuthority]:
    with running_tsa(tmp_path / "tsa") as running:
        yield running


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'ledger.db'}")
    opened.migrate()
    yield opened
    opened.close()


def anchor(database: Database, *sizes: int) -> None:
    for size in sizes:
        root = hashlib.sha256(b"%d" % size).digest()
        job = database.anchors.plan(TARGET, size=size, root=root, now=NOW)
        database.anchors.save_receipt(
            job, replace(make_final(), size=size, root=root, block_hash=root)
        )


def make_stamper(tsa: RealAuthority, database: Database, *foreign: int) -> Stamper:
    return Stamper(
        HttpAuthority(tsa.url, tsa.root.authority(), timeout_seconds=5.0),
        store=database.timestamps,
        checkpoints=Checkpoints(*foreign),
        poll_seconds=0.02,
        retry_seconds_max=0.05,
    )


def sizes(database: Database) -> list[int]:
    return [each.size for each in database.timestamps.list_newest(limit=100)]


def test_the_newest_comes_first_and_each_once(tsa: RealAuthority, database: Database) -> None:
    anchor(database, 3, 5, 9)
    stamper = make_stamper(tsa, database)

    done = [stamper.step() for _ in range(4)]

    assert [each.size for each in done] == [9, 5, 3, 0]
    assert [each.is_waiting for each in done] == [False, False, False, True]
    assert len(tsa.asked) == 3
    for size in (3, 5, 9):
        (stamp,) = database.timestamps.load(size)
        found = verify_token(stamp.token, b"log.example\n%d\nroot\n" % size, [tsa.root.authority()])
        assert (stamp.time, stamp.authority) == (found.time, tsa.url)


def test_a_new_process_asks_for_nothing_twice(tsa: RealAuthority, database: Database) -> None:
    anchor(database, 3)
    make_stamper(tsa, database).step()

    assert make_stamper(tsa, database).step().is_waiting
    assert len(tsa.asked) == 1


class Dying:
    """A store before which the process is killed."""

    def __init__(self, store: SqlTimestampStore) -> None:
        self.sizes_without = store.sizes_without

    def save(self, stamp: StoredTimestamp) -> None:
        raise KeyboardInterrupt


def test_killed_before_the_token_was_stored_it_asks_again(
    tsa: RealAuthority, database: Database
) -> None:
    anchor(database, 3)
    dying = Stamper(
        HttpAuthority(tsa.url, tsa.root.authority()),
        store=Dying(database.timestamps),
        checkpoints=Checkpoints(),
    )
    with pytest.raises(KeyboardInterrupt):
        dying.step()
    assert sizes(database) == []

    make_stamper(tsa, database).step()

    assert sizes(database) == [3]
    assert len(tsa.asked) == 2


def test_two_stampers_at_once_store_one_token(tsa: RealAuthority, database: Database) -> None:
    anchor(database, 3)
    stampers = [make_stamper(tsa, database) for _ in range(4)]
    threads = [threading.Thread(target=each.step) for each in stampers]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sizes(database) == [3]


def test_a_size_that_we_did_not_publish_is_passed_over(
    tsa: RealAuthority, database: Database
) -> None:
    anchor(database, 3, 5)

    assert make_stamper(tsa, database, 5).step().size == 3


def test_what_does_not_hold_is_not_stored(tsa: RealAuthority, database: Database) -> None:
    anchor(database, 3)
    real = tsa.answer

    def lie(query: bytes) -> tuple[int, str, bytes]:
        status, kind, body = real(query)
        return status, kind, body[:-1] + bytes([body[-1] ^ 1])

    tsa.answer = lie
    with pytest.raises((VerificationError, UnavailableError)):
        make_stamper(tsa, database).step()

    assert sizes(database) == []


def test_it_goes_on_after_any_failure(tsa: RealAuthority, database: Database) -> None:
    anchor(database, 3)
    real, answers = tsa.answer, iter([b"", b"<html></html>", b"\x30\x00"])

    def recover(query: bytes) -> tuple[int, str, bytes]:
        body = next(answers, None)
        return real(query) if body is None else (200, REPLY, body)

    tsa.answer = recover
    stop = threading.Event()
    told: list[Progress] = []

    def notify(progress: Progress) -> None:
        told.append(progress)
        if progress.note == "nothing to stamp":
            stop.set()

    make_stamper(tsa, database).run(stop, notify=notify)

    assert [each.error is not None for each in told] == [True, True, True, False, False]
    assert sizes(database) == [3]


def test_authorities_do_not_wait_for_each_other(
    tsa: RealAuthority, database: Database, tmp_path: Path
) -> None:
    anchor(database, 3)
    dead = Stamper(
        HttpAuthority("http://127.0.0.1:9/", tsa.root.authority()),
        store=database.timestamps,
        checkpoints=Checkpoints(),
    )
    with pytest.raises(UnavailableError):
        dead.step()
    with running_tsa(tmp_path / "second") as second:
        for each in (tsa, second):
            make_stamper(each, database).step()

        assert {each.authority for each in database.timestamps.load(3)} == {tsa.url, second.url}
