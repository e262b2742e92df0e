"""Codes raised while anchoring."""

from __future__ import annotations

from vermilion_ledger.codes.advice import Advice

__all__ = ["CODES"]

CODES: dict[str, Advice] = {}
