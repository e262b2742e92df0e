"""The files that no published size asks for, and the one that changes.

Partial tiles of earlier sizes stay for readers who are at work with them, and
files above the published size are there while a checkpoint is being made: both
harm nobody as long as what they say is what the full tile says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vermilion_ledger.cells import AuditStore
from vermilion_ledger.checkpoint import parse_checkpoint_unverified
from vermilion_ledger.errors import InputError
from vermilion_ledger.fsck.findings import Finding, Findings, first_difference
from vermilion_ledger.ports import TileStore
from vermilion_ledger.tiles import tile_width_at
from vermilion_ledger.tilestore.paths import (
    CHECKPOINT,
    TilePath,
    entries_path,
    parse_path,
    tile_path,
)

__all__ = ["check_note_file", "check_other_files"]

_PAGE = 1000  # files read at once
_LOOKS = 5  # at a file that a running ledger is about to replace
_LOOK_SECONDS = 0.2


def check_other_files(
    tiles: TileStore, size: int, findings: Findings, *, load_latest: Callable[[], int]
) -> None:
    """Look at every file that is not one of those of the published size.

    The list of names takes less than a byte of memory an entry.

    Args:
        tiles: The log's files.
        size: The horizon.
        findings: Where differences go.
        load_latest: Returns the size signed last; a running ledger moves on.
    """
    others = [
        path
        for path in tiles.list_paths("")
        if path != CHECKPOINT and not _is_published(path, size)
    ]
    latest = max(size, load_latest())
    for start in range(0, len(others), _PAGE):
        _check_others(tiles, others[start : start + _PAGE], (size, latest), findings)


def _is_published(path: str, size: int) -> bool:
    """Tell whether a file is one of those compared already."""
    try:
        tile = parse_path(path)
    except InputError:
        return False
    return tile_width_at((tile.level or 0, tile.position), size) == tile.width


def _check_others(
    tiles: TileStore, paths: Sequence[str], sizes: tuple[int, int], findings: Findings
) -> None:
    """Compare files of other widths with the published tile of the same place."""
    size, latest = sizes
    found: list[tuple[str, str]] = []
    for path in paths:
        try:
            tile = parse_path(path)
        except InputError:
            _report_stray(findings, path)
            continue
        width = tile_width_at((tile.level or 0, tile.position), size)
        if width:
            found.append((path, _published_path(tile, width)))
        if tile_width_at((tile.level or 0, tile.position), latest) < tile.width:
            _report_unpublished(findings, path)
    stored = tiles.load([path for pair in found for path in pair])
    for path, published in found:
        data, full = stored.get(path, b""), stored.get(published, b"")
        if path not in stored:
            continue  # swept by a running ledger since it was listed
        shared = min(len(data), len(full))
        tile = parse_path(path)
        step = 67 if tile.level is None else 32
        if data[:shared] != full[:shared] or len(data) != tile.width * step:
            findings.add(
                Finding(
                    code="fsck.file-differs",
                    message=f"it is not a part of {published}",
                    path=path,
                    byte=first_difference(data[:shared], full[:shared]),
                )
            )


def _published_path(tile: TilePath, width: int) -> str:
    if tile.level is None:
        return entries_path(tile.position, width)
    return tile_path(tile.level, tile.position, width)


def _report_stray(findings: Findings, path: str) -> None:
    findings.add(
        Finding(code="fsck.file-stray", message="no log has a file of that name", path=path)
    )


def _report_unpublished(findings: Findings, path: str) -> None:
    findings.add(
        Finding(
            code="fsck.unpublished",
            message="written for a size that is not signed yet",
            path=path,
            is_damage=False,
        )
    )


def check_note_file(
    tiles: TileStore, store: AuditStore, findings: Findings, *, sleep: Callable[[float], None]
) -> None:
    """Compare the file ``checkpoint`` with the newest checkpoint.

    A running ledger replaces it a moment after it moved the head, so a
    difference must last. What a crash left behind, the next start brings up.
    """
    data, note = b"", b""
    for look in range(_LOOKS):
        if look:
            sleep(_LOOK_SECONDS)
        newest = store.load_head()[1]
        note = newest[0].note if newest else b""
        data = tiles.load([CHECKPOINT]).get(CHECKPOINT, b"")
        if data == note:
            return
    if data and not _is_earlier(data, store):
        findings.add(
            Finding(
                code="fsck.file-differs",
                message="it is no checkpoint of this log",
                path=CHECKPOINT,
                byte=first_difference(data, note),
            )
        )
    else:
        findings.add(
            Finding(
                code="fsck.behind",
                message="it is not the newest checkpoint; the next start brings it up",
                path=CHECKPOINT,
                is_damage=False,
            )
        )


def _is_earlier(data: bytes, store: AuditStore) -> bool:
    """Tell whether a note is that of a checkpoint which was published."""
    try:
        size = parse_checkpoint_unverified(data).checkpoint.size
    except InputError:
        return False
    return any(cells.note == data for cells in store.next_checkpoints(size - 1, 1))
