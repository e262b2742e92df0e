"""Reading the log: sizes, proofs, tiles, entries, records, submissions.

`LogReader` is what every process but the sequencer uses. Proofs are built
from O(log n) stored nodes; nothing reads the whole tree. The tree, and what
outsiders may fetch of it (C2SP tlog-tiles), ends at the newest published
checkpoint; records and states are told as soon as they are sequenced.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from vermilion_ledger.errors import InputError, NotFoundError
from vermilion_ledger.integrate import load_bundle
from vermilion_ledger.ports import HeadStore, LogStore, TileStore
from vermilion_ledger.proofs import InclusionProver
from vermilion_ledger.rows import (
    CheckpointRow,
    Head,
    RecordEntry,
    RecordRow,
    SubmissionState,
    TileKey,
)
from vermilion_ledger.tile_reader import TileReader
from vermilion_ledger.tiles import TILE_WIDTH, encode_entry_bundle, tile_width_at
from vermilion_ledger.tree import build_consistency, root_at

__all__ = ["LogReader"]

_TILE_LEVEL_MAX = 6  # 256**7 leaves are above the bound of 2**53


class LogReader:
    """Answers questions about the log; changes nothing.

    Safe to share between threads.
    """

    def __init__(
        self,
        log: LogStore,
        heads: HeadStore,
        tiles: TileStore,
        *,
        cached_tile_count_max: int = 4096,
    ) -> None:
        self._log = log
        self._heads = heads
        self._store = tiles
        self._tiles = TileReader(tiles, cached_tile_count_max=cached_tile_count_max)
        self._prover = InclusionProver(self._tiles)
        self._published_seen = 0

    def size(self) -> int:
        """Return the number of entries that have an index, published or not."""
        return self._log.count_entries()

    def head(self) -> Head:
        """Return what was signed last, and whether the log is halted."""
        return self._heads.load_head()

    def root_at(self, size: int) -> bytes:
        """Return the root that the tree had with ``size`` leaves.

        Raises:
            NotFoundError: ``log.beyond-size``.
        """
        return root_at(size, self._tiles.nodes_at(self._published(size)))

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """Return the inclusion path of an entry in the tree of ``size`` leaves.

        Raises:
            InputError: The entry lies outside that tree.
            NotFoundError: ``log.beyond-size``.
        """
        return self._prover.inclusion(index, size, self._published(size))

    def consistency(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        """Return the RFC 9162 proof that one tree extends the other.

        Raises:
            InputError: ``old_size`` is 0 or above ``new_size``.
            NotFoundError: ``log.beyond-size``.
        """
        nodes = self._tiles.nodes_at(self._published(new_size))
        return build_consistency(old_size, new_size, nodes)

    def tile(self, level: int, position: int, width: int = TILE_WIDTH) -> bytes:
        """Return the first ``width`` hashes of a tile (C2SP tlog-tiles).

        Raises:
            NotFoundError: ``log.no-tile``: not within the newest checkpoint.
        """
        self._check_tile((level, position), width)
        return self._tiles.load_tile((level, position), width, self._published_seen)

    def entry_bundle(self, position: int, width: int = TILE_WIDTH) -> bytes:
        """Return an entry bundle (C2SP tlog-tiles).

        Raises:
            NotFoundError: ``log.no-tile``: not within the newest checkpoint.
        """
        self._check_tile((0, position), width)
        return encode_entry_bundle(self._load_bundle(position)[:width])

    def entries_between(self, start: int, end: int) -> tuple[bytes, ...]:
        """Return the 65-byte entries ``[start, end)``.

        Raises:
            InputError: ``log.range``: not ``0 <= start <= end``.
            NotFoundError: ``log.beyond-size``.
            IntegrityError: ``log.gap``: an entry is missing.
        """
        if not 0 <= start <= end:
            raise InputError("log.range", f"no entries from {start} to {end}")
        self._published(end)
        first = start // TILE_WIDTH
        entries = [
            entry
            for position in range(first, -(-end // TILE_WIDTH))
            for entry in self._load_bundle(position)
        ]
        return tuple(entries[start - first * TILE_WIDTH : end - first * TILE_WIDTH])

    def checkpoint(self, size: int | None = None) -> CheckpointRow:
        """Return the checkpoint of a size, or the newest.

        Raises:
            NotFoundError: ``log.no-checkpoint``.
        """
        found = self._heads.load_checkpoint(size)
        if found is None:
            what = "has published no checkpoint yet" if size is None else f"has none of size {size}"
            raise NotFoundError("log.no-checkpoint", f"the log {what}")
        return found

    def newest_checkpoint(self) -> CheckpointRow | None:
        """Return the newest checkpoint; None before the first."""
        return self._heads.load_checkpoint()

    def checkpoints(
        self, *, before: int | None = None, limit: int = 100
    ) -> tuple[CheckpointRow, ...]:
        """Return checkpoints with size below ``before``, newest first."""
        return tuple(self._heads.list_checkpoints(before=before, limit=limit))

    def record(self, record_id: str) -> RecordRow:
        """Return a record.

        Raises:
            NotFoundError: ``record.unknown``.
        """
        found = self._log.load_record(record_id)
        if found is None:
            raise NotFoundError("record.unknown", f"there is no record {record_id}")
        return found

    def record_entries(self, record_id: str, *, since: int = 0) -> tuple[RecordEntry, ...]:
        """Return the entries of a record from sequence ``since`` on, in order."""
        return tuple(self._log.load_history([record_id], since=since)[record_id])

    def records_entries(self, record_ids: Iterable[str]) -> Mapping[str, Sequence[RecordEntry]]:
        """Return the entries of many records with one read."""
        return self._log.load_history(list(record_ids))

    def find_by_digest(self, digest: bytes) -> tuple[str, ...]:
        """Return ids of the records with a submission about this SHA-256."""
        return tuple(self._log.find_by_digest(digest))

    def submission_states(self, positions: Iterable[int]) -> Mapping[int, SubmissionState]:
        """Return where submissions stand, with one read; unknown positions are left out."""
        return self._log.load_states(list(positions))

    def _load_bundle(self, position: int) -> tuple[bytes, ...]:
        return load_bundle(
            self._store, position, tile_width_at((0, position), self._published_seen)
        )

    def _published(self, size: int) -> int:
        """Return a published size that covers ``size``.

        Sizes once seen stay valid, as the log only grows, so that most
        questions cost no look at the head.
        """
        if size < 0:
            raise InputError("log.range", f"no log has {size} entries")
        if size > self._published_seen:
            self._published_seen = max(self._published_seen, self._heads.load_head().size)
        if size > self._published_seen:
            raise NotFoundError(
                "log.beyond-size",
                f"the log has published {self._published_seen} entries, asked was {size}",
            )
        return self._published_seen

    def _check_tile(self, key: TileKey, width: int) -> None:
        level, position = key
        if not 0 <= level <= _TILE_LEVEL_MAX or position < 0 or not 1 <= width <= TILE_WIDTH:
            raise NotFoundError("log.no-tile", f"there is no tile {level}/{position} of {width}")
        if tile_width_at(key, self._published_seen) < width:
            self._published_seen = max(self._published_seen, self._heads.load_head().size)
        if tile_width_at(key, self._published_seen) < width:
            raise NotFoundError(
                "log.no-tile", f"tile {level}/{position} of {width} is not published yet"
            )
