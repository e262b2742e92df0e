"""All findings of one record, in the order of its entries.

Pure: over the history, the flow that the record was registered for, and what
is known of when things happened. Findings are for people who supervise; no
verdict and no exit code of a verification rests on them.
"""

from __future__ import annotations

from vermilion_ledger.findings.finding import Finding
from vermilion_ledger.findings.flow import FLOW_NAMES, Flow
from vermilion_ledger.findings.grades import find_grade_lapses
from vermilion_ledger.findings.reading import read_text
from vermilion_ledger.findings.steps import find_step_lapses
from vermilion_ledger.findings.tasks import find_task_lapses
from vermilion_ledger.findings.times import Times
from vermilion_ledger.findings.versions import find_version_lapses
from vermilion_ledger.keys import KeyRegistry
from vermilion_ledger.records import RecordHistory

__all__ = ["find_lapses", "flow_name_of"]


def find_lapses(
    history: RecordHistory,
    times: Times,
    *,
    flow: Flow | None = None,
    registry: KeyRegistry | None = None,
    complete: bool = True,
) -> tuple[Finding, ...]:
    """Return what is missing, late, or not in order in the life of a document.

    Args:
        history: Entries of one document's record, in order.
        times: When they came about, and the present moment.
        flow: The steps that are expected; None expects none.
        registry: The keys of the signers, for who has not judged them at intake.
        complete: Whether no entry was left out; if some were, findings that an
            absent entry could lift are not certain.
    """
    found = [
        *find_version_lapses(history.entries, complete=complete),
        *find_task_lapses(history.entries, times, complete=complete),
    ]
    if registry is not None:
        found += find_grade_lapses(history.entries, registry, complete=complete)
    if flow is not None:
        found += find_step_lapses(history.entries, flow, complete=complete)
    return tuple(sorted(found, key=lambda each: (each.sequence, each.code)))


def flow_name_of(history: RecordHistory) -> str | None:
    """Return the name of the flow that the record's ``register`` names, if it is one of ours."""
    for entry in history.entries[:1]:
        name = read_text(entry.statement.detail, "flow")
        if entry.statement.event == "register" and name in FLOW_NAMES:
            return name
    return None
