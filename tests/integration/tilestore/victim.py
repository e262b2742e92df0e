"""A writer that a test watches or kills: `write` until told, and tell what is durable.

Arguments: the address of the store, the count of tiles of a batch, the count of
batches, what marks this writer's bytes, and perhaps the largest file in bytes.
Prints ``ok N`` after batch N is acknowledged, ``told N CODE`` if it is refused.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.tilestore import open_tile_store
from vermilion_ledger.tilestore.paths import entries_path, tile_path

__all__ = ["contents"]


def contents(path: str, mark: str = "") -> bytes:
    """Return the bytes of a file of which the name says everything."""
    return (f"{mark}{path}\n".encode() * 1000)[:8192]


def main() -> None:
    url, tile_count, batch_count, mark, *limit = sys.argv[1:]
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit[0]), int(limit[0])))
    store = open_tile_store(url, Path())
    for number in range(int(batch_count)):
        first = number * int(tile_count)
        paths = [entries_path(first, 1 + first % 255)]
        paths += [tile_path(0, first + offset) for offset in range(int(tile_count))]
        try:
            store.put_new({path: contents(path, mark) for path in paths})
        except EvidenceError as exc:
            print(f"told {number} {exc.code}", flush=True)
        else:
            print(f"ok {number}", flush=True)


if __name__ == "__main__":
    main()
