"""The quick prover against the plain one, and against a replay."""

from __future__ import annotations

from random import Random

import pytest

from simulation.calm import CalmLog
from vermilion_ledger.errors import InputError, IntegrityError
from vermilion_ledger.merkle import verify_inclusion
from vermilion_ledger.proofs import InclusionProver
from vermilion_ledger.tile_reader import TileReader
from vermilion_ledger.tree import build_inclusion


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 1), (1, 1), (240, 240), (9, 8)])
def test_no_proof_is_built_for_a_leaf_outside_of_the_tree(index: int, size: int) -> None:
    prover = InclusionProver(TileReader(CalmLog.of(240).tiles))

    with pytest.raises(InputError) as caught:
        prover.inclusion(index, size, 240)

    assert caught.value.code == "merkle.index-range"


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/001.p/244", "tile/1/000.p/1"])
def test_no_proof_is_built_over_a_missing_tile(path: str) -> None:
    log = CalmLog.of(500)
    log.write(path, None)
    prover = InclusionProver(TileReader(log.tiles))

    with pytest.raises(IntegrityError) as caught:
        prover.inclusion(3 if path == "tile/0/000" else 300, 500, 500)

    assert caught.value.code == "log.gap"


def test_every_proof_of_every_size_up_to_300_is_that_of_the_plain_builder() -> None:
    log = CalmLog.of(500)
    tiles = TileReader(log.tiles)
    prover, read, count = InclusionProver(tiles), tiles.nodes_at(500), 0
    for size in range(1, 301):
        root = log.reference.root(size)
        for index in range(size):
            path = prover.inclusion(index, size, 500)
            assert path == build_inclusion(index, size, read)
            if index % 7 == size % 7:
                verify_inclusion(log.reference.leaves[index], index, size, path, root)
            count += 1

    assert count == 300 * 301 // 2


def test_proofs_of_large_trees_are_those_of_the_plain_builder_and_verify() -> None:
    """Sizes on both sides of the first full tile of level 1, below and above it."""
    log, random = CalmLog.of(65_530), Random(9162)
    log.grow(300)
    log.publish()
    published = 65_830
    tiles = TileReader(log.tiles)
    prover, read = InclusionProver(tiles), tiles.nodes_at(published)
    sizes = [65_535, 65_536, 65_537, 65_792, 65_793, published]
    for size in (*sizes, *(random.randrange(1, published + 1) for _ in range(60))):
        root = log.reference.root(size)
        for index in (0, size - 1, *(random.randrange(size) for _ in range(6))):
            path = prover.inclusion(index, size, published)
            assert path == build_inclusion(index, size, read)
            verify_inclusion(log.reference.leaves[index], index, size, path, root)


def test_only_the_newest_sizes_are_remembered() -> None:
    prover = InclusionProver(TileReader(CalmLog.of(240).tiles))
    first = prover.inclusion(0, 1, 240)
    for size in range(2, 200):
        prover.inclusion(0, size, 240)

    assert len(prover._rows) == 64
    assert prover.inclusion(0, 1, 240) == first
