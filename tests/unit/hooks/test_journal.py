"""The resume journal: durable before sending, one owner, and no foreign error let out."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from archive_kit import code_of, open_folder, without_privileges
from vermilion_hooks.entries import Acknowledged, Entry
from vermilion_hooks.journal import Journal, default_journal
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.digest import FileIdentity
from vermilion_ledger.errors import (
    ConflictError,
    InputError,
    IntegrityError,
    UnavailableError,
)

URL = "http://127.0.0.1:8460"
LATER_NS = 10**18


def _entry(number: int, *, name: str = "document", mtime_ns: int = 0) -> Entry:
    identity = FileIdentity(device=2**64 - 1, inode=2**64 - 2, size=number, mtime_ns=mtime_ns)
    return Entry(
        path=f"/archive/{name}-{number}",
        identity=identity,
        sha256=bytes([number]) * 32,
        hashed_ns=LATER_NS,
    )


def _answer(number: int) -> Acknowledged:
    return Acknowledged(record=make_record_id(bytes([number]) * 32), index=number)


def test_a_chunk_survives_until_it_is_acknowledged(tmp_path: Path) -> None:
    entries = (_entry(1), _entry(2, name="a\udcffb"))
    with Journal(tmp_path / "journal", url=URL) as journal:
        chunk = journal.add_chunk(b"body", entries)

    with Journal(tmp_path / "journal", url=URL) as journal:
        assert journal.open_chunks() == (chunk,)
        journal.acknowledge(chunk, (_answer(1), _answer(2)))

    with Journal(tmp_path / "journal", url=URL) as journal:
        assert journal.open_chunks() == ()
        known = journal.find(entries[1].path)
        assert known is not None
        assert (known.identity, known.sha256) == (entries[1].identity, entries[1].sha256)
        assert known.acknowledged == journal.newest() == _answer(2)


def test_keys_differ_by_chunk_and_by_journal(tmp_path: Path) -> None:
    keys = set()
    for name in ("one", "two"):
        with Journal(tmp_path / name, url=URL) as journal:
            keys |= {journal.add_chunk(b"body", ()).key for _ in range(2)}

    assert len(keys) == 4
    assert all(len(key) == 64 for key in keys)


def test_the_key_of_a_dropped_chunk_is_not_given_again(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal", url=URL) as journal:
        refused = journal.add_chunk(b"refused", [_entry(1)])
        journal.drop_chunk(refused)

    with Journal(tmp_path / "journal", url=URL) as journal:
        assert journal.open_chunks() == ()
        assert journal.add_chunk(b"other", [_entry(1)]).key != refused.key


def test_the_newest_content_of_a_path_is_found_and_the_older_kept(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal", url=URL) as journal:
        old, new = _entry(1), _entry(1, mtime_ns=5)
        journal.acknowledge(journal.add_chunk(b"1", [old]), [_answer(1)])
        journal.acknowledge(journal.add_chunk(b"2", [new]), [_answer(2)])

        known = journal.find(new.path)

        assert known is not None
        assert known.acknowledged == _answer(2)
        assert journal._db.execute("SELECT count(*) FROM recorded").fetchone() == (2,)


@pytest.mark.parametrize(
    ("mtime_ns", "settled"),
    [
        (LATER_NS - 2_000_000_001, True),
        (LATER_NS - 2_000_000_000, False),
        (LATER_NS, False),
        (LATER_NS + 10**12, False),
    ],
)
def test_a_file_hashed_soon_after_its_last_write_is_not_settled(
    tmp_path: Path, mtime_ns: int, *, settled: bool
) -> None:
    with Journal(tmp_path / "journal", url=URL) as journal:
        entry = _entry(1, mtime_ns=mtime_ns)
        journal.acknowledge(journal.add_chunk(b"1", [entry]), [_answer(1)])

        known = journal.find(entry.path)

        assert known is not None
        assert known.settled is settled


def test_reading_again_settles_a_file(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal", url=URL) as journal:
        entry = _entry(1, mtime_ns=LATER_NS)
        journal.acknowledge(journal.add_chunk(b"1", [entry]), [_answer(1)])
        known = journal.find(entry.path)
        assert known is not None

        journal.refresh([(known, entry.identity)], LATER_NS * 2)

        again = journal.find(entry.path)
        assert again is not None
        assert again.settled


def test_a_record_acknowledged_twice_is_refused_whole(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal", url=URL) as journal:
        journal.acknowledge(journal.add_chunk(b"1", [_entry(1)]), [_answer(1)])
        chunk = journal.add_chunk(b"2", [_entry(2), _entry(3)])

        with pytest.raises(ConflictError) as error:
            journal.acknowledge(chunk, [_answer(2), _answer(1)])

        assert code_of(error) == "journal.other-ledger"
        assert journal.find(_entry(2).path) is None
        assert journal.open_chunks() == (chunk,)


def test_a_journal_in_use_is_refused_to_a_second_run(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal", url=URL), pytest.raises(ConflictError) as error:
        Journal(tmp_path / "journal", url=URL)

    assert code_of(error) == "journal.in-use"


def test_a_run_that_dies_lets_the_journal_go(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path\n"
        "from vermilion_hooks.journal import Journal\n"
        f"journal = Journal(Path(sys.argv[1]), url={URL!r})\n"
        "journal.add_chunk(b'body', ())\n"
        "os.kill(os.getpid(), 9)\n"
    )
    path = tmp_path / "journal"

    died = subprocess.run(
        [sys.executable, "-c", script, path],
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )

    assert died.returncode == -9
    with Journal(path, url=URL) as journal:
        assert [chunk.body for chunk in journal.open_chunks()] == [b"body"]


def test_a_journal_of_another_ledger_is_refused(tmp_path: Path) -> None:
    Journal(tmp_path / "journal", url=URL).close()

    with pytest.raises(ConflictError) as error:
        Journal(tmp_path / "journal", url="http://127.0.0.1:1")

    assert code_of(error) == "journal.other-url"


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "document"
    path.write_bytes(b"a precious document, more than a hundred bytes long" * 20)

    with pytest.raises(InputError) as error:
        Journal(path, url=URL)

    assert code_of(error) == "journal.foreign"
    assert path.read_bytes().startswith(b"a precious document")


def test_another_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE entries (leaf_index INTEGER)")
    database.close()
    before = path.read_bytes()

    with pytest.raises(InputError) as error:
        Journal(path, url=URL)

    assert code_of(error) == "journal.foreign"
    assert path.read_bytes() == before


def test_a_journal_of_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    Journal(path, url=URL).close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 2")
    database.close()

    with pytest.raises(InputError) as error:
        Journal(path, url=URL)

    assert code_of(error) == "journal.foreign"


def test_a_damaged_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal(path, url=URL) as journal:
        for number in range(1, 40):
            journal.add_chunk(b"x" * 3000, [_entry(number)])
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)

    with pytest.raises(IntegrityError) as error, Journal(path, url=URL) as journal:
        journal.open_chunks()

    assert code_of(error) == "journal.damaged"


def test_a_full_disk_is_told_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal(path, url=URL) as journal:
        journal.acknowledge(journal.add_chunk(b"1", [_entry(1)]), [_answer(1)])
        pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
        journal._db.execute(f"PRAGMA max_page_count = {pages}")

        with pytest.raises(UnavailableError) as error:
            journal.add_chunk(b"x" * 100_000, [_entry(2)])

        assert code_of(error) == "journal.disk-full"
        assert journal.open_chunks() == ()

    with Journal(path, url=URL) as journal:
        assert journal.find(_entry(1).path) is not None


def test_a_folder_that_may_not_be_written_is_told() -> None:
    with open_folder() as folder:
        folder.chmod(0o555)
        with without_privileges(), pytest.raises(UnavailableError) as error:
            Journal(folder / "journal", url=URL)

    assert code_of(error) == "journal.unwritable"


@pytest.mark.parametrize("name", ["missing/journal", "."])
def test_a_place_for_no_file_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnavailableError) as error:
        Journal(tmp_path / name, url=URL)

    assert code_of(error) == "journal.unwritable"


def test_a_journal_is_for_its_owners_eyes(tmp_path: Path) -> None:
    Journal(tmp_path / "journal", url=URL).close()

    assert stat.S_IMODE((tmp_path / "journal").stat().st_mode) == 0o600


def test_default_journals_differ_by_ledger_and_roots(tmp_path: Path) -> None:
    cases: list[tuple[str, list[str]]] = [
        (URL, ["/a"]),
        (URL, ["/b"]),
        (URL, ["/a", "/b"]),
        (URL, ["/a/b"]),
        ("http://other", ["/a"]),
    ]
    names = {default_journal(url, roots, state_folder=tmp_path) for url, roots in cases}

    assert len(names) == len(cases)
    assert default_journal(URL, ["/a"], state_folder=tmp_path) in names
