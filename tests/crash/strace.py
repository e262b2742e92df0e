"""Watching a process call by call, and injecting faults into chosen calls.

The tracer is strace (1). It is attached to one thread that waits at a gate of
its report, so that counting a call by its number in that thread is exact. The
call that a fault is injected into is not executed: with ``KILL`` the process is
gone before it, with an errno it fails.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from crash.report import Report

__all__ = ["CALLS", "Call", "attach", "parse_calls", "why_not"]

CALLS = (
    *("write", "pwrite64", "writev", "pwritev", "fsync", "fdatasync", "ftruncate", "fallocate"),
    *("rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat"),
    *("mkdir", "mkdirat", "rmdir", "openat", "fchmod", "fchown", "sendto", "sendmsg"),
)
"""Calls that may change what others see; of ``openat``, those with ``O_CREAT``."""

_LINE = re.compile(r"^(?:(\d+) +)?(\w+)\((.*)$")
_RESUMED = re.compile(r"^(?:\d+ +)?<\.\.\.")
_ATTACH_SECONDS = 20.0
_PAUSE_SECONDS = 0.0003
_NOT_STATE = ("[eventfd]", "<pipe:", "[eventpoll]")  # only wake a thread of the same process


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that a thread made.

    Attributes:
        thread: Number of the thread.
        name: Name of the call.
        number: Which of the thread's calls of this name it is, from 1.
        text: As strace shows it.
    """

    thread: int
    name: str
    number: int
    text: str


def why_not() -> str:
    """Return why nothing can be traced here; empty if it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    done = subprocess.run(
        ["strace", "-qq", "-e", "trace=none", sys.executable, "-S", "-c", ""],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else f"strace may not trace here: {done.stderr.strip()[:200]}"


def attach(
    process: int, report: Report, *, log: Path, inject: str = "", name: str = ""
) -> subprocess.Popen[bytes]:
    """Attach to the thread that comes to the armed gate of a report, and let it pass.

    Args:
        process: The process; all its threads are watched unless there is a fault.
        report: Where the thread waits.
        log: Where strace writes.
        inject: Fault, such as ``signal=KILL:when=3``.
        name: Name of the call that it is injected into.
    """
    left = iter(range(round(_ATTACH_SECONDS / _PAUSE_SECONDS)))
    while not (thread := report.at_gate()):
        _wait(process, left)
    options = ["-e", f"trace=?{name}", "-e", f"inject=?{name}:{inject}"]
    if not inject:
        options = ["-f", "-y", "-s", "24", "-e", "trace=" + ",".join(f"?{each}" for each in CALLS)]
    tracer = subprocess.Popen(
        ["strace", "-qq", *options, "-o", str(log), "-p", str(thread)], stderr=subprocess.PIPE
    )
    status = Path(f"/proc/{process}/task/{thread}/status")
    while "TracerPid:\t0\n" in status.read_text():
        if tracer.poll() is not None:
            raise RuntimeError(f"strace ended: {(tracer.communicate()[1] or b'').decode()[:500]}")
        _wait(process, left)
    report.open_gate()
    return tracer


def parse_calls(log: Path) -> Iterator[Call]:
    """Yield the calls of a log that may change what others see."""
    counts: Counter[tuple[int, str]] = Counter()
    for line in log.read_text(errors="replace").splitlines():
        match = _LINE.match(line)
        if match is None or _RESUMED.match(line):
            continue
        thread, name, arguments = int(match[1] or 0), match[2], match[3]
        counts[thread, name] += 1
        if name == "openat" and "O_CREAT" not in arguments:
            continue
        if any(each in arguments.split(",")[0] for each in _NOT_STATE):
            continue
        yield Call(thread=thread, name=name, number=counts[thread, name], text=line)


def _wait(process: int, left: Iterator[int]) -> None:
    with suppress(ChildProcessError):
        ended = os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is not None:
            raise RuntimeError(f"the victim ended before it was traced: {ended.si_status}")
    if next(left, None) is None:
        raise RuntimeError("no thread could be traced in time")
    time.sleep(_PAUSE_SECONDS)
