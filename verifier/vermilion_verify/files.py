"""Reading files that the user named: never more of them than may be of use.

What a path leads to is nobody's promise: a device without an end must not
fill the memory, and a path that no file can have is a missing file.
"""

from __future__ import annotations

import errno
from pathlib import Path

__all__ = ["read_file"]


def read_file(path: Path, *, size_max: int) -> bytes:
    """Return the bytes of a file, at most one more than ``size_max``.

    The one byte beyond is enough for the reader of the format to refuse it.

    Raises:
        OSError: It is missing or cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return stream.read(size_max + 1)
    except ValueError as exc:  # a NUL in the path
        raise FileNotFoundError(errno.ENOENT, "no file can have this path") from exc
