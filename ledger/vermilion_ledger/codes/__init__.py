"""The catalogue of stable error codes: what to do next, in both languages.

One module per area, so that a code stands beside its neighbours; a test
asserts that no code is given twice, that every code raised anywhere is here,
and that each is mapped to HTTP and to an exit code.
"""

from __future__ import annotations

from vermilion_ledger.codes import (
    anchoring,
    certifying,
    checking,
    core,
    couriering,
    delegating,
    erasing,
    hooking,
    living,
    numbering,
    ruling,
    serving,
    signing,
    stamping,
    storing,
    verifying,
    waiting,
)
from vermilion_ledger.codes.advice import Advice

__all__ = ["Advice", "advice_for", "all_codes"]


def all_codes() -> dict[str, Advice]:
    """Return every code with its advice.

    Raises:
        ValueError: Two areas claim one code.
    """
    catalogue: dict[str, Advice] = {}
    for area in (
        core,
        storing,
        erasing,
        checking,
        anchoring,
        couriering,
        waiting,
        verifying,
        stamping,
        signing,
        delegating,
        ruling,
        certifying,
        serving,
        hooking,
        living,
        numbering,
    ):
        if clash := catalogue.keys() & area.CODES.keys():
            raise ValueError(f"codes given twice: {sorted(clash)}")
        catalogue.update(area.CODES)
    return catalogue


def advice_for(code: str) -> Advice:
    """Return the advice for a code.

    Raises:
        KeyError: Nobody has documented this code; a test forbids that.
    """
    return all_codes()[code]
