"""Finality rules of a chain, as a trust policy states them (FORMATS section 8)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vermilion_ledger.errors import InputError

__all__ = ["Finality", "parse_finality"]

_CONFIRMATIONS = re.compile(r"confirmations:(0|[1-9][0-9]{0,5})\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finality:
    """When a canonical block is final.

    Attributes:
        rule: ``confirmations``, ``finalized`` or ``immediate``.
        confirmations: N of ``confirmations:N``: head - block ≥ N.
    """

    rule: str
    confirmations: int = 0

    def __str__(self) -> str:
        return f"{self.rule}:{self.confirmations}" if self.rule == "confirmations" else self.rule


def parse_finality(text: str) -> Finality:
    """Read a finality rule.

    Raises:
        InputError: None of ``confirmations:N``, ``finalized``, ``immediate``.
    """
    if text in {"finalized", "immediate"}:
        return Finality(rule=text)
    if match := _CONFIRMATIONS.match(text):
        return Finality(rule="confirmations", confirmations=int(match[1]))
    raise InputError("trust.finality", f"{text[:40]!a} is no finality rule")
