"""Reading the log: sizes, proofs, tiles, entries, records, submissions.

`LogReader` is what every process but the sequencer uses. Proofs are built
from O(log n) stored nodes; nothing reads the whole tree. What outsiders may
fetch (tiles and entry bundles, C2SP tlog-tiles) ends at the newest published
checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from vermilion_ledger.commitment import encode_entry
from vermilion_ledger.errors import InputError, IntegrityError, NotFoundError
from vermilion_ledger.ports import LogStore
from vermilion_ledger.rows import (
    CheckpointRow,
    Head,
    RecordEntry,
    RecordRow,
    SubmissionState,
    TileKey,
)
from vermilion_ledger.tiles import TILE_WIDTH, TileReader, encode_entry_bundle, tile_width_at
from vermilion_ledger.tree import build_consistency, build_inclusion, root_at

__all__ = ["LogReader"]

_TILE_LEVEL_MAX = 6  # 256**7 leaves are above the bound of 2**53


class LogReader:
    """Answers questions about the log; changes nothing.

    Safe to share between threads. Sizes once seen stay valid, as the log only
    grows, so that most questions cost no look at the current size.
    """

    def __init__(self, store: LogStore, *, cached_tile_count_max: int = 1024) -> None:
        self._store = store
        self._nodes = TileReader(store, cached_tile_count_max=cached_tile_count_max)
        self._size_seen = 0
        self._published_seen = 0

    def size(self) -> int:
        """Return the number of entries that have an index, published or not."""
        self._size_seen = max(self._size_seen, self._store.count_entries())
        return self._size_seen

    def head(self) -> Head:
        """Return what was signed last, and whether the log is halted."""
        return self._store.load_head()

    def root_at(self, size: int) -> bytes:
        """Return the root that the tree had with ``size`` leaves.

        Raises:
            NotFoundError: ``log.beyond-size``.
        """
        self._check_size(size)
        return root_at(size, self._nodes)

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """Return the inclusion path of an entry in the tree of ``size`` leaves.

        Raises:
            InputError: The entry lies outside that tree.
            NotFoundError: ``log.beyond-size``.
        """
        self._check_size(size)
        return build_inclusion(index, size, self._nodes)

    def consistency(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        """Return the RFC 9162 proof that one tree extends the other.

        Raises:
            InputError: ``old_size`` is 0 or above ``new_size``.
            NotFoundError: ``log.beyond-size``.
        """
        self._check_size(new_size)
        return build_consistency(old_size, new_size, self._nodes)

    def tile(self, level: int, position: int, width: int = TILE_WIDTH) -> bytes:
        """Return the first ``width`` hashes of a tile (C2SP tlog-tiles).

        Raises:
            NotFoundError: ``log.no-tile``: not within the newest checkpoint.
        """
        self._check_tile((level, position), width)
        return self._nodes.load_tile((level, position), width)

    def entry_bundle(self, position: int, width: int = TILE_WIDTH) -> bytes:
        """Return an entry bundle (C2SP tlog-tiles).

        Raises:
            NotFoundError: ``log.no-tile``: not within the newest checkpoint.
        """
        self._check_tile((0, position), width)
        start = position * TILE_WIDTH
        return encode_entry_bundle(self.entries_between(start, start + width))

    def entries_between(self, start: int, end: int) -> tuple[bytes, ...]:
        """Return the 65-byte entries ``[start, end)``.

        Raises:
            InputError: ``log.range``: not ``0 <= start <= end``.
            NotFoundError: ``log.beyond-size``.
            IntegrityError: ``log.gap``: an entry is missing.
        """
        if not 0 <= start <= end:
            raise InputError("log.range", f"no entries from {start} to {end}")
        self._check_size(end)
        rows = self._store.load_leaves(start, end)
        if len(rows) != end - start:
            raise IntegrityError("log.gap", f"entry {start + len(rows)} is missing")
        return tuple(encode_entry(commitment, tag) for commitment, tag, _ in rows)

    def checkpoint(self, size: int | None = None) -> CheckpointRow:
        """Return the checkpoint of a size, or the newest.

        Raises:
            NotFoundError: ``log.no-checkpoint``.
        """
        found = self._store.load_checkpoint(size)
        if found is None:
            what = "has published no checkpoint yet" if size is None else f"has none of size {size}"
            raise NotFoundError("log.no-checkpoint", f"the log {what}")
        return found

    def newest_checkpoint(self) -> CheckpointRow | None:
        """Return the newest checkpoint; None before the first."""
        return self._store.load_checkpoint()

    def checkpoints(
        self, *, before: int | None = None, limit: int = 100
    ) -> tuple[CheckpointRow, ...]:
        """Return checkpoints with size below ``before``, newest first."""
        return tuple(self._store.list_checkpoints(before=before, limit=limit))

    def record(self, record_id: str) -> RecordRow:
        """Return a record.

        Raises:
            NotFoundError: ``record.unknown``.
        """
        found = self._store.load_record(record_id)
        if found is None:
            raise NotFoundError("record.unknown", f"there is no record {record_id}")
        return found

    def record_entries(self, record_id: str, *, since: int = 0) -> tuple[RecordEntry, ...]:
        """Return the entries of a record from sequence ``since`` on, in order."""
        return tuple(self._store.load_history([record_id], since=since)[record_id])

    def records_entries(self, record_ids: Iterable[str]) -> Mapping[str, Sequence[RecordEntry]]:
        """Return the entries of many records with one read."""
        return self._store.load_history(list(record_ids))

    def find_by_digest(self, digest: bytes) -> tuple[str, ...]:
        """Return ids of the records with a submission about this SHA-256."""
        return tuple(self._store.find_by_digest(digest))

    def submission_state(self, submission_ids: Iterable[bytes]) -> Mapping[bytes, SubmissionState]:
        """Return where submissions stand, with one read; unknown ids are left out."""
        return self._store.load_states(list(submission_ids))

    def _check_size(self, size: int) -> None:
        if size < 0:
            raise InputError("log.range", f"no log has {size} entries")
        if size > self._size_seen and size > self.size():
            raise NotFoundError(
                "log.beyond-size", f"the log has {self._size_seen} entries, asked was {size}"
            )

    def _check_tile(self, key: TileKey, width: int) -> None:
        level, position = key
        if not 0 <= level <= _TILE_LEVEL_MAX or position < 0 or not 1 <= width <= TILE_WIDTH:
            raise NotFoundError("log.no-tile", f"there is no tile {level}/{position} of {width}")
        if tile_width_at(key, self._published_seen) < width:
            newest = self._store.load_checkpoint()
            self._published_seen = max(self._published_seen, newest.size if newest else 0)
        if tile_width_at(key, self._published_seen) < width:
            raise NotFoundError(
                "log.no-tile", f"tile {level}/{position} of {width} is not published yet"
            )
