"""What a victim tells while it lives, in memory that outlives it.

A page shared between the zygote and its forks. Telling something costs no
system call, so that it is never itself a point at which a victim is killed,
and what was told a moment before SIGKILL is there.
"""

from __future__ import annotations

import json
import mmap
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

__all__ = ["Report"]

_SIZE = 1 << 20
_HEADER = struct.Struct("<QIB")  # bytes told, thread at the gate, whether it may go on
_START = 64


class Report:
    """Told by one process at a time, read by all; made before the fork."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _SIZE)
        self._gate = ""
        self._lock = threading.Lock()

    def clear(self) -> None:
        """Forget what was told."""
        self._set(0, 0, 0)

    def arm(self, gate: str) -> None:
        """Have the next victim wait at a gate, or at none."""
        self._gate = gate
        told, _, _ = self._get()
        self._set(told, 0, 0)

    def tell(self, kind: str, **facts: Any) -> None:
        """Add a fact; the length last, so that half a fact is never read."""
        line = json.dumps({"kind": kind, **facts}).encode() + b"\n"
        with self._lock:
            told, thread, go = self._get()
            start = _START + told
            if start + len(line) > _SIZE:
                raise MemoryError("the report is full")
            self._memory[start : start + len(line)] = line
            self._set(told + len(line), thread, go)

    def told(self, kind: str) -> Iterator[dict[str, Any]]:
        """Yield the facts of a kind in the order in which they were told."""
        told, _, _ = self._get()
        for line in self._memory[_START : _START + told].splitlines():
            fact = json.loads(line)
            if fact["kind"] == kind:
                yield fact

    def pass_gate(self, gate: str, thread: int) -> None:
        """Called by the victim: wait, if this gate is armed, until the tracer has the thread."""
        if gate != self._gate:
            return
        told, _, _ = self._get()
        self._set(told, thread, 0)
        while not self._get()[2]:
            time.sleep(0.0002)

    def at_gate(self) -> int:
        """Return the thread that waits to be traced; 0 while there is none."""
        return self._get()[1]

    def open_gate(self) -> None:
        """Let the victim go on."""
        told, thread, _ = self._get()
        self._set(told, thread, 1)

    def _get(self) -> tuple[int, int, int]:
        found: tuple[int, int, int] = _HEADER.unpack_from(self._memory)
        return found

    def _set(self, told: int, thread: int, go: int) -> None:
        _HEADER.pack_into(self._memory, 0, told, thread, go)
