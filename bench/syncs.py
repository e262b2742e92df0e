"""Counting what makes figures durable: fsync and fdatasync, as the kernel sees them.

strace is attached to a running process and its threads for a while that is
counted and not timed.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections.abc import Callable

__all__ = ["count_syncs"]

_CALL = re.compile(r"\b(?:fsync|fdatasync)\(")


def count_syncs(process: int, work: Callable[[], object]) -> int:
    """Return how often a process flushed a file to the disk while ``work`` ran.

    Raises:
        SystemExit: strace is missing, or may not attach.
    """
    if shutil.which("strace") is None:
        raise SystemExit("strace is needed to count the calls that make a write durable")
    command = ["strace", "-f", "-e", "trace=fsync,fdatasync", "-p", str(process)]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None  # noqa: S101 - a pipe was asked for
    first = tracer.stderr.readline()
    if "attached" not in first:
        raise SystemExit(f"strace: {first.strip()}")
    try:
        work()
    finally:
        tracer.send_signal(signal.SIGINT)
        _, seen = tracer.communicate()
    return len(_CALL.findall(seen))
