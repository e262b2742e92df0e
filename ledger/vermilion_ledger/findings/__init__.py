"""Findings: lapses in the life of a document (`docs/formats/events.md`).

Not to be mixed up with what `vermilion_ledger.fsck` finds wrong with a store.
"""

from __future__ import annotations

from vermilion_ledger.findings.finding import Finding, Severity
from vermilion_ledger.findings.flow import Flow, load_flow, load_flows
from vermilion_ledger.findings.judge import find_lapses, flow_name_of
from vermilion_ledger.findings.times import Bounds, StatedTimes, Times

__all__ = [
    "Bounds",
    "Finding",
    "Flow",
    "Severity",
    "StatedTimes",
    "Times",
    "find_lapses",
    "flow_name_of",
    "load_flow",
    "load_flows",
]
