"""The second path to a root: any byte that differs from what it stands for is found."""

from __future__ import annotations

import pytest

from simulation.calm import CalmLog
from vermilion_ledger.errors import IntegrityError
from vermilion_ledger.merkle import EMPTY_ROOT
from vermilion_ledger.recheck import recheck_growth

FILES = [
    "tile/0/000",
    "tile/0/001.p/244",
    "tile/1/000.p/1",
    "tile/entries/000",
    "tile/entries/001.p/244",
]


@pytest.mark.parametrize("path", FILES)
def test_a_missing_file_is_found(path: str) -> None:
    log = CalmLog.of(500)
    log.write(path, None)

    with pytest.raises(IntegrityError) as caught:
        recheck_growth(log.tiles, 0, 500)

    assert caught.value.code == "log.gap"


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize("place", [0, 0.3, 0.7, 1])
def test_a_changed_byte_is_found(path: str, place: float) -> None:
    log = CalmLog.of(500)
    data = bytearray(log.read(path))
    data[int(place * (len(data) - 1))] ^= 1
    log.write(path, bytes(data))

    with pytest.raises(IntegrityError) as caught:
        recheck_growth(log.tiles, 0, 500)

    assert caught.value.code in {"log.tile-mismatch", "log.gap"}


@pytest.mark.parametrize("path", FILES)
def test_a_file_cut_short_is_found(path: str) -> None:
    log = CalmLog.of(500)
    unit = 67 if "entries" in path else 32
    log.write(path, log.read(path)[:-unit])

    with pytest.raises(IntegrityError) as caught:
        recheck_growth(log.tiles, 0, 500)

    assert caught.value.code == "log.gap"


def test_a_changed_tile_far_above_the_leaves_is_found() -> None:
    log = CalmLog.of(65_530)
    log.grow(10)
    log.publish()
    for path in ("tile/1/000", "tile/2/000.p/1"):
        data = log.read(path)
        log.write(path, data[:-1] + bytes([data[-1] ^ 0x80]))

        with pytest.raises(IntegrityError) as caught:
            recheck_growth(log.tiles, 65_530, 65_540)

        assert caught.value.code == "log.tile-mismatch"
        log.write(path, data)


def test_what_was_rechecked_before_is_not_read_again() -> None:
    """Damage below what grew is the business of `vermilion fsck`."""
    log = CalmLog.of(500)
    log.write("tile/entries/000", bytes(67 * 256))

    assert recheck_growth(log.tiles, 256, 500) == log.reference.root(500)


@pytest.mark.parametrize(
    ("old", "new"), [(0, 500), (499, 500), (256, 500), (255, 500), (500, 500), (1, 500)]
)
def test_a_sound_growth_has_the_root_of_a_replay(old: int, new: int) -> None:
    log = CalmLog.of(500)

    assert recheck_growth(log.tiles, old, new) == log.reference.root(new)


def test_growth_over_the_first_full_tile_of_level_1_has_the_root_of_a_replay() -> None:
    log = CalmLog.of(65_530)
    log.grow(300)
    log.publish()

    assert recheck_growth(log.tiles, 65_530, 65_830) == log.reference.root(65_830)


def test_an_empty_log_has_the_empty_root() -> None:
    assert recheck_growth(CalmLog.of(0).tiles, 0, 0) == EMPTY_ROOT
