"""The operator's command, ``vermilion``."""

from __future__ import annotations

__all__: list[str] = []
