"""Moments as a database holds them: whole microseconds since 1970, UTC.

An integer means the same on SQLite and PostgreSQL, sorts, and has no zone to
lose. The conversion is exact in both directions.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["decode_moment", "encode_moment"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def encode_moment(moment: datetime) -> int:
    """Return microseconds since 1970 of an aware moment.

    >>> encode_moment(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    return (moment - _EPOCH) // _MICROSECOND


def decode_moment(microseconds: int) -> datetime:
    """Return the UTC moment of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)
