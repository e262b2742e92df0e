"""Routes translate: parse, call one service, render. None touches a store."""

from __future__ import annotations

__all__: list[str] = []
