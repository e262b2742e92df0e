"""Processes for tests of the store: started, watched, stopped, killed, and gone at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Victim", "running_victims"]

_TESTS = Path(__file__).parent
_PROGRAM = _TESTS / "integration" / "store" / "victim.py"
_PACKAGES = ("ledger", "api", "anchor", "verifier")


class Victim:
    """A process, and what it has said so far."""

    def __init__(self, arguments: tuple[str, ...], output: Path) -> None:
        paths = [_TESTS, *(_TESTS.parent / name for name in _PACKAGES)]
        self._output = output
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, str(_PROGRAM), *arguments],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},
                stdout=file,
            )

    def lines(self) -> list[str]:
        """Return the whole lines said so far."""
        return self._output.read_text().rpartition("\n")[0].split("\n")

    def positions(self) -> list[int]:
        """Return what a writer was acknowledged."""
        return [int(line) for line in self.lines() if line]

    def await_line(self, start: str, *, seconds: float = 60, after: int = 0) -> int:
        """Wait for a line that starts like this; return the number of lines up to it."""
        deadline = time.monotonic() + seconds
        while True:
            lines = self.lines()
            for number, line in enumerate(lines[after:], after + 1):
                if line and line.startswith(start):
                    return number
            assert self.process.poll() is None, f"ended before {start!r}: {lines[-5:]}"
            assert time.monotonic() < deadline, f"no {start!r} in {seconds} s: {lines[-5:]}"
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop it in the middle of whatever it does."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it without a chance to clean up."""
        self.process.kill()
        self.process.wait()


@contextmanager
def running_victims() -> Iterator[Callable[..., Victim]]:
    """Start victims as needed; all are killed at the end."""
    victims: list[Victim] = []
    with tempfile.TemporaryDirectory(prefix="vmvictim-") as folder:

        def start(*arguments: object) -> Victim:
            output = Path(folder) / str(len(victims))
            victims.append(Victim(tuple(map(str, arguments)), output))
            return victims[-1]

        try:
            yield start
        finally:
            for victim in victims:
                if victim.process.poll() is None:
                    victim.kill()
