"""The database of the signed head, in memory: swapped or not, never in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from simulation.faults import Gate
from simulation.scheduler import Lock, Scheduler
from vermilion_ledger.errors import ConflictError, IntegrityError
from vermilion_ledger.merkle import EMPTY_ROOT
from vermilion_ledger.rows import CheckpointRow, Head

__all__ = ["HeadDatabase", "Heads", "SimHeadStore"]


_EMPTY = Head(size=0, root=EMPTY_ROOT, epoch=0, state="open")


@dataclass(slots=True, kw_only=True)
class Heads:
    """The contents of the head's database."""

    head: Head = _EMPTY
    checkpoints: dict[int, CheckpointRow] = field(default_factory=dict)  # by size, ascending

    def copy(self) -> Heads:
        """Return what a backup restores."""
        return Heads(head=self.head, checkpoints=dict(self.checkpoints))

    def swap(self, old: Head, new: Head) -> None:
        """Compare and swap (size, root, epoch).

        Raises:
            ConflictError: ``log.head-moved``.
        """
        now = self.head
        if (now.size, now.root, now.epoch) != (old.size, old.root, old.epoch):
            raise ConflictError("log.head-moved", f"the head is at {now.size} of {now.epoch}")
        self.head = new


class HeadDatabase:
    """A server with the head."""

    def __init__(
        self, scheduler: Scheduler, heads: Heads, on_publish: Callable[[CheckpointRow], None]
    ) -> None:
        self.heads = heads
        self.lock = Lock(scheduler)
        self.on_publish = on_publish


class SimHeadStore:
    """Implements `vermilion_ledger.ports.HeadStore`."""

    def __init__(self, gate: Gate, database: HeadDatabase) -> None:
        self._gate = gate
        self._database = database

    @property
    def _heads(self) -> Heads:
        return self._database.heads

    def load_head(self) -> Head:
        return self._gate.read(lambda: self._heads.head)

    def load_checkpoint(self, size: int | None = None) -> CheckpointRow | None:
        def load() -> CheckpointRow | None:
            found = self._heads.checkpoints
            return found.get(max(found, default=0) if size is None else size)

        return self._gate.read(load)

    def list_checkpoints(self, *, before: int | None, limit: int) -> Sequence[CheckpointRow]:
        def load() -> Sequence[CheckpointRow]:
            found = self._heads.checkpoints
            sizes = sorted((s for s in found if before is None or s < before), reverse=True)
            return [found[size] for size in sizes[:limit]]

        return self._gate.read(load)

    def oldest_above(self, size: int) -> datetime | None:
        def load() -> datetime | None:
            found = self._heads.checkpoints
            return min((found[s].published_at for s in found if s > size), default=None)

        return self._gate.read(load)

    def take_head(self, head: Head, *, epoch: int) -> Head:
        taken = replace(head, epoch=epoch, state="open")
        self._gate.write(self._database.lock, self._heads.swap, head, taken)
        return taken

    def save_checkpoint(self, head: Head, checkpoint: CheckpointRow) -> Head:
        moved = replace(head, size=checkpoint.size, root=checkpoint.root, epoch=checkpoint.epoch)

        def save() -> None:
            self._heads.swap(head, moved)
            if checkpoint.size in self._heads.checkpoints:
                raise IntegrityError("store.failed", "a checkpoint of this size is there")
            self._heads.checkpoints[checkpoint.size] = checkpoint
            self._database.on_publish(checkpoint)

        self._gate.write(self._database.lock, save)
        return moved

    def halt(self, *, epoch: int) -> None:
        def halt() -> None:
            if self._heads.head.epoch <= epoch:
                self._heads.head = replace(self._heads.head, state="halted")

        self._gate.write(self._database.lock, halt)
