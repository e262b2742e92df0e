"""A Python that lacks some packages, as where they were not installed."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

PAIRINGS = ("py_arkworks_bls12381", "py_ecc")


def without(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    """Let imports of packages fail, and forget the pairings that were loaded with them."""
    real = builtins.__import__

    def gated(
        name: str,
        globals_: Mapping[str, object] | None = None,
        locals_: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        if name.partition(".")[0] in packages:
            raise ModuleNotFoundError(name)
        return real(name, globals_, locals_, fromlist, level)

    for module in ("pairing_arkworks", "pairing_py_ecc"):
        monkeypatch.delitem(sys.modules, f"vermilion_ledger.schemes.{module}", raising=False)
    monkeypatch.setattr(builtins, "__import__", gated)
