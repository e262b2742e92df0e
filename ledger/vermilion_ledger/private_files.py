"""Secrets on disk: files that only their owner may read, and that are never overwritten."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from vermilion_ledger.errors import ConflictError, InputError, NotFoundError

__all__ = ["create_private_file", "read_private_file"]

_FILE_SIZE_MAX = 64 * 1024  # bytes; a keystore has about 500


def create_private_file(path: Path, data: bytes) -> None:
    """Create a file that only its owner may read; it and its name are durable on return.

    Raises:
        ConflictError: ``key.file-exists``: a secret is never overwritten.
        NotFoundError: ``key.file-missing``: the folder cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as exc:
        raise ConflictError("key.file-exists", f"{path.name} exists already") from exc
    except OSError as exc:
        raise NotFoundError("key.file-missing", f"{path.name}: {exc.strerror}") from exc
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the name must survive a crash as well as the bytes
    finally:
        os.close(folder)


def read_private_file(path: Path) -> bytes:
    """Read a secret through one descriptor, so that what was checked is what is read.

    Raises:
        InputError: ``key.file-readable``: somebody but the owner may read it.
        NotFoundError: ``key.file-missing``: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise InputError(
                    "key.file-readable", f"{path.name} has mode {stat.S_IMODE(mode):04o}, not 0600"
                )
            return file.read(_FILE_SIZE_MAX)
    except OSError as exc:
        raise NotFoundError("key.file-missing", f"{path.name}: {exc.strerror}") from exc
