"""No flipped bit goes unnoticed but those that nothing proves; `make bits` flips them all."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from flip_kit import Flips, flip_entries, flip_files, flip_for_real, flip_signed
from log_kit import WrittenLog, check, fill, open_log


@pytest.fixture
def small(tmp_path: Path) -> WrittenLog:
    log = open_log(tmp_path)
    fill(log, 40)
    log.sequencer.release()
    return log


def some(width: int) -> Sequence[int]:
    """One bit of a value, another each time."""
    return random.Random(width).sample(range(width), 1)


def test_a_flipped_bit_in_any_row_of_the_file_is_found(small: WrittenLog) -> None:
    assert check(small).findings.kept == []
    flips = Flips()

    flip_for_real(small, flips, 3, seed=20261121)

    assert flips.surprises == {}
    assert sum(flips.tried.values()) > 100
    small.database.close()


def test_a_flipped_bit_in_what_the_tree_commits_to_is_named(log: WrittenLog) -> None:
    flips = Flips()

    flip_entries(log, flips, some)

    assert flips.surprises == {}
    assert +flips.unnamed == {}
    assert sum(flips.tried.values()) > 5000


def test_a_flipped_bit_in_any_file_is_named(log: WrittenLog) -> None:
    flips = Flips()

    flip_files(log, flips, some)

    assert +flips.missed == {}
    assert +flips.unnamed == {}


def test_a_flipped_bit_in_what_was_signed_is_found(log: WrittenLog) -> None:
    flips = Flips()

    flip_signed(log, flips, lambda width: range(0, width, 37))

    assert flips.surprises == {}
