"""Several API processes behind one listening socket.

The parent binds and serves nothing itself. A child that somebody killed is
replaced, as what it had acknowledged is durable; one that gives up has said
why, and ends them all. Children end with their parent, whatever becomes of it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from vermilion_api.cli.common import say
from vermilion_api.cli.processes import PARENT_VARIABLE
from vermilion_ledger.errors import UnavailableError

__all__ = ["Workers"]

_POLL_SECONDS = 0.2
_STOP_SECONDS = 20.0  # beyond what a child gives its own callers


class Workers:
    """Owns the child processes; used by the main thread of their parent."""

    def __init__(self, home: Path, door: socket.socket, count: int) -> None:
        self._home = home
        self._door = door
        self._count = count
        self._children: list[subprocess.Popen[bytes]] = []

    def run(self, stop: threading.Event) -> None:
        """Serve until asked to stop; every child has ended on return.

        Raises:
            UnavailableError: ``serve.child-ended``: a child gave up.
        """
        try:
            while not stop.is_set():
                while len(self._children) < self._count:
                    self._start()
                stop.wait(_POLL_SECONDS)
                self._look()
        finally:
            self._stop()

    def _start(self) -> None:
        number = self._door.fileno()
        # What is ignored here is ignored by a child from its first instruction on:
        # Ctrl-C reaches the whole group, and the parent stops its children in order.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self._children.append(
                subprocess.Popen(  # noqa: S603 - our own program
                    [
                        *(sys.executable, "-m", "vermilion_api", "serve"),
                        *("--home", self._home, "--listener", str(number)),
                    ],
                    env={**os.environ, PARENT_VARIABLE: str(os.getpid())},
                    pass_fds=(number,),
                    stdin=subprocess.DEVNULL,
                    stdout=sys.stderr,
                )
            )
        finally:
            signal.signal(signal.SIGINT, before)

    def _look(self) -> None:
        for child in list(self._children):
            code = child.poll()
            if code is None:
                continue
            self._children.remove(child)
            if code > 0:
                raise UnavailableError(
                    "serve.child-ended", f"an API process ended with exit code {code}"
                )
            say(f"API process {child.pid} was ended ({code}): another takes its place")

    def _stop(self) -> None:
        for child in self._children:
            child.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for child in self._children:
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
