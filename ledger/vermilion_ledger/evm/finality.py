"""When a canonical block counts as final: the rule a trust policy names.

Follows FORMATS section 8. The anchorer waits by the same rule by which the
verifier judges.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vermilion_ledger.errors import InputError

__all__ = ["FinalityRule", "parse_finality"]

_CONFIRMATIONS = re.compile(r"confirmations:([1-9][0-9]{0,8})\Z", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalityRule:
    """One of ``confirmations:N``, ``finalized`` and ``immediate``.

    Attributes:
        text: The rule as written.
        confirmations: Blocks that must follow; 0 for ``immediate``; None where
            the chain itself says what is final.
    """

    text: str
    confirmations: int | None

    def final_height(self, *, head: int, finalized: int | None) -> int:
        """Return the height up to which canonical blocks are final; negative if none is.

        Args:
            head: Height of the newest block.
            finalized: Height of the chain's ``finalized`` block, None if it has none.
        """
        if self.confirmations is None:
            return -1 if finalized is None else finalized
        return head - self.confirmations


def parse_finality(text: str) -> FinalityRule:
    """Read a rule.

    Raises:
        InputError: None of the three forms.

    >>> parse_finality("confirmations:3").final_height(head=10, finalized=None)
    7
    """
    if text == "immediate":
        return FinalityRule(text=text, confirmations=0)
    if text == "finalized":
        return FinalityRule(text=text, confirmations=None)
    if match := _CONFIRMATIONS.match(text):
        return FinalityRule(text=text, confirmations=int(match[1]))
    raise InputError(
        "finality.malformed", f"{text[:40]!a} is not confirmations:N, finalized or immediate"
    )
