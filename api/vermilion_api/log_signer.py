"""The log's keys in memory, and what they sign (FORMATS section 6)."""

from __future__ import annotations

from vermilion_ledger.checkpoint import Checkpoint, sign_checkpoint
from vermilion_ledger.ports import Clock

__all__ = ["LogSigner"]


class LogSigner:
    """Implements `vermilion_ledger.ports.CheckpointSigner`. Safe to share between threads.

    Args:
        origin: Origin of the log, under whose name every key signs.
        seed: Ed25519 seed, 32 bytes.
        ml_dsa_seed: ML-DSA-44 seed, 32 bytes; None where the log has no such key.
        clock: Tells the time that the ML-DSA-44 signature states.
    """

    def __init__(
        self, *, origin: str, seed: bytes, ml_dsa_seed: bytes | None, clock: Clock
    ) -> None:
        self._origin = origin
        self._seed = seed
        self._ml_dsa_seed = ml_dsa_seed
        self._clock = clock

    def sign_checkpoint(self, size: int, root: bytes) -> str:
        """Return the note over a size and its root, signed by every key of the log.

        Raises:
            InputError: ``checkpoint.time``: the clock stands before 1970.
        """
        return sign_checkpoint(
            Checkpoint(origin=self._origin, size=size, root=root),
            self._seed,
            ml_dsa_seed=self._ml_dsa_seed,
            seconds=int(self._clock().timestamp()),
        )
