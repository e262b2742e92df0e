"""A real PostgreSQL for tests: own cluster, own folder, own port, stopped at the end.

`PostgresServer.find` says whether the programs are there. As root, which
initdb refuses, the server runs as an unprivileged user.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

__all__ = ["PostgresServer", "find_postgres", "running_postgres"]

_MEMORY = Path("/dev/shm")  # a file system in memory on Linux
_MEMORY_FREE_MIN = 8 << 30  # bytes
_USERS = ("postgres", "nobody")
_SETTINGS: Mapping[str, str] = {
    "fsync": "on",
    "synchronous_commit": "on",
    "max_connections": "200",
    "shared_buffers": "128MB",
}


def find_postgres() -> Path | None:
    """Return the folder with initdb, pg_ctl and postgres; None where there is none."""
    folders = [Path(found).resolve().parent] if (found := shutil.which("initdb")) else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if all((folder / name).exists() for name in ("initdb", "pg_ctl", "postgres")):
            return folder
    return None


class PostgresServer:
    """One cluster; databases are made in it as tests need them."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._numbers = count()
        self._user = next((user for user in _USERS if _exists(user)), None)
        if os.geteuid() == 0 and self._user is not None:
            shutil.chown(folder, self._user)
        self.port = _free_port()

    def create(self) -> None:
        """Make the cluster's files."""
        self._run(
            "initdb", "-D", self._data, "-U", "owner", "-A", "trust", "-E", "UTF8", "--locale=C"
        )

    def start(self, **settings: str) -> None:
        """Start the server and wait until it answers."""
        options = {**_SETTINGS, **settings}
        flags = " ".join(f"-c {name}={value}" for name, value in options.items())
        self._run(
            "pg_ctl", "-D", self._data, "-w", "-t", "60", "-l", str(self._folder / "log"),
            "-o", f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1 {flags}",
            "start",
        )  # fmt: skip

    def stop(self, mode: str = "fast") -> None:
        """Stop the server; ``immediate`` is a crash."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", mode, "stop")

    def url(self, database: str, user: str = "owner") -> str:
        """Return the address of a database."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    @property
    def process(self) -> int:
        """Process id of the server, whose children are its sessions."""
        return int((self._folder / "data" / "postmaster.pid").read_text().split()[0])

    def create_database(self, template: str = "template0") -> str:
        """Make a database of its own for a test; return its name."""
        name = f"test_{next(self._numbers)}"
        self._run(
            "createdb", "-h", str(self._folder), "-p", str(self.port), "-U", "owner",
            "-T", template, name,
        )  # fmt: skip
        return name

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        if os.geteuid() == 0 and self._user is not None:
            command = ["setpriv", f"--reuid={self._user}", "--clear-groups", *command]
            command[2:2] = [f"--regid={pwd.getpwnam(self._user).pw_gid}"]
        done = subprocess.run(
            command,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=120,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {(done.stdout or b'').decode()[-2000:]}")


@contextmanager
def running_postgres(*, on_disk: bool = False) -> Iterator[PostgresServer]:
    """Run a server in a temporary folder; the caller has checked `find_postgres`.

    In memory where there is plenty: a database is three hundred files, and a
    test run makes hundreds. Nothing here ever cuts the power, so that what a
    killed server finds again is the same; whoever measures asks for a disk.
    """
    programs = find_postgres()
    assert programs is not None
    # A short path of its own: sockets allow about 100 characters, and the
    # server's user must be able to enter every folder above.
    memory = None if on_disk else _find_memory()
    folder = Path(tempfile.mkdtemp(prefix="vmpg-", dir=memory))
    server = PostgresServer(programs, folder)
    try:
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _find_memory() -> Path | None:
    with suppress(OSError):
        if shutil.disk_usage(_MEMORY).free >= _MEMORY_FREE_MIN:
            return _MEMORY
    return None


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
