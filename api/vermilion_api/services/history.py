"""The stored log as admission and the queries see it."""

from __future__ import annotations

from collections.abc import Sequence

from vermilion_ledger.admission import LedgerAdmission
from vermilion_ledger.assembly import OpenEntry
from vermilion_ledger.log import LogReader
from vermilion_ledger.ports import HistoryView
from vermilion_ledger.rows import RecordEntry

__all__ = ["ReadOnce", "StoredHistory", "open_entries"]


class StoredHistory:
    """Implements `vermilion_ledger.ports.HistoryView` over committed entries."""

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader

    def history(self, record_id: str, *, since: int = 0) -> Sequence[RecordEntry]:
        """Return a record's entries from sequence ``since`` on, in order."""
        return self._reader.record_entries(record_id, since=since)


class ReadOnce:
    """Implements `vermilion_ledger.ports.HistoryView` for one request: nothing is read twice.

    What came meanwhile is not seen; the sequencer judges again, at the place
    that an entry gets.
    """

    def __init__(self, view: HistoryView) -> None:
        self._view = view
        self._read: dict[tuple[str, int], Sequence[RecordEntry]] = {}

    def history(self, record_id: str, *, since: int = 0) -> Sequence[RecordEntry]:
        """Return a record's entries from sequence ``since`` on, as they were first read."""
        if (record_id, since) not in self._read:
            self._read[record_id, since] = self._view.history(record_id, since=since)
        return self._read[record_id, since]


def open_entries(
    reader: LogReader, admission: LedgerAdmission, record_id: str
) -> tuple[OpenEntry, ...]:
    """Return a record's entries, parsed and with their salts, in order."""
    return tuple(
        OpenEntry(logged=admission.place(row), salt=row.salt)
        for row in reader.record_entries(record_id)
    )
