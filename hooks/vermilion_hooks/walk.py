"""Finding the files to record: in one order, without surprises.

Owns what is looked at and what is not. Files come in the byte order of their
paths, so that two runs over one archive do the same. Symbolic links are
skipped unless asked for; devices, pipes and sockets are refused; what fails is
reported in its place and the rest goes on.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from vermilion_ledger.digest import FileIdentity, explain_os_error, identify, show_path
from vermilion_ledger.errors import EvidenceError, InputError, NotFoundError, UnavailableError

__all__ = ["Failed", "Found", "Skipped", "find_roots", "measure", "walk"]

_Folder = tuple[int, int]  # (device, inode)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A regular file, as it stood when it was met.

    Attributes:
        path: Absolute; undecodable bytes stand as surrogates (PEP 383).
        identity: Seen by the walk, before any byte was read.
    """

    path: str
    identity: FileIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Something that is left out on purpose.

    Attributes:
        path: Absolute.
        code: ``walk.symlink``, ``walk.visited`` or ``walk.own-journal``.
    """

    path: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Something that ought to be recorded and cannot be."""

    path: str
    error: EvidenceError


@dataclass(frozen=True, slots=True)
class _Place:
    path: str
    is_folder: bool = False  # as listed by the folder above it
    above: tuple[_Folder, ...] = ()  # filled only where links are followed


def find_roots(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the places to walk: absolute, sorted, none inside another.

    Links on the way to a path are resolved as the operating system would;
    the last place of the path is not, so that a link given by name is seen.
    """
    roots: list[str] = []
    for path in sorted({_absolute(path) for path in paths}, key=os.fsencode):
        if not any(_is_inside(path, root) for root in roots):
            roots.append(path)
    return tuple(roots)


def walk(roots: Iterable[str], *, follow: bool = False) -> Iterator[Found | Skipped | Failed]:
    """Yield every file under the roots, and whatever is left out, in byte order.

    With ``follow`` each folder is entered once, however many links lead to
    it; a link to a folder above itself is a failure, `walk.loop`.

    Args:
        roots: From `find_roots`.
        follow: Follow symbolic links to files and folders.
    """
    visited: set[_Folder] = set()
    for root in roots:
        places = [_Place(root)]
        while places:
            place = places.pop()
            try:
                status = os.stat(place.path, follow_symlinks=follow)  # noqa: PTH116 - one call
                if stat.S_ISDIR(status.st_mode):
                    if follow:
                        place = _enter(place, status, visited)
                    places += reversed(_list_folder(place, follow=follow))
                    continue
                yield _classify(place.path, status, named=place.path == root)
            except _VisitedError:
                yield Skipped(path=place.path, code="walk.visited")
            except EvidenceError as exc:
                yield Failed(path=place.path, error=exc)
            except (OSError, ValueError) as exc:
                yield Failed(path=place.path, error=_explain(exc, place, follow=follow))


def measure(roots: Iterable[str], *, follow: bool = False) -> tuple[int, int]:
    """Return how many files lie under the roots and how many bytes they have."""
    sizes = [item.identity.size for item in walk(roots, follow=follow) if isinstance(item, Found)]
    return len(sizes), sum(sizes)


class _VisitedError(Exception):
    """A folder is met a second time, by another way."""


def _absolute(path: str) -> str:
    head, tail = os.path.split(path)
    if tail in ("", ".", ".."):
        return os.path.realpath(path)
    return os.path.join(os.path.realpath(head), tail)  # noqa: PTH118 - text, as it came


def _is_inside(path: str, root: str) -> bool:
    return path.startswith(root if root.endswith(os.sep) else root + os.sep)


def _classify(path: str, status: os.stat_result, *, named: bool) -> Found | Skipped:
    if stat.S_ISLNK(status.st_mode):
        if named:
            raise InputError("file.symlink", f"{show_path(path)} is a symbolic link")
        return Skipped(path=path, code="walk.symlink")
    if not stat.S_ISREG(status.st_mode):
        raise InputError("file.not-regular", f"{show_path(path)} is not a regular file")
    return Found(path=path, identity=identify(status))


def _enter(place: _Place, status: os.stat_result, visited: set[_Folder]) -> _Place:
    """Note a folder as visited; ``visited`` is owned by one walk."""
    folder = (status.st_dev, status.st_ino)
    if folder in place.above:
        raise InputError("walk.loop", f"{show_path(place.path)} leads back to a folder above it")
    if folder in visited:
        raise _VisitedError
    visited.add(folder)
    return replace(place, above=(*place.above, folder))


def _list_folder(place: _Place, *, follow: bool) -> list[_Place]:
    """Return what a folder holds, in the byte order of whole paths below it."""
    try:
        with os.scandir(place.path) as entries:
            named = sorted((_sort_key(entry, follow=follow), entry.path) for entry in entries)
    except OSError as exc:
        raise _explain(exc, replace(place, is_folder=True), follow=follow) from exc
    return [_Place(path, key.endswith(b"/"), place.above) for key, path in named]


def _sort_key(entry: os.DirEntry[str], *, follow: bool) -> bytes:
    """Return the name as it stands in the paths below it: a folder's with its slash."""
    try:
        is_folder = entry.is_dir(follow_symlinks=follow)
    except OSError:  # a loop of links; the walk reports it when it gets there
        is_folder = False
    return os.fsencode(entry.name) + (b"/" if is_folder else b"")


def _explain(exc: OSError | ValueError, place: _Place, *, follow: bool) -> EvidenceError:
    name = show_path(place.path)
    if not isinstance(exc, OSError):
        return explain_os_error(exc, place.path)
    if follow and exc.errno == errno.ELOOP:
        return InputError("walk.loop", f"{name} is a loop of symbolic links")
    if not place.is_folder:
        return explain_os_error(exc, place.path)
    if exc.errno in (errno.ENOENT, errno.ENOTDIR, errno.ESTALE):
        return NotFoundError("walk.vanished", f"folder {name} is no longer there")
    if exc.errno in (errno.EACCES, errno.EPERM):
        return UnavailableError("walk.unreadable", f"folder {name} may not be read: {exc.strerror}")
    return UnavailableError("walk.read-failed", f"folder {name}: {exc.strerror}")
