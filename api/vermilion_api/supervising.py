"""Walking all records of a ledger for whoever supervises (督查), page by page.

Reads a ledger's own store: no address of the API lists records, since a
record's id is all that it takes to read one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from vermilion_ledger.admission import LedgerAdmission
from vermilion_ledger.findings import Finding, StatedTimes, find_lapses, flow_name_of, load_flows
from vermilion_ledger.log import LogReader
from vermilion_ledger.ports import Clock
from vermilion_ledger.records import RecordHistory

__all__ = ["Lives", "RecordLapses", "walk_records"]

_PAGE_COUNT = 200  # records held at once


class Lives(Protocol):
    """Lists the records that have a life."""

    def next_records(self, after: int, limit: int) -> Sequence[tuple[int, str]]:
        """Return records whose second entry has an index above ``after``, in order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLapses:
    """One record with its findings, perhaps none.

    Attributes:
        name: File name of the current version.
    """

    record_id: str
    name: str
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the object that commands print."""
        return {
            "record": self.record_id,
            "name": self.name,
            "findings": [finding.to_json() for finding in self.findings],
        }


def walk_records(
    lives: Lives, reader: LogReader, admission: LedgerAdmission, *, clock: Clock
) -> Iterator[RecordLapses]:
    """Yield every record of more than one entry, in the order of the log.

    The log may grow meanwhile; each record is judged as of when it is read, by
    the times that its statements state.
    """
    flows = load_flows()
    after = -1
    while page := lives.next_records(after, _PAGE_COUNT):
        after = page[-1][0]
        rows = reader.records_entries(record_id for _, record_id in page)
        for _, record_id in page:
            life = RecordHistory(entries=tuple(admission.place(row) for row in rows[record_id]))
            if not life.entries:
                continue  # its evidence went away between the two reads
            flow = flows.get(flow_name_of(life) or "")
            current = life.first_recorded(life.current_digest())
            yield RecordLapses(
                record_id=record_id,
                name="" if current is None else current.statement.subject.name,
                findings=find_lapses(life, StatedTimes(now=clock()), flow=flow),
            )
