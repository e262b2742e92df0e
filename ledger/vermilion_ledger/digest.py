"""Hashing a document's bytes: in one streaming pass, without trusting the file system.

Owns the only hasher of document bytes; the archive hook and the verifier both
use it. Follows FORMATS section 2: SHA-256 of the raw bytes, SM3 beside it where
asked for. Standard library only, nothing is mapped into memory (a mapped file
that another program truncates kills the reader), and memory stays the same
however large the document is.

A digest is given only for bytes that stood still: what the file system says of
the file before and after the pass must agree, with what was read and with what
the path names afterwards. The one change it cannot see is a writer through
`mmap` whose pages the kernel has not yet dated.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Protocol

from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    InputError,
    NotFoundError,
    UnavailableError,
)

__all__ = [
    "ByteSource",
    "FileDigest",
    "FileIdentity",
    "Hasher",
    "Progress",
    "digest_file",
    "digest_stream",
    "explain_os_error",
    "identify",
    "show_path",
]

_BLOCK_SIZE = 1024 * 1024  # bytes; also the size up to which one read is quicker than a thread
_BLOCK_COUNT = 4
# Without O_NONBLOCK, opening a FIFO would wait for a writer that may never come.
# The names that Windows lacks stand for nothing there.
_OPEN_FLAGS: int = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_NONBLOCK", 0)
)
_NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0)

Progress = Callable[[int], None]
"""Told, in the calling thread, how many further bytes have been hashed."""


class Hasher(Protocol):
    """What `hashlib` gives out."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Take further bytes."""

    def digest(self) -> bytes:
        """Return the digest of all bytes taken."""
        ...


class ByteSource(Protocol):
    """A binary stream: an unbuffered file, standard input, an upload."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill the buffer from its start; return 0 at the end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FileIdentity:
    """What the file system says of a file without its bytes being read.

    Attributes:
        device: Number of the file system.
        inode: Number of the file on it.
        size: Bytes.
        mtime_ns: Moment of the last write, nanoseconds since 1970.
    """

    device: int
    inode: int
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDigest:
    """The digests of a document (FORMATS section 2).

    Attributes:
        sha256: 32 bytes.
        sm3: 32 bytes, where asked for.
        size: Bytes hashed.
        identity: The file as it stood before and after; None for a stream.
    """

    sha256: bytes
    sm3: bytes | None
    size: int
    identity: FileIdentity | None = None


def digest_file(
    path: str | os.PathLike[str],
    *,
    sm3: bool = False,
    progress: Progress | None = None,
    follow: bool = False,
) -> FileDigest:
    """Hash a regular file in one pass.

    Large files are read by a second thread while this one hashes, which is
    as fast as one SHA-256 stream can be; small ones in one read.

    Args:
        path: The file; a symbolic link only with ``follow``.
        sm3: Also compute SM3, in the same pass.
        progress: Called with the bytes hashed since the last call.
        follow: Follow a symbolic link in the last place of the path.

    Raises:
        NotFoundError: ``file.vanished``: nothing is there, before or after.
        InputError: ``file.symlink``, ``file.not-regular``, ``file.path``.
        UnavailableError: ``file.unreadable``, ``file.read-failed`` or
            ``digest.sm3-unavailable``.
        ConflictError: ``file.changed-while-read``.
    """
    hashers = _start_hashers(sm3=sm3)
    try:
        descriptor = os.open(path, _OPEN_FLAGS | (0 if follow else _NO_FOLLOW))
    except (OSError, ValueError) as exc:
        raise explain_os_error(exc, path) from exc
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise InputError("file.not-regular", f"{show_path(path)} is not a regular file")
        size = _digest_descriptor(descriptor, before.st_size, hashers, progress)
        after = os.fstat(descriptor)
        named = os.stat(path, follow_symlinks=follow)  # noqa: PTH116 - no Path is needed
    except OSError as exc:
        raise explain_os_error(exc, path) from exc
    finally:
        os.close(descriptor)
    identity = identify(before)
    if not identity == identify(after) == identify(named) or size != identity.size:
        raise ConflictError(
            "file.changed-while-read",
            f"{show_path(path)} changed while it was read: {identity.size} bytes at first, "
            f"{size} read, {named.st_size} now",
        )
    return _finish(hashers, size, identity)


def digest_stream(
    stream: ByteSource, *, sm3: bool = False, progress: Progress | None = None
) -> FileDigest:
    """Hash a binary stream from where it stands to its end.

    Raises:
        UnavailableError: ``file.read-failed`` or ``digest.sm3-unavailable``.
    """
    hashers = _start_hashers(sm3=sm3)
    block = memoryview(bytearray(_BLOCK_SIZE))
    size = 0
    try:
        while count := stream.readinto(block):
            _update(hashers, block[:count], progress)
            size += count
    except OSError as exc:
        raise UnavailableError("file.read-failed", f"the stream broke: {exc.strerror}") from exc
    return _finish(hashers, size, None)


def identify(status: os.stat_result) -> FileIdentity:
    """Return the part of a status that shows whether a file is still the same."""
    return FileIdentity(
        device=status.st_dev,
        inode=status.st_ino,
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
    )


def explain_os_error(exc: OSError | ValueError, path: str | os.PathLike[str]) -> EvidenceError:
    """Return the error of ours that a failure of the file system stands for."""
    name = show_path(path)
    if not isinstance(exc, OSError):
        return InputError("file.path", f"no file can have the path {name}")
    match exc.errno:
        case errno.ENOENT | errno.ENOTDIR | errno.ESTALE:
            return NotFoundError("file.vanished", f"{name} is not there")
        case errno.EACCES | errno.EPERM:
            return UnavailableError("file.unreadable", f"{name} may not be read: {exc.strerror}")
        case errno.ELOOP:
            return InputError("file.symlink", f"{name} is a symbolic link, or a loop of them")
        case errno.ENXIO | errno.EISDIR | errno.ENODEV:
            return InputError("file.not-regular", f"{name} is not a regular file")
        case _:
            return UnavailableError("file.read-failed", f"{name}: {exc.strerror}")


def show_path(path: str | os.PathLike[str]) -> str:
    """Return a path as text that a terminal can safely print."""
    text = os.fspath(path)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _start_hashers(*, sm3: bool) -> list[Hasher]:
    hashers: list[Hasher] = [hashlib.sha256()]
    if sm3:
        try:
            hashers.append(hashlib.new("sm3"))
        except ValueError as exc:
            raise UnavailableError(
                "digest.sm3-unavailable", "this Python's OpenSSL was built without SM3"
            ) from exc
    return hashers


def _finish(hashers: Sequence[Hasher], size: int, identity: FileIdentity | None) -> FileDigest:
    digests = [hasher.digest() for hasher in hashers]
    return FileDigest(
        sha256=digests[0],
        sm3=digests[1] if len(digests) > 1 else None,
        size=size,
        identity=identity,
    )


def _update(hashers: Sequence[Hasher], data: bytes | memoryview, progress: Progress | None) -> None:
    for hasher in hashers:
        hasher.update(data)
    if progress is not None and len(data):
        progress(len(data))


def _digest_descriptor(
    descriptor: int, size: int, hashers: Sequence[Hasher], progress: Progress | None
) -> int:
    """Hash to the end of the file; return the bytes read, whatever ``size`` foretold."""
    if size >= _BLOCK_SIZE:
        with io.FileIO(descriptor, closefd=False) as source:
            return _digest_pipelined(source, hashers, progress)
    total = 0
    # One byte more than foretold, so that growth is seen; the next read finds the end.
    while data := os.read(descriptor, size + 1):
        _update(hashers, data, progress)
        total += len(data)
    return total


def _digest_pipelined(
    source: ByteSource, hashers: Sequence[Hasher], progress: Progress | None
) -> int:
    """Hash in this thread what a reader thread fills; each block has one owner at a time."""
    free: SimpleQueue[memoryview | None] = SimpleQueue()
    full: SimpleQueue[tuple[memoryview, int] | Exception] = SimpleQueue()
    for _ in range(_BLOCK_COUNT):
        free.put(memoryview(bytearray(_BLOCK_SIZE)))
    reader = threading.Thread(
        target=_fill_blocks, args=(source, free, full), name="digest-reader", daemon=True
    )
    reader.start()
    total = 0
    try:
        while True:
            filled = full.get()
            if isinstance(filled, Exception):
                raise filled
            block, count = filled
            if not count:
                return total
            _update(hashers, block[:count], progress)
            total += count
            free.put(block)
    finally:
        # Also on Ctrl-C: the descriptor is closed only after its reader has stopped.
        free.put(None)
        reader.join()


def _fill_blocks(
    source: ByteSource,
    free: SimpleQueue[memoryview | None],
    full: SimpleQueue[tuple[memoryview, int] | Exception],
) -> None:
    try:
        while (block := free.get()) is not None:
            count = source.readinto(block) or 0
            full.put((block, count))
            if not count:
                return
    except Exception as exc:  # noqa: BLE001 - handed to the hashing thread, which raises it
        full.put(exc)
