"""Several API processes behind one address.

The parent binds a socket for each child and serves nothing itself; the kernel
spreads connections over the sockets (SO_REUSEPORT), where on a shared one
whoever wakes first would take them all. A child that somebody killed is
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
from collections.abc import Sequence
from pathlib import Path

from vermilion_api.cli.common import say
from vermilion_api.cli.processes import PARENT_VARIABLE
from vermilion_ledger.errors import UnavailableError

__all__ = ["Workers"]

_POLL_SECONDS = 0.2
_STOP_SECONDS = 20.0  # beyond what a child gives its own callers


class Workers:
    """Owns the child processes; used by the main thread of their parent."""

    def __init__(self, home: Path, doors: Sequence[socket.socket]) -> None:
        self._home = home
        self._doors = tuple(doors)
        self._children: dict[int, subprocess.Popen[bytes]] = {}  # by the place of their door

    def run(self, stop: threading.Event) -> None:
        """Serve until asked to stop; every child has ended on return.

        Raises:
            UnavailableError: ``serve.child-ended``: a child gave up.
        """
        try:
            while not stop.is_set():
                for place in range(len(self._doors)):
                    if place not in self._children:
                        self._start(place)
                stop.wait(_POLL_SECONDS)
                self._look()
        finally:
            self._stop()

    def _start(self, place: int) -> None:
        number = self._doors[place].fileno()
        # What is ignored here is ignored by a child from its first instruction on:
        # Ctrl-C reaches the whole group, and the parent stops its children in order.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self._children[place] = subprocess.Popen(  # noqa: S603 - our own program
                [
                    *(sys.executable, "-m", "vermilion_api", "serve"),
                    *("--home", self._home, "--listener", str(number)),
                ],
                env={**os.environ, PARENT_VARIABLE: str(os.getpid())},
                pass_fds=(number,),
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr,
            )
        finally:
            signal.signal(signal.SIGINT, before)

    def _look(self) -> None:
        for place, child in list(self._children.items()):
            code = child.poll()
            if code is None:
                continue
            del self._children[place]
            if code > 0:
                raise UnavailableError(
                    "serve.child-ended", f"an API process ended with exit code {code}"
                )
            say(f"API process {child.pid} was ended ({code}): another takes its place")

    def _stop(self) -> None:
        for child in self._children.values():
            child.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for child in self._children.values():
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
