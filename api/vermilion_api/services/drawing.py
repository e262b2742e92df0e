"""Random bytes, drawn in blocks.

Each look at the kernel's generator lets another thread take the interpreter
away; with one look for hundreds of documents that is rare. Every byte is
handed out once.
"""

from __future__ import annotations

import secrets
import threading

__all__ = ["RandomBlock"]

_BLOCK_SIZE = 64 * 1024


class RandomBlock:
    """Owned by one process; safe to share between its threads."""

    def __init__(self) -> None:
        self._block = b""
        self._at = 0
        self._lock = threading.Lock()

    def take(self, size: int) -> bytes:
        """Return random bytes that nobody else gets."""
        if size > _BLOCK_SIZE:
            return secrets.token_bytes(size)
        with self._lock:
            if self._at + size > len(self._block):
                self._block, self._at = secrets.token_bytes(_BLOCK_SIZE), 0
            self._at += size
            return self._block[self._at - size : self._at]
