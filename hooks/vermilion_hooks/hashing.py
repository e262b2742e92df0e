"""Hashing many files: in their order, large ones side by side.

A small file is hashed where it is met (handing it to a thread costs more than
hashing it); large ones are handed to a pool and read ahead, since one SHA-256
stream cannot use a second core. The hasher itself is `vermilion_ledger.digest`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from vermilion_hooks.walk import Failed, Found
from vermilion_ledger.digest import FileDigest, Progress, digest_file
from vermilion_ledger.errors import EvidenceError

__all__ = ["Hashed", "hash_files"]

_LARGE_SIZE = 4 * 1024 * 1024  # bytes; from here on a task's cost is lost in its hashing
_AHEAD_COUNT = 256  # files looked at beyond the one being waited for
_Other = TypeVar("_Other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashed:
    """A file and the digests of its bytes."""

    path: str
    digest: FileDigest


class _StoppedError(Exception):
    """The run was given up while this file was being hashed."""


def hash_files(
    items: Iterable[Found | _Other],
    *,
    workers: int,
    progress: Progress,
    sm3: bool = False,
    follow: bool = False,
) -> Generator[Hashed | Failed | _Other]:
    """Yield each file with its digests, everything else as it came, in order.

    Close the generator to stop early (Ctrl-C does): tasks not begun are
    dropped, and those at work stop at their next block.

    Args:
        items: From `vermilion_hooks.walk`; only `Found` is hashed.
        workers: Files hashed at once, where they are large.
        progress: Told the bytes hashed, from any of the threads.
        sm3: Also compute SM3.
        follow: Follow a symbolic link in the last place of a path.
    """
    stopped = threading.Event()

    def advance(count: int) -> None:
        if stopped.is_set():
            raise _StoppedError
        progress(count)

    def hash_one(found: Found) -> Hashed | Failed:
        try:
            digest = digest_file(found.path, sm3=sm3, progress=advance, follow=follow)
        except EvidenceError as exc:
            return Failed(path=found.path, error=exc)
        return Hashed(path=found.path, digest=digest)

    ahead: deque[Hashed | Failed | _Other | Future[Hashed | Failed]] = deque()
    large_count = 0
    pool = ThreadPoolExecutor(workers, thread_name_prefix="hash")
    try:
        for item in items:
            if not isinstance(item, Found):
                ahead.append(item)
            elif item.identity.size < _LARGE_SIZE:
                ahead.append(hash_one(item))
            else:
                ahead.append(pool.submit(hash_one, item))
                large_count += 1
            while ahead and (
                not isinstance(ahead[0], Future)
                or ahead[0].done()
                or large_count > workers
                or len(ahead) > _AHEAD_COUNT
            ):
                large_count -= isinstance(ahead[0], Future)
                yield _take(ahead.popleft())
        while ahead:
            yield _take(ahead.popleft())
    finally:
        stopped.set()
        pool.shutdown(cancel_futures=True)


def _take(item: _Other | Future[Hashed | Failed]) -> _Other | Hashed | Failed:
    return item.result() if isinstance(item, Future) else item
