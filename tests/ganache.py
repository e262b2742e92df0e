"""A real Ganache node: another implementation of the chain, without what Anvil adds to it.

Rules of Shanghai, headers of 17 fields, no ``eth_getBlockReceipts``, an instant ``finalized``.
A helper of tests, not a test.
"""

from __future__ import annotations

import shutil
import subprocess
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chain import call, free_port

__all__ = ["GANACHE_CHAIN", "fund", "running_ganache"]

GANACHE_CHAIN = 1337
_CLI = Path(__file__).parents[1] / "contracts/node_modules/ganache/dist/node/cli.js"
_READY_SECONDS = 60.0


@contextmanager
def running_ganache() -> Iterator[str]:
    """Yield the address of a node that mines a block per transaction."""
    node = shutil.which("node")
    # no reason to skip: the lock file of contracts/ has it, and `make test` installs that
    assert node is not None, "node is not on the path: run by `make test`"
    assert _CLI.exists(), "ganache is not installed: run `make contracts`"
    port = free_port()
    options = ["--server.port", str(port), "--wallet.deterministic", "--logging.quiet"]
    child = subprocess.Popen(
        [node, _CLI, *options, "--chain.chainId", str(GANACHE_CHAIN)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _await_answer(child, url)
        yield url
    finally:
        child.terminate()
        child.wait()


def fund(url: str, address: bytes, ether: int = 10) -> None:
    """Send ether of the node's first account."""
    rich = call(url, "eth_accounts")[0]
    transfer = {"from": rich, "to": "0x" + address.hex(), "value": hex(ether * 10**18)}
    call(url, "eth_sendTransaction", transfer)


def _await_answer(child: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            assert int(call(url, "eth_chainId"), 16) == GANACHE_CHAIN
        except (urllib.error.URLError, OSError):
            assert child.poll() is None, "ganache ended"
            assert time.monotonic() < deadline, "ganache does not answer"
            time.sleep(0.1)
        else:
            return
