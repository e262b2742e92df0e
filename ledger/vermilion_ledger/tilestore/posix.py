"""Public files in a folder: create-only by ``link``, durable by two syncs.

Each file is written whole under a temporary name and synced before ``link``
gives it its name, which refuses a name that is taken; then every folder with a
new name is synced. So a path holds nothing or the whole file, at any moment
and after any crash. Temporary files live in ``.tmp`` under the root, where no
path of C2SP tlog-tiles leads. All of it goes through a `Disk`.
"""

from __future__ import annotations

import errno
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from itertools import count, islice
from pathlib import Path

from vermilion_ledger.errors import InputError, IntegrityError, NotFoundError, UnavailableError
from vermilion_ledger.tilestore.disk import Disk
from vermilion_ledger.tilestore.paths import CHECKPOINT, check_prefix, full_paths, parse_path

__all__ = ["PosixTileStore"]

_TEMPORARY = ".tmp"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_OPEN_FILE_COUNT_MAX = 256  # a process may often have no more than 1,024


class PosixTileStore:
    """A `TileStore` in a folder whose parent exists. Safe to share between threads.

    Several processes may write to one folder: of two that bring other bytes for
    one path, one is told.
    """

    def __init__(self, disk: Disk, root: Path, *, writer: str | None = None) -> None:
        """Keep files under ``root``; nothing is touched before the first call.

        Args:
            disk: Where the folder is.
            root: The folder; created when first written to.
            writer: Begins the names of temporary files, and must be no other
                writer's; drawn at random if not given.
        """
        self._disk = disk
        self._root = str(root)
        self._parent = str(root.parent)
        self._writer = writer or secrets.token_hex(8)
        self._numbers = count()
        # Folders whose own names are durable. Those of partial tiles come and go: never here.
        self._known: set[str] = set()

    def put_new(self, files: Mapping[str, bytes]) -> None:
        """Create files; all are durable on return.

        Raises:
            InputError: ``tiles.path``: not the path of a tile or bundle.
            IntegrityError: ``tiles.differ``: a file exists with other bytes.
            UnavailableError: ``tiles.disk-full``, ``tiles.unreachable``: not all
                are durable; the same call may be repeated.
        """
        for path in files:
            parse_path(path)
        with _translated(self._root):
            made, to_sync = self._make_folders({path.rpartition("/")[0] for path in files})
            with self._written(list(files.values())) as temporaries:
                for temporary, (path, data) in zip(temporaries, files.items(), strict=True):
                    self._link(temporary, path, data)
                # Also where a file was there before: its writer may not have come so far.
                for folder in to_sync:
                    self._disk.sync_folder(folder)
        self._known.update(folder for folder in made if not folder.endswith(".p"))

    def replace(self, path: str, data: bytes) -> None:
        """Write the checkpoint, atomically and durably.

        Raises:
            InputError: ``tiles.path``: any other path.
            UnavailableError: ``tiles.disk-full``, ``tiles.unreachable``: the old
                or the new checkpoint is there, whole; the call may be repeated.
        """
        if path != CHECKPOINT:
            raise InputError("tiles.path", f"{path[:200]!r} is never replaced")
        with _translated(self._root):
            made, to_sync = self._make_folders({""})
            with self._written([data]) as (temporary,):
                self._disk.rename(temporary, f"{self._root}/{path}")
                for folder in to_sync:
                    self._disk.sync_folder(folder)
        self._known.update(made)

    def load(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Return the files that exist.

        Raises:
            InputError: ``tiles.path``: not the path of a public file.
            UnavailableError: ``tiles.unreachable``: the disk does not give one.
        """
        found = {}
        for path in paths:
            if path != CHECKPOINT:
                parse_path(path)
            with _translated(self._root, path), suppress(FileNotFoundError):
                found[path] = self._disk.read(f"{self._root}/{path}")
        return found

    def list_paths(self, prefix: str) -> Sequence[str]:
        """Return every path that starts with a prefix, sorted, strangers' files included.

        Raises:
            InputError: ``tiles.path``: the prefix leads out of the folder.
            UnavailableError: ``tiles.unreachable``: the disk does not answer.
        """
        check_prefix(prefix)
        with _translated(self._root):
            found = self._walk(prefix.rpartition("/")[0])
            return sorted(path for path in found if path.startswith(prefix))

    def remove(self, paths: Sequence[str]) -> None:
        """Remove partial tiles whose full tile exists; absent ones are fine.

        A crash may bring some of them back; they are still true.

        Raises:
            InputError: ``tiles.path``: a full tile, or no tile at all.
            NotFoundError: ``tiles.no-full``: the full tile is not here; nothing
                is removed.
            UnavailableError: ``tiles.unreachable``: not all are removed.
        """
        full = full_paths(paths)
        if missing := set(full) - self.load(full).keys():
            raise NotFoundError("tiles.no-full", f"{min(missing)} is not stored in full")
        with _translated(self._root):
            for path in paths:
                with suppress(FileNotFoundError):
                    self._disk.unlink(f"{self._root}/{path}")
            for folder in {path.rpartition("/")[0] for path in paths}:
                self._remove_if_empty(f"{self._root}/{folder}")

    def check(self) -> None:
        """Probe that names are given once, and sweep what a crash left behind.

        Another process that writes just now loses its temporary files to the
        sweep: it gets ``tiles.unreachable`` and repeats its call.

        Raises:
            IntegrityError: ``tiles.create-only``: the file system gives a name twice.
            UnavailableError: ``tiles.disk-full``, ``tiles.unreachable``: the folder
                cannot be written.
        """
        with _translated(self._root):
            made, to_sync = self._make_folders({""})
            for folder in to_sync:
                self._disk.sync_folder(folder)
            self._known.update(made)
            for name, is_folder in self._disk.list_folder(f"{self._root}/{_TEMPORARY}"):
                if not is_folder:
                    self._discard(f"{self._root}/{_TEMPORARY}/{name}")
            probe = self._temporary()
            with self._written([b"first", b"second"]) as (first, second):
                try:
                    self._disk.link(first, probe)
                    with suppress(FileExistsError):
                        self._disk.link(second, probe)
                        raise IntegrityError(
                            "tiles.create-only", "the file system links over a file that exists"
                        )
                finally:
                    self._discard(probe)

    def _temporary(self) -> str:
        return f"{self._root}/{_TEMPORARY}/{self._writer}-{next(self._numbers)}"

    @contextmanager
    def _written(self, contents: Collection[bytes]) -> Iterator[list[str]]:
        """Give contents durable bytes under temporary names, for as long as needed."""
        waiting = iter(contents)
        temporaries: list[str] = []
        try:
            while part := list(islice(waiting, _OPEN_FILE_COUNT_MAX)):
                with ExitStack() as opened:
                    files = []
                    for data in part:
                        temporaries.append(self._temporary())
                        files.append(self._disk.create(temporaries[-1], data))
                        opened.callback(self._disk.close, files[-1])
                    self._disk.sync_files(files)
            yield temporaries
        finally:
            for temporary in temporaries:
                self._discard(temporary)

    def _link(self, temporary: str, path: str, data: bytes) -> None:
        target = f"{self._root}/{path}"
        try:
            self._disk.link(temporary, target)
        except FileExistsError:
            stored = self._disk.read(target)
            if stored != data:
                raise IntegrityError(
                    "tiles.differ",
                    f"{path} is stored with SHA-256 {sha256(stored).hexdigest()}, "
                    f"to be written is {sha256(data).hexdigest()}",
                ) from None

    def _make_folders(self, folders: Collection[str]) -> tuple[list[str], list[str]]:
        """Create folders under the root, the root and ``.tmp``.

        Returns the folders whose names are not known to be durable, and the
        folders to sync: those asked for and whichever hold such a name.
        """
        made: dict[str, None] = {}  # in order, without repetition
        to_sync = {self._join(folder): None for folder in sorted(folders)}
        for folder in (*sorted(folders), _TEMPORARY):
            parts = folder.split("/") if folder else []
            parent = self._parent
            for end in range(len(parts) + 1):
                path = self._join("/".join(parts[:end]))
                if path not in self._known and path not in made:
                    with suppress(FileExistsError):
                        self._disk.make_folder(path)
                    made[path] = None
                    to_sync[parent] = None
                parent = path
        return list(made), list(to_sync)

    def _join(self, folder: str) -> str:
        return f"{self._root}/{folder}" if folder else self._root

    def _walk(self, folder: str) -> Iterator[str]:
        try:
            found = self._disk.list_folder(self._join(folder))
        except (FileNotFoundError, NotADirectoryError):
            return
        for name, is_folder in found:
            path = f"{folder}/{name}" if folder else name
            if name.startswith("."):
                continue
            if is_folder:
                yield from self._walk(path)
            else:
                yield path

    def _discard(self, path: str) -> None:
        """Remove a temporary file if that works; if not, `check` will."""
        with suppress(OSError):
            self._disk.unlink(path)

    def _remove_if_empty(self, folder: str) -> None:
        try:
            self._disk.remove_folder(folder)
        except OSError as exc:
            if exc.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT}:
                raise


@contextmanager
def _translated(root: str, path: str = "") -> Iterator[None]:
    """Turn what the file system says into our errors."""
    try:
        yield
    except OSError as exc:
        # A call on an open file names none.
        where = path or str(exc.filename2 or exc.filename or "").removeprefix(f"{root}/") or root
        message = f"{where}: {exc.strerror or type(exc).__name__}"
        code = "tiles.disk-full" if exc.errno in _FULL else "tiles.unreachable"
        raise UnavailableError(code, message) from exc
