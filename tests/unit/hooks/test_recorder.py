"""The recorder: each file once, whatever happens in between."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from archive_kit import MemoryLedger, code_of, open_folder, settle, without_privileges
from vermilion_hooks.journal import Journal
from vermilion_hooks.outcomes import AlreadyRecorded, Outcome, Recorded, Summary
from vermilion_hooks.recorder import Options, Recorder
from vermilion_hooks.registration import Terms
from vermilion_hooks.walk import Failed, Skipped, find_roots
from vermilion_ledger.actor import Actor
from vermilion_ledger.errors import ConflictError, InputError, UnavailableError

URL = "http://127.0.0.1:8460"
NOW_NS = 2 * 10**18
MIB = 1024 * 1024


class Archive:
    """A folder, a ledger, and a journal that every run opens anew."""

    def __init__(self, place: Path) -> None:
        self.folder = place / "archive"
        self.folder.mkdir()
        self.journal = place / "journal"
        self.ledger = MemoryLedger()
        self.bytes_told = 0
        self.on_progress: Callable[[], None] = lambda: None

    def write(self, **contents: bytes) -> None:
        for name, data in contents.items():
            (self.folder / name).write_bytes(data)
            settle(self.folder / name)

    def run(
        self,
        *,
        options: Options | None = None,
        roots: Sequence[Path] = (),
        prepare: Callable[[Journal], None] = lambda _: None,
    ) -> list[Outcome]:
        outcomes: list[Outcome] = []
        with Journal(self.journal, url=URL) as journal:
            prepare(journal)
            recorder = Recorder(
                ledger=self.ledger,
                journal=journal,
                progress=self._advance,
                clock_ns=lambda: NOW_NS,
                options=options or Options(),
            )
            outcomes.extend(recorder.run(find_roots(map(str, roots or [self.folder]))))
        return outcomes

    def _advance(self, size: int) -> None:
        self.bytes_told += size
        self.on_progress()


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


def _kinds(outcomes: Sequence[Outcome]) -> list[tuple[str, str]]:
    """Each outcome's file name and kind; for failures and skips, the code."""
    kinds = []
    for outcome in outcomes:
        kind = type(outcome).__name__
        if isinstance(outcome, Failed):
            kind = outcome.error.code
        elif isinstance(outcome, Skipped):
            kind = outcome.code
        elif isinstance(outcome, Recorded) and outcome.changed:
            kind = "changed"
        kinds.append((outcome.path.rpartition("/")[2], kind))
    return kinds


def test_a_second_run_sends_nothing_and_reads_nothing(archive: Archive) -> None:
    archive.write(a=b"1", b=b"22")
    first = archive.run()
    archive.on_progress = lambda: None
    requests = list(archive.ledger.requests)

    second = archive.run()

    assert _kinds(first) == [("a", "Recorded"), ("b", "Recorded")]
    assert _kinds(second) == [("a", "AlreadyRecorded"), ("b", "AlreadyRecorded")]
    assert archive.ledger.requests == requests
    for one, two in zip(first, second, strict=True):
        assert isinstance(one, Recorded)
        assert isinstance(two, AlreadyRecorded)
        assert (one.acknowledged, one.sha256) == (two.acknowledged, two.sha256)


def test_a_changed_file_gets_a_new_record_and_says_so(archive: Archive) -> None:
    archive.write(a=b"1", b=b"2")
    archive.run()
    archive.write(b=b"3")
    os.utime(archive.folder / "b", ns=(0, 10**18 + 1))

    outcomes = archive.run()

    assert _kinds(outcomes) == [("a", "AlreadyRecorded"), ("b", "changed")]
    assert archive.ledger.names == ["a", "b", "b"]
    assert _kinds(archive.run()) == [("a", "AlreadyRecorded"), ("b", "AlreadyRecorded")]


def test_a_touched_file_with_the_same_bytes_gets_no_new_record(archive: Archive) -> None:
    archive.write(a=b"1")
    archive.run()
    (archive.folder / "a").touch()

    assert _kinds(archive.run()) == [("a", "AlreadyRecorded")]
    assert archive.ledger.names == ["a"]


def test_a_file_too_young_to_trust_its_time_is_read_again(archive: Archive) -> None:
    archive.write(a=b"1")
    os.utime(archive.folder / "a", ns=(NOW_NS, NOW_NS))
    archive.run()
    (archive.folder / "a").write_bytes(b"2")
    os.utime(archive.folder / "a", ns=(NOW_NS, NOW_NS))

    assert _kinds(archive.run()) == [("a", "changed")]


def test_a_forged_time_is_found_out_by_rehashing(archive: Archive) -> None:
    archive.write(a=b"1")
    archive.run()
    archive.write(a=b"2")

    assert _kinds(archive.run()) == [("a", "AlreadyRecorded")]
    assert _kinds(archive.run(options=Options(rehash=True))) == [("a", "changed")]


def test_a_lost_answer_leads_to_the_same_key_and_no_second_record(archive: Archive) -> None:
    archive.write(a=b"1", b=b"2")
    archive.ledger.lost_answers = 1

    with pytest.raises(UnavailableError):
        archive.run()
    outcomes = archive.run()

    assert [(type(each), getattr(each, "resumed", None)) for each in outcomes[:2]] == [
        (Recorded, True),
        (Recorded, True),
    ]
    assert _kinds(outcomes[2:]) == [("a", "AlreadyRecorded"), ("b", "AlreadyRecorded")]
    assert archive.ledger.names == ["a", "b"]
    assert len(archive.ledger.requests) == 2
    assert len(set(archive.ledger.requests)) == 1


def test_a_file_changed_after_a_lost_answer_is_a_new_record(archive: Archive) -> None:
    archive.write(a=b"1")
    archive.ledger.lost_answers = 1
    with pytest.raises(UnavailableError):
        archive.run()
    archive.write(a=b"longer")

    outcomes = archive.run()

    assert _kinds(outcomes) == [("a", "Recorded"), ("a", "changed")]
    before, after = archive.ledger.items
    assert before["digest"] != after["digest"]


@pytest.mark.parametrize("after_bytes", [1, 2 * MIB, 5 * MIB, 9 * MIB])
def test_an_interrupted_run_is_continued_without_doubles(
    archive: Archive, after_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vermilion_hooks.recorder._CHUNK_COUNT_MAX", 2)
    archive.write(**{f"f{number}": bytes([number]) * (2 * MIB - 1) for number in range(6)})

    def interrupt() -> None:
        if archive.bytes_told >= after_bytes:
            raise KeyboardInterrupt

    archive.on_progress = interrupt
    with pytest.raises(KeyboardInterrupt):
        archive.run()
    archive.on_progress = lambda: None
    archive.run()

    assert sorted(map(str, archive.ledger.names)) == [f"f{number}" for number in range(6)]
    assert {kind for _, kind in _kinds(archive.run())} == {"AlreadyRecorded"}


def test_a_disk_full_when_the_answer_comes_loses_nothing(archive: Archive) -> None:
    archive.write(**{f"f{number}": bytes([number % 250]) for number in range(300)})

    def fill(journal: Journal) -> None:
        acknowledge = journal.acknowledge

        def full(*arguments: object) -> None:
            pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
            journal._db.execute(f"PRAGMA max_page_count = {pages}")
            acknowledge(*arguments)  # type: ignore[arg-type]

        journal.acknowledge = full  # type: ignore[assignment, method-assign]

    with pytest.raises(UnavailableError) as error:
        archive.run(prepare=fill)
    outcomes = archive.run()

    assert code_of(error) == "journal.disk-full"
    assert sum(isinstance(each, Recorded) for each in outcomes) == 300
    assert len(archive.ledger.items) == 300
    assert len(set(archive.ledger.requests)) == 1


def test_a_refused_chunk_is_given_up_and_its_files_are_sent_anew(archive: Archive) -> None:
    archive.write(a=b"1")
    archive.ledger.refusal = InputError("policy.not-in-force", "no such policy")

    with pytest.raises(InputError):
        archive.run(options=Options(terms=Terms(policy="00" * 32)))
    archive.ledger.refusal = None
    archive.run()

    assert [item.keys() for item in archive.ledger.items] == [{"name", "digest"}]
    assert len(set(archive.ledger.requests)) == 2


def test_one_refused_document_does_not_keep_the_others_out(archive: Archive) -> None:
    archive.write(a=b"1", b=b"2", c=b"3")
    archive.ledger.refused_names = frozenset("b")

    first = archive.run()
    archive.ledger.refused_names = frozenset()
    second = archive.run()

    assert _kinds(first) == [("a", "Recorded"), ("b", "policy.not-in-force"), ("c", "Recorded")]
    assert sorted(_kinds(second)) == [
        ("a", "AlreadyRecorded"),
        ("b", "Recorded"),
        ("c", "AlreadyRecorded"),
    ]
    assert len(set(archive.ledger.requests)) == 2


def test_a_resumed_chunk_that_is_refused_is_made_anew(archive: Archive) -> None:
    archive.write(a=b"1")
    archive.ledger.refusal = UnavailableError("server.unreachable", "down")
    with pytest.raises(UnavailableError):
        archive.run(options=Options(terms=Terms(grade="内部")))

    def refuse_once() -> None:
        archive.ledger.refusal = None

    archive.ledger.refusal = InputError("grade.refused", "not this grade")
    archive.on_progress = refuse_once

    assert _kinds(archive.run()) == [("a", "Recorded")]
    assert archive.ledger.names == ["a"]


def test_a_journal_unknown_to_the_ledger_is_refused_before_reading(archive: Archive) -> None:
    archive.write(a=b"1")
    archive.run()
    archive.ledger = MemoryLedger(salt=b"another")
    archive.bytes_told = 0

    with pytest.raises(ConflictError) as error:
        archive.run()

    assert code_of(error) == "journal.other-ledger"
    assert archive.bytes_told == 0


def test_one_bad_file_does_not_keep_the_others_out() -> None:
    with open_folder() as place:
        archive = Archive(place)
        archive.write(a=b"1", b=b"2", **{"c\n": b"3"}, d=b"4")
        (archive.folder / "b").chmod(0)
        (archive.folder / "link").symlink_to("a")
        place.chmod(0o777)

        with without_privileges():
            outcomes = archive.run()

    assert _kinds(outcomes) == [
        ("b", "file.unreadable"),
        ("c\n", "name.unusable"),
        ("link", "walk.symlink"),
        ("a", "Recorded"),
        ("d", "Recorded"),
    ]
    summary = Summary()
    for outcome in outcomes:
        summary.count(outcome)
    assert (summary.recorded, summary.skipped, summary.failed) == (2, 1, 2)
    assert summary.exit_code == 7


def test_a_file_changed_while_it_is_read_is_left_out(archive: Archive) -> None:
    archive.write(a=b"1", b=b"2")
    (archive.folder / "a").write_bytes(bytes(5 * MIB))

    def append() -> None:
        if archive.bytes_told < MIB:
            return
        archive.on_progress = lambda: None
        with (archive.folder / "a").open("ab") as file:
            file.write(b"!")

    archive.on_progress = append

    assert _kinds(archive.run()) == [("a", "file.changed-while-read"), ("b", "Recorded")]


def test_the_journal_inside_the_archive_is_no_document(archive: Archive) -> None:
    archive.journal = archive.folder / "run.journal"
    archive.write(a=b"1")

    kinds = _kinds(archive.run())

    assert [kind for kind in kinds if kind[1] != "walk.own-journal"] == [("a", "Recorded")]
    assert ("run.journal", "walk.own-journal") in kinds


@pytest.mark.parametrize("count", [1, 999, 1000, 1001, 2500])
def test_chunks_have_at_most_a_thousand_files(archive: Archive, count: int) -> None:
    archive.write(**{f"f{number:04}": str(number).encode() for number in range(count)})

    outcomes = archive.run()

    assert len(archive.ledger.requests) == -(-count // 1000)
    assert [each.path for each in outcomes] == sorted(map(str, archive.folder.iterdir()))
    indices = [each.acknowledged.index for each in outcomes if isinstance(each, Recorded)]
    assert indices == list(range(count))


def test_large_files_are_acknowledged_before_the_run_ends(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vermilion_hooks.recorder._CHUNK_SIZE_MAX", 3 * MIB)
    archive.write(**{f"f{number}": bytes(MIB) for number in range(7)})

    archive.run()

    assert len(archive.ledger.requests) == 3


def test_an_item_carries_what_was_asked_for_and_no_folder(archive: Archive) -> None:
    archive.write(**{"合同.pdf": b"abc"})
    terms = Terms(actor=Actor(id="u-1", name="王芳"), policy="ab" * 32, grade="内部")

    archive.run(options=Options(sm3=True, terms=terms))

    assert archive.ledger.items == [
        {
            "name": "合同.pdf",
            "digest": {
                "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "sm3": "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
            },
            "actor": {"id": "u-1", "name": "王芳", "post": "", "unit": ""},
            "policy": "ab" * 32,
            "grade": "内部",
        }
    ]


@pytest.mark.parametrize(
    "name", ["a\nb", "a\x7f", "\u202etxt.exe", os.fsdecode(b"\xff"), "\ufdd0", "\U0001ffff"]
)
def test_a_name_no_statement_can_carry_is_refused(archive: Archive, name: str) -> None:
    (archive.folder / name).write_bytes(b"x")

    assert _kinds(archive.run()) == [(name, "name.unusable")]
    assert archive.ledger.requests == []


def test_an_empty_folder_is_no_error(archive: Archive) -> None:
    assert archive.run() == []
    assert archive.ledger.requests == []
