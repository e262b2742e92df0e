"""Giving out evidence: bundles and the registry file.

Chooses the checkpoint and the anchors, reads the rows, and leaves the rest to
`vermilion_ledger.assembly`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Protocol

from vermilion_api.services.history import open_entries
from vermilion_api.services.seen import FinalAnchors
from vermilion_ledger.admission import LedgerAdmission, LedgerIdentity
from vermilion_ledger.anchor_rows import (
    AnchorTarget,
    ChainBlock,
    FinalAnchor,
    StoredTimestamp,
)
from vermilion_ledger.assembly import (
    ANCHOR_COUNT_MAX,
    OpenEntry,
    Selection,
    assemble_bundle,
    encode_registry,
    select_anchor_sizes,
    select_events,
)
from vermilion_ledger.errors import ConflictError, NotFoundError
from vermilion_ledger.log import LogReader
from vermilion_ledger.rows import CheckpointRow

__all__ = ["AnchorLookup", "BundleDesk", "HeaderStore", "TimestampLookup"]

_NEWEST_LOOKED_AT = 32  # anchored sizes of a chain, in search of one with a checkpoint


class AnchorLookup(Protocol):
    """Which tree sizes have a final anchor."""

    def final_sizes(self, target: AnchorTarget, *, size_max: int, limit: int) -> Sequence[int]:
        """Return tree sizes with a final anchor of a target, newest first."""
        ...

    def earliest_sizes(
        self, target: AnchorTarget, indices: Iterable[int], *, size_max: int
    ) -> Sequence[int]:
        """Return, for each leaf index, the smallest anchored tree size that covers it."""
        ...


class HeaderStore(Protocol):
    """Headers of quoted blocks."""

    def load(self, chain_id: int, block_hash: bytes) -> tuple[ChainBlock, object] | None:
        """Return a block, or None."""
        ...


class TimestampLookup(Protocol):
    """Tokens of time-stamping authorities."""

    def load(self, size: int) -> Sequence[StoredTimestamp]:
        """Return the time-stamps over the checkpoint of a size."""
        ...


class _Source:
    """Implements `vermilion_ledger.assembly.BundleSource`."""

    def __init__(self, reader: LogReader, blocks: HeaderStore) -> None:
        self._reader = reader
        self._blocks = blocks

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        return self._reader.inclusion(index, size)

    def consistency(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        return self._reader.consistency(old_size, new_size)

    def header(self, chain_id: int, block_hash: bytes) -> bytes | None:
        kept = self._blocks.load(chain_id, block_hash)
        return None if kept is None else kept[0].header


class BundleDesk:
    """Builds bundles. Safe to share between threads."""

    def __init__(
        self,
        *,
        identity: LedgerIdentity,
        reader: LogReader,
        anchors: FinalAnchors,
        lookup: AnchorLookup,
        blocks: HeaderStore,
        timestamps: TimestampLookup,
        targets: Sequence[AnchorTarget],
        intake_seed: bytes,
    ) -> None:
        self._identity = identity
        self._admission = LedgerAdmission(identity)
        self._reader = reader
        self._anchors = anchors
        self._lookup = lookup
        self._timestamps = timestamps
        self._targets = tuple(targets)
        self._source = _Source(reader, blocks)
        self._intake_seed = intake_seed
        self._lock = threading.Lock()  # admission keeps a cache

    def bundle(
        self, record_id: str, *, withhold_key: bool = False, size: int | None = None
    ) -> bytes:
        """Return the evidence bundle of a record.

        Args:
            record_id: A document's record.
            withhold_key: Leave the record key out, for outsiders.
            size: Tree size of a published checkpoint; by default the newest
                with a final anchor of that size that contains the record's
                first entry, or the newest published while there is none.

        Raises:
            NotFoundError: ``record.unknown``, ``log.no-checkpoint`` or
                ``record.not-in-checkpoint``.
            ConflictError: ``record.not-document``.
            LimitError: The bundle would be larger than 8 MiB.
        """
        record = self._reader.record(record_id)
        if record.kind != "document":
            raise ConflictError("record.not-document", "the public records are in the registry")
        entries = self._open(record_id)
        if not entries:
            raise NotFoundError("record.not-in-checkpoint", "the record has no entry yet")
        if size is None:
            checkpoint = self._newest_anchored(entries[0].index) or self._reader.checkpoint()
        else:
            checkpoint = self._reader.checkpoint(size)
        selection = select_events(
            entries,
            self._open(self._identity.keys_record),
            self._open(self._identity.policies_record),
            size=checkpoint.size,
        )
        bundle = assemble_bundle(
            record,
            selection,
            checkpoint,
            anchors=self._select_anchors(selection, checkpoint),
            source=self._source,
            intake_seed=self._intake_seed,
            timestamps=[each.token for each in self._timestamps.load(checkpoint.size)],
            withhold_key=withhold_key,
        )
        return bundle.encode()

    def registry(self) -> bytes:
        """Return the registry file."""
        return encode_registry(
            self._open(self._identity.keys_record), self._open(self._identity.policies_record)
        )

    def _open(self, record_id: str) -> tuple[OpenEntry, ...]:
        with self._lock:
            return open_entries(self._reader, self._admission, record_id)

    def _newest_anchored(self, first_index: int) -> CheckpointRow | None:
        """Return the newest checkpoint of which an anchor is final and that has the record."""
        newest = self._reader.newest_checkpoint()
        if newest is None:
            return None
        sizes = {
            size
            for target in self._targets
            for size in self._lookup.final_sizes(
                target, size_max=newest.size, limit=_NEWEST_LOOKED_AT
            )
            if size > first_index
        }
        for size in sorted(sizes, reverse=True):
            try:
                return self._reader.checkpoint(size)
            except NotFoundError:
                continue  # another publisher anchored a size that we did not publish
        return None

    def _select_anchors(
        self, selection: Selection, checkpoint: CheckpointRow
    ) -> tuple[FinalAnchor, ...]:
        indices = selection.indices()
        share = ANCHOR_COUNT_MAX // max(1, len(self._targets))
        found: dict[tuple[int, bytes, int, int], FinalAnchor] = {}
        for target in self._targets:
            sizes = {
                *self._lookup.final_sizes(target, size_max=checkpoint.size, limit=2),
                *self._lookup.earliest_sizes(target, indices, size_max=checkpoint.size),
            }
            for size in select_anchor_sizes(sorted(sizes), indices, count_max=share):
                anchor = self._anchors.load_final(target, size=size)
                if anchor is not None:
                    place = (anchor.transaction_index, anchor.log_index)
                    found[(target.chain_id, anchor.block_hash, *place)] = anchor
        return tuple(found.values())
