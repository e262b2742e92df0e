"""What tests of schemes on curves share. A helper of tests, not a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import office
from vermilion_ledger.envelope import make_envelope
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.schemes.message import SignedMessage

__all__ = ["code_of", "message", "parts", "raw"]


def message(event: str = "approve") -> SignedMessage:
    """What an envelope of a statement has signed."""
    return make_envelope(office.statement(event, seen=office.SEEN).encode(), ()).message


def code_of(call: Callable[..., object], *arguments: Any) -> str:
    with pytest.raises(EvidenceError) as caught:
        call(*arguments)
    return caught.value.code


def raw(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def parts(signature: bytes) -> tuple[int, int]:
    return int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
