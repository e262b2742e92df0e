"""A part of the tiles, chosen at random, each followed up to the signed root.

For every day, between two whole runs. Each chosen bundle with its rows and its
tile is compared as in a whole run; the tiles above lead to the root, so that
what was looked at is part of what was signed. What was not looked at may be
damaged: the chance to have missed it is told.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.fsck.beside import RowsBeside, Tally
from vermilion_ledger.fsck.findings import Finding, Findings
from vermilion_ledger.fsck.growing import StoredFiles, check_chunk
from vermilion_ledger.fsck.run import Fsck, Subject
from vermilion_ledger.ports import Clock
from vermilion_ledger.rows import ObservedHead, TileKey
from vermilion_ledger.tile_reader import TileReader
from vermilion_ledger.tiles import HASH_SIZE, TILE_WIDTH, tile_root, tile_width_at
from vermilion_ledger.tilestore.paths import tile_path
from vermilion_ledger.tree import root_at, subtree_root

__all__ = ["Sample", "check_sample", "damage_found_for_sure"]

_SURE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a partial run came to.

    Attributes:
        size: Its horizon, in entries.
        bundle_count: Bundles that the log has.
        chosen_count: Bundles that were compared.
        checked: Entries that were compared.
        seed: Chooses the same bundles again.
        findings: What was found.
    """

    size: int
    bundle_count: int
    chosen_count: int
    checked: int
    seed: int
    findings: Findings

    @property
    def share(self) -> float:
        """The part of the bundles that was compared."""
        return self.chosen_count / self.bundle_count if self.bundle_count else 1.0


def damage_found_for_sure(share: float) -> int:
    """Return how many damaged bundles a share finds at least one of, in 95 of 100 cases.

    >>> damage_found_for_sure(0.05), damage_found_for_sure(0.5), damage_found_for_sure(1.0)
    (59, 5, 1)
    """
    if share >= _SURE:
        return 1
    return math.ceil(math.log(1 - _SURE) / math.log(1 - share))


def check_sample(
    subject: Subject,
    share: float,
    *,
    seed: int,
    clock: Clock,
    findings: Findings | None = None,
    observed: Sequence[ObservedHead] = (),
    on_progress: Callable[[int, int], None] = lambda _done, _count: None,
) -> Sample:
    """Compare a share of the bundles, and the newest signed heads.

    Args:
        subject: What is checked.
        share: Above 0, up to 1.
        seed: Chooses the bundles.
        clock: Tells which times lie in the future.
        findings: Where differences go.
        observed: Heads that others hold.
        on_progress: Called with the bundles done and how many there are to do.
    """
    findings = findings or Findings()
    run = Fsck(subject, clock=clock, findings=findings)
    size, root = run.find_horizon()
    run.check_ahead(observed, size)
    count = -(-size // TILE_WIDTH)
    chosen = sorted(random.Random(seed).sample(range(count), math.ceil(count * share)))  # noqa: S311
    path = _Path(subject, findings, size)
    path.check_heads(
        [
            ObservedHead(size=size, root=root, source="the newest checkpoint"),
            *(each for each in observed if each.size <= size),
        ]
    )
    beside, checked = RowsBeside(subject.identity, findings, Tally()), 0
    for done, position in enumerate(chosen, start=1):
        start, end = position * TILE_WIDTH, min((position + 1) * TILE_WIDTH, size)
        with subject.store.view() as view:
            rows = view.load_entries(start, end)
            leaves, believed = check_chunk(start, end, rows, path.files, findings)
            for cells in believed:
                beside.expect_entry(cells)
            beside.compare(view)
        checked += len(leaves)
        if len(leaves) == TILE_WIDTH:
            path.follow((0, position), subtree_root(leaves))
        on_progress(done, len(chosen))
    return Sample(
        size=size,
        bundle_count=count,
        chosen_count=len(chosen),
        checked=checked,
        seed=seed,
        findings=findings,
    )


class _Path:
    """The way from a tile up to the root, each tile compared once."""

    def __init__(self, subject: Subject, findings: Findings, size: int) -> None:
        self.files = StoredFiles(subject.tiles, size)
        self._reader = TileReader(subject.tiles, cached_tile_count_max=0)
        self._findings = findings
        self._size = size
        self._seen: set[TileKey] = set()

    def check_heads(self, heads: Sequence[ObservedHead]) -> None:
        """Compare heads with the roots that the stored tiles lead to."""
        for each in heads:
            try:
                stored = root_at(each.size, self._reader.nodes_at(self._size))
            except EvidenceError as exc:
                stored, message = b"", f"{exc.code}: {exc.message}"
            else:
                message = f"{each.source} has {each.root.hex()}, the tiles {stored.hex()}"
            if stored != each.root:
                self._findings.add(
                    Finding(code="fsck.root-differs", message=message, row=f"size={each.size}")
                )

    def follow(self, key: TileKey, root: bytes) -> None:
        """Compare the root over a full tile with the hash above it, and so on up."""
        while key not in self._seen:
            self._seen.add(key)
            above, slot = (key[0] + 1, key[1] // TILE_WIDTH), key[1] % TILE_WIDTH
            ((path, data),) = self.files.load([above], bundles=False).values()
            stored = data[slot * HASH_SIZE : (slot + 1) * HASH_SIZE]
            if stored != root:
                self._findings.add(
                    Finding(
                        code="fsck.file-differs" if data else "fsck.file-missing",
                        message=f"stored {stored.hex()}, {tile_path(*key)} leads to {root.hex()}",
                        path=path,
                        index=key[1] * TILE_WIDTH ** (key[0] + 1),
                        byte=slot * HASH_SIZE,
                    )
                )
            if tile_width_at(above, self._size) < TILE_WIDTH or len(data) != TILE_WIDTH * HASH_SIZE:
                return  # at the right edge: the root is folded from it
            key, root = above, tile_root(data)
