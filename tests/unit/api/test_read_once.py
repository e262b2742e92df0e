"""What one request reads of the log it reads once."""

from __future__ import annotations

from collections.abc import Sequence

from vermilion_api.services.history import ReadOnce
from vermilion_ledger.rows import RecordEntry


class Growing:
    """A view with one more entry at each look."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def history(self, record_id: str, *, since: int = 0) -> Sequence[RecordEntry]:
        self.asked.append((record_id, since))
        return tuple(
            RecordEntry(
                record_id=record_id, index=place, sequence=place, position=place,
                salt=bytes(32), envelope=b"",
            )
            for place in range(since, len(self.asked))
        )  # fmt: skip


def test_a_record_is_read_once_and_stays_as_it_was_read() -> None:
    growing = Growing()
    view = ReadOnce(growing)

    assert len(view.history("a")) == len(view.history("a")) == 1
    assert growing.asked == [("a", 0)]


def test_other_records_and_other_beginnings_are_read_for_themselves() -> None:
    growing = Growing()
    view = ReadOnce(growing)
    for record, since in (("a", 0), ("b", 0), ("a", 1), ("b", 0)):
        view.history(record, since=since)

    assert growing.asked == [("a", 0), ("b", 0), ("a", 1)]
    assert len(ReadOnce(growing).history("a")) == 4
