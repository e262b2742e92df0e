"""Bugs to plant in production code, each of a kind that this log must not have.

`PLANTS` names each by what is wrong. A plant changes classes and modules at run
time and for the time of one test.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from simulation.evidence import Evidence
from simulation.faults import GatedDisk
from simulation.heads import Heads
from vermilion_ledger import guard, intake, integrate, publisher, tile_reader
from vermilion_ledger.errors import IntegrityError, UnavailableError
from vermilion_ledger.guard import check_log
from vermilion_ledger.history import BatchHistory
from vermilion_ledger.intake import Intake
from vermilion_ledger.integrate import Integrator
from vermilion_ledger.log import LogReader
from vermilion_ledger.publisher import Publisher
from vermilion_ledger.rows import CheckpointRow, Head, RecordEntry
from vermilion_ledger.sequencer import Sequencer
from vermilion_ledger.tiles import TILE_WIDTH, edge_tiles, tile_width_at
from vermilion_ledger.tilestore.paths import CHECKPOINT, entries_path, tile_path
from vermilion_ledger.tilestore.posix import PosixTileStore

__all__ = ["PLANTS"]

_Plant = Callable[[pytest.MonkeyPatch], None]


def _no_fence(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Evidence, "fence", lambda self, lease: None)


def _swap_without_epoch(patch: pytest.MonkeyPatch) -> None:
    def swap(self: Heads, old: Head, new: Head) -> None:
        if (self.head.size, self.head.root) == (old.size, old.root):
            self.head = new

    patch.setattr(Heads, "swap", swap)


def _head_of_another_epoch(patch: pytest.MonkeyPatch) -> None:
    def reload_head(self: Publisher) -> Head:
        self._head = self._heads.load_head()
        return self._head

    patch.setattr(Publisher, "_reload_head", reload_head)


def _files_not_synced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(GatedDisk, "sync_files", lambda self, files: None)


def _names_not_synced(patch: pytest.MonkeyPatch) -> None:
    original = PosixTileStore._make_folders
    patch.setattr(
        PosixTileStore, "_make_folders", lambda self, folders: (original(self, folders)[0], [])
    )


def _parents_not_synced(patch: pytest.MonkeyPatch) -> None:
    original = PosixTileStore._make_folders

    def make_folders(self: PosixTileStore, folders: Any) -> tuple[list[str], list[str]]:
        made, _ = original(self, folders)
        return made, [self._join(folder) for folder in sorted(folders)]

    patch.setattr(PosixTileStore, "_make_folders", make_folders)


def _files_overwritten(patch: pytest.MonkeyPatch) -> None:
    def link(self: PosixTileStore, temporary: str, path: str, data: bytes) -> None:
        target = f"{self._root}/{path}"
        with suppress(FileNotFoundError):
            self._disk.unlink(target)
        self._disk.link(temporary, target)

    patch.setattr(PosixTileStore, "_link", link)


def _linked_before_written(patch: pytest.MonkeyPatch) -> None:
    """A file appears under its name at once, and is synced when the next one is."""

    def put_new(self: PosixTileStore, files: Mapping[str, bytes]) -> None:
        try:
            made, to_sync = self._make_folders({path.rpartition("/")[0] for path in files})
            for path, data in files.items():
                with suppress(FileExistsError):
                    file = self._disk.create(f"{self._root}/{path}", data)
                    self._disk.sync_files([file])
                    self._disk.close(file)
            for folder in to_sync:
                self._disk.sync_folder(folder)
        except OSError as exc:
            raise UnavailableError("tiles.unreachable", str(exc)) from exc
        else:
            self._known.update(made)

    patch.setattr(PosixTileStore, "put_new", put_new)


def _partial_named_wrongly(patch: pytest.MonkeyPatch) -> None:
    def path(level: int, position: int, width: int = TILE_WIDTH) -> str:
        return tile_path(level, position, width + (1 < width < TILE_WIDTH - 1))

    patch.setattr(integrate, "tile_path", path)


def _size_from_memory(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Sequencer, "_forget", lambda self: self._history.clear())


def _history_not_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(BatchHistory, "clear", lambda self: None)


def _size_kept_before_commit(patch: pytest.MonkeyPatch) -> None:
    original = Sequencer._place

    def place(self: Sequencer, pending: Any) -> Any:
        placed = original(self, pending)
        self._keep(placed)
        return placed

    patch.setattr(Sequencer, "_place", place)
    patch.setattr(Sequencer, "_forget", lambda self: None)


def _tree_not_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Publisher, "publish", Publisher._publish)


def _no_guard(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(publisher, "check_log", lambda log, heads, tiles, observed: heads.load_head())


def _chain_not_asked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        publisher, "check_log", lambda log, heads, tiles, observed: check_log(log, heads, tiles)
    )


def _shown_checkpoint_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(guard, "_published_file", lambda tiles: ())
    patch.setattr(guard, "_check_ahead", lambda log, tiles, size: None)


def _takeover_taken_for_damage(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(guard, "ConflictError", IntegrityError)


def _signed_before_written(patch: pytest.MonkeyPatch) -> None:
    """What is computed is signed unseen; its files go out with the next batch."""
    roots: list[bytes] = []
    begin, integrate_now = Integrator.__init__, Integrator.integrate

    class Late:
        def __init__(self, tiles: Any) -> None:
            self.tiles = tiles
            self.waiting: Mapping[str, bytes] = {}

        def put_new(self, files: Mapping[str, bytes]) -> None:
            self.tiles.put_new(self.waiting)
            self.waiting = files

    def start(self: Integrator, tiles: Any, size: int = 0) -> None:
        begin(self, tiles, size)
        vars(self)["_tiles"] = Late(tiles)

    def grow(self: Integrator, entries: Sequence[bytes]) -> None:
        integrate_now(self, entries)
        roots.append(self.root())

    patch.setattr(Integrator, "__init__", start)
    patch.setattr(Integrator, "integrate", grow)
    patch.setattr(publisher, "recheck_growth", lambda _tiles, _old, _new: roots[-1])


def _shown_before_swapped(patch: pytest.MonkeyPatch) -> None:
    original = Publisher._sign

    def sign(self: Publisher, head: Head, size: int, root: bytes) -> CheckpointRow:
        note = self._signer.sign_checkpoint(size, root)
        self._tiles.replace(CHECKPOINT, note.encode())
        return original(self, head, size, root)

    patch.setattr(Publisher, "_sign", sign)


def _answers_mixed_up(patch: pytest.MonkeyPatch) -> None:
    original = intake._answer
    patch.setattr(intake, "_answer", lambda callers, results: original(callers, results[::-1]))


def _repeated_blindly(patch: pytest.MonkeyPatch) -> None:
    """A commit whose answer was lost is tried again, as if nothing had been saved."""
    original = Intake._save

    def save(self: Intake, group: Any) -> None:
        store = self._store

        class Repeating:
            def save_batches(self, batches: Any) -> Any:
                with suppress(UnavailableError):
                    return store.save_batches(batches)
                return store.save_batches(batches)

        vars(self)["_store"] = Repeating()
        try:
            original(self, group)
        finally:
            vars(self)["_store"] = store

    patch.setattr(Intake, "_save", save)


def _swept_too_early(patch: pytest.MonkeyPatch) -> None:
    def sweep(self: Publisher, old_size: int, new_size: int) -> None:
        for (level, position), width in edge_tiles(old_size):
            if tile_width_at((level, position), new_size) > width > 0:
                self._tiles.remove([tile_path(level, position, width)])
                if not level:
                    self._tiles.remove([entries_path(position, width)])

    def remove(self: PosixTileStore, paths: Sequence[str]) -> None:
        for path in paths:
            try:
                self._disk.unlink(f"{self._root}/{path}")
            except OSError as exc:
                if exc.errno != errno.ENOENT:
                    raise UnavailableError("tiles.unreachable", str(exc)) from exc

    patch.setattr(Publisher, "_sweep", sweep)
    patch.setattr(PosixTileStore, "remove", remove)


def _unpublished_served(patch: pytest.MonkeyPatch) -> None:
    def published(self: LogReader, size: int) -> int:
        self._published_seen = max(self._published_seen, self._log.count_entries())
        return self._published_seen

    patch.setattr(LogReader, "_published", published)


def _narrow_tile_reused(patch: pytest.MonkeyPatch) -> None:
    original = tile_reader.TileReader.interiors

    def interiors(self: Any, widths: Mapping[Any, int], size: int) -> Any:
        return original(self, dict.fromkeys(widths, 1), size)

    patch.setattr(tile_reader.TileReader, "interiors", interiors)


def _uncounted_record_remembered(patch: pytest.MonkeyPatch) -> None:
    def load(self: BatchHistory, record_id: str) -> list[RecordEntry]:
        if record_id not in self._committed:
            self._committed[record_id] = list(self._log.load_history([record_id])[record_id])
        return self._committed[record_id]

    patch.setattr(BatchHistory, "_load", load)


def _sequence_always_zero(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(BatchHistory, "count", lambda self, pending: 0)


def _entries_of_the_wrong_sequence(patch: pytest.MonkeyPatch) -> None:
    original = integrate.derive_entry
    patch.setattr(integrate, "derive_entry", lambda row: original(replace(row, sequence=0)))


def _staged_not_counted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(BatchHistory, "stage", lambda self, pending, **_place: None)


PLANTS: Mapping[str, _Plant] = {
    "a sequencer that lost its lease goes on": _no_fence,
    "the head is swapped whatever its epoch": _swap_without_epoch,
    "a publisher goes on with another epoch's head": _head_of_another_epoch,
    "files are not synced": _files_not_synced,
    "names are not synced": _names_not_synced,
    "names of new folders are not synced": _parents_not_synced,
    "files are overwritten": _files_overwritten,
    "files appear before they are whole": _linked_before_written,
    "partial tiles have wrong names": _partial_named_wrongly,
    "the size is remembered after a failed commit": _size_from_memory,
    "the history is remembered after a failed commit": _history_not_forgotten,
    "a batch is remembered before its commit": _size_kept_before_commit,
    "the tree is remembered after a failed write": _tree_not_forgotten,
    "nothing is compared at start": _no_guard,
    "the chain is not asked at start": _chain_not_asked,
    "the public files are not asked at start": _shown_checkpoint_ignored,
    "a takeover is taken for damage": _takeover_taken_for_damage,
    "a size is signed before its files are there": _signed_before_written,
    "a checkpoint is shown before the swap": _shown_before_swapped,
    "answers are mixed up": _answers_mixed_up,
    "a commit in doubt is repeated blindly": _repeated_blindly,
    "partial tiles are swept too early": _swept_too_early,
    "what is not signed is served": _unpublished_served,
    "a tile that is too narrow is used again": _narrow_tile_reused,
    "a record that nobody counts is remembered": _uncounted_record_remembered,
    "every entry is the first of its record": _sequence_always_zero,
    "tags are made for the wrong sequence": _entries_of_the_wrong_sequence,
    "a batch does not know its own entries": _staged_not_counted,
}
