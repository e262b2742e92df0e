"""A flipped bit of a bundle or of its document never leaves it proven.

A steady sample; ``make flips`` flips them all.
"""

from __future__ import annotations

import random

import pytest

from flipping import Specimen, specimens

SPECIMENS = {specimen.name: specimen for specimen in specimens()}
SAMPLE = 2_000


@pytest.mark.parametrize("name", SPECIMENS)
def test_no_flip_leaves_a_verdict_standing(name: str) -> None:
    specimen = SPECIMENS[name]
    bits = random.Random(name).sample(range(specimen.bits()), SAMPLE)

    wrong = [error for bit in bits if (error := specimen.flip(bit)[1])]

    assert not wrong


@pytest.mark.parametrize("name", SPECIMENS)
def test_an_unchanged_specimen_has_its_verdict(name: str) -> None:
    specimen = SPECIMENS[name]

    assert specimen.verify(specimen.bundle, specimen.content).verdict is specimen.verdict


@pytest.mark.parametrize("name", SPECIMENS)
def test_every_bit_of_a_document_counts(name: str) -> None:
    specimen = SPECIMENS[name]

    for bit in range(8 * len(specimen.bundle), specimen.bits()):
        assert specimen.flip(bit)[1] is None


def test_what_nobody_vouches_for_is_little() -> None:
    for specimen in SPECIMENS.values():
        assert sum(map(len, specimen.unvouched)) < 500
    assert isinstance(SPECIMENS["plain"], Specimen)
    assert len(SPECIMENS) >= 5
