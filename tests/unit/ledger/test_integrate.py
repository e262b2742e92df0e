"""Growing the tree: the files of each step, what continues it, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from simulation.calm import CalmLog
from vermilion_ledger.errors import IntegrityError
from vermilion_ledger.integrate import (
    Integrator,
    derive_entry,
    load_bundle,
    load_entries,
    rebuild_tiles,
)
from vermilion_ledger.tilestore.posix import PosixTileStore


@pytest.mark.parametrize(
    ("size", "path"),
    [
        (240, "tile/0/000.p/240"),
        (240, "tile/entries/000.p/240"),
        (256, "tile/1/000.p/1"),
        (500, "tile/0/001.p/244"),
        (500, "tile/entries/001.p/244"),
    ],
)
def test_no_tree_is_continued_whose_edge_is_missing(size: int, path: str) -> None:
    log = CalmLog.of(size)
    log.write(path, None)

    with pytest.raises(IntegrityError) as caught:
        Integrator(log.tiles, size)

    assert caught.value.code == "log.gap"


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x41" + bytes(64), b"\x00\x40" + bytes(65)])
def test_a_bundle_of_anything_else_than_entries_is_refused(data: bytes) -> None:
    log = CalmLog.of(240)
    log.write("tile/entries/000.p/240", data)

    with pytest.raises(IntegrityError) as caught:
        load_bundle(log.tiles, 0, 240)

    assert caught.value.code == "log.gap"


def test_a_file_of_another_log_is_not_written_over() -> None:
    log = CalmLog.of(240)
    log.grow(3)
    log.tiles.put_new({"tile/0/000.p/243": bytes(243 * 32)})
    integrator = Integrator(log.tiles, 240)

    with pytest.raises(IntegrityError) as caught:
        integrator.integrate(load_entries(log.log, 240, 243))

    assert caught.value.code == "tiles.differ"
    assert log.read("tile/0/000.p/243") == bytes(243 * 32)


@pytest.mark.parametrize(("start", "end"), [(0, 241), (239, 242), (240, 241), (500, 501)])
def test_entries_that_are_not_stored_are_not_made_up(start: int, end: int) -> None:
    with pytest.raises(IntegrityError) as caught:
        load_entries(CalmLog.of(240).log, start, end)

    assert caught.value.code == "log.gap"
    assert f"entry {max(start, 240)} is missing" in str(caught.value)


def test_an_entry_is_derived_from_what_is_stored() -> None:
    log = CalmLog.of(240)

    assert [derive_entry(row) for row in log.evidence.entries] == log.reference.entries
    assert load_entries(log.log, 3, 9) == log.reference.entries[3:9]
    assert load_entries(log.log, 9, 9) == []


@pytest.mark.parametrize("steps", [(1,), (16, 1), (15, 1, 300), (20, 240, 256), (0, 5)])
def test_each_step_writes_the_files_of_the_reference(steps: tuple[int, ...]) -> None:
    log = CalmLog.of(240)
    integrator = Integrator(log.tiles, 240)
    for step in steps:
        size = integrator.size
        log.grow(step)
        integrator.integrate(log.reference.entries[size:])

        assert integrator.size == size + step
        assert integrator.root() == log.reference.root(size + step)
        for path, data in log.reference.files(size, size + step):
            assert log.read(path) == data


def test_all_files_of_a_step_are_put_at_once() -> None:
    log = CalmLog.of(500)
    puts: list[list[str]] = []

    class Noting(PosixTileStore):
        def put_new(self, files: Mapping[str, bytes]) -> None:
            puts.append(sorted(files))
            super().put_new(files)

    log.grow(13)
    Integrator(Noting(log.disk, log.folder), 500).integrate(log.reference.entries[500:])

    assert puts == [
        [
            "tile/0/001",
            "tile/0/002.p/1",
            "tile/1/000.p/2",
            "tile/entries/001",
            "tile/entries/002.p/1",
        ]
    ]


def test_a_full_bundle_stands_in_for_a_partial_one() -> None:
    log = CalmLog.of(240)
    log.grow(20)
    log.publish()

    assert load_bundle(log.tiles, 0, 240) == tuple(log.reference.entries[:240])
    assert load_bundle(log.tiles, 0, 256) == tuple(log.reference.entries[:256])


def test_a_lost_tile_store_is_written_anew_from_what_is_stored() -> None:
    log = CalmLog.of(500)
    paths = [path for path in log.tiles.list_paths("tile/") if ".p/" not in path]
    for path in paths[::2]:
        log.write(path, None)

    root = rebuild_tiles(log.log, log.tiles, 500)

    assert root == log.reference.root(500)
    for path, data in log.reference.files(0, 500):
        assert log.read(path) == data


def test_a_rebuild_stops_at_a_file_of_another_log() -> None:
    log = CalmLog.of(500)
    log.write("tile/0/000", bytes(8192))

    with pytest.raises(IntegrityError) as caught:
        rebuild_tiles(log.log, log.tiles, 500)

    assert caught.value.code == "tiles.differ"
