"""The log against a plain list: real SQLite, a real folder of tiles, every kind of proof."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from simulation.reference import Reference
from store_kit import (
    Admit,
    ManualClock,
    NoteSigner,
    Writer,
    accept,
    make_submission,
    make_tiles,
    make_writer,
    place,
)
from vermilion_ledger.checkpoint import parse_checkpoint_unverified
from vermilion_ledger.errors import InputError, NotFoundError, VerificationError
from vermilion_ledger.log import LogReader
from vermilion_ledger.merkle import hash_leaf, verify_consistency, verify_inclusion
from vermilion_ledger.ports import HistoryView
from vermilion_ledger.rows import Pending, StoredEntry, Submission
from vermilion_ledger.store import Database, open_database
from vermilion_ledger.tiles import parse_entry_bundle, split_hashes

RECORDS = ("a", "b", "c")


@cache
def migrated() -> bytes:
    """Return an empty database of this release, made once."""
    with tempfile.TemporaryDirectory(prefix="log-machine-") as folder:
        path = Path(folder) / "ledger.db"
        database = open_database(f"sqlite:///{path}")
        database.migrate()
        database.close()
        return path.read_bytes()


def refuse_some(pending: Pending, view: HistoryView) -> None:
    if b"refuse" in pending.envelope:
        raise VerificationError("test.refused", "it says so")


class LogMachine(RuleBasedStateMachine):
    """The log takes in, publishes, ends and comes back; the list remembers."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="log-machine-"))
        (self.home / "ledger.db").write_bytes(migrated())
        self.clock = ManualClock()
        self.signer = NoteSigner()
        self.entries: list[Submission] = []
        self.reference = Reference()
        self.published: list[int] = [0]
        self.counts: dict[str, int] = {}
        self.waiting: list[Submission] = []
        self.database, self.writer, self.reader = self.open()

    def open(self) -> tuple[Database, Writer, LogReader]:
        database = open_database(f"sqlite:///{self.home}/ledger.db")
        tiles = make_tiles(self.home)
        writer = make_writer(
            database,
            tiles,
            admission=Admit(refuse_some),
            signer=self.signer,
            clock=self.clock,
        )
        return database, writer, LogReader(database.log, database.heads, tiles)

    def teardown(self) -> None:
        self.database.close()
        shutil.rmtree(self.home)

    def note(self, rows: Sequence[Submission]) -> list[int | None]:
        """Append to the list what must have an entry; return the indices, in order."""
        indices: list[int | None] = []
        for row in rows:
            if b"refuse" in row.envelope:
                indices.append(None)
                continue
            sequence = self.counts.get(row.record_id, 0)
            self.counts[row.record_id] = sequence + 1
            stored = StoredEntry(
                index=len(self.entries),
                position=0,
                sequence=sequence,
                record_key=row.record_key,
                kind=row.kind,
                envelope=row.envelope,
                salt=row.salt,
            )
            indices.append(len(self.entries))
            self.entries.append(row)
            self.reference.grow([stored])
        return indices

    @precondition(lambda self: not self.waiting)
    @rule(records=st.lists(st.sampled_from((*RECORDS, "refuse")), min_size=1, max_size=40))
    def submit(self, records: list[str]) -> None:
        rows = [
            make_submission(each, text=f"{each} {len(self.entries)} {at}")
            for at, each in enumerate(records)
        ]

        states = place(self.writer.sequencer, *rows)

        assert [state.index for state in states] == self.note(rows)

    @precondition(lambda self: not self.waiting)
    @rule(count=st.integers(100, 300))
    def submit_many(self, count: int) -> None:
        rows = [make_submission(f"n {len(self.entries)} {at}", plain=True) for at in range(count)]

        states = place(self.writer.sequencer, *rows)

        assert [state.index for state in states] == self.note(rows)

    @precondition(lambda self: any(not each.is_plain for each in self.entries))
    @rule(data=st.data())
    def submit_again(self, data: st.DataObject) -> None:
        known = [at for at, each in enumerate(self.entries) if not each.is_plain]
        index = data.draw(st.sampled_from(known))

        (state,) = place(self.writer.sequencer, self.entries[index])

        assert (state.state, state.index) == ("sequenced", index)

    @rule(records=st.lists(st.sampled_from(RECORDS), min_size=1, max_size=5))
    def leave_to_the_sequencer(self, records: list[str]) -> None:
        rows = [make_submission(each) for each in records]
        accept(self.database, *rows)
        self.waiting += rows

    @rule()
    def publish(self) -> None:
        self.note(self.waiting)
        self.waiting.clear()

        checkpoint = self.writer.grow()

        size = len(self.entries)
        if size == self.published[-1]:
            assert checkpoint is None
            return
        assert checkpoint is not None
        assert (checkpoint.size, checkpoint.root) == (size, self.reference.root(size))
        note = (self.home / "log" / "checkpoint").read_bytes()
        assert parse_checkpoint_unverified(note).checkpoint.root == checkpoint.root
        self.published.append(size)

    @rule(is_killed=st.booleans())
    def come_back(self, is_killed: bool) -> None:
        if is_killed:
            self.clock.move(60)  # its lease runs out
        else:
            self.writer.sequencer.release()
        self.database.close()
        self.database, self.writer, self.reader = self.open()

    @precondition(lambda self: self.published[-1])
    @rule(data=st.data())
    def prove_inclusion(self, data: st.DataObject) -> None:
        size = data.draw(st.integers(1, self.published[-1]))
        index = data.draw(st.integers(0, size - 1))
        (entry,) = self.reader.entries_between(index, index + 1)

        assert entry == self.reference.entries[index]
        path = self.reader.inclusion(index, size)
        verify_inclusion(hash_leaf(entry), index, size, path, self.reference.root(size))

    @precondition(lambda self: self.published[-1])
    @rule(data=st.data())
    def prove_consistency(self, data: st.DataObject) -> None:
        new = data.draw(st.integers(1, self.published[-1]))
        old = data.draw(st.integers(1, new))

        proof = self.reader.consistency(old, new)

        root = self.reference.root
        verify_consistency(old, root(old), new, root(new), proof)
        assert self.reader.root_at(old) == root(old)

    @precondition(lambda self: self.published[-1])
    @rule(data=st.data())
    def read_files(self, data: st.DataObject) -> None:
        size = self.published[-1]
        position = data.draw(st.integers(0, (size - 1) // 256))
        width = data.draw(st.integers(1, min(256, size - position * 256)))
        part = slice(position * 256, position * 256 + width)

        tile = split_hashes(self.reader.tile(0, position, width))
        bundle = parse_entry_bundle(self.reader.entry_bundle(position, width))

        assert tile == self.reference.leaves[part]
        assert list(bundle) == self.reference.entries[part]
        for path, expected in self.reference.files(0, size):
            assert (self.home / "log" / path).read_bytes() == expected

    @rule(beyond=st.integers(1, 1000), data=st.data())
    def ask_beyond_what_is_published(self, beyond: int, data: st.DataObject) -> None:
        size = self.published[-1]
        for ask in (
            lambda: self.reader.root_at(size + beyond),
            lambda: self.reader.inclusion(0, size + beyond),
            lambda: self.reader.consistency(1, size + beyond),
            lambda: self.reader.entries_between(size, size + beyond),
            lambda: self.reader.tile(0, size // 256, size % 256 + 1),
            lambda: self.reader.entry_bundle(size // 256, size % 256 + 1),
        ):
            with pytest.raises(NotFoundError):
                ask()
        with pytest.raises(InputError):
            self.reader.inclusion(size, size)

    @rule(record=st.sampled_from(RECORDS))
    def read_a_record(self, record: str) -> None:
        record_id = make_submission(record).record_id

        found = self.reader.record_entries(record_id)

        expected = [each.envelope for each in self.entries if each.record_id == record_id]
        assert [each.envelope for each in found] == expected
        assert [each.sequence for each in found] == list(range(len(expected)))

    @invariant()
    def it_is_as_long_as_the_list(self) -> None:
        assert self.reader.size() == len(self.entries)
        assert self.reader.head().size == self.published[-1]
        assert self.reader.head().state == "open"
        sizes = [each.size for each in self.reader.checkpoints(limit=1000)]
        assert sizes == self.published[:0:-1]
        assert len(dict(self.signer.signed)) == len(set(self.signer.signed))


TestLog = LogMachine.TestCase
TestLog.settings = settings(
    stateful_step_count=20, max_examples=max(20, settings().max_examples // 4)
)
