"""The grade of a document: 秘密 and above never enters (DESIGN section 7)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from vermilion_ledger.errors import InputError

__all__ = ["check_grade", "check_grades"]

# A printed mark often goes on with a star and a term: 机密★10年.
_SECRET = re.compile(
    r"[\W_]*(?:秘密|机密|絕密|绝密|機密|(?:top[\W_]*)?secret|confidential)(?![a-z])", re.IGNORECASE
)


def check_grade(grade: object) -> None:
    """Refuse a grade of state secrets.

    Raises:
        InputError: ``grade.refused``, or ``text.shape`` where it is not text.
    """
    if grade is None:
        return
    if not isinstance(grade, str):
        raise InputError("text.shape", "grade is not text")
    if _SECRET.match(grade):
        raise InputError("grade.refused", "documents graded 秘密 or above are not taken")


def check_grades(detail: Mapping[str, Any]) -> None:
    """Refuse an event whose detail names such a grade under ``grade``, ``from`` or ``to``.

    Raises:
        InputError: As for `check_grade`.
    """
    check_grade(detail.get("grade"))
    for name in ("from", "to"):
        if isinstance(detail.get(name), str):
            check_grade(detail[name])
