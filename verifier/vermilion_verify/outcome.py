"""What a check may raise beside a `VerificationError`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vermilion_ledger.errors import VerificationError

__all__ = ["Absent", "Detail", "DetailedError", "Unknown"]

Detail = dict[str, Any]
"""What a check found, for the report; a check that returns has passed."""


class DetailedError(VerificationError):
    """Evidence that does not hold, with what was found nevertheless."""

    def __init__(self, code: str, message: str, detail: Mapping[str, Any]) -> None:
        super().__init__(code, message)
        self.detail = dict(detail)


class Unknown(Exception):  # noqa: N818 - an answer, not an error
    """The check cannot be decided with what is at hand.

    Attributes:
        code: Stable public code.
        detail: What was found nevertheless.
    """

    def __init__(self, code: str, message: str, detail: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.detail = dict(detail or {})


class Absent(Exception):  # noqa: N818 - an answer, not an error
    """Nothing in the bundle or the policy asks for this check."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
