"""Starting and stopping a native Anvil node as a child of this process.

For demonstrations and tests; a real deployment points at a real node. Always
with ``--prune-history``: by default Anvil writes every old block's state to
disk and never deletes it.
"""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from vermilion_ledger.errors import NotFoundError, UnavailableError

__all__ = ["AnvilNode", "NodeOptions", "find_anvil"]

_HOST = "127.0.0.1"
_PRUNE_HISTORY = 256  # blocks whose state is kept, in memory
_READY_SECONDS, _STOP_SECONDS, _POLL_SECONDS = 20.0, 10.0, 0.02
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_NATIVE = Path("contracts/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeOptions:
    """How to run a node.

    Attributes:
        binary: The native binary, not the npm launcher, which orphans the node when killed.
        port: Port on the loopback interface.
        chain_id: Chain id; Anvil's own is 31337.
        hardfork: Rules of the chain.
        state: File that keeps the chain across restarts; None forgets it.
        state_interval_seconds: How much of the chain a crash may lose.
        block_time_seconds: Pace of blocks; None mines a block per transaction.
        mining: False mines only when told to (``evm_mine``).
        timestamp: Time of the first block in seconds since 1970; with it and
            the same transactions every run has the same block hashes.
        slots_in_an_epoch: The ``finalized`` block lies twice as many behind.
    """

    binary: Path
    port: int
    chain_id: int = 31337
    hardfork: str = "osaka"
    state: Path | None = None
    state_interval_seconds: int = 10
    block_time_seconds: int | None = 1
    mining: bool = True
    timestamp: int | None = None
    slots_in_an_epoch: int | None = None

    def command(self) -> tuple[str, ...]:
        """Return the command line."""
        words: list[str | int | Path] = [self.binary, "--host", _HOST, "--port", self.port]
        words += ["--chain-id", self.chain_id, "--hardfork", self.hardfork, "--quiet"]
        words += ["--prune-history", _PRUNE_HISTORY]
        if self.state is not None:
            words += ["--state", self.state, "--state-interval", self.state_interval_seconds]
        if not self.mining:
            words += ["--no-mining"]
        elif self.block_time_seconds is not None:
            words += ["--block-time", self.block_time_seconds, "--mixed-mining"]
        if self.timestamp is not None:
            words += ["--timestamp", self.timestamp]
        if self.slots_in_an_epoch is not None:
            words += ["--slots-in-an-epoch", self.slots_in_an_epoch]
        return tuple(str(word) for word in words)


def find_anvil(environment: Mapping[str, str], *, root: Path | None = None) -> Path:
    """Return the binary named by ``VERMILION_ANVIL``, installed under ``root``, or on the path.

    Args:
        environment: Where ``VERMILION_ANVIL`` and ``PATH`` are read.
        root: Top of a source tree whose ``contracts/node_modules`` may hold it.

    Raises:
        NotFoundError: ``node.binary-missing``.
    """
    if named := environment.get("VERMILION_ANVIL"):
        candidates = [Path(named)]
    else:
        on_path = shutil.which("anvil", path=environment.get("PATH", ""))
        candidates = [root / _NATIVE] if root is not None else []
        candidates += [Path(on_path)] if on_path is not None else []
    for candidate in candidates:
        if os.access(candidate, os.X_OK) and candidate.is_file():
            return candidate
    raise NotFoundError(
        "node.binary-missing", f"no anvil binary at {named or 'contracts/node_modules or on PATH'}"
    )


class AnvilNode:
    """A running node, or one about to run; a context manager.

    On Linux the node is told to end when the thread that started it dies, so
    that a killed parent leaves no orphan: start it from the main thread.
    """

    def __init__(self, options: NodeOptions) -> None:
        """Prepare a node; nothing runs yet."""
        self.options = options
        self.url = f"http://{_HOST}:{options.port}"
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start the node."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the node."""
        self.stop()

    @property
    def pid(self) -> int | None:
        """Process id while the node runs."""
        return None if self._child is None or self._child.poll() is not None else self._child.pid

    def start(self) -> None:
        """Run the node; return once it answers.

        Raises:
            NotFoundError: ``node.binary-missing``.
            UnavailableError: ``node.port-in-use``, or ``node.failed`` with what the node said.
        """
        self._check_port()
        with tempfile.TemporaryFile() as output:
            try:
                self._child = subprocess.Popen(  # noqa: S603 - the binary is the operator's choice
                    self.options.command(),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    preexec_fn=_end_with_parent(),  # noqa: PLW1509 - one system call, no locks
                )
            except OSError as exc:
                raise NotFoundError(
                    "node.binary-missing", f"{self.options.binary} does not run: {exc.strerror}"
                ) from exc
            self._await_answer(self._child, output)

    def stop(self) -> None:
        """End the node and wait until it has written its state; no effect if it does not run."""
        child, self._child = self._child, None
        if child is None:
            return
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _check_port(self) -> None:
        """Refuse a port in use: otherwise a stranger's node would answer in our node's place."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, self.options.port))
            except OSError as exc:
                raise UnavailableError(
                    "node.port-in-use", f"port {self.options.port} is taken: {exc.strerror}"
                ) from exc

    def _await_answer(self, child: subprocess.Popen[bytes], output: IO[bytes]) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while child.poll() is None:
            if self._answers():
                return
            if time.monotonic() > deadline:
                self.stop()
                break
            time.sleep(_POLL_SECONDS)
        self._child = None
        output.seek(0)
        said = output.read(4000).decode("utf-8", "replace").strip()
        code = "node.port-in-use" if "Address already in use" in said else "node.failed"
        raise UnavailableError(code, f"the node on port {self.options.port} ended: {said[-500:]}")

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(_HOST, self.options.port, timeout=1)
        request = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
        try:
            connection.request(
                "POST", "/", json.dumps(request), {"Content-Type": "application/json"}
            )
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _end_with_parent() -> Callable[[], None] | None:
    """Return what the child does before it becomes the node: ask to be ended with its parent."""
    if sys.platform != "linux":
        return None
    # loaded before the fork: the child must not take the locks of the loader
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the call
            os._exit(1)

    return ask
