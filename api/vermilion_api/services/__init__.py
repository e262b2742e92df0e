"""What the API does, without HTTP: each service takes plain values and ports."""

from __future__ import annotations

__all__: list[str] = []
