"""The few things the POSIX driver does with a file system, and doing them for real.

`Disk` is all that stands between `vermilion_ledger.tilestore.posix` and the
operating system, so that a simulated disk can lose whatever was not synced.
POSIX.1-2024: a file's bytes survive a crash once the file was synced, its name
once the folder that holds the name was.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

__all__ = ["Disk", "OsDisk"]


class Disk(Protocol):
    """A file system. Paths are absolute; every failure is an `OSError` with its errno.

    Nothing is durable before it is synced: a crash may undo it, or not, each
    operation by itself and in any order.
    """

    def create(self, path: str, data: bytes) -> int:
        """Create a file, write all of it and return it open.

        Raises:
            FileExistsError: Something has this name.
            OSError: Not all was written; the name may exist and the file is closed.
        """
        ...

    def sync_files(self, files: Sequence[int]) -> None:
        """Make the bytes of open files durable; in which order is open.

        Raises:
            OSError: Of at least one file the bytes are lost or in doubt.
        """
        ...

    def close(self, file: int) -> None:
        """Close a file."""
        ...

    def link(self, source: str, target: str) -> None:
        """Give a file a second name, at once or not at all.

        Raises:
            FileExistsError: Something has the second name; it is left alone.
        """
        ...

    def rename(self, source: str, target: str) -> None:
        """Give a file another name, at once, in place of whatever file had it."""
        ...

    def unlink(self, path: str) -> None:
        """Take a name away from a file."""
        ...

    def make_folder(self, path: str) -> None:
        """Create a folder.

        Raises:
            FileExistsError: Something has this name.
        """
        ...

    def remove_folder(self, path: str) -> None:
        """Remove a folder that is empty.

        Raises:
            OSError: With ``ENOTEMPTY`` or ``EEXIST`` if it is not.
        """
        ...

    def sync_folder(self, path: str) -> None:
        """Make the names in a folder durable, those taken away included."""
        ...

    def read(self, path: str) -> bytes:
        """Return the bytes of a file."""
        ...

    def list_folder(self, path: str) -> Sequence[tuple[str, bool]]:
        """Return each name in a folder and whether it is a folder, in any order."""
        ...


class OsDisk:
    """The file system of this machine. Safe to share between threads and processes.

    New files are 0644 and new folders 0755, less the process's umask.
    """

    def __init__(self, *, sync_thread_count: int = 8) -> None:
        """Sync with so many threads at once: journals commit what waits together."""
        self._sync_thread_count = sync_thread_count

    def create(self, path: str, data: bytes) -> int:
        """Create a file, write all of it and return it open."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(path, flags, 0o644)
        try:
            left = memoryview(data)
            while left:  # a nearly full disk takes a part before it refuses
                left = left[os.write(file, left) :]
        except BaseException:
            os.close(file)
            raise
        return file

    def sync_files(self, files: Sequence[int]) -> None:
        """Make the bytes of open files durable."""
        threads = min(self._sync_thread_count, len(files) // _FILES_PER_THREAD_MIN)
        if threads < 2:
            for file in files:
                os.fsync(file)
            return
        with ThreadPoolExecutor(threads, thread_name_prefix="tiles-sync") as pool:
            for _ in pool.map(os.fsync, files):
                pass  # taking the results raises the first error

    def close(self, file: int) -> None:
        """Close a file."""
        os.close(file)

    def link(self, source: str, target: str) -> None:
        """Give a file a second name, or refuse if something has it."""
        os.link(source, target, follow_symlinks=False)

    def rename(self, source: str, target: str) -> None:
        """Give a file another name, in place of whatever file had it."""
        Path(source).replace(target)

    def unlink(self, path: str) -> None:
        """Take a name away from a file."""
        Path(path).unlink()

    def make_folder(self, path: str) -> None:
        """Create a folder."""
        Path(path).mkdir(0o755)

    def remove_folder(self, path: str) -> None:
        """Remove a folder that is empty."""
        Path(path).rmdir()

    def sync_folder(self, path: str) -> None:
        """Make the names in a folder durable."""
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def read(self, path: str) -> bytes:
        """Return the bytes of a file."""
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            parts = []
            while part := os.read(file, _READ_SIZE):
                parts.append(part)
        finally:
            os.close(file)
        return b"".join(parts)

    def list_folder(self, path: str) -> Sequence[tuple[str, bool]]:
        """Return each name in a folder and whether it is a folder."""
        with os.scandir(path) as found:
            return [(item.name, item.is_dir(follow_symlinks=False)) for item in found]


_FILES_PER_THREAD_MIN = 4  # below, starting a thread costs more than it saves
_READ_SIZE = 64 * 1024  # bytes
