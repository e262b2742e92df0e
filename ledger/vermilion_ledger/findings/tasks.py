"""Overdue and undelivered: what was asked for, and whether it came in time.

A task is a ``handle`` or ``supervise`` with ``due``; it is answered by one that
names it under ``of`` and has an ``outcome``. A ``dispatch`` is answered, copy by
copy, by each ``receive`` that names it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from vermilion_ledger.encoding import encode_time
from vermilion_ledger.findings.finding import Finding, Severity, make_finding
from vermilion_ledger.findings.reading import answers, read_digests, read_due, read_text
from vermilion_ledger.findings.times import Times, is_late
from vermilion_ledger.logged import LoggedEnvelope

__all__ = ["find_task_lapses"]

_TASKS = frozenset({"handle", "supervise"})
_UNNAMED = ""  # the one copy of a dispatch that names no recipient


def find_task_lapses(
    entries: Sequence[LoggedEnvelope], times: Times, *, complete: bool
) -> Iterator[Finding]:
    """Yield what is overdue, or may be, and what nobody confirmed to have received.

    Args:
        entries: Of one record, in order.
        times: When they came about.
        complete: Whether no entry was left out.
    """
    answering = _by_named(entries)
    for entry in entries:
        statement = entry.statement
        named = [each for each in answering.get(entry.sequence, ()) if answers(each, entry)]
        due = read_due(statement.detail)
        if statement.event == "dispatch":
            receipts = [each for each in named if each.statement.event == "receive"]
            yield from _judge_dispatch(entry, receipts, due, times, complete=complete)
        elif statement.event in _TASKS and due is not None:
            ends = (each for each in named if _ends_task(each))
            yield from _judge_due(entry, next(ends, None), due, times, complete=complete)


def _by_named(entries: Sequence[LoggedEnvelope]) -> Mapping[int, list[LoggedEnvelope]]:
    """Return entries by the sequence that their ``of`` names, so that each is looked at once."""
    found: dict[int, list[LoggedEnvelope]] = {}
    for entry in entries:
        named = entry.statement.detail.get("of")
        sequence = named.get("sequence") if isinstance(named, Mapping) else None
        if isinstance(sequence, int):
            found.setdefault(sequence, []).append(entry)
    return found


def _ends_task(entry: LoggedEnvelope) -> bool:
    statement = entry.statement
    return statement.event in _TASKS and read_text(statement.detail, "outcome") is not None


def _judge_due(
    task: LoggedEnvelope,
    answer: LoggedEnvelope | None,
    due: datetime,
    times: Times,
    *,
    complete: bool,
) -> Iterator[Finding]:
    late = is_late(due, answer, times)
    if late is False:
        return
    detail: dict[str, object] = {"due": encode_time(due), "asOf": encode_time(times.now)}
    if answer is not None:
        detail["answer"] = answer.sequence
    if (owner := read_text(task.statement.detail, "owner")) is not None:
        detail["owner"] = owner
    yield make_finding(
        "finding.overdue",
        Severity.WARNING if late and complete else Severity.NOTICE,
        task.sequence,
        certain=bool(late) and complete,
        detail=detail,
    )


def _judge_dispatch(
    dispatch: LoggedEnvelope,
    receipts: Sequence[LoggedEnvelope],
    due: datetime | None,
    times: Times,
    *,
    complete: bool,
) -> Iterator[Finding]:
    copies = read_digests(dispatch.statement.detail.get("to")) or (_UNNAMED,)
    known = frozenset(copies)
    received: dict[str, LoggedEnvelope] = {}
    for receipt in receipts:
        copy = read_text(receipt.statement.detail, "copy")
        if copy is None and len(copies) == 1:
            copy = copies[0]
        if copy in known:
            received.setdefault(copy, receipt)
    if due is not None:
        late = [each for each in received.values() if is_late(due, each, times) is not False]
        worst = next((each for each in late if is_late(due, each, times)), next(iter(late), None))
        if worst is not None:
            yield from _judge_due(dispatch, worst, due, times, complete=complete)
    missing = [copy for copy in copies if copy not in received]
    if missing:
        is_overdue = due is not None and is_late(due, None, times) is not False
        yield make_finding(
            "finding.undelivered",
            Severity.WARNING if is_overdue else Severity.NOTICE,
            dispatch.sequence,
            certain=complete,
            detail={
                "count": len(copies),
                "missing": len(missing),
                "copies": [copy for copy in missing if copy != _UNNAMED],
                **({} if due is None else {"due": encode_time(due)}),
            },
        )
