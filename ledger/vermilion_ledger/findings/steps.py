"""Missing and out-of-order: the steps of a record beside the flow it was to follow.

Pure; asked of the first occurrence of each step, so that a document that goes
round twice, as after a change, is no lapse.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vermilion_ledger.findings.finding import Finding, Severity, make_finding
from vermilion_ledger.findings.flow import Flow, FlowStep
from vermilion_ledger.logged import LoggedEnvelope

__all__ = ["find_step_lapses"]


def find_step_lapses(
    entries: Sequence[LoggedEnvelope], flow: Flow, *, complete: bool
) -> Iterator[Finding]:
    """Yield each step that is missing or came too late, once, where it was first needed.

    Args:
        entries: Of one record, in order.
        flow: What is expected.
        complete: Whether no entry was left out.
    """
    places = {
        step.id: [entry.sequence for entry in entries if step.matches(entry.statement)]
        for step in flow.steps
    }
    taken = sorted(
        (step for step in flow.steps if places[step.id]), key=lambda step: places[step.id][0]
    )
    steps = {step.id: step for step in flow.steps}
    told: set[str] = set()
    for step in taken:
        first = places[step.id][0]
        for other in (*step.needs, *step.follows):
            found = places[other]
            if other in told or (found and found[0] < first):
                continue
            if found or other in step.needs:
                told.add(other)
                yield _tell(steps[other], step, first, is_late=bool(found), complete=complete)


def _tell(
    step: FlowStep, before: FlowStep, sequence: int, *, is_late: bool, complete: bool
) -> Finding:
    critical = step.critical and not is_late
    return make_finding(
        "finding.out-of-order" if is_late else "finding.missing",
        Severity.CRITICAL if critical else Severity.WARNING,
        sequence,
        certain=complete,
        detail={"step": step.id, "before": before.id},
        en={"step": step.en, "before": before.en},
        zh={"step": step.zh, "before": before.zh},
    )
