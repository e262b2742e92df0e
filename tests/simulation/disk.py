"""A disk in memory that keeps, over a power cut, only what was synced.

`Disk` has the semantics that `vermilion_ledger.tilestore.disk` writes down
(POSIX.1-2024): bytes survive once their file was synced, names once their
folder was. What was not synced is lost, or not, each operation by itself, as
the seed has it; unsynced bytes come back cut short or overwritten.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from random import Random

__all__ = ["Disk", "File", "Folder"]


class File:
    """The bytes that names lead to."""

    __slots__ = ("data", "is_synced")

    def __init__(self, data: bytes, *, is_synced: bool = False) -> None:
        self.data = data
        self.is_synced = is_synced


class Folder:
    """Names, those that would survive, and what happened in between."""

    __slots__ = ("durable", "names", "pending")

    def __init__(self) -> None:
        self.names: dict[str, File | Folder] = {}
        self.durable: dict[str, File | Folder] = {}
        self.pending: dict[str, list[File | Folder | None]] = {}

    def put(self, name: str, node: File | Folder | None) -> None:
        """Give or take a name."""
        if node is None:
            del self.names[name]
        else:
            self.names[name] = node
        self.pending.setdefault(name, []).append(node)

    def sync(self) -> None:
        """Make all names durable."""
        self.durable = dict(self.names)
        self.pending.clear()


class Disk:
    """One machine's disk; shared by its processes. Paths are absolute."""

    def __init__(self) -> None:
        self.root = Folder()
        self._open: dict[int, File] = {}
        self._next = 0

    def create(self, path: str, data: bytes) -> int:
        """Create a file, write all of it and return it open."""
        folder, name = self._place(path)
        if name in folder.names:
            raise _error(errno.EEXIST, path)
        file = File(data)
        folder.put(name, file)
        self._next += 1
        self._open[self._next] = file
        return self._next

    def sync_files(self, files: Sequence[int]) -> None:
        """Make the bytes of open files durable."""
        for each in files:
            self._open[each].is_synced = True

    def close(self, file: int) -> None:
        """Close a file."""
        del self._open[file]

    def link(self, source: str, target: str) -> None:
        """Give a file a second name, or refuse if something has it."""
        file = self._find(source)
        folder, name = self._place(target)
        if name in folder.names:
            raise _error(errno.EEXIST, target)
        folder.put(name, file)

    def rename(self, source: str, target: str) -> None:
        """Give a file another name, in place of whatever file had it."""
        file = self._find(source)
        folder, name = self._place(target)
        folder.put(name, file)
        old, old_name = self._place(source)
        old.put(old_name, None)

    def unlink(self, path: str) -> None:
        """Take a name away from a file."""
        folder, name = self._place(path)
        if name not in folder.names:
            raise _error(errno.ENOENT, path)
        folder.put(name, None)

    def make_folder(self, path: str) -> None:
        """Create a folder."""
        folder, name = self._place(path)
        if name in folder.names:
            raise _error(errno.EEXIST, path)
        folder.put(name, Folder())

    def remove_folder(self, path: str) -> None:
        """Remove a folder that is empty."""
        if self._folder(path).names:
            raise _error(errno.ENOTEMPTY, path)
        folder, name = self._place(path)
        folder.put(name, None)

    def sync_folder(self, path: str) -> None:
        """Make the names in a folder durable."""
        self._folder(path).sync()

    def read(self, path: str) -> bytes:
        """Return the bytes of a file."""
        return self._find(path).data

    def list_folder(self, path: str) -> Sequence[tuple[str, bool]]:
        """Return each name in a folder and whether it is a folder."""
        return [(name, isinstance(node, Folder)) for name, node in self._folder(path).names.items()]

    def power_cut(self, random: Random) -> None:
        """Lose what was not synced, as far as the seed wants."""
        self._open.clear()
        self.root = _survivor(self.root, random)

    def surviving(self, path: str) -> bytes | None:
        """Return what a file has after the worst power cut, if it is there at all."""
        node: File | Folder | None = self.root
        for part in path.split("/")[1:]:
            if not isinstance(node, Folder) or part in node.pending:
                return None
            node = node.durable.get(part)
        return node.data if isinstance(node, File) and node.is_synced else None

    def copy(self) -> Disk:
        """Return what a backup of the whole disk restores."""
        other = Disk()
        other.root = _copied(self.root)
        return other

    def _folder(self, path: str) -> Folder:
        node: File | Folder | None = self.root
        for part in path.split("/")[1:]:
            if not isinstance(node, Folder):
                raise _error(errno.ENOTDIR, path)
            node = node.names.get(part)
            if node is None:
                raise _error(errno.ENOENT, path)
        if not isinstance(node, Folder):
            raise _error(errno.ENOTDIR, path)
        return node

    def _place(self, path: str) -> tuple[Folder, str]:
        parent, _, name = path.rpartition("/")
        return (self._folder(parent) if parent else self.root), name

    def _find(self, path: str) -> File:
        folder, name = self._place(path)
        node = folder.names.get(name)
        if node is None:
            raise _error(errno.ENOENT, path)
        if isinstance(node, Folder):
            raise _error(errno.EISDIR, path)
        return node


def _survivor(folder: Folder, random: Random) -> Folder:
    names = dict(folder.durable)
    for name, changes in folder.pending.items():
        count = int(random.random() * (len(changes) + 1))  # how many of them came through
        if count:
            last = changes[count - 1]
            if last is None:
                names.pop(name, None)
            else:
                names[name] = last
    found = Folder()
    for name, node in names.items():
        if isinstance(node, Folder):
            found.names[name] = _survivor(node, random)
        else:
            if not node.is_synced:
                node.data, node.is_synced = _torn(node.data, random), True
            found.names[name] = node
    found.sync()
    return found


def _torn(data: bytes, random: Random) -> bytes:
    """Return what is left of bytes that were never synced: all, a part, or zeros behind it."""
    kept = random.choice((0, len(data) // 2, len(data)))
    return data[:kept] + bytes(random.choice((0, len(data) - kept)))


def _copied(folder: Folder) -> Folder:
    found = Folder()
    for name, node in folder.names.items():
        found.names[name] = (
            _copied(node) if isinstance(node, Folder) else File(node.data, is_synced=True)
        )
    found.sync()
    return found


def _error(number: int, path: str) -> OSError:
    return OSError(number, os.strerror(number), path)
