"""The ``[[retired_intake]]`` and ``[[retired_log]]`` tables: keys that sign no more."""

from __future__ import annotations

from dataclasses import dataclass

from vermilion_api.setting import setting
from vermilion_ledger.encoding import parse_hex
from vermilion_ledger.errors import InputError
from vermilion_ledger.limits import TREE_SIZE_MAX
from vermilion_ledger.note import ED25519, VerifierKey, parse_vkey
from vermilion_ledger.schemes import ed25519

__all__ = ["RetiredIntakeSettings", "RetiredLogSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetiredIntakeSettings:
    """One ``[[retired_intake]]`` table: an intake key that signs no more."""

    key: str = setting("", "hex 32 bytes", "Public Ed25519 key.")
    until: int = setting(
        0, "leaf index", "First index at which nothing that it signed is taken any more."
    )

    def __post_init__(self) -> None:
        ed25519.check_public_key(parse_hex(self.key, size=32, what="retired_intake.key"))
        if not 0 <= self.until <= TREE_SIZE_MAX:
            raise InputError("settings.value", "retired_intake.until is no leaf index")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetiredLogSettings:
    """One ``[[retired_log]]`` table: an Ed25519 log key that signs no more."""

    vkey: str = setting("", "C2SP vkey", "The key, named as the log.")
    until: int = setting(
        0,
        "leaf index",
        "Size of the last checkpoint that it signed; the key after it is in force from here on.",
    )

    def __post_init__(self) -> None:
        key = self.key
        if key.kind != ED25519:
            raise InputError("settings.value", "retired_log.vkey is no Ed25519 key")
        ed25519.check_public_key(key.public)
        if not 0 <= self.until <= TREE_SIZE_MAX:
            raise InputError("settings.value", "retired_log.until is no leaf index")

    @property
    def key(self) -> VerifierKey:
        """The key itself."""
        return parse_vkey(self.vkey)
