"""What the log must be, said again from RFC 9162 and FORMATS 5 alone, slowly.

Shares no code with what is tested: its own entries, its own recursion, its own
paths. Complete subtrees are remembered, as leaves never change.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Sequence

from vermilion_ledger.rows import StoredEntry

__all__ = ["Reference", "note_of", "read_note"]

_ORIGIN = "simulated.example/log"


class Reference:
    """The tree over the stored envelopes."""

    def __init__(self, other: Reference | None = None, size: int = 0) -> None:
        """Start empty, or with the first leaves of another tree."""
        self.entries: list[bytes] = other.entries[:size] if other else []
        self.leaves: list[bytes] = other.leaves[:size] if other else []
        self._old = other
        self._old_size = size
        self._roots: dict[tuple[int, int], bytes] = {}

    def grow(self, stored: Sequence[StoredEntry]) -> None:
        """Add entries."""
        for each in stored:
            digest = hashlib.sha256(each.envelope).digest()
            opened = b"vermilion/commitment/v1\0" + each.salt + digest
            named = b"vermilion/tag/v1\0" + each.sequence.to_bytes(8, "big")
            tag = hmac.digest(each.record_key, named, "sha256")
            entry = b"\1" + hashlib.sha256(opened).digest() + tag
            self.entries.append(entry)
            self.leaves.append(hashlib.sha256(b"\0" + entry).digest())

    def root(self, size: int) -> bytes:
        """Return MTH(D[size])."""
        return self._root(0, size) if size else hashlib.sha256(b"").digest()

    def files(self, old_size: int, size: int) -> Iterator[tuple[str, bytes]]:
        """Yield the files that growing from one size to another must have made durable.

        Those at the right edge, and those that became full on the way.
        """
        for position in range(old_size // 256, -(-size // 256)):
            part = self.entries[position * 256 : min(size, (position + 1) * 256)]
            data = b"".join(b"\0\x41" + entry for entry in part)
            yield _path("entries", position, len(part)), data
        level = 0
        while size >> 8 * level:
            first, end = old_size >> 8 * (level + 1), size >> 8 * level
            for position in range(first, -(-end // 256)):
                children = range(position * 256, min(end, (position + 1) * 256))
                span = 256**level
                hashes = [self._root(at * span, (at + 1) * span) for at in children]
                yield _path(str(level), position, len(hashes)), b"".join(hashes)
            level += 1

    def _root(self, start: int, end: int) -> bytes:
        if end - start == 1:
            return self.leaves[start]
        known = self._known(start, end)
        if known is None:
            split = 1
            while split * 2 < end - start:
                split *= 2
            both = self._root(start, start + split) + self._root(start + split, end)
            known = hashlib.sha256(b"\1" + both).digest()
            width = end - start
            if not width & (width - 1):
                self._roots[start, end] = known
        return known

    def _known(self, start: int, end: int) -> bytes | None:
        found = self._roots.get((start, end))
        if found is None and self._old is not None and end <= self._old_size:
            found = self._old._known(start, end)
        return found


def _path(kind: str, position: int, width: int) -> str:
    groups = [f"{position % 1000:03}"]
    while position := position // 1000:
        groups.insert(0, f"x{position % 1000:03}")
    return f"tile/{kind}/{'/'.join(groups)}" + ("" if width == 256 else f".p/{width}")


def note_of(size: int, root: bytes) -> str:
    """Return a checkpoint in its form; nobody looks at the signature here."""
    signature = base64.b64encode(b"key." + bytes(64)).decode()
    text = base64.b64encode(root).decode()
    return f"{_ORIGIN}\n{size}\n{text}\n\n\N{EM DASH} {_ORIGIN} {signature}\n"


def read_note(note: bytes) -> tuple[int, bytes]:
    """Return the size and the root that a checkpoint states."""
    lines = note.decode().split("\n")
    return int(lines[1]), base64.b64decode(lines[2])
