"""Whether the ledger closed a bundle, and how much is looked at of one that it did not.

The closing (FORMATS section 10) is one signature over almost all of a bundle, by a
key that the verifier's policy names. Whatever does not hold it is refuted; so of a
bundle that somebody else made or changed no more is looked at than costs little.
Otherwise whoever sends eight mebibytes keeps a verifier busy for minutes.
"""

from __future__ import annotations

from vermilion_ledger.errors import InputError, SignatureError
from vermilion_ledger.schemes import ed25519
from vermilion_verify.policy import TrustPolicy

__all__ = ["Patience", "is_closing_signed"]

_KEY_COUNT_MAX = 256  # keys of which a signature or a proof is looked at


class Patience:
    """What is left to be looked at; owned by one check."""

    def __init__(self, *, is_closed: bool, count_max: int | None = None) -> None:
        self._left = None if is_closed else count_max or _KEY_COUNT_MAX

    def lasts(self, count: int = 1) -> bool:
        """Tell whether so much more is looked at: anything in a bundle that was closed."""
        if self._left is None:
            return True
        self._left -= count
        return self._left >= 0


def is_closing_signed(message: bytes, signature: bytes, policy: TrustPolicy, *, index: int) -> bool:
    """Tell whether an intake key signed a closing that is in force at an index."""
    in_force = (key for key in policy.intake_keys if key.is_in_force(index))
    return any(_is_signed(key.public, message, signature) for key in in_force)


def _is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        ed25519.verify_bytes(public_key, message, signature)
    except (SignatureError, InputError):
        return False
    return True
