"""Walking the log's own entries: is one of a record missing, or slipped in?

FORMATS section 5: tags 0…n−1 of a record occur once each, in log order, and
tag n does not occur. The file is read once, in one pass, whatever its size.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vermilion_ledger.commitment import make_tag
from vermilion_ledger.errors import InputError, NotFoundError, UnavailableError, VerificationError
from vermilion_ledger.limits import ENTRY_SIZE
from vermilion_ledger.merkle import hash_leaf
from vermilion_ledger.tree import Frontier

__all__ = ["LogWalk", "check_walk", "read_log_entries"]

_BLOCK_ENTRIES = 16 * 1024  # entries read at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class LogWalk:
    """What one pass over the log's entries found.

    Attributes:
        count: Number of entries read, at most the size asked for.
        root: RFC 9162 root of those.
        places: Leaf indices of each wanted tag, in log order.
        entries: The 65 bytes at each wanted index.
    """

    count: int
    root: bytes
    places: Mapping[bytes, Sequence[int]]
    entries: Mapping[int, bytes]


def read_log_entries(
    path: Path, *, size: int, tags: Collection[bytes], indices: Collection[int]
) -> LogWalk:
    """Read the first ``size`` entries of a file of 65-byte entries.

    Raises:
        NotFoundError: No such file.
        UnavailableError: It cannot be read.
        InputError: Its size is not a multiple of 65 bytes.
    """
    places: dict[bytes, list[int]] = {tag: [] for tag in tags}
    found: dict[int, bytes] = {}
    frontier = Frontier()
    try:
        with path.open("rb") as stream:
            if os.fstat(stream.fileno()).st_size % ENTRY_SIZE:
                raise InputError(
                    "log-entries.size", f"{path} is not a whole number of 65-byte entries"
                )
            while frontier.size < size:  # not a byte more: the file may have no end
                block = stream.read(ENTRY_SIZE * min(_BLOCK_ENTRIES, size - frontier.size))
                if not block:
                    break
                starts = range(0, len(block), ENTRY_SIZE)
                entries = [block[start : start + ENTRY_SIZE] for start in starts]
                for index, entry in enumerate(entries, start=frontier.size):
                    if (seen := places.get(entry[33:])) is not None:
                        seen.append(index)
                    if index in indices:
                        found[index] = entry
                frontier.extend([hash_leaf(entry) for entry in entries])
    except FileNotFoundError as exc:
        raise NotFoundError("log-entries.missing", f"no log entries at {path}") from exc
    except OSError as exc:
        raise UnavailableError("log-entries.unreadable", f"{path}: {exc.strerror}") from exc
    return LogWalk(count=frontier.size, root=frontier.root(), places=places, entries=found)


def check_walk(walk: LogWalk, record_key: bytes, indices: Sequence[int], *, what: str) -> None:
    """Check that a record has exactly the entries at the given indices.

    Args:
        walk: A pass that looked for tags 0…n of the record.
        record_key: 32 bytes.
        indices: Leaf indices of entries 0…n−1, in order.
        what: Name of the record for messages.

    Raises:
        VerificationError: An entry is missing, doubled, elsewhere or one more.
    """
    for sequence, index in enumerate(indices):
        found = list(walk.places.get(make_tag(record_key, sequence), ()))
        if found != [index]:
            raise VerificationError(
                "walk.tag-place", f"{what}: tag {sequence} is at {found[:4]}, not at {index}"
            )
    if more := walk.places.get(make_tag(record_key, len(indices)), ()):
        raise VerificationError(
            "walk.entry-left-out", f"{what}: the log has a further entry at {more[0]}"
        )
