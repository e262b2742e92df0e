"""May this log be signed at all? Asked before the first signature of every epoch.

DESIGN section 6. Whatever was ever signed, or seen by a chain or a witness,
must be borne out by what is stored. If not, this is a restored backup, a fork
or damage: nothing is signed, readers are still served, and a person is asked.
"""

from __future__ import annotations

from collections.abc import Iterable

from vermilion_ledger.checkpoint import parse_checkpoint_unverified
from vermilion_ledger.errors import ConflictError, InputError, IntegrityError
from vermilion_ledger.integrate import derive_entry, load_bundle
from vermilion_ledger.ports import HeadStore, LogStore, TileStore
from vermilion_ledger.rows import Head, ObservedHead
from vermilion_ledger.tile_reader import TileReader
from vermilion_ledger.tiles import TILE_WIDTH, parse_entry_bundle
from vermilion_ledger.tilestore.paths import CHECKPOINT, entries_path
from vermilion_ledger.tree import root_at

__all__ = ["check_log"]


def check_log(
    log: LogStore, heads: HeadStore, tiles: TileStore, *, observed: Iterable[ObservedHead] = ()
) -> Head:
    """Return the stored head, if storage bears out everything signed or seen.

    Reads O(log n) nodes, one bundle of entries and what is above the head; `vermilion_ledger.fsck`
    recomputes everything.

    Args:
        log: The stored envelopes and their order.
        heads: What was signed.
        tiles: The tree.
        observed: Heads that others hold: the contract, witnesses.

    Raises:
        ConflictError: ``log.head-moved``: a predecessor published meanwhile.
        IntegrityError: ``log.behind-head``: storage, or what was signed, lacks
            entries that somebody has seen; ``log.root-mismatch``,
            ``log.entry-mismatch``: it holds another log; ``log.gap``.
    """
    # A predecessor may still publish: what can only lag behind is read first.
    shown = _published_file(tiles)
    head, newest = heads.load_head(), heads.load_checkpoint()
    size = log.count_entries()
    _check_size(head.size, "the head", size)
    signed = newest.size if newest else 0
    if signed != head.size:
        if heads.load_head() != head:
            raise ConflictError("log.head-moved", "somebody published while this was checked")
        raise IntegrityError(
            "log.behind-head", f"the newest checkpoint has size {signed}, the head {head.size}"
        )
    if newest is not None and newest.root != head.root:
        raise _root_mismatch(head.size, newest.root, head.root, "the newest checkpoint")
    _check_root(tiles, head.size, head.root, "the head", head.size)
    for seen in (*shown, *observed):
        # The chain knows only what was signed: more than that was signed elsewhere.
        _check_size(seen.size, seen.source, head.size)
        _check_root(tiles, seen.size, seen.root, seen.source, head.size)
    if head.size:
        _check_last_entries(log, tiles, head.size)
    if (gap := log.find_gap(head.size)) is not None:
        raise IntegrityError("log.gap", f"entry {gap} is missing, and later ones are there")
    _check_ahead(log, tiles, head.size)
    return head


def _published_file(tiles: TileStore) -> tuple[ObservedHead, ...]:
    """Return the head that outsiders were shown: it was signed before, so it is never ahead."""
    data = tiles.load([CHECKPOINT]).get(CHECKPOINT)
    if data is None:
        return ()
    try:
        shown = parse_checkpoint_unverified(data).checkpoint
    except InputError as exc:
        raise IntegrityError("log.gap", f"the file {CHECKPOINT} is no checkpoint: {exc}") from exc
    return (ObservedHead(size=shown.size, root=shown.root, source=f"the file {CHECKPOINT}"),)


def _check_size(size: int, source: str, stored: int) -> None:
    if size > stored:
        raise IntegrityError(
            "log.behind-head", f"{source} has size {size}, storage only {stored} entries"
        )


def _check_root(tiles: TileStore, size: int, root: bytes, source: str, published: int) -> None:
    reader = TileReader(tiles, cached_tile_count_max=0)
    computed = root_at(size, reader.nodes_at(published))
    if computed != root:
        raise _root_mismatch(size, root, computed, source)


def _check_last_entries(log: LogStore, tiles: TileStore, size: int) -> None:
    """Compare the newest signed entries with the envelopes: is it the same log at all?"""
    position, width = divmod(size - 1, TILE_WIDTH)
    first = position * TILE_WIDTH
    logged = load_bundle(tiles, position, width + 1)
    stored = log.load_stored(first, size)
    for index in range(first, size):
        if index - first >= len(stored):
            raise IntegrityError("log.gap", f"entry {index} is missing")
        if derive_entry(stored[index - first]) != logged[index - first]:
            raise IntegrityError("log.entry-mismatch", f"entry {index} is not that of its envelope")


def _check_ahead(log: LogStore, tiles: TileStore, size: int) -> None:
    """Compare bundles ahead of the head: the last process may have ended before it signed.

    They hold entries that are stored. If not, storage was restored from before
    them, and other entries would get the same indices.
    """
    position = size // TILE_WIDTH
    while paths := _bundle_paths(tiles, position):
        for path, data in tiles.load(paths).items():
            logged = parse_entry_bundle(data)
            first = position * TILE_WIDTH
            stored = log.load_stored(first, first + len(logged))
            if len(stored) < len(logged):
                raise IntegrityError(
                    "log.behind-head",
                    f"{path} has entries up to {first + len(logged)}, storage lacks entry"
                    f" {first + len(stored)}",
                )
            for row, entry in zip(stored, logged, strict=True):
                if derive_entry(row) != entry:
                    raise IntegrityError(
                        "log.entry-mismatch", f"entry {row.index} of {path} is another one"
                    )
        position += 1


def _bundle_paths(tiles: TileStore, position: int) -> list[str]:
    """Return the files of a bundle, full and partial."""
    full = entries_path(position)
    return [full] * bool(tiles.load([full])) + list(tiles.list_paths(f"{full}.p/"))


def _root_mismatch(size: int, stated: bytes, computed: bytes, source: str) -> IntegrityError:
    return IntegrityError(
        "log.root-mismatch",
        f"{source} has root {stated.hex()} at size {size}, storage {computed.hex()}",
    )
