"""What a stamper needs of the outside: a store, our own checkpoints, an authority."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from vermilion_ledger.anchor_rows import StoredTimestamp

__all__ = ["CheckpointTexts", "TimeAuthority", "TimestampStore"]


class TimestampStore(Protocol):
    """Where time-stamps are kept. Every method may raise UnavailableError."""

    def sizes_without(self, authority: str, *, among: int) -> Sequence[int]:
        """Return sizes with a final anchor and no time-stamp of an authority, newest first.

        Only the ``among`` newest anchored sizes are looked at.
        """
        ...

    def save(self, stamp: StoredTimestamp) -> None:
        """Store a time-stamp; returns only after it is durable.

        The same (size, authority) again changes nothing.
        """
        ...


class CheckpointTexts(Protocol):
    """Read access to our own checkpoints."""

    def signed_text(self, size: int) -> bytes | None:
        """Return what the log key signed at a size; None if we published none of that size."""
        ...


class TimeAuthority(Protocol):
    """One time-stamping authority (RFC 3161)."""

    @property
    def address(self) -> str:
        """What tells it from every other one, for good."""
        ...

    def stamp(self, text: bytes) -> tuple[bytes, datetime]:
        """Return a token over a text, verified, and the moment that it states.

        Raises:
            EvidenceError: It is out of reach, refuses, or answers with
                something that a verifier would not accept.
        """
        ...
