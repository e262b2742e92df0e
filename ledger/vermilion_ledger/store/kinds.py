"""Kinds of record as a database holds them: small numbers, never given a new meaning."""

from __future__ import annotations

from vermilion_ledger.errors import IntegrityError
from vermilion_ledger.rows import RecordKind

__all__ = ["decode_kind", "encode_kind"]

_KINDS: tuple[RecordKind, ...] = ("document", "keys", "policies")


def encode_kind(kind: RecordKind) -> int:
    """Return the number of a kind."""
    return _KINDS.index(kind)


def decode_kind(number: int) -> RecordKind:
    """Return the kind of a number.

    Raises:
        IntegrityError: ``store.corrupt``: there is no such kind.
    """
    if not 0 <= number < len(_KINDS):
        raise IntegrityError("store.corrupt", f"there is no kind {number} of record")
    return _KINDS[number]
