"""The one that signs: from sequenced entries to a published checkpoint.

Integrate, recheck, sign, swap. A checkpoint is signed only over a root that
was recomputed from what is stored, by a second path, and only once everything
below its size is durable. The head is moved by compare-and-swap of (size,
root, epoch): two publishers cannot both succeed (FORMATS section 6).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress

from vermilion_ledger.errors import ConflictError, EvidenceError, IntegrityError
from vermilion_ledger.guard import check_log
from vermilion_ledger.integrate import Integrator, load_entries
from vermilion_ledger.ports import CheckpointSigner, Clock, HeadStore, LogStore, TileStore
from vermilion_ledger.recheck import recheck_growth
from vermilion_ledger.rows import CheckpointRow, Head, ObservedHead
from vermilion_ledger.tiles import TILE_WIDTH, edge_tiles
from vermilion_ledger.tilestore.paths import CHECKPOINT, entries_path, tile_path

__all__ = ["Publisher"]

_CHUNK = 64 * TILE_WIDTH  # entries integrated at once
_SLICE = TILE_WIDTH  # entries read and derived in one go


class Publisher:
    """Publishes for one epoch. Not for sharing between threads.

    After any error nothing kept in memory is believed: the next call reads
    the head and the edge of the tree again.
    """

    def __init__(
        self,
        *,
        log: LogStore,
        heads: HeadStore,
        tiles: TileStore,
        signer: CheckpointSigner,
        clock: Clock,
        pause: Callable[[], None] = lambda: None,
    ) -> None:
        """Publish what a store holds.

        Args:
            log: The stored envelopes and their order.
            heads: What was signed.
            tiles: Where the tree is written.
            signer: Holds the log key.
            clock: Tells when a checkpoint was published.
            pause: Called between slices of work, for whoever shares the
                processor with threads that answer people.
        """
        self._pause = pause
        self._log = log
        self._heads = heads
        self._tiles = tiles
        self._signer = signer
        self._clock = clock
        self._epoch = 0
        self._head: Head | None = None
        self._integrator: Integrator | None = None
        self._logger = logging.getLogger(__name__)

    def start(self, epoch: int, *, observed: Iterable[ObservedHead] = ()) -> None:
        """Compare storage with everything that was ever signed, then claim the head.

        Args:
            epoch: Of the lease that was taken for this.
            observed: Heads that others hold: the contract, witnesses.

        Raises:
            IntegrityError: The log is marked halted and nothing will be signed.
            ConflictError: ``log.head-moved``: another epoch has it.
        """
        self._epoch, self._head, self._integrator = epoch, None, None
        self._check_owner(self._heads.load_head(), epoch)
        try:
            self._tiles.check()
            head = check_log(self._log, self._heads, self._tiles, observed=observed)
        except IntegrityError:
            with suppress(EvidenceError):  # what led here matters more
                self.halt()
            raise
        self._check_owner(head, epoch)
        self._head = self._heads.take_head(head, epoch=epoch)
        self._publish_note()

    def publish(self) -> CheckpointRow | None:
        """Sign and save a checkpoint if the log has grown; return it.

        Raises:
            ConflictError: ``log.head-moved``: stand down.
            IntegrityError: Storage is not what it was, or not what was written:
                nothing was signed.
            UnavailableError: A store is out of reach; call again.
        """
        try:
            return self._publish()
        except BaseException:
            self._head = self._integrator = None
            raise

    def halt(self) -> None:
        """Tell every process that nothing may be signed.

        Raises:
            UnavailableError: The head store is out of reach; call again.
        """
        self._heads.halt(epoch=self._epoch)

    def mend(self) -> None:
        """Put the newest checkpoint back into its public file, if another one stands there.

        A publisher that was stopped between moving the head and replacing the
        file, and goes on long after, puts an older one there: true, and stale.
        Whoever leads corrects that, so that it lasts for seconds only.

        Raises:
            UnavailableError: A store is out of reach; call again.
        """
        newest = self._heads.load_checkpoint()
        if newest is None:
            return
        note = newest.note.encode()
        if self._tiles.load([CHECKPOINT]).get(CHECKPOINT) != note:
            self._tiles.replace(CHECKPOINT, note)

    def _publish(self) -> CheckpointRow | None:
        head = self._head or self._reload_head()
        size = self._log.count_entries()
        if size < head.size:
            raise IntegrityError(
                "log.behind-head", f"the head has size {head.size}, storage {size} entries"
            )
        if size == head.size:
            return None
        integrator = self._integrator or Integrator(self._tiles, head.size)
        self._integrator = integrator
        if integrator.root() != head.root:
            raise IntegrityError(
                "log.root-mismatch", f"the tiles of size {head.size} are not those of the head"
            )
        while integrator.size < size:
            end = min(size, integrator.size - integrator.size % TILE_WIDTH + _CHUNK)
            entries: list[bytes] = []
            for start in range(integrator.size, end, _SLICE):
                entries += load_entries(self._log, start, min(end, start + _SLICE))
                self._pause()
            integrator.integrate(entries)
        root = recheck_growth(self._tiles, head.size, size)
        if root != integrator.root():
            raise IntegrityError(
                "log.root-mismatch", f"the files of size {size} do not lead to the root computed"
            )
        return self._sign(head, size, root)

    def _sign(self, head: Head, size: int, root: bytes) -> CheckpointRow:
        checkpoint = CheckpointRow(
            size=size,
            root=root,
            note=self._signer.sign_checkpoint(size, root),
            epoch=self._epoch,
            published_at=self._clock(),
        )
        self._head = self._heads.save_checkpoint(head, checkpoint)
        self._tiles.replace(CHECKPOINT, checkpoint.note.encode())
        self._sweep(head.size, size)
        return checkpoint

    def _check_owner(self, head: Head, epoch: int) -> None:
        """Refuse an epoch that is not above the head's.

        Either a successor has it, or the lease was restored from before the
        head: then it is to be taken again, for a higher epoch.
        """
        if head.epoch >= epoch:
            raise ConflictError("log.head-moved", f"the head belongs to epoch {head.epoch}")

    def _reload_head(self) -> Head:
        """Read the head again after an error: a swap may have succeeded all the same."""
        head = self._heads.load_head()
        if head.epoch != self._epoch:
            raise ConflictError("log.head-moved", f"the head belongs to epoch {head.epoch}")
        self._head = head
        self._publish_note()
        return head

    def _publish_note(self) -> None:
        """Bring the file up to the head: the last process may have ended in between."""
        newest = self._heads.load_checkpoint()
        if newest is not None:
            self._tiles.replace(CHECKPOINT, newest.note.encode())

    def _sweep(self, old_size: int, new_size: int) -> None:
        """Remove partial files that full ones have replaced; readers take those."""
        for (level, position), _ in edge_tiles(old_size):
            if (new_size >> 8 * level) < (position + 1) * TILE_WIDTH:
                continue
            prefixes = [f"{tile_path(level, position)}.p/"]
            if level == 0:
                prefixes.append(f"{entries_path(position)}.p/")
            for prefix in prefixes:
                self._tiles.remove(self._tiles.list_paths(prefix))
