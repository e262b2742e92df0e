"""ISO 8601 durations of fixed length: weeks, days, hours, minutes, seconds."""

from __future__ import annotations

import re
from datetime import timedelta

from vermilion_ledger.errors import InputError

__all__ = ["parse_duration"]

_DURATION = re.compile(
    r"P(?:(?P<weeks>\d{1,5})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,8})S)?)?\Z",
    re.ASCII,
)


def parse_duration(text: object) -> timedelta:
    """Read a duration such as ``P30D`` or ``PT12H``.

    Raises:
        InputError: Not such a duration; months and years have no fixed length.

    >>> parse_duration("P1DT2H").total_seconds()
    93600.0
    """
    match = _DURATION.match(text) if isinstance(text, str) else None
    parts = (
        {name: int(digits) for name, digits in match.groupdict().items() if digits} if match else {}
    )
    if not parts or (isinstance(text, str) and text.endswith("T")):
        raise InputError("duration.malformed", f"{str(text)[:40]!a} is not a duration like P30D")
    return timedelta(**parts)
