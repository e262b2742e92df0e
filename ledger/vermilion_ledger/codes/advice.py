"""The shape of one entry of the code catalogue."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Advice"]


@dataclass(frozen=True, slots=True)
class Advice:
    """What a person can do about an error, in both languages.

    Attributes:
        en: The next step in English, one sentence.
        zh: The same step in Chinese.
    """

    en: str
    zh: str
