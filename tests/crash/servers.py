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
def running_site(folder: Path, *, has_postgres: bool = True, has_s3: bool = True) -> Iterator[Site]:
    """Run servers for as long as needed; without any, SQLite and folders remain.

    Args:
        folder: Where the worker keeps everything; it is made.
        has_postgres: Whether to run PostgreSQL, where it is installed.
        has_s3: Whether to run an S3 API.
    """
    folder.mkdir()
    with ExitStack() as stack:
        is_found = has_postgres and find_postgres() is not None
        postgres = stack.enter_context(running_postgres()) if is_found else None
        endpoint = stack.enter_context(_running_s3()) if has_s3 else ""
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
