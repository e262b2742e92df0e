"""What the sequencer knows of each record while it works on a batch.

`BatchHistory` is the `HistoryView` given to admission: committed entries, read
from the store and remembered, followed by the entries of the batch under way.
Owned by one sequencer. It may remember because nobody else adds entries: a
sequencer that lost its lease cannot commit what it concluded from here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from vermilion_ledger.ports import LogStore, SequencerStore
from vermilion_ledger.rows import Pending, RecordEntry

__all__ = ["BatchHistory"]

_AHEAD = 64  # records read at once, as their turn comes next
_COUNT_MAX = 100_000  # records whose number of entries is remembered


class BatchHistory:
    """Histories of records, including what this batch has admitted so far."""

    def __init__(
        self, log: LogStore, store: SequencerStore, *, bytes_max: int = 64 * 1024 * 1024
    ) -> None:
        self._log = log
        self._store = store
        self._bytes_max = bytes_max
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._committed: OrderedDict[str, list[RecordEntry]] = OrderedDict()
        self._bytes = 0
        self._staged: dict[str, list[RecordEntry]] = {}
        self._upcoming: list[str] = []

    def begin(self, pending: Iterable[Pending]) -> None:
        """Prepare for a batch.

        New records are known to have no entries, and are asked for only where
        the same batch goes on with them.
        """
        self._staged.clear()
        self._upcoming = list(dict.fromkeys(p.record_id for p in pending if not p.is_plain))
        unknown = [each for each in self._upcoming if each not in self._counts]
        found = self._store.load_counts(unknown) if unknown else {}
        for record_id in unknown:
            self._counts[record_id] = found.get(record_id, 0)
        for record_id in self._upcoming:
            self._counts.move_to_end(record_id)

    def count(self, pending: Pending) -> int:
        """Return the number of entries of a submission's record, staged ones included."""
        if pending.is_plain:
            return 0  # its record was made for it
        record_id = pending.record_id
        return self._counts[record_id] + len(self._staged.get(record_id, ()))

    def history(self, record_id: str, *, since: int = 0) -> Sequence[RecordEntry]:
        """Return a record's entries from sequence ``since`` on, in order."""
        committed = self._load(record_id)
        staged = self._staged.get(record_id)
        if not staged:
            return committed[since:]
        return committed[since:] + staged[max(0, since - len(committed)) :]

    def stage(self, pending: Pending, *, index: int, sequence: int) -> None:
        """Note an entry of the batch under way, unless nobody in it will ask."""
        record_id = pending.record_id
        if record_id not in self._counts:
            return
        entry = RecordEntry(
            record_id=record_id,
            index=index,
            sequence=sequence,
            position=pending.position,
            salt=pending.salt,
            envelope=pending.envelope,
        )
        self._staged.setdefault(record_id, []).append(entry)

    def commit(self) -> None:
        """Keep what was staged: its transaction is durable."""
        for record_id, entries in self._staged.items():
            self._counts[record_id] += len(entries)
            if record_id in self._committed:
                self._committed[record_id] += entries
                self._bytes += _size(entries)
        self._staged.clear()
        while len(self._counts) > _COUNT_MAX:
            self._counts.popitem(last=False)
        self._shrink()

    def clear(self) -> None:
        """Forget everything: the transaction failed, or nobody knows."""
        self._staged.clear()
        self._counts.clear()
        self._committed.clear()
        self._bytes = 0

    def _load(self, record_id: str) -> list[RecordEntry]:
        if record_id in self._committed:
            self._committed.move_to_end(record_id)
            return self._committed[record_id]
        if self._counts.get(record_id) == 0:
            return []
        wanted = [record_id, *self._next_upcoming(record_id)]
        found = self._log.load_history(wanted)
        for each, entries in found.items():
            # Of a record that nobody counts, new entries would not be noted.
            if each in self._counts or entries:
                self._committed[each] = list(entries)
                self._bytes += _size(entries)
        self._shrink()
        return list(found[record_id])

    def _next_upcoming(self, record_id: str) -> list[str]:
        """Return the records of this batch that will be asked for after this one."""
        if record_id not in self._counts or record_id not in self._upcoming:
            return []
        start = self._upcoming.index(record_id) + 1
        ahead: list[str] = []
        for each in self._upcoming[start:]:
            if len(ahead) == _AHEAD:
                break
            if self._counts[each] and each not in self._committed:
                ahead.append(each)
        return ahead

    def _shrink(self) -> None:
        while self._bytes > self._bytes_max and len(self._committed) > 1:
            _, entries = self._committed.popitem(last=False)
            self._bytes -= _size(entries)


def _size(entries: Iterable[RecordEntry]) -> int:
    return sum(len(entry.envelope) for entry in entries)
