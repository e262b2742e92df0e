"""The log's files as they are handed out: with an entity tag, the hot ones from memory.

A tile or entry bundle of a given width never changes (C2SP tlog-tiles), so
that its path is all that a cache needs to know. The checkpoint is read anew
for whoever asks, with one read for all who ask meanwhile.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from vermilion_api.services.gathering import Gatherer
from vermilion_ledger.errors import NotFoundError
from vermilion_ledger.log import LogReader
from vermilion_ledger.rows import CheckpointRow

__all__ = ["LogFile", "LogFiles", "parse_tile_path"]

_TILE_WIDTH = 256
_CACHE_BYTES_MAX = 32 * 1024 * 1024
_PLACE = re.compile(r"((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?\Z", re.ASCII)
_LEVEL = re.compile(r"[0-9]\Z|[1-5][0-9]\Z|6[0-3]\Z", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFile:
    """A file of the log.

    Attributes:
        etag: Strong entity tag (RFC 9110, section 8.8.3), in its quotes.
    """

    data: bytes
    etag: str


class LogFiles:
    """Owned by one event loop; reads run in its pool.

    Args:
        reader: Refuses what no published checkpoint covers.
        pool: Where reads run.
        cache_bytes_max: Bytes of tiles and bundles kept in memory.
    """

    def __init__(
        self, reader: LogReader, pool: Executor, *, cache_bytes_max: int = _CACHE_BYTES_MAX
    ) -> None:
        self._reader = reader
        self._pool = pool
        self._cache: OrderedDict[tuple[str, str], LogFile] = OrderedDict()
        self._cached = 0
        self._cache_bytes_max = cache_bytes_max
        self._newest: Gatherer[None, CheckpointRow | None] = Gatherer(self._read_newest, pool)

    async def tile(self, level: str, place: str) -> LogFile:
        """Return a tile of hashes, or of ``entries``, by the words of its path.

        Raises:
            NotFoundError: ``log.no-tile``: no such path, or not published yet.
        """
        found = self._cache.get((level, place))
        if found is not None:
            self._cache.move_to_end((level, place))
            return found
        if level != "entries" and not _LEVEL.match(level):
            raise NotFoundError("log.no-tile", f"there is no level {level[:8]!a}")
        position, width = parse_tile_path(place)
        loop = asyncio.get_running_loop()
        made = await loop.run_in_executor(self._pool, self._load, level, position, width)
        self._keep((level, place), made)
        return made

    async def newest(self) -> CheckpointRow | None:
        """Return the newest checkpoint, read after this call; None before the first."""
        return await self._newest.ask(None)

    async def checkpoint(self) -> LogFile:
        """Return the note of the newest checkpoint, verbatim.

        Raises:
            NotFoundError: ``log.no-checkpoint``.
        """
        found = await self.newest()
        if found is None:
            raise NotFoundError("log.no-checkpoint", "the log has published no checkpoint yet")
        return _file(found.note.encode())

    def _load(self, level: str, position: int, width: int) -> LogFile:
        if level == "entries":
            return _file(self._reader.entry_bundle(position, width))
        return _file(self._reader.tile(int(level), position, width))

    def _read_newest(self, asked: Sequence[None]) -> list[CheckpointRow | Exception | None]:
        return [self._reader.newest_checkpoint()] * len(asked)

    def _keep(self, path: tuple[str, str], file: LogFile) -> None:
        if path in self._cache:  # two callers missed it at once
            return
        self._cache[path] = file
        self._cached += len(file.data)
        while self._cached > self._cache_bytes_max:
            _, oldest = self._cache.popitem(last=False)
            self._cached -= len(oldest.data)


def parse_tile_path(place: str) -> tuple[int, int]:
    """Read position and width of a tile path (C2SP tlog-tiles, "Merkle tree").

    Raises:
        NotFoundError: ``log.no-tile``: not such a path, or not the canonical one.

    >>> parse_tile_path("x001/x234/067"), parse_tile_path("005.p/7")
    ((1234067, 256), (5, 7))
    """
    match = _PLACE.match(place)
    width = _TILE_WIDTH if match is None or match[2] is None else int(match[2])
    if match is None or len(place) > 40 or (match[2] is not None and width >= _TILE_WIDTH):
        raise NotFoundError("log.no-tile", f"there is no tile {place[:40]!a}")
    groups = match[1].replace("x", "").split("/")
    if len(groups) > 1 and groups[0] == "000":
        raise NotFoundError("log.no-tile", f"{place[:40]!a} is not canonical")
    return int("".join(groups)), width


def _file(data: bytes) -> LogFile:
    return LogFile(data=data, etag=f'"{hashlib.sha256(data).hexdigest()[:32]}"')
