"""Actors: a person in a post, as an office names them (FORMATS section 3)."""

from __future__ import annotations

from dataclasses import dataclass

from vermilion_ledger.encoding import Json, check_members, check_text
from vermilion_ledger.limits import TEXT_SIZE_MAX

__all__ = ["Actor", "parse_actor"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person in a post: exactly four texts, of which only ``id`` is required."""

    id: str
    name: str = ""
    post: str = ""
    unit: str = ""

    def to_json(self) -> dict[str, Json]:
        """Return the actor object."""
        return {"id": self.id, "name": self.name, "post": self.post, "unit": self.unit}


def parse_actor(value: Json, *, what: str) -> Actor:
    """Read an actor object: exactly ``id``, ``name``, ``post``, ``unit``.

    Raises:
        InputError: Another shape, an empty ``id``, a control character.
        LimitError: A member of more than 200 bytes.
    """
    members = check_members(value, required=("id", "name", "post", "unit"), what=what)
    texts = {
        name: check_text(text, size_max=TEXT_SIZE_MAX, what=f"{what}.{name}", empty=name != "id")
        for name, text in members.items()
    }
    return Actor(**texts)
