"""The servers of one worker: a PostgreSQL cluster and an S3 API, both its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from crash.places import Site
from integration.tilestore.s3_server import CREDENTIALS
from postgres import find_postgres, running_postgres

__all__ = ["running_site"]


@contextmanager
def running_site(folder: Path, *, servers: bool = True) -> Iterator[Site]:
    """Run what is installed for as long as needed; without servers, SQLite and folders remain.

    Args:
        folder: Where the worker keeps everything.
        servers: Whether to run any.
    """
    folder.mkdir()
    with ExitStack() as stack:
        postgres = stack.enter_context(running_postgres()) if servers and find_postgres() else None
        endpoint = stack.enter_context(_running_s3()) if servers else ""
        yield Site(folder, postgres=postgres, s3_endpoint=endpoint)


@contextmanager
def _running_s3() -> Iterator[str]:
    os.environ.update(CREDENTIALS)
    # One thread for all connections of a client, so that its calls can be counted.
    os.environ["TOKIO_WORKER_THREADS"] = "1"
    server = subprocess.Popen(
        [sys.executable, "-m", "crash.s3_process"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip()
    finally:
        server.stdin.close()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
