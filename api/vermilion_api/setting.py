"""How one setting is written down: its default, its unit, and what it does.

`vermilion_api.settings` reads and checks by it, `vermilion_api.reference`
writes the reference page from it.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any

__all__ = ["setting"]


def setting(default: Any, unit: str, text: str) -> Any:
    """Return the field of a setting."""
    return field(default=default, metadata={"unit": unit, "text": text})
